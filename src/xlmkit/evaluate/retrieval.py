"""Finding translations: does the nearest sentence of the other language mean the same?

States are averaged over the tokens, centred on each language's mean (which takes away what tells
languages apart), and compared by cosine. The layer is the one that finds most translations of the
validation split. Tatoeba protocol: Artetxe & Schwenk 2019; accuracy at 1, both directions.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.errors import UserError
from xlmkit.data.permutation import key_of
from xlmkit.data.records import Record
from xlmkit.evaluate.config import RetrievalConfig
from xlmkit.evaluate.metrics import retrieval_accuracy, retrieval_hits
from xlmkit.evaluate.protocols import Encoder

_SHOWN = 10  # messages in the picture of the shared space

Vectors = NDArray[np.float32]


def measure_retrieval(
    encoder: Encoder,
    valid: Sequence[Record],
    test: Sequence[Record],
    config: RetrievalConfig,
) -> dict[str, Any] | None:
    """Measure retrieval between the pivot and every other language.

    Returns:
        Layer, candidates, scores by direction ("fr-en" seeks English for French), their average,
        and a picture of the space; None if no language has translations of the pivot.

    Raises:
        UserError: the model has no such layer.
    """
    check_layer(encoder, config)
    languages = list(encoder.languages)
    pivot = config.pivot or languages[0]
    others = [language for language in languages if language != pivot]
    layer = config.layer
    by_layer: list[float] = []
    if layer is None:
        found = [
            _hits_by_layer(encoder, chosen, pivot, other)
            for other in others
            if len(chosen := _choose(valid, pivot, other, config.candidates)) > 1
        ]
        if found:
            by_layer = np.mean(found, axis=0).tolist()
        layer = int(np.argmax(by_layer)) if by_layer else encoder.n_layers // 2
    directions: dict[str, Any] = {}
    candidates = 0
    for other in others:
        chosen = _choose(test, pivot, other, config.candidates)
        if len(chosen) > 1:
            candidates = max(candidates, len(chosen))
            a, b = (unit(states(encoder, chosen, language, layer)) for language in (pivot, other))
            directions[f"{other}-{pivot}"] = retrieval_accuracy(b @ a.T).to_json()
            directions[f"{pivot}-{other}"] = retrieval_accuracy(a @ b.T).to_json()
    if not directions:
        return None
    return {
        "layer": layer,
        "layers_on_validation": by_layer,
        "pivot": pivot,
        "candidates": candidates,
        "directions": directions,
        "average": float(np.mean([score["value"] for score in directions.values()])),
        "map": picture(encoder, test, layer),
    }


def check_layer(encoder: Encoder, config: RetrievalConfig) -> None:
    """See that the model has the layer that the recipe names.

    Raises:
        UserError: it has fewer.
    """
    if config.layer is not None and config.layer > encoder.n_layers:
        raise UserError(
            f"evaluate.retrieval.layer is {config.layer}, but the model's last layer is "
            f"{encoder.n_layers}."
        )


def states(
    encoder: Encoder,
    records: Sequence[Record],
    language: str,
    layer: int,
) -> Vectors:
    """Return the mean-pooled states of one language's texts, (records, E)."""
    texts = [record.texts[language] for record in records]
    return encoder.pooled_states(texts, language)[:, layer]


def unit(vectors: Vectors) -> Vectors:
    """Centre vectors on their mean and give each length 1, (N, E)."""
    centred = vectors - vectors.mean(axis=0)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    result: Vectors = centred / np.maximum(length, 1e-12)
    return result


def picture(encoder: Encoder, records: Sequence[Record], layer: int) -> list[dict[str, Any]]:
    """Place a few messages in all languages on a plane, by principal components.

    Each language's vectors are centred as in retrieval; the plane is that of the two directions in
    which the shown points vary most.
    """
    languages = list(encoder.languages)
    complete = [record for record in records if all(code in record.texts for code in languages)]
    complete = [r for r in complete if 20 <= len(r.texts[languages[0]]) <= 80]
    chosen = sorted(complete, key=_order)[:_SHOWN]
    if len(chosen) < 3:
        return []
    points = np.concatenate([unit(states(encoder, chosen, code, layer)) for code in languages])
    _, _, axes = np.linalg.svd(points, full_matrices=False)
    # The sign of a component is arbitrary: fix it, so that equal models give equal pictures.
    axes = axes[:2] * np.sign(axes[:2, np.abs(axes[:2]).argmax(axis=1)].diagonal())[:, None]
    places = points @ axes.T
    return [
        {
            "x": round(float(places[row, 0]), 4),
            "y": round(float(places[row, 1]), 4),
            "language": code,
            "text": record.texts[code],
            "group": group,
        }
        for row, (code, (group, record)) in enumerate(
            (code, item) for code in languages for item in enumerate(chosen)
        )
    ]


def _choose(records: Sequence[Record], pivot: str, other: str, most: int) -> list[Record]:
    """Return up to `most` records that have both languages, chosen by content."""
    both = [record for record in records if pivot in record.texts and other in record.texts]
    return sorted(both, key=_order)[:most]


def _order(record: Record) -> int:
    return key_of(*_contents(record.texts))


def _contents(texts: Mapping[str, str]) -> list[str]:
    return [f"{language}\x1e{text}" for language, text in sorted(texts.items())]


def _hits_by_layer(encoder: Encoder, records: list[Record], pivot: str, other: str) -> list[float]:
    """Return the accuracy of every layer, both directions averaged."""
    a, b = (
        encoder.pooled_states([r.texts[code] for r in records], code) for code in (pivot, other)
    )
    accuracies = []
    for layer in range(a.shape[1]):
        similarity = unit(a[:, layer]) @ unit(b[:, layer]).T
        hits = (retrieval_hits(similarity).mean(), retrieval_hits(similarity.T).mean())
        accuracies.append(float(np.mean(hits)))
    return accuracies
