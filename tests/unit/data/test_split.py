import tempfile
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from xlmkit.data.columns import Columns
from xlmkit.data.fingerprints import skeleton
from xlmkit.data.index import IndexWriter
from xlmkit.data.prints import prints_of
from xlmkit.data.records import Record
from xlmkit.data.split import HELD_OUT_ELSEWHERE, TEST, TRAIN, VALID, SplitConfig, assign_splits

LANGUAGES = ("en", "fr", "zh")
Texts = dict[str, str]


def _split(
    records: list[Texts], config: SplitConfig, labels: list[str | None] | None = None, seed: int = 1
) -> list[int]:
    with tempfile.TemporaryDirectory() as folder, IndexWriter(Path(folder), LANGUAGES) as writer:
        for i, texts in enumerate(records):
            record = Record(texts, "s", str(i), labels[i] if labels else None)
            writer.add(prints_of(Columns.of([record])), 0)
        index = writer.finish()
        everything = np.ones(len(records), dtype=np.bool_)
        split: list[int] = assign_splits(index, everything, everything, config, seed).tolist()
        return split


_WORDS = st.sampled_from([f"{a}{b}" for a in "abcdefgh" for b in "aeiou"])
_TEXTS = st.lists(
    st.dictionaries(st.sampled_from(LANGUAGES), _WORDS, min_size=1).map(
        lambda texts: {code: texts[code] for code in LANGUAGES if code in texts}
    ),
    min_size=1,
    max_size=40,
)
_CONFIG = SplitConfig(valid=0.3, test=0.3)


@settings(max_examples=60)
@given(_TEXTS, st.randoms())
def test_order_does_not_matter(records: list[Texts], random: Random) -> None:
    order = list(range(len(records)))
    random.shuffle(order)
    straight = _split(records, _CONFIG)
    shuffled = _split([records[i] for i in order], _CONFIG)
    assert [straight[i] for i in order] == shuffled


@settings(max_examples=60)
@given(_TEXTS)
def test_no_text_stands_on_two_sides(records: list[Texts]) -> None:
    split = _split(records, _CONFIG)
    sides = [
        {
            (language, skeleton(text))
            for texts, part in zip(records, split, strict=True)
            if part == side
            for language, text in texts.items()
        }
        for side in (TRAIN, VALID, TEST)
    ]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]


@settings(max_examples=60)
@given(_TEXTS, _TEXTS)
def test_more_data_moves_nothing_between_splits(records: list[Texts], more: list[Texts]) -> None:
    before = _split(records, _CONFIG)
    after = _split(records + more, _CONFIG)
    for one, other in zip(before, after, strict=False):
        assert one == other or HELD_OUT_ELSEWHERE in (one, other)


def _many(count: int) -> list[Texts]:
    def letters(i: int) -> str:
        return "".join(chr(97 + int(digit)) for digit in str(i))

    return [{"en": f"text {letters(i)}", "fr": f"texte {letters(i)}"} for i in range(count)]


def test_shares_and_seeds() -> None:
    records = _many(5000)
    config = SplitConfig(valid=0.06, test=0.1)
    split = np.array(_split(records, config))
    assert np.mean(split == TEST) == pytest.approx(0.1, abs=0.015)
    assert np.mean(split == VALID) == pytest.approx(0.06, abs=0.015)
    assert np.sum(split == HELD_OUT_ELSEWHERE) == 0
    other = np.array(_split(records, config, seed=2))
    assert np.mean((split == TEST) & (other == TEST)) < 0.03
    wider = np.array(_split(records, SplitConfig(valid=0.2, test=0.1)))
    assert ((wider == TEST) == (split == TEST)).all()  # one share does not move the other
    assert (wider[split == VALID] == VALID).all()


def test_at_most() -> None:
    records = _many(1000)
    split = _split(records, SplitConfig(valid=0.1, test=0.1, max_valid=7, max_test=5))
    assert split.count(TEST) == 5
    assert split.count(VALID) == 7
    assert _split(records, SplitConfig(valid=0.1, test=0, max_valid=0)) == [TRAIN] * 1000


def test_only_some_records_are_held_out() -> None:
    pairs = _many(300)
    alone: list[Texts] = [{"zh": f"{chr(0x4E00 + i)}" * 3} for i in range(300)]
    labels: list[str | None] = ["x" if i % 2 else None for i in range(600)]
    for of, allowed in [
        ((), range(600)),
        (("parallel",), range(300)),
        (("labelled",), range(1, 600, 2)),
        (("parallel", "labelled"), range(1, 300, 2)),
    ]:
        split = _split(pairs + alone, SplitConfig(valid=0.2, test=0.2, of=of), labels)
        held = {i for i, part in enumerate(split) if part in (VALID, TEST)}
        assert held
        assert held <= set(allowed)


def test_a_shared_translation_is_taken_out_of_training() -> None:
    records = _many(400)
    split = _split(records, _CONFIG)
    tested = next(i for i, part in enumerate(split) if part == TEST)
    with_copy = [*records, {"fr": records[tested]["fr"].upper() + "!", "zh": "文本"}]
    after = _split(with_copy, _CONFIG)
    assert after[:-1] == split
    assert after[-1] in (TEST, HELD_OUT_ELSEWHERE)


def test_something_must_be_left_for_training() -> None:
    with pytest.raises(ValidationError, match="below 1"):
        SplitConfig(valid=0.5, test=0.5)
