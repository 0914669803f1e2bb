"""Masks filled and prompts continued, with the words of one language."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from xlmkit import FillMask, TextGenerator
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import TRANSLATOR
from xlmkit.cli.app import app
from xlmkit.core.errors import UserError
from xlmkit.data.batch import assemble
from xlmkit.generate.config import SearchConfig
from xlmkit.inference.words import script_tokens, tokens_of_texts
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import MASK, SPECIAL_TOKENS, Vocabulary

LATIN, GREEK = "abcd", "αβγδ"
FIRST = len(SPECIAL_TOKENS)


def _model(folder: Path, *, causal: bool) -> Path:
    symbols = [f"{letter}</w>" for letter in (*LATIN, *GREEK, ".")]
    vocabulary = Vocabulary([*SPECIAL_TOKENS, *symbols])
    shape = Architecture(
        n_words=len(vocabulary) + 2, n_langs=2, n_layers=2, emb_dim=16, n_heads=2,
        max_position_embeddings=16, embed_init_std=0.6, causal=causal,
    )  # fmt: skip
    torch.manual_seed(3)
    tokenizer = Tokenizer(vocabulary, Merges(()), {"en": 0, "el": 1}, segmenters={})
    Bundle(shape, tokenizer, LanguageModel(shape).state_dict()).save(folder)
    return folder


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _model(tmp_path_factory.mktemp("masked"), causal=False)


@pytest.fixture(scope="module")
def causal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _model(tmp_path_factory.mktemp("causal"), causal=True)


def plain_scores(folder: Path, ids: list[int], language: int) -> torch.Tensor:
    """Scores of the words at every position of `</s> ids </s>`."""
    bundle = Bundle.load(folder)
    model = bundle.language_model()
    row = torch.tensor(ids, dtype=torch.int32).numpy()
    inputs = assemble([((row, language),)], 16).tensors()
    with torch.inference_mode():
        return model.pred_layer(inputs.fed_to(model.transformer))[0].float()


def test_the_best_tokens_are_those_of_the_model(masked: Path) -> None:
    filler = FillMask.from_pretrained(masked, precision="float32")
    for code, number in (("en", 0), ("el", 1)):
        [[first, second]] = filler.fill(["a <mask> b <mask>"], code, top=3)
        ids = [FIRST, MASK, FIRST + 1, MASK]
        expected = plain_scores(masked, ids, number).softmax(dim=1)
        for place, best in ((2, first), (4, second)):
            ordinary = expected[place, FIRST:-2].sort(descending=True)
            assert [one.probability for one in best] == pytest.approx(
                ordinary.values[:3].tolist(), rel=1e-4
            )
        assert first[0].text == f"a {first[0].token} b <mask>"
        assert second[0].text == f"a <mask> b {second[0].token}"
        assert first[0].word_ends


def test_in_a_long_text_each_mask_is_filled_from_what_stands_around_it(masked: Path) -> None:
    filler = FillMask.from_pretrained(masked, precision="float32")
    words = ["<mask>", *"abcdabcd", "<mask>", *"dcbadcbadcba", "<mask>"]
    [found] = filler.fill([" ".join(words)], "en", top=2)
    for place, start in ((0, 0), (9, 2), (22, 9)):  # of 14 tokens that the model reads
        ids = [MASK if w == "<mask>" else FIRST + LATIN.index(w) for w in words[start : start + 14]]
        scores = plain_scores(masked, ids, 0).softmax(dim=1)[place - start + 1]
        best = scores[FIRST:-2].sort(descending=True)
        filling = found[words[:place].count("<mask>")]
        assert [one.probability for one in filling] == pytest.approx(
            best.values[:2].tolist(), rel=1e-4
        )
        begun = [*words[:place], filling[0].token]
        assert filling[0].text == " ".join([*begun, *words[place + 1 :]])


def test_of_a_long_prompt_the_end_is_read(causal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generator = TextGenerator.from_pretrained(causal)
    prompt, search = "a b c d " * 5, SearchConfig(beam_size=0, min_length=4)
    [[made]] = generator.generate([prompt.strip()], "en", search, max_new=4)
    assert "Prompt 1 has 20 tokens, of which the model reads the last 10" in capsys.readouterr().err
    [[short]] = generator.generate(["c d a b c d a b c d"], "en", search, max_new=4)
    assert made.text == prompt[: 10 * 2] + short.text
    assert made.score == short.score


def test_words_of_one_script_or_of_a_text(masked: Path) -> None:
    filler = FillMask.from_pretrained(masked)
    greek = script_tokens(filler.tokenizer, "el")
    [[best]] = filler.fill(["α <mask>"], "el", top=20, allowed=greek)
    assert {one.token for one in best} == {*GREEK, "."}
    few = tokens_of_texts(filler.tokenizer, ["a b", "a"], "en")
    [[best]] = filler.fill(["α <mask>"], "el", allowed=few)
    assert {one.token for one in best} == {"a", "b"}


@pytest.mark.parametrize("kind", ["masked", "causal"])
@pytest.mark.parametrize("how", [{"beam_size": 0}, {"beam_size": 3}, {"sample": True}])
def test_prompts_go_on_in_the_language(
    kind: str, how: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    generator = TextGenerator.from_pretrained(request.getfixturevalue(kind))
    greek = script_tokens(generator.tokenizer, "el")
    prompts = ["a b", "", "a", "c d"]
    search = SearchConfig(**how, min_length=3)
    made = generator.generate(prompts, "el", search, max_new=4, allowed=greek)
    for prompt, [best] in zip(prompts, made, strict=True):
        assert best.text.startswith(prompt)
        written = set(best.text.removeprefix(prompt).replace(" ", ""))
        assert written <= {*GREEK, "."}
        assert 3 <= len(best.text.replace(" ", "")) - len(prompt.replace(" ", "")) <= 4
    alone = [generator.generate([p], "el", search, max_new=4, allowed=greek)[0] for p in prompts]
    if not search.sample:  # draws depend on the number of the prompt
        assert [one.text for [one] in alone] == [one.text for [one] in made]


def test_greedy_search_takes_the_best_word_each_time(causal: Path) -> None:
    generator = TextGenerator.from_pretrained(causal)
    letters = tokens_of_texts(generator.tokenizer, ["a b c d"], "en")
    search = SearchConfig(beam_size=0, min_length=5)
    [[made]] = generator.generate(["b"], "en", search, max_new=5, allowed=letters)
    ids = generator.tokenizer.encode_batch([made.text], "en")[0].tolist()
    assert len(ids) == 6
    for n in range(1, 6):
        scores = plain_scores(causal, ids[:n], 0)[n]
        assert int(scores[FIRST : FIRST + 4].argmax()) + FIRST == ids[n]


def test_a_masked_model_writes_as_the_class_of_hugging_face(masked: Path) -> None:
    from xlmkit import XLMWithLMHeadModel

    theirs = XLMWithLMHeadModel.from_pretrained(masked).eval()
    generator = TextGenerator.from_pretrained(masked)
    ids = [1, *generator.tokenizer.encode_batch(["b c"], "el")[0].tolist()]
    forbidden = [[i] for i in range(theirs.config.n_words) if i < FIRST or i >= FIRST + 9]
    written = theirs.generate(
        torch.tensor([ids]), langs=torch.tensor([1]), max_new_tokens=4, do_sample=False,
        bad_words_ids=[x for x in forbidden if x != [1]], eos_token_id=None, suppress_tokens=[1],
    )  # fmt: skip
    [[made]] = generator.generate(["b c"], "el", SearchConfig(beam_size=0, min_length=4), max_new=4)
    assert generator.tokenizer.decode(written[0].tolist(), "el") == made.text


def call(*arguments: Any, given: str | None = None) -> Any:
    return CliRunner().invoke(app, list(map(str, arguments)), input=given)


def test_the_commands_write_lines(masked: Path, causal: Path, tmp_path: Path) -> None:
    made = call(
        "fill-mask", masked, "--lang", "el", "--top", 2, "--only-language", given="α <mask>\n"
    )
    assert made.exit_code == 0, made.output
    row = json.loads(made.stdout)
    assert row["text"] == "α <mask>"
    assert [one["token"] in (*GREEK, ".") for one in row["masks"][0]] == [True, True]
    target = tmp_path / "out.txt"
    options = ["--lang", "en", "--prompt", "a b", "--n-best", 2, "--max-new", 3]
    made = call("generate", causal, *options, "-o", target)
    assert made.exit_code == 0, made.output
    lines = [line.split("\t") for line in target.read_text("utf-8").splitlines()]
    assert [line[0] for line in lines] == ["1", "1"]
    assert all(line[2].startswith("a b") for line in lines)
    made = call("generate", causal, "--lang", "en", "--beam-size", 0, given="a\nb\n")
    assert len(made.stdout.splitlines()) == 2


def test_mistakes_are_told(masked: Path, causal: Path, classifier: Path) -> None:
    filler = FillMask.from_pretrained(masked)
    with pytest.raises(UserError, match="Text 2 has no mask; write <mask>"):
        filler.fill(["a <mask>", "a"], "en")
    with pytest.raises(UserError, match="does not know the language 'de', only en, el"):
        filler.fill(["a <mask>"], "de")
    with pytest.raises(UserError, match="left to right and fills no masks"):
        FillMask.from_pretrained(causal)
    for opened in (FillMask, TextGenerator):
        with pytest.raises(
            UserError, match="XLMForSequenceClassification, which predicts no words"
        ):
            opened.from_pretrained(classifier)
    bundle = Bundle.load(masked)
    with pytest.raises(UserError, match="encoder-decoder; let it write with xlmkit translate"):
        FillMask(replace(bundle, head=TRANSLATOR))
