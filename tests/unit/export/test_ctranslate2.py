"""Exports to CTranslate2: the same tokens and scores, what is refused, and the command line."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import TRANSLATOR
from xlmkit.cli.app import app
from xlmkit.core.errors import UserError
from xlmkit.generate.config import SearchConfig
from xlmkit.generate.translator import Translator
from xlmkit.model.config import Architecture, MemoryShape
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import EOS, MASK, SPECIAL_TOKENS, UNK, Vocabulary

pytest.importorskip("ctranslate2")

LETTERS = "abcdefghij"


def bundle(**choices: Any) -> Bundle:
    """An untrained translator with scores far enough apart that rounding decides nothing."""
    symbols = [*SPECIAL_TOKENS, *(f"{letter}</w>" for letter in LETTERS)]
    tokenizer = Tokenizer(Vocabulary(symbols), Merges(()), {"en": 0, "fr": 1}, segmenters={})
    torch.manual_seed(2)
    shape = Architecture(
        n_words=len(symbols) + 3, n_langs=2, n_layers=2, emb_dim=32, n_heads=4,
        max_position_embeddings=32, embed_init_std=0.5, **choices,
    )  # fmt: skip
    model = EncoderDecoder(shape)
    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.normal_(module.weight, std=0.3)
    model.pred_layer.proj.bias.data[: len(SPECIAL_TOKENS)] = -20.0
    model.pred_layer.proj.bias.data[EOS] = 3.0  # sentences end
    model.decoder.position_embeddings.weight.data *= 3.0  # words differ from place to place
    return Bundle(shape, tokenizer, model.state_dict(), head=TRANSLATOR)


def texts() -> list[str]:
    random = torch.Generator().manual_seed(4)
    lengths = torch.randint(1, 12, (40,), generator=random).tolist()
    return [
        " ".join(LETTERS[i] for i in torch.randint(0, 10, (n,), generator=random)) for n in lengths
    ]


@pytest.mark.parametrize(
    "choices",
    [{}, {"sinusoidal_embeddings": True, "gelu_activation": False}, {"use_lang_emb": False}],
)
def test_both_engines_compute_the_same(tmp_path: Path, choices: dict[str, Any]) -> None:
    from xlmkit.export.ctranslate2 import export_ctranslate2

    made = bundle(**choices)
    agreement = export_ctranslate2(made, tmp_path / "ct2", src="en", tgt="fr")
    assert agreement.same == agreement.sentences == 32
    assert agreement.difference < 1e-5
    own, other = Translator(made), Translator.from_pretrained(tmp_path / "ct2")
    targets = texts()[::-1]
    expected = own.score(texts(), targets, "en", "fr")
    assert other.score(texts(), targets, "en", "fr") == pytest.approx(expected, abs=1e-3)


def test_beams_are_compared_by_the_rules_that_the_export_follows(tmp_path: Path) -> None:
    """A model that is sure of nothing: by xlmkit's own rules its beams end otherwise."""
    from xlmkit.export.ctranslate2 import export_ctranslate2

    made = bundle()
    weights = {name: weight.clone() for name, weight in made.weights.items()}
    weights["pred_layer.proj.weight"] /= 4
    weights["pred_layer.proj.bias"][EOS] = 0
    unsure = replace(made, weights=weights)
    agreement = export_ctranslate2(unsure, tmp_path / "ct2", src="en", tgt="fr")
    assert agreement.same_beams == agreement.sentences == 32


@pytest.mark.parametrize("beam_size", [0, 4])
def test_what_was_learned_comes_out(
    reversing_translator: Path, tmp_path: Path, beam_size: int
) -> None:
    from xlmkit.export.ctranslate2 import export_ctranslate2

    export_ctranslate2(Bundle.load(reversing_translator), tmp_path / "out", src="en", tgt="fr")
    search = SearchConfig(beam_size=beam_size)
    short = ["", *(text for text in texts() if len(text) < 12 and not {"i", "j"} & set(text))]
    ours, theirs = (
        Translator.from_pretrained(folder).translations(short, "en", "fr", search)
        for folder in (reversing_translator, tmp_path / "out")
    )
    right = [" ".join(text.upper()[::-1].split()) for text in short]
    assert sum(mine[0].text == text for mine, text in zip(ours, right, strict=True)) > 5
    assert [its[0].text for its in theirs] == [mine[0].text for mine in ours]
    for mine, its in zip(ours, theirs, strict=True):
        assert its[0].log_probability == pytest.approx(mine[0].log_probability, abs=1e-4)
        assert its[0].score == pytest.approx(mine[0].score, abs=1e-4)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"n_best": 4},
        {"max_length": 3},
        {"max_length": 3, "n_best": 3},
        {"min_length": 4},
        {"no_repeat_ngram": 1},
        {"repetition_penalty": 1.5},
        {"prefixes": True},
    ],
)
def test_scores_are_those_of_the_model(
    reversing_translator: Path, tmp_path: Path, how: dict[str, Any]
) -> None:
    from xlmkit.export.ctranslate2 import export_ctranslate2

    export_ctranslate2(Bundle.load(reversing_translator), tmp_path / "out", src="en", tgt="fr")
    own, other = (
        Translator.from_pretrained(folder, capitals=False)
        for folder in (reversing_translator, tmp_path / "out")
    )
    short = [text for text in texts() if len(text) < 12 and not {"i", "j"} & set(text)]
    search = {**how}
    prefixes = ["A"] * len(short) if search.pop("prefixes", False) else None
    config = SearchConfig(**search)
    for text, several in zip(
        short, other.translations(short, "en", "fr", config, prefixes=prefixes), strict=True
    ):
        assert len(several) == config.n_best
        assert [one.score for one in several] == sorted(one.score for one in several)[::-1]
        for one in several:
            (log_probability,) = own.score([text], [one.text], "en", "fr")
            assert one.log_probability == pytest.approx(log_probability, abs=1e-3)
            n = len(one.text.split())
            assert n <= (config.max_length or 10)
            if config.repetition_penalty == 1:
                assert one.score == pytest.approx(log_probability / (n + 1), abs=1e-3)
            assert one.text.startswith("A") or prefixes is None


@pytest.mark.parametrize("beam_size", [0, 3])
def test_an_export_writes_no_special_tokens(
    reversing_translator: Path, tmp_path: Path, beam_size: int
) -> None:
    from xlmkit.export.ctranslate2 import export_ctranslate2

    made = Bundle.load(reversing_translator)
    bias = made.weights["pred_layer.proj.bias"].clone()
    bias[UNK], bias[MASK] = 30.0, 29.0
    made = replace(made, weights={**made.weights, "pred_layer.proj.bias": bias})
    export_ctranslate2(made, tmp_path / "out", src="en", tgt="fr")
    search = SearchConfig(beam_size=beam_size)
    other = Translator.from_pretrained(tmp_path / "out")
    ((best, *_),) = other.translations(["a b c"], "en", "fr", search)
    assert best.text.startswith("C B A")
    assert "<" not in best.text
    expected = Translator(made).score(["a b c"], [best.text], "en", "fr")
    assert best.log_probability == pytest.approx(expected[0], abs=1e-2)


@pytest.mark.parametrize("beam_size", [0, 3])
def test_a_translation_does_not_depend_on_its_neighbours(tmp_path: Path, beam_size: int) -> None:
    """Each text has a longest length of its own, which CTranslate2 knows for a batch only."""
    from xlmkit.export.ctranslate2 import export_ctranslate2

    made = bundle()
    made.weights["pred_layer.proj.bias"][EOS] = -9.0  # sentences do not end by themselves
    export_ctranslate2(made, tmp_path / "out", src="en", tgt="fr")
    own, other = Translator(made), Translator.from_pretrained(tmp_path / "out")
    search = SearchConfig(beam_size=beam_size, length_ratio=1.0)
    given = ["a", "b c d e", "a b c d e f g h i j"]
    expected = own.translate(given, "en", "fr", search)
    assert [len(text.split()) for text in expected] == [11, 14, 20]
    assert other.translate(given, "en", "fr", search) == expected


def test_a_shortest_length_never_exceeds_the_longest(tmp_path: Path) -> None:
    from xlmkit.export.ctranslate2 import export_ctranslate2

    made = bundle()
    export_ctranslate2(made, tmp_path / "out", src="en", tgt="fr")
    search = SearchConfig(min_length=25, beam_size=1, length_ratio=1.0)
    for translator in (Translator(made), Translator.from_pretrained(tmp_path / "out")):
        (text,) = translator.translate(["a"], "en", "fr", search)
        assert len(text.split()) == 11


def test_threads_may_be_said_in_any_way_of_openmp(
    reversing_translator: Path, tmp_path: Path
) -> None:
    from xlmkit.export.ctranslate2 import export_ctranslate2

    export_ctranslate2(Bundle.load(reversing_translator), tmp_path / "out", src="en", tgt="fr")
    for threads in ("", "2,1"):
        made = CliRunner(env={"OMP_NUM_THREADS": threads}).invoke(
            app, ["translate", str(tmp_path / "out")], input="a b\n"
        )
        assert made.exit_code == 0, made.output


def test_what_was_learned_is_in_the_export(tmp_path: Path) -> None:
    from xlmkit.export.ctranslate2 import export_ctranslate2

    made = replace(bundle(), provenance={"length": 9, "split_sentences": False})
    export_ctranslate2(made, tmp_path / "out", src="en", tgt="fr")
    opened = Translator.from_pretrained(tmp_path / "out")
    assert (opened.longest, opened.splits) == (9, False)


def test_the_language_to_write_is_in_the_export(tmp_path: Path) -> None:
    from xlmkit.export.ctranslate2 import export_ctranslate2

    made = bundle()
    for tgt in ("en", "fr"):
        export_ctranslate2(made, tmp_path / tgt, src="en", tgt=tgt)
    scores = {
        tgt: Translator.from_pretrained(tmp_path / tgt).score(texts(), texts(), "en", tgt)
        for tgt in ("en", "fr")
    }
    expected = Translator(made).score(texts(), texts(), "en", "fr")
    assert scores["fr"] == pytest.approx(expected, abs=1e-3)
    assert scores["en"] != pytest.approx(expected, abs=0.1)


def test_a_wrong_export_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from xlmkit.export import ctranslate2

    right = ctranslate2._fill_embeddings
    monkeypatch.setattr(
        ctranslate2,
        "_fill_embeddings",
        lambda spec, words, model, language: right(spec, words, model, 1 - language),
    )
    with pytest.raises(UserError, match="does not agree"):
        ctranslate2.export_ctranslate2(bundle(), tmp_path / "out", src="en", tgt="fr")
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_writes_on_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from xlmkit.export import ctranslate2

    class Endless(ctranslate2.CTranslate2Engine):
        def search(self, *asked: Any) -> Any:
            return [[replace(one[0], ids=[*one[0].ids, 20])] for one in super().search(*asked)]

    monkeypatch.setattr(ctranslate2, "CTranslate2Engine", Endless)
    with pytest.raises(UserError, match=r"does not agree .* sentences"):
        ctranslate2.export_ctranslate2(bundle(), tmp_path / "out", src="en", tgt="fr")


def test_only_where_a_sentence_must_end_the_other_may_go_on() -> None:
    from xlmkit.export.ctranslate2 import _alike

    assert _alike([20, 21], [20, 21], 12)
    assert not _alike([20, 21], [20, 21, 22], 12)
    assert _alike([20, 21], [20, 21, 22], 4)
    assert not _alike([20, 21], [20, 22, 22], 4)
    assert not _alike([20, 21], [20], 4)


def test_samples_without_text_are_passed_over(tmp_path: Path) -> None:
    from xlmkit.export.ctranslate2 import export_ctranslate2

    made = bundle()
    for number, (samples, n) in enumerate([([""] * 40 + ["a b", " ", "c"], 2), (["", " "], 32)]):
        target = tmp_path / str(number)
        found = export_ctranslate2(made, target, src="en", tgt="fr", samples=samples)
        assert found.sentences == n


def test_what_cannot_be_expressed_is_refused(tmp_path: Path) -> None:
    from xlmkit.export.ctranslate2 import export_ctranslate2

    made = bundle()
    memory = MemoryShape(positions=((0, "in"),))
    for wrong, match in (
        ({"memory": memory}, "no product-key memories"),
        ({"asm": True, "asm_cutoffs": (9,)}, "no adaptive softmax"),
    ):
        other = replace(made, architecture=replace(made.architecture, **wrong))
        with pytest.raises(UserError, match=match):
            export_ctranslate2(other, tmp_path / "out", src="en", tgt="fr")
    with pytest.raises(UserError, match="does not know the language 'de'"):
        export_ctranslate2(made, tmp_path / "out", src="en", tgt="de")
    with pytest.raises(UserError, match="exists already"):
        export_ctranslate2(made, tmp_path, src="en", tgt="fr")


def call(*words: Any, given: str | None = None) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words], input=given)


def test_from_the_command_line(tmp_path: Path) -> None:
    model, out = tmp_path / "model", tmp_path / "out"
    bundle().save(model)
    direction = ("--src", "en", "--tgt", "fr")
    made = call("export", model, out, "--to", "ctranslate2", *direction, "--quantization", "int8")
    assert made.exit_code == 0, made.output
    assert "of 32 sample sentences" in made.stdout
    assert "What rounding to int8 costs, xlmkit score tells" in made.stdout
    lines = "a b c\n\nd e\n"
    made = call("translate", "--engine", "ctranslate2", out, *direction, given=lines)
    assert made.exit_code == 0, made.output
    assert len(made.stdout.splitlines()) == 3
    again = call("export", out, tmp_path / "again", "--to", "ctranslate2", *direction)
    assert "is an export already" in again.stderr
    (tmp_path / "empty").write_text("\n \n", encoding="utf-8")
    words = ("--to", "ctranslate2", *direction, "--samples", tmp_path / "empty")
    assert "has no text to compare with" in call("export", model, tmp_path / "new", *words).stderr
    made_of = call("encode", out, "--lang", "en", given=lines)
    assert "names no model_type; is it in the folder of a model?" in made_of.stderr
    assert call("translate", out, given=lines).stdout == made.stdout  # it has one direction
    for words, message in (
        ([model, *direction, "--engine", "ctranslate2"], "is for torch, not for ctranslate2"),
        ([out, "--src", "fr", "--tgt", "en"], "learned to translate en-fr only, and not fr-en"),
        ([out, *direction, "--sample"], "does not do sample"),
        ([out, *direction, "--precision", "int8"], "is an export, whose precision was chosen"),
    ):
        made = call("translate", *words, given=lines)
        assert made.exit_code == 1
        assert message in made.stderr
