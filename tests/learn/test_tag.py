"""A tagger learns a rule of two words, in a cipher language, and finds it in long sentences."""

from typing import Any

import numpy as np
import torch

from xlmkit.data.words import encode_words
from xlmkit.evaluate.word_scores import PlainTagger
from xlmkit.model.config import Architecture
from xlmkit.model.heads import TokenClassifier
from xlmkit.objectives.tag import TokenClassification
from xlmkit.tasks.tagging import TaggedSentences, TaggingConfig, TaggingData

LETTERS = "αβγδεζηθικλμνξοπ"
LABELS = ["after", "first", "other"]


def sentences(n: int, seed: int, longest: int) -> TaggedSentences:
    """Draw sentences: α and β are `first`, the word behind one of them is `after`."""
    random = np.random.default_rng(seed)
    words = [random.choice(list(LETTERS), random.integers(3, longest)).tolist() for _ in range(n)]
    tags = []
    for sentence in words:
        for before, word in zip(["", *sentence], sentence, strict=False):
            tags.append(1 if word in "αβ" else 0 if before and before in "αβ" else 2)
    return TaggedSentences(words, np.array(tags, np.int64))


def test_tags_of_words_and_of_their_neighbours_are_learned(cipher: Any, learn: Any) -> None:
    _, tokenizer, _ = cipher
    data = TaggingData(LABELS, [], {"el": sentences(1200, 0, 16)}, {"el": sentences(150, 1, 60)})
    words = encode_words({"el": data.train["el"].sentences}, tokenizer, 16)
    objective = TokenClassification(words, data.train_tags, tokens=512, seed=0)
    torch.manual_seed(0)
    shape = Architecture(
        n_words=14 + 48, n_langs=2, n_layers=2, emb_dim=32, n_heads=2, dropout=0.0,
        attention_dropout=0.0, max_position_embeddings=16, embed_init_std=32**-0.5,
    )  # fmt: skip
    model = TokenClassifier(shape, 3, dropout=0.0)
    learn(model, [objective], steps=400, lr=4e-3)
    tagger = PlainTagger(model, tokenizer, ["el"], 16)  # sentences are up to 59 words long
    source = {"kind": "conllu", "path": "-", "language": "el"}
    config = TaggingConfig(kind="tagging", train=[source], test=[source])
    measured = data.measured(tagger, config, ["el"])
    assert measured["languages"]["el"]["macro_f1"]["value"] >= 0.98
