import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xlmkit.core.errors import UserError
from xlmkit.core.files import sha256_file, write_json
from xlmkit.data.shards import MANIFEST, Shards

ARRAYS = {
    "train.en.tokens": np.array([20, 21, 1, 22, 1, 1], "<u2"),
    "train.en.starts": np.array([0, 3, 5, 6], "<i8"),
    "train.fr.tokens": np.array([70_000, 1], "<u4"),
    "train.fr.starts": np.array([0, 2], "<i8"),
    "train.en-fr.pairs": np.array([[2, 0]], "<i4"),
    "word_counts": np.arange(30, dtype="<i8"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files: dict[str, Any] = {}
    for name, array in ARRAYS.items():
        array.tofile(tmp_path / name)
        digest = sha256_file(tmp_path / name)
        files[name] = {"dtype": array.dtype.str, "bytes": array.nbytes, "sha256": digest}
    manifest = {
        "languages": ["en", "fr", "zh"],
        "pairs": {"train": [["en", "fr"]], "valid": []},
        "sources": {
            "train": {"en": [["books", 1], ["news", 1], ["books", 1]], "fr": [["books", 1]]},
            "valid": {},
        },
        "files": files,
    }
    write_json(tmp_path / MANIFEST, manifest)
    return tmp_path


def test_sentences_lie_without_their_ends(folder: Path) -> None:
    shards = Shards(folder, verify=True)
    assert shards.languages == ["en", "fr", "zh"]
    english = shards.sentences("train", "en")
    assert [english[number].tolist() for number in range(len(english))] == [[20, 21], [22], []]
    assert english.lengths.tolist() == [2, 1, 0]
    assert english.lengths.dtype == np.int32
    assert english.tokens.dtype == np.uint16
    french = shards.sentences("train", "fr")
    assert french[0].tolist() == [70_000]
    assert shards.word_counts.tolist() == list(range(30))


def test_pairs_are_numbers_of_sentences(folder: Path) -> None:
    pairs = Shards(folder).pairs("train")
    assert {names: numbers.tolist() for names, numbers in pairs.items()} == {("en", "fr"): [[2, 0]]}
    assert Shards(folder).pairs("valid") == {}


def test_a_language_without_text_is_empty(folder: Path) -> None:
    for split, language in (("train", "zh"), ("valid", "en")):
        empty = Shards(folder).sentences(split, language)
        assert len(empty) == len(empty.lengths) == len(empty.tokens) == 0


def test_tokens_are_mapped_not_read_and_cannot_be_changed(folder: Path) -> None:
    tokens = Shards(folder).sentences("train", "en").tokens
    assert not tokens.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        tokens[0] = 7


def test_a_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no file .*manifest\.json"):
        Shards(tmp_path)


@pytest.mark.parametrize("name", ["train.en.tokens", "word_counts"])
def test_a_missing_or_cut_file_is_named_with_the_mend(folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match=rf"{name} is missing or cut short; run xlmkit prepare"):
        Shards(folder)
    path.unlink()
    with pytest.raises(UserError, match=rf"{name} is missing"):
        Shards(folder)


def test_a_changed_file_is_found_when_asked(folder: Path) -> None:
    path = folder / "train.en.tokens"
    path.write_bytes(bytes(path.stat().st_size))
    Shards(folder)
    with pytest.raises(UserError, match=r"train\.en\.tokens has changed"):
        Shards(folder, verify=True)


def test_the_manifest_is_plain_json(folder: Path) -> None:
    assert json.loads((folder / MANIFEST).read_text())["languages"] == ["en", "fr", "zh"]


def test_a_part_has_the_sentences_of_its_sources_alone(folder: Path) -> None:
    shards = Shards(folder)
    assert shards.part(None) is shards
    books, news, both = (shards.part(s) for s in (["books"], ["news"], ["books", "news"]))
    for part, sentences in ((books, [[20, 21], []]), (news, [[22]]), (both, [[20, 21], [22], []])):
        english = part.sentences("train", "en")
        assert [english[number].tolist() for number in range(len(english))] == sentences
        assert english.tokens.tolist() == [token for row in sentences for token in [*row, 1]]
        assert english.tokens.dtype == np.uint16
    assert len(news.sentences("train", "fr")) == len(books.sentences("valid", "en")) == 0


def test_a_part_has_the_pairs_of_which_it_has_both_sentences(folder: Path) -> None:
    shards = Shards(folder)
    pairs = shards.part(["books"]).pairs("train")
    assert {names: numbers.tolist() for names, numbers in pairs.items()} == {("en", "fr"): [[1, 0]]}
    assert shards.part(["news"]).pairs("train") == {}


def test_a_source_that_gave_nothing_is_named(folder: Path) -> None:
    with pytest.raises(UserError, match=r"source 'films'; there are books, news\.$"):
        Shards(folder).part(["books", "films"])
