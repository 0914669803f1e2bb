"""A classifier finds the one word that decides, wherever it stands, in texts it has not seen."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from xlmkit.data.batch import SegmentRows
from xlmkit.evaluate.inference import PlainClassifier
from xlmkit.model.config import Architecture
from xlmkit.model.heads import SequenceClassifier
from xlmkit.objectives.classify import SequenceClassification
from xlmkit.tasks.classification import ClassificationConfig, ClassificationData
from xlmkit.tasks.features import encode_rows
from xlmkit.tasks.sequences import LabelledTexts

LABELS = ["books", "fish", "trains"]


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
    shape = Architecture(
        n_words=14 + 48,
        n_langs=2,
        n_layers=1,
        emb_dim=32,
        n_heads=2,
        max_position_embeddings=16,
        embed_init_std=32**-0.5,
    )
    model = SequenceClassifier(shape, 3)
    learn(model, [objective], steps=200, lr=5e-3)
    classifier = PlainClassifier(model, tokenizer, ["el"], 16)
    data = ClassificationData(LABELS, greek, held_out)
    measured = data.measured(classifier, ClassificationConfig(), ["el"])
    assert measured["languages"]["el"]["accuracy"]["value"] >= 0.99
