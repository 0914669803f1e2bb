import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlmkit.data.columns import Columns
from xlmkit.data.records import Record
from xlmkit.text import compiled

RECORDS = [
    Record({"en": "One", "fr": "Un"}, "s", "a:1", "x"),
    Record({"fr": "Deux"}, "s", "a:2"),
    Record({"zh": "三", "en": "Three", "fr": "Trois"}, "t", "b:1"),
]


def test_records_come_back() -> None:
    columns = Columns.of(RECORDS)
    assert list(columns.records()) == RECORDS
    assert columns.columns() is columns
    assert columns.firsts().tolist() == [0, 2, 3]
    assert list(Columns.of([]).records()) == []


def test_texts_by_language() -> None:
    found = [
        (code, rows.tolist(), texts) for code, rows, texts in Columns.of(RECORDS).by_language()
    ]
    assert found == [
        ("en", [0, 4], ["One", "Three"]),
        ("fr", [1, 2, 5], ["Un", "Deux", "Trois"]),
        ("zh", [3], ["三"]),
    ]
    assert list(Columns.of([]).by_language()) == []


def test_records_without_a_text_that_is_left_go() -> None:
    kept = np.array([False, True, False, True, False, True])
    assert list(Columns.of(RECORDS).chosen(kept).records()) == [
        Record({"fr": "Un"}, "s", "a:1", "x"),
        Record({"zh": "三", "fr": "Trois"}, "t", "b:1"),
    ]
    assert list(Columns.of(RECORDS).chosen(kept & False).records()) == []


@pytest.mark.parametrize("wanted", [True, False])
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]))),
    label=st.none() | st.text(st.characters(exclude_categories=["Cs"])),
)
def test_lines_of_json(wanted: bool, texts: list[str], label: str | None) -> None:
    records = [Record({"en": a, 'f"r': b}, b, a, label) for a, b in pairwise(texts)]
    with compiled.using(wanted):
        lines = Columns.of(records).to_json()
    assert lines == "".join(f"{record.to_json()}\n" for record in records).encode()


@pytest.mark.parametrize("wanted", [True, False])
def test_every_character_of_json(wanted: bool) -> None:
    text = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x11000)]))
    with compiled.using(wanted):
        line = Columns.of([Record({"en": text}, "s", "w")]).to_json()
    assert line == (Record({"en": text}, "s", "w").to_json() + "\n").encode()
    assert json.loads(line)["texts"] == {"en": text}


@pytest.mark.parametrize("wanted", [True, False])
def test_half_a_character_is_refused(wanted: bool) -> None:
    with compiled.using(wanted), pytest.raises(UnicodeEncodeError):
        Columns.of([Record({"en": "\ud800"}, "s", "w")]).to_json()
