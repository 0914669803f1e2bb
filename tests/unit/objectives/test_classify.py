from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from xlmkit.data.batch import Segment, SegmentRows
from xlmkit.data.text_windows import cut_rows
from xlmkit.evaluate.joining import join_windows
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


@pytest.mark.parametrize("join", ["mean", "max", "first"])
def test_a_choice_learns_from_the_joined_windows_of_its_texts(join: Any) -> None:
    """The loss is that of the scores which measuring gives to the whole texts."""
    rng = np.random.default_rng(0)
    rows: list[tuple[Segment, ...]] = [
        ((rng.integers(14, 40, size=3), 0), (rng.integers(14, 40, size=length), 0))
        for length in (4, 30, 18, 5, 2, 3)
    ]
    labels = np.array([1, 0, 1])
    windows = cut_rows(rows, 16, 2)
    assert np.bincount(windows.owners).tolist() == [1, 4, 3, 1, 1, 1]
    sequences = SegmentRows(windows.rows, 16)
    made = SequenceClassification(
        sequences,
        labels,
        tokens=256,
        seed="x",
        loss="choice",
        choices=2,
        owners=windows.owners,
        join=join,
    )
    torch.manual_seed(0)
    shape = Architecture(n_words=40, n_langs=2, n_layers=1, emb_dim=16, n_heads=2)
    model = SequenceClassifier(shape, 1).eval()
    with torch.no_grad():
        each = sequences.batch(range(len(windows.rows))).fed_to(model).numpy()
    whole = torch.from_numpy(join_windows(each, windows.owners, join)).reshape(3, 2)
    items = made.pool.batch(0)
    wanted = functional.cross_entropy(whole, torch.from_numpy(labels), reduction="none")[items]
    output = made.loss(model, made.batch(0))
    assert output.count == len(items)
    torch.testing.assert_close(output.sum, wanted.sum())


def test_windows_of_a_choice_count_as_tokens_of_their_example() -> None:
    rows: list[tuple[Segment, ...]] = [((np.full(length, 20), 0),) for length in (2, 20, 3, 4)]
    windows = cut_rows(rows, 8, 0)
    sequences = SegmentRows(windows.rows, 8)
    made = SequenceClassification(
        sequences,
        np.array([0, 1]),
        tokens=4096,
        seed="x",
        loss="choice",
        choices=2,
        owners=windows.owners,
    )
    assert made.pool.sampler.groups[0].lengths.tolist() == [4 + 4 * 8, 5 + 6]


@pytest.mark.parametrize("loss", ["classes", "number"])
def test_every_window_of_a_text_has_its_label(loss: Any) -> None:
    rows: list[tuple[Segment, ...]] = [((np.full(length, 20), 0),) for length in (2, 20, 3)]
    windows = cut_rows(rows, 8, 0)
    made = SequenceClassification(
        SegmentRows(windows.rows, 8),
        np.array([0, 1, 2]),
        tokens=64,
        seed="x",
        loss=loss,
        owners=windows.owners,
    )
    assert made.labels.tolist() == [0, 1, 1, 1, 1, 2]
