"""Finding translations: does the nearest sentence of the other language mean the same?

States are averaged over the tokens, centred on each language's mean (which takes away what tells
languages apart), and compared by cosine and by margin. The layer is the one that finds most
translations of the validation split by cosine. Tatoeba protocol: Artetxe & Schwenk 2019; accuracy
at 1, both directions.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from xlmkit.core.errors import UserError
from xlmkit.core.progress import progress
from xlmkit.data.permutation import key_of
from xlmkit.data.records import Record
from xlmkit.evaluate.config import RetrievalConfig, SentenceSetConfig, SpaceConfig
from xlmkit.evaluate.metrics import retrieval_hits
from xlmkit.evaluate.neighbours import Comparison, Measure
from xlmkit.evaluate.outcomes import Outcomes, example_ids
from xlmkit.evaluate.protocols import Encoder
from xlmkit.evaluate.score import Score, bootstrap_mean
from xlmkit.evaluate.spaces import Vectors, comparable, unit
from xlmkit.evaluate.text_states import TextStates

__all__ = ["check_layer", "choose_layer", "measure_retrieval", "picture", "unit"]

_SHOWN = 10  # messages in the picture of the shared space
_MEASURES: tuple[Measure, ...] = ("cosine", "margin")


def measure_retrieval(
    encoder: Encoder,
    valid: Sequence[Record],
    test: Sequence[Record],
    config: RetrievalConfig | SentenceSetConfig,
    place: str = "evaluate.retrieval",
) -> dict[str, Any] | None:
    """Measure retrieval between the pivot and every other language.

    Args:
        encoder: the model.
        valid: translations to choose the layer on, where the section names none.
        test: translations to find.
        config: the section.
        place: where the section stands in the recipe.

    Returns:
        Layer, candidates, scores by direction ("fr-en" seeks English for French), their average,
        both once more by margin, a picture of the space, and `outcomes`, what was found by cosine
        for each sentence, which go to a file of their own; None if no language has translations of
        the pivot.

    Raises:
        UserError: the model has no such layer.
    """
    check_layer(encoder, config, place)
    reader = TextStates(encoder, config.stride, place)
    pivot = config.pivot or encoder.languages[0]
    others = [code for code in encoder.languages if code != pivot]
    layer, by_layer = choose_layer(reader, valid, config, [(pivot, code) for code in others])
    directions: dict[Measure, dict[str, Any]] = {measure: {} for measure in _MEASURES}
    outcomes: dict[str, Outcomes] = {}
    candidates = 0
    with progress("finding translations", len(others), "languages") as bar:
        for other in others:
            chosen = _choose(test, pivot, other, config.candidates)
            if len(chosen) > 1:
                candidates = max(candidates, len(chosen))
                for measure, one, two, hits in _found(reader, chosen, pivot, other, layer, config):
                    scored = _score(hits, measure, config.neighbours)
                    directions[measure][f"{one}-{two}"] = scored.to_json()
                    if measure == "cosine":
                        outcomes[f"{one}-{two}"] = _outcomes(chosen, one, two, hits)
            bar.advance()
    if not candidates:
        return None
    by_cosine, by_margin = (
        {"directions": found, "average": float(np.mean([one["value"] for one in found.values()]))}
        for found in directions.values()
    )
    return {
        "layer": layer,
        "layers_on_validation": by_layer,
        "pivot": pivot,
        "candidates": candidates,
        **by_cosine,
        "margin": {"neighbours": config.neighbours, **by_margin},
        "map": picture(reader, test, layer),
        "outcomes": outcomes,
    }


def _found(
    reader: TextStates,
    records: Sequence[Record],
    pivot: str,
    other: str,
    layer: int,
    config: RetrievalConfig | SentenceSetConfig,
) -> Iterator[tuple[Measure, str, str, Vectors]]:
    """Yield, by each measure and in both directions, what each record of `one` finds of `two`."""
    a, b = (_states(reader, records, language, layer) for language in (pivot, other))
    a, b = comparable(a, b, centre=config.centre, whiten=config.whiten)
    for measure in _MEASURES:
        there, back = _both_ways(a, b, measure, config.neighbours)
        yield measure, pivot, other, there
        yield measure, other, pivot, back


def _both_ways(a: Vectors, b: Vectors, measure: Measure, k: int) -> tuple[Vectors, Vectors]:
    """Return how far each a finds its b, and each b its a: 1, 0, or a share among ties."""
    comparison = Comparison.of(a, b, measure, k)
    return _hits(a, b, comparison), _hits(b, a, comparison.turned)


def _hits(queries: Vectors, candidates: Vectors, comparison: Comparison) -> Vectors:
    numbers = np.arange(len(queries))
    found = [
        retrieval_hits(scores, numbers[rows])
        for rows, scores in comparison.scores(queries, candidates)
    ]
    return np.concatenate(found)


def _score(hits: Vectors, measure: Measure, k: int) -> Score:
    """Return the share of queries whose best candidate is that of their number."""
    details: dict[str, Any] = {} if measure == "cosine" else {"by": measure, "k": k}
    return bootstrap_mean("retrieval@1", hits, candidates=len(hits), ties="shared", **details)


def _outcomes(records: Sequence[Record], one: str, two: str, hits: Vectors) -> Outcomes:
    texts, sought = ([record.texts[code] for record in records] for code in (one, two))
    return Outcomes(example_ids(texts, sought), {"accuracy": np.asarray(hits, np.float64)})


def check_layer(encoder: Encoder, config: SpaceConfig, place: str = "evaluate.retrieval") -> None:
    """See that the model has the layer that the recipe names.

    Raises:
        UserError: it has fewer.
    """
    if config.layer is not None and config.layer > encoder.n_layers:
        raise UserError(
            f"{place}.layer is {config.layer}, but the model's last layer is {encoder.n_layers}."
        )


def choose_layer(
    reader: TextStates,
    valid: Sequence[Record],
    config: SpaceConfig,
    pairs: Sequence[tuple[str, str]],
    most: int | None = 1000,
) -> tuple[int, list[float]]:
    """Return the section's layer, or the one that finds most translations, and how many all find.

    Without translations it is the middle one; then, and where the section names one, there are no
    numbers.

    Args:
        reader: the model.
        valid: translations.
        config: the section; its number of candidates, if it has one, goes before `most`.
        pairs: of languages whose translations are asked for.
        most: translations of a pair that are.
    """
    if config.layer is not None:
        return config.layer, []
    most = getattr(config, "candidates", None) or most
    found = []
    with progress("choosing a layer", len(pairs), "pairs of languages") as bar:
        for one, other in pairs:
            if len(chosen := _choose(valid, one, other, most)) > 1:
                found.append(_hits_by_layer(reader, chosen, one, other, config))
            bar.advance()
    by_layer: list[float] = np.mean(found, axis=0).tolist() if found else []
    return int(np.argmax(by_layer)) if by_layer else reader.encoder.n_layers // 2, by_layer


def _states(reader: TextStates, records: Sequence[Record], language: str, layer: int) -> Vectors:
    """Return the mean-pooled states of one language's texts, (records, E)."""
    return reader.of_layer([record.texts[language] for record in records], language, layer)


def picture(reader: TextStates, records: Sequence[Record], layer: int) -> list[dict[str, Any]]:
    """Place a few messages in all languages on a plane, by principal components.

    Each language's vectors are centred as in retrieval; the plane is that of the two directions in
    which the shown points vary most.
    """
    languages = list(reader.encoder.languages)
    complete = [record for record in records if all(code in record.texts for code in languages)]
    complete = [r for r in complete if 20 <= len(r.texts[languages[0]]) <= 80]
    chosen = sorted(complete, key=_order)[:_SHOWN]
    if len(chosen) < 3:
        return []
    states = (reader.of_all_layers([r.texts[code] for r in chosen], code) for code in languages)
    points = np.concatenate([unit(one[:, layer]) for one in states])
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


def _choose(records: Sequence[Record], pivot: str, other: str, most: int | None) -> list[Record]:
    """Return up to `most` records that have both languages, chosen by content; None for all."""
    both = [record for record in records if pivot in record.texts and other in record.texts]
    return sorted(both, key=_order)[:most]


def _order(record: Record) -> int:
    return key_of(*_contents(record.texts))


def _contents(texts: Mapping[str, str]) -> list[str]:
    return [f"{language}\x1e{text}" for language, text in sorted(texts.items())]


def _hits_by_layer(
    reader: TextStates, records: list[Record], pivot: str, other: str, config: SpaceConfig
) -> list[float]:
    """Return the accuracy of every layer, both directions averaged."""
    a, b = (reader.of_all_layers([r.texts[code] for r in records], code) for code in (pivot, other))
    accuracies = []
    for layer in range(a.shape[1]):
        one, two = comparable(a[:, layer], b[:, layer], centre=config.centre, whiten=config.whiten)
        similarity = one @ two.T
        hits = (retrieval_hits(similarity).mean(), retrieval_hits(similarity.T).mean())
        accuracies.append(float(np.mean(hits)))
    return accuracies
