"""Texts of any length to summaries: what is read of them, and how long what is written may be."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.cli.app import app
from xlmkit.core.errors import UserError
from xlmkit.generate.summarizer import Summarizer, of_summaries
from xlmkit.generate.translator import SearchConfig, Translator


@pytest.fixture
def folder(reversing_translator: Path, tmp_path: Path) -> Path:
    """A model that "summarises" letters by capitals in the opposite order."""
    return saved(reversing_translator, tmp_path / "model", ["en-fr"])


def saved(translator: Path, folder: Path, summarised: list[str], **told: object) -> Path:
    told |= of_summaries(7, 7, summarised)
    replace(Bundle.load(translator), provenance=told).save(folder)
    return folder


def test_of_a_long_text_the_beginning_is_read(folder: Path) -> None:
    summarizer = Summarizer.from_pretrained(folder)
    assert (summarizer.length, summarizer.summary_length) == (7, 7)
    made = summarizer.summarize(["a b", "", "a b c d e f g h"], "en", "fr")
    assert made == ["B A", "", "E D C B A"]


def test_or_all_of_it_in_parts(folder: Path) -> None:
    summarizer = Summarizer.from_pretrained(folder)
    made = summarizer.summarize(["a b c d e f g h", ""], "en", "fr", long_texts="parts")
    assert made == ["E D C B A H G F", ""]


@pytest.mark.parametrize("beam_size", [0, 3])
def test_no_summary_is_longer_than_was_learned(folder: Path, beam_size: int) -> None:
    summarizer = Summarizer(Translator.from_pretrained(folder), 7, 4)
    search = SearchConfig(beam_size=beam_size)
    (made,) = summarizer.summarize(["a b c d"], "en", "fr", search)
    assert len(made.split()) <= 2
    longer = search.model_copy(update={"max_length": 3})
    (made,) = summarizer.summarize(["a b c d"], "en", "fr", longer)
    assert len(made.split()) == 2
    shorter = search.model_copy(update={"max_length": 1})
    (made,) = summarizer.summarize(["a b c d"], "en", "fr", shorter)
    assert len(made.split()) == 1
    (made,) = Translator.from_pretrained(folder).translate(["a b c d"], "en", "fr", longer)
    assert len(made.split()) <= 3


def test_no_more_is_read_than_the_model_has_positions(folder: Path) -> None:
    assert Summarizer(Translator.from_pretrained(folder), 500, 5).length == 12


def test_one_text_is_no_list(folder: Path) -> None:
    with pytest.raises(UserError, match="The texts are to be a list"):
        Summarizer.from_pretrained(folder).summarize("a b", "en", "fr")


def test_an_unknown_way_with_long_texts_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="long_texts is to be beginning or parts, and not 'all'"):
        Summarizer.from_pretrained(folder).summarize(["a b"], "en", long_texts="all")  # type: ignore[arg-type]


def test_a_shortest_length_beyond_the_longest_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summarizer = Summarizer.from_pretrained(folder)
    summarizer.summarize(["a b c d"], "en", search=SearchConfig(min_length=5))
    assert capsys.readouterr().err == ""
    summarizer.summarize(["a b c d"], "en", search=SearchConfig(min_length=6))
    assert "leaves room for 6 tokens (min_length)" in capsys.readouterr().err


def test_several_summaries_of_a_text(folder: Path) -> None:
    summarizer = Summarizer.from_pretrained(folder)
    (found,) = summarizer.summaries(["a b c"], "en", "fr", SearchConfig(n_best=3))
    assert found[0].text == "C B A"
    assert len({made.text for made in found}) == 3


def test_a_model_that_learned_to_translate_only_is_refused(reversing_translator: Path) -> None:
    with pytest.raises(UserError, match="has not learned to summarise"):
        Summarizer.from_pretrained(reversing_translator)


def test_the_language_that_was_learned_is_written(folder: Path) -> None:
    summarizer = Summarizer.from_pretrained(folder)
    assert summarizer.summarize(["a b c"], "en") == ["C B A"]
    for language, tgt in (("fr", None), ("en", "en"), ("fr", "en")):
        wrong = f"to summarise en-fr only, and not {language}-{tgt or language}"
        with pytest.raises(UserError, match=wrong):
            summarizer.summarize(["a b c"], language, tgt)


def test_among_several_the_same(reversing_translator: Path, tmp_path: Path) -> None:
    made = saved(reversing_translator, tmp_path / "made", ["en-fr", "en-en", "fr-en"])
    targets = [Summarizer.from_pretrained(made).target(code) for code in ("en", "fr")]
    assert targets == ["en", "en"]


def test_a_folder_that_does_not_tell_tries_all(reversing_translator: Path, tmp_path: Path) -> None:
    provenance = {"directions": [], "summary": {"length": 7, "summary_length": 7}}
    replace(Bundle.load(reversing_translator), provenance=provenance).save(tmp_path / "old")
    summarizer = Summarizer.from_pretrained(tmp_path / "old")
    assert summarizer.target("en") == "en"
    assert summarizer.summarize(["a b"], "en", "fr") == ["B A"]


@pytest.mark.parametrize("languages", [[], ["--src", "en"], ["--src", "en", "--tgt", "fr"]])
def test_who_asks_for_a_translation_is_led_to_summaries(
    reversing_translator: Path, tmp_path: Path, languages: list[str]
) -> None:
    made = saved(reversing_translator, tmp_path / "made", ["en-en", "en-fr"], directions=[])
    result = CliRunner().invoke(app, ["translate", str(made), *languages], input="a\n")
    assert result.exit_code == 1
    assert "to summarise and not to translate; call xlmkit summarize" in result.stderr


def test_an_export_summarises_as_well(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("ctranslate2")
    from xlmkit.export.ctranslate2 import export_ctranslate2

    export_ctranslate2(Bundle.load(folder), tmp_path / "export", src="en", tgt="fr")
    summarizer = Summarizer.from_pretrained(tmp_path / "export")
    assert summarizer.summarize(["a b c d e f g h"], "en") == ["E D C B A"]


def test_an_export_is_of_what_was_learned(reversing_translator: Path, tmp_path: Path) -> None:
    pytest.importorskip("ctranslate2")
    from xlmkit.export.ctranslate2 import export_ctranslate2

    made = saved(reversing_translator, tmp_path / "made", ["en-en"], directions=["en-fr"])
    with pytest.raises(UserError, match="to write en-fr, en-en only, and not fr-fr"):
        export_ctranslate2(Bundle.load(made), tmp_path / "none", src="fr", tgt="fr")
    export_ctranslate2(Bundle.load(made), tmp_path / "translates", src="en", tgt="fr")
    assert Translator.from_pretrained(tmp_path / "translates").directions == ("en-fr",)
    with pytest.raises(UserError, match="has not learned to summarise"):
        Summarizer.from_pretrained(tmp_path / "translates")
