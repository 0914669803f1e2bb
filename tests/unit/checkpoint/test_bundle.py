import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from xlmkit.checkpoint.bundle import CONFIG_FILE, PROVENANCE_FILE, WEIGHTS_FILE, Bundle
from xlmkit.checkpoint.names import SEQUENCE_CLASSIFIER
from xlmkit.core.errors import UserError
from xlmkit.model.config import Architecture
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.model.heads import LanguageModel, SequenceClassifier
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary

LABELS = ["règle", "новости", "天气"]


def tokenizer(n_words: int = 20) -> Tokenizer:
    symbols = [f"{chr(0x3B1 + n)}</w>" for n in range(n_words - len(SPECIAL_TOKENS))]
    return Tokenizer(
        Vocabulary([*SPECIAL_TOKENS, *symbols]), Merges(()), {"el": 0, "zh": 1}, segmenters={}
    )


def architecture(**choices: Any) -> Architecture:
    sizes: dict[str, Any] = {"n_words": 20, "n_langs": 2, "n_layers": 2, "emb_dim": 8, "n_heads": 2}
    return Architecture(**{**sizes, "max_position_embeddings": 16, "dropout": 0.25, **choices})


def language_bundle(**choices: Any) -> Bundle:
    torch.manual_seed(0)
    shape = architecture(**choices)
    provenance = {"recipe": {"name": "tiny"}, "seed": 1}
    weights = LanguageModel(shape).state_dict()
    return Bundle(shape, tokenizer(), weights, provenance=provenance)


def classifier_bundle(summary_type: str = "first") -> Bundle:
    torch.manual_seed(0)
    shape = architecture()
    return Bundle(
        shape,
        tokenizer(),
        SequenceClassifier(shape, 3, summary_type=summary_type).state_dict(),
        head=SEQUENCE_CLASSIFIER,
        labels=LABELS,
        summary_type=summary_type,
    )


def saved(folder: Path, bundle: Bundle | None = None) -> Path:
    (bundle or language_bundle()).save(folder)
    return folder


def change_config(folder: Path, **changes: Any) -> None:
    path = folder / CONFIG_FILE
    config = json.loads(path.read_text(encoding="utf-8"))
    config.update(changes)
    kept = {name: value for name, value in config.items() if value is not ...}
    path.write_text(json.dumps(kept), encoding="utf-8")


@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"causal": True, "use_lang_emb": False, "gelu_activation": False},
        {"sinusoidal_embeddings": True, "n_langs": 1, "attention_dropout": 0.5},
        {"layer_norm_eps": 1e-5, "embed_init_std": 0.125},
    ],
)
def test_a_model_comes_back_as_it_was(tmp_path: Path, choices: dict[str, Any]) -> None:
    bundle = language_bundle(**choices)
    bundle.save(tmp_path / "model")
    again = Bundle.load(tmp_path / "model")
    assert again.architecture == bundle.architecture
    assert again.tokenizer.signature == bundle.tokenizer.signature
    assert again.tokenizer.lang2id == {"el": 0, "zh": 1}
    assert again.provenance["recipe"] == {"name": "tiny"}
    model, before = again.language_model(), bundle.language_model()
    assert not model.training
    for name, value in before.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name
    assert model.pred_layer.proj.weight is model.transformer.embeddings.weight
    tokens = torch.tensor([[1, 15, 16, 1], [1, 17, 1, 2]])
    inputs = (tokens, torch.tensor([4, 3]), None, torch.zeros_like(tokens))
    assert torch.equal(model.transformer(*inputs), before.transformer(*inputs))


@pytest.mark.parametrize("summary_type", ["first", "mean"])
def test_a_classifier_comes_back_with_its_labels(tmp_path: Path, summary_type: str) -> None:
    bundle = classifier_bundle(summary_type)
    again = Bundle.load(saved(tmp_path, bundle))
    assert (again.labels, again.summary_type) == (LABELS, summary_type)
    model = again.classifier()
    assert model.sequence_summary.summary_type == summary_type
    for name, value in bundle.classifier().state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name


def test_tied_weights_lie_once_and_in_float32(tmp_path: Path) -> None:
    bundle = language_bundle()
    half = {name: value.to(torch.bfloat16) for name, value in bundle.weights.items()}
    Bundle(bundle.architecture, bundle.tokenizer, half).save(tmp_path)
    stored = load_file(tmp_path / WEIGHTS_FILE)
    assert set(stored) == set(bundle.weights) - {"pred_layer.proj.weight"}
    assert {value.dtype for value in stored.values()} == {torch.float32}


def test_saving_again_replaces_everything(tmp_path: Path) -> None:
    saved(tmp_path)
    saved(tmp_path, classifier_bundle())
    assert Bundle.load(tmp_path).labels == LABELS


def test_a_changed_weight_is_found_by_the_checksum(tmp_path: Path) -> None:
    path = saved(tmp_path) / WEIGHTS_FILE
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"is not the file that was saved: its checksum differs\."):
        Bundle.load(tmp_path)


@pytest.mark.parametrize("size", [0, 5, -100])
def test_weights_cut_short_are_said(tmp_path: Path, size: int) -> None:
    path = saved(tmp_path) / WEIGHTS_FILE
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(UserError, match=r"model\.safetensors is damaged: "):
        Bundle.load(tmp_path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / WEIGHTS_FILE).unlink()
    with pytest.raises(UserError, match=r"has no model\.safetensors; is it a model's folder\?"):
        Bundle.load(tmp_path)
    with pytest.raises(UserError, match=r"There is no folder .*elsewhere\."):
        Bundle.load(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=r"config\.json is a file; name the folder"):
        Bundle.load(tmp_path / "config.json")


def test_a_run_is_no_model_but_names_its_models(tmp_path: Path) -> None:
    saved(tmp_path / "run" / "translation" / "small")
    for folder in (tmp_path / "run", tmp_path / "run" / "translation"):
        with pytest.raises(UserError, match=r"holds some; name one, such as .*translation/small\."):
            Bundle.load(folder)


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    change_config(saved(tmp_path), model_type="bert")
    with pytest.raises(UserError, match=r"config\.json is for a bert model, not for XLM\."):
        Bundle.load(tmp_path)


def test_a_size_that_is_lacking_is_named(tmp_path: Path) -> None:
    change_config(saved(tmp_path), emb_dim=..., n_heads=...)
    with pytest.raises(UserError, match=r"config\.json lacks emb_dim, n_heads\."):
        Bundle.load(tmp_path)


def test_a_tokenizer_with_more_words_than_the_model_is_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    tokenizer(25).save(tmp_path)
    message = r"the tokenizer has 25 words but the model only 20; use the tokenizer"
    with pytest.raises(UserError, match=message):
        Bundle.load(tmp_path)


def test_weights_of_another_shape_name_both_sizes(tmp_path: Path) -> None:
    change_config(saved(tmp_path), max_position_embeddings=12)
    message = r"do not fit .*position_embeddings.*\[16, 8\].*\[12, 8\]"
    with pytest.raises(UserError, match=message):
        Bundle.load(tmp_path).language_model()


def test_missing_weights_are_named(tmp_path: Path) -> None:
    bundle = language_bundle()
    for missing in ("transformer.embeddings.weight", "transformer.layer_norm_emb.bias"):
        weights = {name: value for name, value in bundle.weights.items() if name != missing}
        with pytest.raises(UserError, match=rf"do not fit .*{missing}"):
            Bundle(bundle.architecture, bundle.tokenizer, weights).language_model()


def test_a_language_model_is_no_classifier(tmp_path: Path) -> None:
    bundle = Bundle.load(saved(tmp_path))
    with pytest.raises(UserError, match=r"is a XLMWithLMHeadModel, not a classifier; finetune it"):
        bundle.classifier()


def test_a_checkpoint_without_provenance_loads(tmp_path: Path) -> None:
    (saved(tmp_path) / PROVENANCE_FILE).unlink()
    assert Bundle.load(tmp_path).provenance == {}


def test_weights_in_other_hands_form_load(tmp_path: Path) -> None:
    """A file that holds the tied weight twice, as older writers do."""
    bundle = language_bundle()
    saved(tmp_path, bundle)
    (tmp_path / PROVENANCE_FILE).unlink()
    twice = {name: value.clone() for name, value in bundle.weights.items()}
    save_file(twice, tmp_path / WEIGHTS_FILE)
    model = Bundle.load(tmp_path).language_model()
    name = "transformer.embeddings.weight"
    assert torch.equal(model.state_dict()[name], bundle.weights[name])


@pytest.mark.parametrize(
    "head", ["language model", "classifier", "translator", "bare", "with a constant"]
)
def test_the_transformer_comes_out_of_any_head(tmp_path: Path, head: str) -> None:
    bundle = classifier_bundle() if head == "classifier" else language_bundle()
    body = {
        name.removeprefix("transformer."): value
        for name, value in bundle.weights.items()
        if name.startswith("transformer.")
    }
    if head == "translator":
        model = EncoderDecoder(bundle.architecture)
        body = model.encoder.state_dict()
        bundle = Bundle(bundle.architecture, bundle.tokenizer, model.state_dict())
    elif head == "bare":  # as transformers' XLMModel is saved
        bundle = Bundle(bundle.architecture, bundle.tokenizer, body)
    elif head == "with a constant":
        more = {"transformer.position_ids": torch.arange(16)[None]}
        bundle = Bundle(bundle.architecture, bundle.tokenizer, {**bundle.weights, **more})
    found = bundle.transformer()
    assert not found.training
    assert found.state_dict().keys() == body.keys()
    for name, value in found.state_dict().items():
        assert torch.equal(value, body[name]), name


def test_weights_of_an_old_pickle_load_and_nothing_else_in_it(tmp_path: Path) -> None:
    bundle = language_bundle()
    path = saved(tmp_path, bundle) / "pytorch_model.bin"
    (tmp_path / WEIGHTS_FILE).unlink()
    torch.save(dict(bundle.weights), path)
    loaded = Bundle.load(tmp_path).weights
    assert all(torch.equal(loaded[name], value) for name, value in bundle.weights.items())
    torch.save({"weights": Path("x")}, path)
    with pytest.raises(UserError, match=r"pytorch_model\.bin is damaged or holds more than weigh"):
        Bundle.load(tmp_path)
    path.write_bytes(b"x" * 100)
    with pytest.raises(UserError, match=r"pytorch_model\.bin is damaged or holds more than weigh"):
        Bundle.load(tmp_path)


def test_languages_of_the_configuration_count_where_the_tokenizer_has_none(tmp_path: Path) -> None:
    saved(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    del config["lang2id"]
    path.write_text(json.dumps(config), encoding="utf-8")
    assert Bundle.load(tmp_path).tokenizer.lang2id == {"el": 0, "zh": 1}


def test_more_languages_than_embeddings_are_refused_where_there_are_embeddings(
    tmp_path: Path,
) -> None:
    more = tokenizer().with_languages({"el": 0, "zh": 1, "sw": 0})
    for uses, folder in ((False, tmp_path / "without"), (True, tmp_path / "with")):
        bundle = language_bundle(use_lang_emb=uses)
        Bundle(bundle.architecture, more, bundle.weights).save(folder)
    assert list(Bundle.load(tmp_path / "without").tokenizer.lang2id) == ["el", "zh", "sw"]
    with pytest.raises(UserError, match="the tokenizer has 3 languages but the model only 2"):
        Bundle.load(tmp_path / "with")


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"summary_type": "mean"}, "summary_type='mean' over padding"),
        ({"summary_type": "cls_index"}, "summary_type='cls_index'"),
        ({"summary_activation": "tanh"}, "summary_activation='tanh'"),
    ],
)
def test_a_classifier_that_pools_otherwise_is_refused(
    tmp_path: Path, choices: dict[str, str], message: str
) -> None:
    pytest.importorskip("transformers")
    from xlmkit import XLMConfig, XLMForSequenceClassification

    sizes = {
        "vocab_size": len(tokenizer()),
        "emb_dim": 16,
        "n_layers": 1,
        "n_heads": 2,
        "n_langs": 2,
    }
    XLMForSequenceClassification(XLMConfig(**sizes, **choices)).save_pretrained(tmp_path)
    tokenizer().save(tmp_path)
    with pytest.raises(UserError, match=message):
        Bundle.load(tmp_path).classifier()
    (tmp_path / "xlmkit.json").write_text('{"extended": {}}')  # as `extend-positions` leaves one
    with pytest.raises(UserError, match=message):
        Bundle.load(tmp_path).classifier()


def test_weights_in_several_files(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    from xlmkit import XLMConfig, XLMWithLMHeadModel

    sizes = {
        "vocab_size": len(tokenizer()),
        "emb_dim": 16,
        "n_layers": 2,
        "n_heads": 2,
        "n_langs": 2,
    }
    model = XLMWithLMHeadModel(XLMConfig(**sizes))
    model.save_pretrained(tmp_path, max_shard_size="5KB")
    tokenizer().save(tmp_path)
    assert not (tmp_path / "model.safetensors").exists()
    loaded = Bundle.load(tmp_path).language_model().state_dict()
    assert all(torch.equal(loaded[name], part) for name, part in model.state_dict().items())
