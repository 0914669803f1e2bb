from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xlmkit.data import duplicates
from xlmkit.data.columns import Columns
from xlmkit.data.duplicates import REASONS, ambiguous_labels, find_duplicates, seen_before
from xlmkit.data.index import CorpusIndex, IndexWriter
from xlmkit.data.prints import prints_of
from xlmkit.data.records import Record

LANGUAGES = ("en", "fr", "zh")


def index_of(
    folder: Path, *texts: dict[str, str], labels: tuple[str | None, ...] = ()
) -> CorpusIndex:
    """The index of records, all from source 0."""
    with IndexWriter(folder, LANGUAGES) as writer:
        for i, languages in enumerate(texts):
            record = Record(languages, "s", f"{i}", labels[i] if labels else None)
            writer.add(prints_of(Columns.of([record])), 0)
        return writer.finish()


def _reasons(index: CorpusIndex, level: str = "near", one_translation: bool = False) -> list[str]:
    found = find_duplicates(index, level, np.array([one_translation]))  # type: ignore[arg-type]
    return [REASONS[code] for code in found]


def test_texts_alone(tmp_path: Path) -> None:
    index = index_of(
        tmp_path, {"en": "No"}, {"en": "No"}, {"en": "NO!"}, {"fr": "No"}, {"en": "Yes"}
    )
    assert _reasons(index) == ["kept", "duplicate", "near-duplicate", "kept", "kept"]
    assert _reasons(index, "exact") == ["kept", "duplicate", "kept", "kept", "kept"]
    assert _reasons(index, "none") == ["kept"] * 5


def test_a_text_alone_yields_to_a_later_pair(tmp_path: Path) -> None:
    index = index_of(tmp_path, {"fr": "Ouvrir"}, {"en": "Open", "fr": "Ouvrir"}, {"en": "open"})
    assert _reasons(index) == ["duplicate", "kept", "near-duplicate"]


def test_records_with_translations(tmp_path: Path) -> None:
    index = index_of(
        tmp_path,
        {"en": "Open", "fr": "Ouvrir", "zh": "打开"},
        {"en": "Open", "zh": "打开"},  # together already
        {"en": "Open", "fr": "Ouvert"},  # another translation
        {"en": "open", "fr": "Ouvrir."},
        {"en": "Unlock", "fr": "Ouvrir"},  # another pivot
        {"en": "Open", "fr": "Ouvert", "zh": "打开"},  # each seen together with the pivot
    )
    expected = ["kept", "duplicate", "kept", "near-duplicate", "kept", "duplicate"]
    assert _reasons(index) == expected
    expected[2] = "other translation"
    assert _reasons(index, one_translation=True) == expected


def test_long_texts_that_differ_in_a_word(tmp_path: Path) -> None:
    english = " ".join(f"word{chr(97 + i // 9)}{chr(97 + i % 9)}" for i in range(80))
    french = english.replace("word", "mot")
    index = index_of(
        tmp_path,
        {"en": english, "fr": french},
        {"en": english.replace("wordec", "other"), "fr": french.replace("motba", "autre")},
        {"en": english.replace("wordec", "other"), "fr": " ".join(reversed(french.split()))},
        {"en": english.replace("wordah", "new")},
    )
    assert _reasons(index) == ["kept", "near-duplicate", "kept", "near-duplicate"]
    assert _reasons(index, "exact") == ["kept"] * 4


def test_labels_that_contradict_each_other(tmp_path: Path) -> None:
    index = index_of(
        tmp_path,
        {"en": "Save", "fr": "Enregistrer"},
        {"en": "save", "fr": "Sauver"},
        {"en": "Store", "fr": "Sauver"},
        {"en": "Print", "fr": "Imprimer"},
        {"en": "Print", "fr": "Imprimer"},
        {"en": "Print"},
        labels=("a", "b", "b", "a", "a", None),
    )
    assert ambiguous_labels(index).tolist() == [True, True, False, False, False, False]


def test_an_empty_index(tmp_path: Path) -> None:
    index = index_of(tmp_path)
    assert _reasons(index) == []
    assert ambiguous_labels(index).tolist() == []
    assert index.bands.shape == (0, 20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("at_once", [1, 3, 1 << 24])
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=40))
def test_seen_before_in_any_number_of_parts(
    monkeypatch: pytest.MonkeyPatch, at_once: int, pairs: list[tuple[int, int]]
) -> None:
    monkeypatch.setattr(duplicates, "_SORTED_AT_ONCE", at_once)
    keys = np.array([key for key, _ in pairs], dtype=np.uint64)
    rank = np.array([rank for _, rank in pairs], dtype=np.int64)
    expected = [any(k == key and r < rank for k, r in pairs) for key, rank in pairs]
    assert seen_before(keys, rank).tolist() == expected
