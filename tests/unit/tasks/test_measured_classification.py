from typing import Any

import numpy as np
import pytest
import torch

from xlmkit.evaluate.inference import PlainClassifier, class_probabilities
from xlmkit.model.config import Architecture
from xlmkit.model.heads import SequenceClassifier
from xlmkit.tasks.classification import ClassificationConfig, ClassificationData
from xlmkit.tasks.sequences import LabelledTexts
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary

ALPHABETS = {"en": "abcdefgh", "ru": "абвгдежз", "ar": "ابتثجحخد"}
TOKENIZER = Tokenizer(
    Vocabulary([*SPECIAL_TOKENS, *(f"{c}</w>" for c in "".join(ALPHABETS.values()))]),
    Merges(()),
    {"en": 0, "ru": 1, "ar": 2},
    segmenters={},
)
LABELS = ["news", "право", "طقس"]
CONFIG = ClassificationConfig(title="Which kind", max_length=32)


def classifier() -> PlainClassifier:
    torch.manual_seed(1)
    shape = Architecture(
        n_words=38,
        n_langs=3,
        n_layers=1,
        emb_dim=16,
        n_heads=2,
        max_position_embeddings=16,
        embed_init_std=1.0,
    )
    return PlainClassifier(SequenceClassifier(shape, 3), TOKENIZER, list(ALPHABETS), 32)


def labelled(language: str, n: int) -> LabelledTexts:
    random = np.random.default_rng(n)
    letters = list(ALPHABETS[language])
    texts = [" ".join(random.choice(letters, random.integers(1, 20))) for _ in range(n)]
    return LabelledTexts(texts, random.integers(0, 3, n))


DATA = ClassificationData(
    LABELS,
    {"en": labelled("en", 7), "ru": labelled("ru", 4)},
    {"ru": labelled("ru", 60), "en": labelled("en", 50), "ar": labelled("ar", 1)},
)


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    return DATA.measured(classifier(), CONFIG, ["en"])


def test_every_language_is_scored_on_its_own_texts(measured: dict[str, Any]) -> None:
    model = classifier().model
    assert list(measured["languages"]) == ["en", "ru", "ar"]
    for code, found in measured["languages"].items():
        part = DATA.test[code]
        chosen = class_probabilities(model, TOKENIZER, part.texts, code, 32).argmax(axis=1)
        assert found["accuracy"]["value"] == pytest.approx(np.mean(chosen == part.labels))
        assert found["n"] == len(part.texts)
        confusion = np.array(found["confusion"])
        assert confusion.sum() == len(part.texts)
        assert np.trace(confusion) == (chosen == part.labels).sum()
        assert confusion.sum(axis=1).tolist() == np.bincount(part.labels, minlength=3).tolist()


def test_the_average_is_over_the_languages_that_were_not_learned(measured: dict[str, Any]) -> None:
    assert measured["average"]["over"] == ["ru", "ar"]
    for metric in ("accuracy", "macro_f1"):
        values = [measured["languages"][code][metric]["value"] for code in ("ru", "ar")]
        assert measured["average"][metric] == pytest.approx(np.mean(values))
    everything = DATA.measured(classifier(), CONFIG, ["en", "ru", "ar"])
    assert everything["average"] == {"over": []}


def test_what_was_measured_is_told(measured: dict[str, Any]) -> None:
    assert measured["labels"] == LABELS
    assert measured["title"] == "Which kind"
    assert (measured["kind"], measured["source_language"]) == ("classification", "en")
    assert measured["train_examples"] == 11


def test_examples_show_right_and_wrong_answers(measured: dict[str, Any]) -> None:
    for code, shown in measured["examples"].items():
        part = DATA.test[code]
        for example in shown:
            place = part.texts.index(example["text"])
            assert example["label"] == LABELS[part.labels[place]]
            assert 1 / 3 <= example["probability"] <= 1
        right = [e["label"] == e["predicted"] for e in shown]
        assert right == sorted(right, reverse=True)
    assert [e["label"] == e["predicted"] for e in measured["examples"]["ru"]] == [
        *[True] * 3,
        *[False] * 3,
    ]
    assert len(measured["examples"]["ar"]) == 1


def test_examples_do_not_depend_on_the_order_of_the_texts(measured: dict[str, Any]) -> None:
    part = DATA.test["ru"]
    turned = LabelledTexts(part.texts[::-1], part.labels[::-1].copy())
    data = ClassificationData(LABELS, DATA.train, {"ru": turned})
    again = data.measured(classifier(), CONFIG, ["en"])
    assert again["examples"]["ru"] == measured["examples"]["ru"]
