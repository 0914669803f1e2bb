"""A classifier in every language: accuracy, macro F1, confusions, and examples right and wrong."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlmkit.data.permutation import key_of
from xlmkit.evaluate.metrics import accuracy, confusion_matrix, macro_f1
from xlmkit.evaluate.protocols import Classifier
from xlmkit.tasks.classification import ClassificationConfig, ClassificationData, LabelledTexts

_EXAMPLES = 3  # of each kind and language


def measure_classification(
    classifier: Classifier,
    data: ClassificationData,
    config: ClassificationConfig,
    sources: list[str],
) -> dict[str, Any]:
    """Score a classifier on the test texts of every language.

    Args:
        classifier: what is measured.
        data: its task's examples.
        config: the task.
        sources: languages whose labels it learned; the average is over the others.
    """
    languages: dict[str, Any] = {}
    examples: dict[str, Any] = {}
    for language in classifier.languages:
        part = data.test.get(language)
        if part is None:
            continue
        probabilities = classifier.probabilities(part.texts, language)
        predicted = probabilities.argmax(axis=1)
        confusion = confusion_matrix(part.labels, predicted, len(data.labels))
        languages[language] = {
            "accuracy": accuracy(part.labels, predicted).to_json(),
            "macro_f1": macro_f1(confusion).to_json(),
            "confusion": confusion.tolist(),
            "n": len(part.texts),
        }
        examples[language] = _examples(part, probabilities, data.labels)
    others = [language for language in languages if language not in sources]
    return {
        "kind": "classification",
        "title": config.title,
        "labels": data.labels,
        "source_language": sources[0],
        "train_examples": sum(len(part.texts) for part in data.train.values()),
        "languages": languages,
        "average": {
            metric: float(np.mean([languages[code][metric]["value"] for code in others]))
            for metric in ("accuracy", "macro_f1")
            if others
        }
        | {"over": others},
        "examples": examples,
    }


def _examples(
    part: LabelledTexts, probabilities: NDArray[np.float32], labels: list[str]
) -> list[dict[str, Any]]:
    """Choose a few right and a few wrong answers by the hash of their text, so not by beauty."""
    predicted = probabilities.argmax(axis=1)
    order = sorted(range(len(part.texts)), key=lambda i: key_of(part.texts[i]))
    right = [i for i in order if predicted[i] == part.labels[i]][:_EXAMPLES]
    wrong = [i for i in order if predicted[i] != part.labels[i]][:_EXAMPLES]
    return [
        {
            "text": part.texts[i],
            "label": labels[part.labels[i]],
            "predicted": labels[predicted[i]],
            "probability": round(float(probabilities[i].max()), 4),
        }
        for i in right + wrong
    ]
