from collections import Counter

import numpy as np
import pytest
import torch
from torch.nn import functional

from xlmkit.data.batch import Segment, SegmentRows
from xlmkit.model.config import Architecture
from xlmkit.model.heads import SequenceClassifier
from xlmkit.objectives.classify import SequenceClassification

ROWS: list[tuple[Segment, ...]] = [((np.arange(14, 16 + n % 7), n % 2),) for n in range(100)]
LABELS = np.arange(100) % 3


def objective(max_length: int = 20) -> SequenceClassification:
    return SequenceClassification(SegmentRows(ROWS, max_length), LABELS, tokens=64, seed="x")


def test_labels_stay_with_their_texts_and_all_come_equally_often() -> None:
    made = objective()
    seen: Counter[tuple[int, int, int]] = Counter()
    for number in range(32 * 3):
        batch = made.batch(number)
        rows = zip(batch.inputs.lengths, batch.inputs.languages[:, 0], batch.labels, strict=True)
        seen.update((int(n), int(code), int(label)) for n, code, label in rows)
    expected = Counter(
        (len(row[0][0]) + 2, row[0][1], int(label)) for row, label in zip(ROWS, LABELS, strict=True)
    )
    assert set(seen) == set(expected)
    rates = [seen[key] / expected[key] for key in expected]
    assert max(rates) - min(rates) <= 1


def test_an_epoch_has_about_all_tokens() -> None:
    made = objective()
    total = sum(len(row[0][0]) + 2 for row in ROWS)
    assert made.batches_per_epoch == round(total / 64)
    tokens = [made.tokens(made.batch(number)) for number in range(64)]
    assert np.mean(tokens) == pytest.approx(64, rel=0.1)


def test_long_texts_lose_their_ends() -> None:
    made = objective(max_length=6)
    batches = [made.batch(number) for number in range(32)]
    assert max(int(batch.inputs.lengths.max()) for batch in batches) == 6
    assert made.pool.sampler.groups[0].lengths.max() == 6


def test_loss_is_cross_entropy_of_the_labels() -> None:
    torch.manual_seed(0)
    model = SequenceClassifier(
        Architecture(n_words=40, n_langs=2, n_layers=1, emb_dim=16, n_heads=2), 3
    ).eval()
    made = objective()
    batch = made.batch(7)
    inputs = batch.inputs
    scores = model(inputs.tokens, inputs.lengths, inputs.positions, inputs.languages)
    output = made.loss(model, batch)
    torch.testing.assert_close(
        output.sum, functional.cross_entropy(scores, batch.labels, reduction="sum")
    )
    assert output.count == len(batch.labels)
    right = int((scores.argmax(1) == batch.labels).sum())
    assert output.parts[0, 1:].tolist() == [output.count, right]
    assert made.groups == ["all"]
