from collections.abc import Callable
from pathlib import Path

import pytest

from xlmkit.core.errors import UserError
from xlmkit.text.bpe import Merges
from xlmkit.text.bpe_files import (
    read_codes,
    read_merges,
    read_vocabulary_file,
    read_vocabulary_json,
    write_codes,
    write_merges,
    write_vocabulary_file,
    write_vocabulary_json,
)
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary

MERGES = Merges((("t", "h"), ("th", "e</w>"), ("н", "а</w>"), ("的", "确</w>")), (9, 7, 5, 2))


def test_codes_have_the_original_form(tmp_path: Path) -> None:
    path = tmp_path / "codes"
    write_codes(path, MERGES)
    assert path.read_text() == "t h 9\nth e</w> 7\nн а</w> 5\n的 确</w> 2\n"
    read = read_codes(path)
    assert (read.pairs, read.counts) == (MERGES.pairs, MERGES.counts)


def test_codes_without_counts_can_be_written(tmp_path: Path) -> None:
    write_codes(tmp_path / "codes", Merges(MERGES.pairs))
    assert read_codes(tmp_path / "codes").counts == (0, 0, 0, 0)


def test_the_vocabulary_file_has_the_original_form(tmp_path: Path) -> None:
    path = tmp_path / "vocab"
    path.write_text("the 7\nth@@ 2\n@@ 1\nна 1\n")
    vocabulary, counts = read_vocabulary_file(path)
    assert vocabulary.symbols == (*SPECIAL_TOKENS, "the</w>", "th", "@@</w>", "на</w>")
    assert counts == {"the</w>": 7, "th": 2, "@@</w>": 1, "на</w>": 1}
    write_vocabulary_file(tmp_path / "again", vocabulary, counts)
    assert (tmp_path / "again").read_text() == path.read_text()


def test_hugging_face_files_come_back(tmp_path: Path) -> None:
    vocabulary = Vocabulary([*SPECIAL_TOKENS, "the</w>", "语</w>", '"', "\\"])
    write_vocabulary_json(tmp_path / "vocab.json", vocabulary)
    write_merges(tmp_path / "merges.txt", MERGES)
    assert read_vocabulary_json(tmp_path / "vocab.json").symbols == vocabulary.symbols
    assert read_merges(tmp_path / "merges.txt").pairs == MERGES.pairs
    write_merges(tmp_path / "none.txt", Merges(()))
    assert read_merges(tmp_path / "none.txt").pairs == ()


def test_a_header_and_further_columns_of_merges_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "merges.txt"
    path.write_text("#version: 0.2\nt h 12\nth e</w>\n")
    assert read_merges(path).pairs == (("t", "h"), ("th", "e</w>"))


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (read_codes, "t h 9\nt h\n", "line 2"),
        (read_codes, "t h x\n", "line 1"),
        (read_merges, "t h\n\n", "line 2"),
        (read_vocabulary_file, "the 7\nthe\n", "line 2"),
        (read_vocabulary_file, "the 7\nthe 6\n", "twice"),
        (read_vocabulary_json, '["<s>"]', "does not map"),
        (read_vocabulary_json, '{"<s>": 0, "</s>": 2}', "does not map"),
        (read_vocabulary_json, '{"<s>": 0, "</s>": 1}', "special"),
    ],
)
def test_damaged_files_are_refused(
    tmp_path: Path, read: Callable[[Path], object], text: str, message: str
) -> None:
    path = tmp_path / "file"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read(path)
