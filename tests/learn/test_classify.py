"""A classifier finds the word that decides, wherever it stands, and which of two came first."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from xlmkit.build.plain import PlainBackbone
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.data.batch import SegmentRows
from xlmkit.data.text_windows import LongTexts, PairForm
from xlmkit.evaluate.inference import PlainClassifier
from xlmkit.model.config import Architecture
from xlmkit.model.heads import SequenceClassifier
from xlmkit.model.transformer import Transformer
from xlmkit.objectives.classify import SequenceClassification
from xlmkit.tasks.classification import ClassificationConfig, ClassificationData
from xlmkit.tasks.features import encode_rows
from xlmkit.tasks.multiple_choice import MultipleChoiceConfig, MultipleChoiceData
from xlmkit.tasks.sequences import LabelledTexts

LABELS = ["books", "fish", "trains"]
SHAPE = Architecture(
    n_words=14 + 48,
    n_langs=2,
    n_layers=1,
    emb_dim=32,
    n_heads=2,
    max_position_embeddings=16,
    embed_init_std=32**-0.5,
)


def labelled(n: int, seed: int, letters: str, keywords: str) -> LabelledTexts:
    random = np.random.default_rng(seed)
    labels: NDArray[np.int64] = random.integers(0, 3, n)
    texts = []
    for label in labels:
        words = random.choice(list(letters), random.integers(3, 9)).tolist()
        words.insert(int(random.integers(0, len(words) + 1)), keywords[label])
        texts.append(" ".join(words))
    return LabelledTexts(texts, labels)


def test_a_rule_of_keywords_is_learned(cipher: Any, learn: Any) -> None:
    _, tokenizer, _ = cipher
    greek = {"el": labelled(800, 0, "αβγδεζηθικλμ", "ξοπ")}
    held_out = {"el": labelled(300, 1, "αβγδεζηθικλμ", "ξοπ")}
    rows, labels = encode_rows(greek, tokenizer)
    objective = SequenceClassification(SegmentRows(rows, 16), labels, tokens=512, seed=0)
    torch.manual_seed(0)
    model = SequenceClassifier(SHAPE, 3)
    learn(model, [objective], steps=200, lr=5e-3)
    classifier = PlainClassifier(model, tokenizer, ["el"], 16)
    data = ClassificationData(LABELS, greek, held_out)
    measured = data.measured(classifier, ClassificationConfig(), ["el"])
    assert measured["languages"]["el"]["accuracy"]["value"] >= 0.99


def ordered(n: int, seed: int) -> LabelledTexts:
    """Return pairs of words, with whether the first comes before the second in the alphabet."""
    random = np.random.default_rng(seed)
    pairs = np.stack([random.permutation(12)[:2] for _ in range(n)])
    first, second = (["αβγδεζηθικλμ"[i] for i in side] for side in pairs.T)
    return LabelledTexts(first, (pairs[:, 0] < pairs[:, 1]).astype(np.int64), second)


@pytest.mark.parametrize(("form", "least", "most"), [("joined", 0.95, 1.0), ("apart", 0.3, 0.6)])
def test_which_text_came_first_is_known_where_positions_go_on(
    cipher: Any, learn: Any, form: PairForm, least: float, most: float
) -> None:
    _, tokenizer, _ = cipher
    learned, held_out = {"el": ordered(400, 0)}, {"el": ordered(200, 1)}
    rows, labels = encode_rows(learned, tokenizer)
    sequences = SegmentRows(rows, 16, form)
    objective = SequenceClassification(sequences, labels, tokens=512, seed=0)
    torch.manual_seed(0)
    model = SequenceClassifier(SHAPE, 2)
    learn(model, [objective], steps=200, lr=5e-3)
    classifier = PlainClassifier(model, tokenizer, ["el"], 16, form=form)
    data = ClassificationData(["after", "before"], learned, held_out)
    measured = data.measured(classifier, ClassificationConfig(), ["el"])
    assert least <= measured["languages"]["el"]["accuracy"]["value"] <= most


def chosen(n: int, seed: int) -> LabelledTexts:
    """Return choices between two long texts; the right one ends in a word of its own."""
    random = np.random.default_rng(seed)
    labels: NDArray[np.int64] = random.integers(0, 2, n)
    seconds = []
    for label in labels:
        for number in range(2):
            words = random.choice(list("αβγδεζηθικλμ"), 18).tolist()
            seconds.append(" ".join([*words, "ξ" if number == label else "ο"]))
    return LabelledTexts(["ν"] * (2 * n), labels, seconds)


@pytest.mark.parametrize(
    ("long_texts", "least", "most"), [(LongTexts(stride=2), 0.97, 1.0), (None, 0.35, 0.65)]
)
def test_a_choice_is_learned_from_the_ends_of_long_texts(
    cipher: Any, learn: Any, tmp_path: Path, long_texts: Any, least: float, most: float
) -> None:
    _, tokenizer, _ = cipher
    learned, held_out = {"el": chosen(300, 0)}, {"el": chosen(200, 1)}
    data = MultipleChoiceData(["choice"], learned, held_out, 2)
    config = MultipleChoiceConfig(
        kind="multiple_choice", max_length=12, long_texts=long_texts, dropout=0.0
    )
    torch.manual_seed(0)
    weights = Transformer(SHAPE).state_dict()
    backbone = PlainBackbone(Bundle(SHAPE, tokenizer, weights), ["el"])
    adaptation = backbone.classification(data, config, 1024, 0)
    learn(adaptation.model, [adaptation.objective], steps=150, lr=5e-3)
    adaptation.save(tmp_path / "model", adaptation.model.state_dict(), {})
    measured = data.measured(backbone.classifier(tmp_path / "model", config), config, ["el"])
    assert least <= measured["languages"]["el"]["accuracy"]["value"] <= most
