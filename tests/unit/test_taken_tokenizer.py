"""The tokenizer of a model that is there already, and the model itself as a translator's start."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from xlmkit.build.translator_init import initial_translator
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.config import load_config
from xlmkit.core.errors import MissingPackageError, UserError
from xlmkit.core.files import read_json
from xlmkit.core.process import Processes
from xlmkit.generate.translator import Translator
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel
from xlmkit.plan import RunPlan
from xlmkit.recipe import Recipe
from xlmkit.run import prepare, run
from xlmkit.text.tokenizer import Tokenizer, TokenizerConfig

SECTION = """\
tokenizer: {checkpoint: published}
translation:
  steps: 2
  tokens_per_batch: 128
  validate_every: 2
  max_valid: 2
  beam_size: 0
  models:
    begun: {init: published, mt: {directions: [en-zh], length: 32}}
"""
SHARES = ["data.split.valid=0.05", "data.split.test=0.05", "model=null"]
LANGUAGES = ["en", "zh", "ar"]


@pytest.fixture
def recipe(project: Path) -> Path:
    """A recipe beside a model whose tokenizer knows other words than its texts would give."""
    path = project / "recipe.yaml"
    lines = path.read_text("utf-8").partition("pretrain:")[0].splitlines()
    kept = [line for line in lines if not line.startswith(("tokenizer:", "model:"))]
    path.write_text("\n".join([*kept, SECTION]), encoding="utf-8")
    texts = [
        (code, (project / f"text.{code}").read_text("utf-8").splitlines()) for code in LANGUAGES
    ]
    config = TokenizerConfig(vocabulary_size=200, segmenters={"zh": "characters"})
    tokenizer = Tokenizer.learn(texts, config, LANGUAGES)
    torch.manual_seed(0)
    shape = Architecture(
        n_words=len(tokenizer), n_langs=3, n_layers=1, emb_dim=16, n_heads=2,
        max_position_embeddings=64,
    )  # fmt: skip
    model = LanguageModel(shape)
    torch.nn.init.normal_(model.pred_layer.proj.bias)
    Bundle(shape, tokenizer, model.state_dict()).save(project / "published")
    return path


def plan(recipe: Path, *overrides: str) -> RunPlan:
    made = load_config(recipe, Recipe, overrides)
    return RunPlan(made, recipe.parent, recipe.parent / "out", Processes())


@pytest.mark.parametrize("shared", [False, True])
def test_both_halves_begin_as_the_model_and_attention_to_the_source_is_fresh(
    recipe: Path, shared: bool
) -> None:
    published = Bundle.load(recipe.parent / "published")
    made = plan(recipe, f"translation.models.begun.share_embeddings={str(shared).lower()}")
    model = initial_translator(made, "begun", published.tokenizer)
    theirs = published.transformer().state_dict()
    encoder, decoder = model.encoder.state_dict(), model.decoder.state_dict()
    assert encoder.keys() == theirs.keys()
    for name, value in theirs.items():
        assert torch.equal(encoder[name], value), name
        assert torch.equal(decoder[name], value), name
    fresh = {name.partition(".")[0] for name in decoder.keys() - theirs.keys()}
    assert fresh == {"encoder_attn", "layer_norm15"}
    assert (model.decoder.embeddings.weight is model.encoder.embeddings.weight) is shared
    assert model.pred_layer.proj.weight is model.decoder.embeddings.weight
    assert torch.equal(model.pred_layer.proj.bias, published.weights["pred_layer.proj.bias"])


def test_a_translator_begins_as_a_model_from_elsewhere(recipe: Path) -> None:
    out = recipe.parent / "out"
    run(recipe, SHARES[:2], out, False)
    theirs = Bundle.load(recipe.parent / "published")
    made = Bundle.load(out / "translation" / "begun")
    assert made.tokenizer.signature == theirs.tokenizer.signature
    assert made.architecture.emb_dim == 16
    before = theirs.weights["transformer.embeddings.weight"]
    after = made.encoder_decoder().encoder.embeddings.weight.detach()
    assert 0 < float((after - before).abs().max()) < 0.1  # two steps away
    init = f"translation.models.begun.init={out / 'translation' / 'begun'}"
    whole = initial_translator(plan(recipe, init), "begun", made.tokenizer).state_dict()
    assert all(torch.equal(whole[n], v) for n, v in made.encoder_decoder().state_dict().items())
    one_table = plan(recipe, init, "translation.models.begun.share_embeddings=true")
    with pytest.raises(UserError, match=r"begun.share_embeddings: .* set this to false"):
        initial_translator(one_table, "begun", made.tokenizer)
    [line] = Translator.from_pretrained(out / "translation" / "begun").translate(
        ["a few words"], src="en", tgt="zh"
    )
    assert isinstance(line, str)
    size = read_json(out / "results.json")["tokenizer"]["vocabulary_size"]
    assert size == len(theirs.tokenizer)


def test_the_languages_have_the_ids_of_the_recipe(recipe: Path) -> None:
    out = recipe.parent / "out"
    prepare(recipe, [*SHARES[:2], "languages=[zh, en, ar]", "translation=null"], out, False)
    taken = Tokenizer.load(out / "shards" / "tokenizer")
    assert taken.lang2id == {"zh": 0, "en": 1, "ar": 2}
    assert taken.encode_batch(["a few"], "en")[0].tolist() == Tokenizer.load(
        recipe.parent / "published"
    ).encode_batch(["a few"], "en")[0].tolist()  # fmt: skip
    with pytest.raises(UserError, match="has the languages en, zh, ar; the recipe needs the same"):
        run(recipe, [*SHARES[:2], "languages=[zh, en, ar]"], out, False)


def test_what_is_taken_is_not_learned_too(recipe: Path) -> None:
    with pytest.raises(UserError, match="is taken as it is; take vocabulary_size out"):
        plan(recipe, "tokenizer.vocabulary_size=100")


def test_other_families_have_other_tokenizers(
    recipe: Path, make_encoder: Callable[..., Path]
) -> None:
    make_encoder("bert", recipe.parent / "bert")
    with pytest.raises(UserError, match=r"tokenizer\.checkpoint: bert is a model of the family"):
        plan(recipe, "tokenizer.checkpoint=bert").find_files()
    with pytest.raises(UserError, match="no folder"):
        plan(recipe, "tokenizer.checkpoint=./nowhere/at/all").find_files()


def test_shards_depend_on_what_is_taken_and_else_are_what_they_were(recipe: Path) -> None:
    before = plan(recipe).shards.key
    with (recipe.parent / "published" / "merges.txt").open("a", encoding="utf-8") as stream:
        stream.write("a f 1\n")
    assert plan(recipe).shards.key != before
    learned = plan(recipe, "tokenizer={vocabulary_size: 100}", "translation=null")
    assert "checkpoint" not in learned.shards.inputs["tokenizer"]


def test_a_segmenter_that_is_missing_is_told_before_texts_are_read(
    recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sudachipy", None)
    settings = ["tokenizer={segmenters: {zh: sudachi}}", "translation.models.begun.init=null"]
    with pytest.raises(MissingPackageError, match="ja-sudachi"):
        prepare(recipe, [*SHARES[:2], *settings], recipe.parent / "out", False)
    assert not (recipe.parent / "out" / "corpus").exists()
