"""Bilingual lexicon induction: is the nearest word of the other language a translation?

Words get two kinds of vectors: static ones, the mean of their tokens' embeddings, and contextual
ones, their state where the model reads them alone. They are compared by cosine and by CSLS
(Conneau et al. 2018); precision at k is the share of words one of whose translations is among the k
nearest.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.errors import UserError
from xlmkit.core.log import say
from xlmkit.evaluate.config import LexiconConfig
from xlmkit.evaluate.dictionaries import Dictionary
from xlmkit.evaluate.neighbours import Comparison, Measure, Vectors
from xlmkit.evaluate.protocols import WordEncoder
from xlmkit.evaluate.score import bootstrap_mean
from xlmkit.evaluate.spaces import comparable
from xlmkit.evaluate.text_states import TextStates

PRECISIONS = (1, 5, 10)
_MEASURES: tuple[Measure, ...] = ("cosine", "csls")
_KINDS = ("static", "contextual")
_TOLERANCE = 1e-6  # scores this near to each other are tied

Gold = Sequence[NDArray[np.int64]]
"""The numbers of each word's translations among the candidates."""


def measure_lexicons(
    encoder: WordEncoder,
    reader: TextStates,
    dictionaries: Iterable[Dictionary],
    config: LexiconConfig,
    layer: int,
) -> dict[str, Any]:
    """Measure every dictionary.

    Words that the vocabulary cannot write without `<unk>` are left out on both sides, counted and
    told; so are words none of whose translations remain.

    Args:
        encoder: the model.
        reader: asks it for contextual vectors.
        dictionaries: what is to be found.
        config: the section.
        layer: whose states are the contextual vectors.

    Returns:
        The layer; by direction ("en-de" seeks German for English) `n`, `candidates`, `unknown`, and
        scores by kind of vector, measure and k; and their averages.

    Raises:
        UserError: no word of a dictionary is left.
    """
    directions = {
        f"{one.source}-{one.target}": _measure(encoder, reader, one, config, layer)
        for one in dictionaries
    }
    average = {
        kind: {
            measure: {
                str(k): float(
                    np.mean([one[kind][measure][str(k)]["value"] for one in directions.values()])
                )
                for k in PRECISIONS
            }
            for measure in _MEASURES
        }
        for kind in _KINDS
    }
    return {
        "title": config.title,
        "layer": layer,
        "neighbours": config.neighbours,
        "directions": directions,
        "average": average,
    }


def _measure(
    encoder: WordEncoder,
    reader: TextStates,
    dictionary: Dictionary,
    config: LexiconConfig,
    layer: int,
) -> dict[str, Any]:
    """Return the scores of one dictionary."""
    name = f"{dictionary.source}-{dictionary.target}"
    words, static_words = _known(encoder, list(dictionary.translations), dictionary.source)
    candidates, static_candidates = _known(encoder, dictionary.candidates, dictionary.target)
    number = {candidate: place for place, candidate in enumerate(candidates)}
    gold = [
        np.array([number[t] for t in dictionary.translations[word] if t in number], np.int64)
        for word in words
    ]
    kept = np.array([len(places) > 0 for places in gold], bool)
    unknown = {
        "source": len(dictionary.translations) - len(words),
        "target": len(dictionary.candidates) - len(candidates),
    }
    if any(unknown.values()) or not kept.all():
        say(
            f"Lexicon {name}: {unknown['source']} words and {unknown['target']} candidates are not "
            f"in the vocabulary and left out, and so are {int((~kept).sum())} words without any "
            "translation that is."
        )
    if not kept.any():
        raise UserError(
            f"no word of the dictionary {name} and its translation are in the model's vocabulary; "
            "see that its languages are those of the model."
        )
    words = [word for word, keep in zip(words, kept, strict=True) if keep]
    gold = [places for places in gold if len(places)]
    sides = {
        "static": (static_words[kept], static_candidates),
        "contextual": (
            reader.of_layer(words, dictionary.source, layer),
            reader.of_layer(candidates, dictionary.target, layer),
        ),
    }
    scores = {
        kind: _precisions(
            *comparable(*pair, centre=config.centre, whiten=config.whiten), gold, config
        )
        for kind, pair in sides.items()
    }
    return {"n": len(words), "candidates": len(candidates), "unknown": unknown, **scores}


def _known(encoder: WordEncoder, words: Sequence[str], language: str) -> tuple[list[str], Vectors]:
    """Return the words that the vocabulary can write, and their static vectors."""
    vectors, known = encoder.word_vectors(words, language)
    return [word for word, keep in zip(words, known, strict=True) if keep], vectors[known]


def _precisions(
    words: Vectors, candidates: Vectors, gold: Gold, config: LexiconConfig
) -> dict[str, Any]:
    """Return precision at each k by measure."""
    found: dict[str, Any] = {}
    for measure in _MEASURES:
        comparison = Comparison.of(words, candidates, measure, config.neighbours)
        hits: Mapping[int, list[float]] = {k: [] for k in PRECISIONS}
        for rows, scores in comparison.scores(words, candidates):
            for row, places in zip(scores, gold[rows], strict=True):
                better, tied = _rank(row, places)
                for k in PRECISIONS:
                    hits[k].append(min(1.0, max(0.0, (k - better) / tied)))
        details = {} if measure == "cosine" else {"k": config.neighbours}
        found[measure] = {
            str(k): bootstrap_mean(
                f"precision@{k}", hits[k], candidates=len(candidates), by=measure, **details
            ).to_json()
            for k in PRECISIONS
        }
    return found


def _rank(scores: Vectors, gold: NDArray[np.int64]) -> tuple[int, int]:
    """Return how many candidates are nearer than the nearest translation, and how many tied.

    Other translations that are tied with it count with it, so that a tie is shared fairly only
    among what is wrong: finding any translation is enough.
    """
    best = scores[gold].max()
    better = int((scores > best + _TOLERANCE).sum())
    tied = int((scores >= best - _TOLERANCE).sum()) - better
    right = int((scores[gold] >= best - _TOLERANCE).sum())
    return better, max(1, tied - right + 1)
