"""`xlmkit mine`: two files that are not aligned in, pairs of translations out.

Memory holds the sentences and the nearest neighbours of each; the vectors lie in a temporary file.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlmkit.checkpoint.ready import model_type_of
from xlmkit.core.errors import UserError
from xlmkit.core.files import write_json
from xlmkit.core.log import say
from xlmkit.core.streams import output_lines
from xlmkit.core.unfinished import check_output
from xlmkit.data.bitexts import GoldPairs, Sentences, read_gold, read_sentences
from xlmkit.evaluate.mining import Pairs, mine, on_disk, to_one_space
from xlmkit.evaluate.mining_scores import (
    Found,
    choose_threshold,
    count_gold,
    measure_pairs,
    to_json,
    tuning_part,
)
from xlmkit.evaluate.spaces import Vectors
from xlmkit.inference.encoder import SentenceEncoder
from xlmkit.inference.finetuned import XLM
from xlmkit.inference.other_encoder import Encode, open_other_encoder

_CHUNK = 4096  # sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for.

    Attributes:
        src: language of the first file.
        tgt: language of the second.
        threshold: least margin of a pair; by default that which gold pairs suggest, else none.
        neighbours: k of the margin.
        centre: take each file's mean away from its vectors.
        ids: lines begin with an id and a tab.
        gold: a file of gold pairs, two ids (or numbers of lines) with a tab between.
        tuning: share of the first file's sentences whose gold pairs choose the threshold; the
            others are measured.
        numbers: a JSON file for what was measured.
    """

    src: str
    tgt: str
    threshold: float | None = None
    neighbours: int = 4
    centre: bool = True
    ids: bool = False
    gold: Path | None = None
    tuning: float = 0.5
    numbers: Path | None = None


def mine_files(
    encode: Encode, source: Path, other: Path, target: Path | None, request: Request
) -> Pairs:
    """Write the pairs of translations in two files, the best first, and return them.

    A line holds the margin, both names and both sentences, with tabs between.

    Raises:
        UserError: a file cannot be read or written, is empty, or the model does not know a
            language.
    """
    began = time.monotonic()
    a, b = (read_sentences(path, ids=request.ids) for path in (source, other))
    # Gold pairs are read first, since mining takes longer.
    gold = None if request.gold is None else read_gold(request.gold, a, b)
    parts_a, parts_b = encode(a.texts, request.src), encode(b.texts, request.tgt)
    with (
        on_disk(parts_a, len(a.texts), f"encoding {request.src}") as vectors_a,
        on_disk(parts_b, len(b.texts), f"encoding {request.tgt}") as vectors_b,
    ):
        to_one_space(vectors_a, vectors_b, centre=request.centre)
        pairs = mine(vectors_a, vectors_b, neighbours=request.neighbours)
    seconds = max(time.monotonic() - began, 1e-9)
    threshold = request.threshold
    if gold is not None:
        found = _measure(pairs, gold, a, request)
        threshold = found.threshold if threshold is None else threshold
    if threshold is not None:
        pairs = pairs.above(threshold)
    with output_lines(target) as (stream, _):
        for i, j, score in zip(pairs.first, pairs.second, pairs.scores, strict=True):
            cells = (f"{score:.4f}", a.names[i], b.names[j], a.texts[i], b.texts[j])
            stream.write("\t".join(cells) + "\n")
    n = len(a.texts) + len(b.texts)
    say(
        f"{len(pairs.scores):,} pairs from {len(a.texts):,} and {len(b.texts):,} different "
        f"sentences in {seconds:.1f} s ({n / seconds:,.0f} sentences per second)."
    )
    return pairs


def _in_chunks(encoder: SentenceEncoder) -> Encode:
    """Let an encoder read some sentences after others."""

    def encode(texts: list[str], language: str) -> Iterator[Vectors]:
        for start in range(0, len(texts), _CHUNK):
            yield encoder.encode(texts[start : start + _CHUNK], language)

    return encode


def _measure(pairs: Pairs, gold: GoldPairs, a: Sentences, request: Request) -> Found:
    """Choose the threshold on one part of the first file, tell what it gives on the other.

    With a threshold that is given, all gold pairs are measured.
    """
    tuning = tuning_part(a.names, request.tuning if request.threshold is None else 0.0)
    n_tuning, n_test = count_gold(gold, tuning), count_gold(gold, ~tuning)
    if not n_test or (request.threshold is None and not n_tuning):
        raise UserError(
            f"{request.gold} has {n_tuning} pairs to choose a threshold on and {n_test} to "
            "measure; give more pairs, or another --tuning share."
        )
    threshold = request.threshold
    if threshold is None:
        threshold = choose_threshold(pairs, gold, tuning)
    measured = measure_pairs(pairs, gold, ~tuning, threshold, {"k": request.neighbours})
    found, f1 = measured.found, measured.f1
    say(
        f"Of {n_test:,} gold pairs, at a margin of {threshold:.4f}: precision "
        f"{found.precision:.1%}, recall {found.recall:.1%}, F1 {found.f1:.1%} (95 % "
        f"interval {f1.low:.1%} to {f1.high:.1%})."
    )
    if request.numbers is not None:
        write_json(request.numbers, {**to_json(found), "f1_interval": f1.to_json()})
    return found


def run(
    model: Path,
    source: Path,
    other: Path,
    target: Path | None,
    request: Request,
    **settings: Any,  # noqa: ANN401 - those of `SentenceEncoder`
) -> None:
    """Mine with a model's folder, of any family; `settings` are those of `SentenceEncoder`."""
    read = (source, other, request.gold)
    check_output(read, target)
    check_output(read, request.numbers, "--json")
    family = model_type_of(model)
    if family == XLM:
        encode = _in_chunks(SentenceEncoder.from_pretrained(model, **settings))
    else:
        encode = open_other_encoder(model, family, (request.src, request.tgt), **settings)
    mine_files(encode, source, other, target, request)
