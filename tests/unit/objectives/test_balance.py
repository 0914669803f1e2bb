from collections import Counter

import numpy as np
import pytest

from xlmkit.data.batch import Segment, SegmentRows
from xlmkit.data.words import WordSequences
from xlmkit.objectives.balance import Balance, rarest_classes
from xlmkit.objectives.classify import SequenceClassification
from xlmkit.objectives.tag import TokenClassification

ROWS: list[tuple[Segment, ...]] = [((np.arange(14, 16 + n % 7), n % 2),) for n in range(110)]
LABELS = np.array([0] * 100 + [1] * 10)


@pytest.mark.parametrize(("alpha", "share"), [(1.0, 10 / 110), (0.5, 0.2403), (0.0, 0.5)])
def test_rare_classes_come_as_often_as_asked(alpha: float, share: float) -> None:
    made = SequenceClassification(
        SegmentRows(ROWS, 20), LABELS, tokens=64, seed=1, balance=Balance(class_alpha=alpha)
    )
    seen: Counter[int] = Counter()
    for number in range(320):
        batch = made.batch(number)
        seen.update(batch.labels.tolist())
    assert seen[1] / seen.total() == pytest.approx(share, abs=0.01)


def test_labels_stay_with_their_texts() -> None:
    rows: list[tuple[Segment, ...]] = [((np.full(3, 14 + n % 2), 0),) for n in range(60)]
    labels = np.arange(60) % 2
    made = SequenceClassification(
        SegmentRows(rows, 20), labels, tokens=64, seed=1, balance=Balance(class_alpha=0.0)
    )
    for number in range(8):
        batch = made.batch(number)
        assert (batch.inputs.tokens[:, 1] - 14).tolist() == batch.labels.tolist()


def test_the_rarest_class_is_that_of_the_fewest_examples() -> None:
    # Class 0 in examples 0, 1 and 2; class 1, often, in 0; class 2 in 1 and 3; 4 has none.
    examples = np.array([0, 0, 0, 0, 1, 1, 2, 3])
    classes = np.array([0, 1, 1, 1, 0, 2, 0, 2])
    assert rarest_classes(examples, classes, 5).tolist() == [1, 2, 0, 2, -1]
    nothing = np.empty(0, np.int64)
    assert rarest_classes(nothing, nothing, 2).tolist() == [-1, -1]


@pytest.mark.parametrize(("alpha", "share"), [(1.0, 10 / 110), (0.0, 1 / 3)])
def test_texts_of_several_classes_come_by_the_rarest(alpha: float, share: float) -> None:
    labels = np.zeros((110, 2), np.float32)
    labels[:80, 0] = 1
    labels[70:80, 1] = 1  # of both: 10; of the first alone: 70; of none: 30
    made = SequenceClassification(
        SegmentRows(ROWS, 20),
        labels,
        tokens=64,
        seed=1,
        loss="several",
        balance=Balance(class_alpha=alpha),
    )
    seen = np.concatenate([made.batch(number).labels.numpy() for number in range(320)])
    assert seen[:, 1].mean() == pytest.approx(share, abs=0.01)
    assert (seen.sum(axis=1) == 0).mean() == pytest.approx(30 / 110 if alpha else 1 / 3, abs=0.02)


@pytest.mark.parametrize(
    ("alpha", "outside", "share"), [(1.0, 0, 0.1), (0.0, 0, 0.5), (0.0, None, 1 / 3)]
)
def test_sentences_come_by_their_rarest_tag(
    alpha: float, outside: int | None, share: float
) -> None:
    # All 100 sentences of two words have tag 1, 10 of them tag 2, and 20 others tag 0, by which
    # these are drawn unless it is outside.
    tags = np.concatenate([np.tile([2, 1], 10), np.tile([1, 0], 20), np.ones(140, np.int64)])
    words = WordSequences(
        SegmentRows([((np.arange(3, dtype=np.int32), 0),)] * 100, 8),
        words=[np.array([2 * number, 2 * number + 1]) for number in range(100)],
        places=[np.array([1, 2])] * 100,
    )
    balance = Balance(class_alpha=alpha, outside=outside)
    made = TokenClassification(words, tags, tokens=64, seed=1, balance=balance)
    seen = np.concatenate([made.batch(number).tags.numpy() for number in range(320)])
    assert 2 * (seen == 2).mean() == pytest.approx(share, abs=0.01)
