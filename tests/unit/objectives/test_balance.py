from collections import Counter

import numpy as np
import pytest

from xlmkit.data.batch import Segment, SegmentRows
from xlmkit.objectives.balance import Balance
from xlmkit.objectives.classify import SequenceClassification

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
