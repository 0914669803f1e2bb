"""Sets of texts that are not aligned: which pairs of translations a model finds, as in BUCC.

The pairs are those of `xlmkit mine`. The threshold is that with the best F1 on the gold pairs of
other files (`valid`), or on those of a part of the first file's sentences, and is not chosen on
what is scored.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from xlmkit.core.errors import UserError
from xlmkit.data.bitexts import Sentences
from xlmkit.data.measures import normalize
from xlmkit.data.records import Record
from xlmkit.evaluate.config import MinedPairConfig, MiningConfig
from xlmkit.evaluate.mined_files import read_mined
from xlmkit.evaluate.mining import Pairs, mine, on_disk, to_one_space
from xlmkit.evaluate.mining_scores import (
    METRICS,
    choose_threshold,
    count_gold,
    measure_pairs,
    to_json,
    tuning_part,
)
from xlmkit.evaluate.text_states import TextStates


def measure_mining(
    reader: TextStates, config: MiningConfig, base: Path, layer: int
) -> dict[str, Any]:
    """Mine every pair of languages and score what is found.

    Args:
        reader: the model.
        config: the section.
        base: where relative paths start.
        layer: whose states are compared.

    Returns:
        The number of neighbours; by direction ("de-en") the scores, the threshold, how many pairs
        count, gold pairs and different sentences of each language; and the average of the scores.

    Raises:
        UserError: a file cannot be read, or has no gold pairs to choose by or to measure.
    """
    directions = {}
    for number, pair in enumerate(config.pairs):
        try:
            directions[pair.name] = _measure(reader, config, pair, base, layer)
        except UserError as error:
            raise UserError(f"{reader.place}.pairs.{number}: {error}") from None
    average = {
        metric: float(np.mean([one[metric]["value"] for one in directions.values()]))
        for metric in METRICS
    }
    return {"neighbours": config.neighbours, "directions": directions, "average": average}


def known_pairs(config: MiningConfig, base: Path) -> Iterator[Record]:
    """Yield the gold pairs that choose the threshold, which a layer can be chosen on as well.

    Where the threshold is given, those of `test` are all scored and none of them is yielded.

    Raises:
        UserError: a file cannot be read or names no pair.
    """
    for pair in config.pairs:
        files = pair.valid or pair.test
        if files is pair.test and config.threshold is not None:
            continue
        (first, second), gold = read_mined(files, config, base)
        share = config.tuning if files is pair.test else 1.0
        chosen = tuning_part(first.names, share)
        for number, partners in gold.items():
            if chosen[number]:
                texts = first.texts[number], second.texts[min(partners)]
                both = dict(zip((pair.source, pair.target), map(normalize, texts), strict=True))
                yield Record(both, files.gold, first.names[number])


def _measure(
    reader: TextStates, config: MiningConfig, pair: MinedPairConfig, base: Path, layer: int
) -> dict[str, Any]:
    """Return the scores of one pair of languages."""
    texts, gold = read_mined(pair.test, config, base)
    tuning, origin = np.zeros(len(texts[0].names), bool), "given"
    threshold, pairs = config.threshold, None
    if threshold is None and pair.valid is not None:
        others, known = read_mined(pair.valid, config, base)
        everything = np.ones(len(others[0].names), bool)
        mined = _mine(reader, config, pair, others, layer)
        threshold, origin = choose_threshold(mined, known, everything), "valid"
    elif threshold is None:
        tuning = tuning_part(texts[0].names, config.tuning)
        _check(count_gold(gold, tuning), count_gold(gold, ~tuning), pair.test.gold)
        pairs = _mine(reader, config, pair, texts, layer)
        threshold, origin = choose_threshold(pairs, gold, tuning), f"tuning-{config.tuning:g}"
    pairs = pairs or _mine(reader, config, pair, texts, layer)
    details = {"k": config.neighbours, "threshold": origin}
    measured = measure_pairs(pairs, gold, ~tuning, threshold, details)
    scores = {metric: getattr(measured, metric).to_json() for metric in METRICS}
    counts = {key: to_json(measured.found)[key] for key in ("threshold", "pairs", "gold")}
    return {**scores, **counts, "sentences": [len(one.texts) for one in texts]}


def _check(n_tuning: int, n_test: int, gold: str) -> None:
    if not n_tuning or not n_test:
        raise UserError(
            f"{gold} has {n_tuning} pairs to choose a threshold on and {n_test} to measure; give "
            "more pairs, another share (tuning), or files to choose it on (valid)."
        )


def _mine(
    reader: TextStates,
    config: MiningConfig,
    pair: MinedPairConfig,
    texts: tuple[Sentences, Sentences],
    layer: int,
) -> Pairs:
    def states(sentences: Sentences, language: str) -> Any:  # noqa: ANN401 - a context
        read = [normalize(text) for text in sentences.texts]
        return on_disk(reader.parts(read, language, layer), len(read), f"encoding {language}")

    first, second = texts
    with states(first, pair.source) as one, states(second, pair.target) as other:
        to_one_space(one, other, centre=config.centre, whiten=config.whiten)
        return mine(one, other, neighbours=config.neighbours)
