import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from xlmkit.cli.app import app
from xlmkit.core.errors import UserError
from xlmkit.inference.aligner import WordAligner


def test_a_sentence_is_aligned_with_itself(keyword_classifier: Path) -> None:
    aligner = WordAligner.from_pretrained(keyword_classifier, layer=0, precision="float32")
    made, empty = aligner.align(["ab, c h", ""], ["ab, c h", "a"], "en", "en")
    assert made.source == made.target == ["ab", ",", "c", "h"]
    assert made.pairs == [(i, i) for i in range(4)]
    np.testing.assert_allclose(made.similarity.diagonal(), 1, atol=1e-5)
    assert (empty.pairs, empty.similarity.shape) == ([], (0, 1))


def test_words_behind_what_the_model_reads_have_no_pair(keyword_classifier: Path) -> None:
    aligner = WordAligner.from_pretrained(keyword_classifier, spaces=True)
    (made,) = aligner.align(["a b c, " * 12], ["a b c"], "en", "ar")
    assert len(made.source) == 36
    assert made.similarity.shape == (36, 3)
    assert max(i for i, _ in made.pairs) < 22
    assert made.similarity[30].max() == -1


def test_mistakes_are_told(keyword_classifier: Path) -> None:
    aligner = WordAligner.from_pretrained(keyword_classifier)
    with pytest.raises(UserError, match="2 sentences but 1 translations"):
        aligner.align(["a", "b"], ["a"], "en", "ar")
    with pytest.raises(UserError, match="does not know the language 'xx'"):
        aligner.align(["a"], ["a"], "en", "xx")
    with pytest.raises(UserError, match="layers 0 to 2, but not 3"):
        WordAligner.from_pretrained(keyword_classifier, layer=3)


def call(model: Path, *arguments: object) -> tuple[int, str]:
    languages = ["--src", "en", "--tgt", "ar", "--layer", "0"]
    result = CliRunner().invoke(app, ["align", str(model), *languages, *map(str, arguments)])
    return result.exit_code, result.output


def test_the_command_reads_sentences_and_files(keyword_classifier: Path, tmp_path: Path) -> None:
    code, printed = call(keyword_classifier, "--text", "a b", "--translation", "a b")
    assert (code, printed) == (0, "0-0 1-1\n")
    one, other, gold = (tmp_path / name for name in ("one", "other", "gold"))
    one.write_text("a h\nb\n", encoding="utf-8")
    other.write_text("a h\nb\n", encoding="utf-8")
    gold.write_text("0-0 1-1\n0-0\n", encoding="utf-8")
    out, page = tmp_path / "out.jsonl", tmp_path / "out.html"
    code, printed = call(
        keyword_classifier, one, other, "--output", out, "--page", page, "--gold", gold
    )
    assert code == 0
    assert "Alignment error rate 0.0%" in printed
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert rows[0] == {"source": ["a", "h"], "target": ["a", "h"], "pairs": [[0, 0], [1, 1]]}
    assert page.read_text("utf-8").count('class="ring"') == 3


def test_the_commands_mistakes_are_told(keyword_classifier: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("a\nb\n", encoding="utf-8")
    other.write_text("a\n", encoding="utf-8")
    code, printed = call(keyword_classifier, one, other)
    assert code == 1
    assert f"{one} has more than the 1 lines" in printed
    for arguments in ((one,), (), ("--text", "a"), (one, other, "--text", "a")):
        code, printed = call(keyword_classifier, *arguments)
        assert code == 1
        assert "Name two files, or give --text and --translation" in printed
