"""`xlmkit mine`: two files that are not aligned in, pairs of translations out.

Memory holds the sentences and the nearest neighbours of each; the vectors lie in a temporary file.
"""

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.errors import UserError
from xlmkit.core.files import write_json
from xlmkit.core.log import say
from xlmkit.core.progress import progress
from xlmkit.core.streams import input_lines, output_lines
from xlmkit.data.permutation import key_of
from xlmkit.evaluate.mining import (
    Found,
    Pairs,
    best_threshold,
    f1_interval,
    judge,
    mine,
    to_json,
    to_one_space,
)
from xlmkit.inference.encoder import SentenceEncoder
from xlmkit.inference.vectors import vector_file

_CHUNK = 4096  # sentences


@dataclass(frozen=True, slots=True)
class Sentences:
    """The different sentences of a file, in its order.

    Attributes:
        texts: the sentences.
        names: what each is called: its id, or the number of its line.
        numbers: name to the number of the sentence, those of its repetitions as well.
    """

    texts: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)


def read_sentences(path: Path, *, ids: bool = False) -> Sentences:
    """Read a file with a sentence on each line; empty lines are left out.

    Args:
        path: plain or compressed.
        ids: every line begins with the sentence's id and a tab, as in BUCC.

    Raises:
        UserError: the file cannot be read, has no sentence, or a line has no id.
    """
    found = Sentences()
    seen: dict[str, int] = {}
    with input_lines(path) as lines:
        for number, line in enumerate(lines, start=1):
            name, tab, text = line.partition("\t") if ids else (str(number), "\t", line)
            if not tab and line.strip():
                raise UserError(
                    f"{path}, line {number}, has no id and a tab before the sentence; leave out "
                    "--ids where lines hold sentences only."
                )
            text = text.strip()
            if not text:
                continue
            if text not in seen:
                seen[text] = len(found.texts)
                found.texts.append(text)
                found.names.append(name)
            found.numbers[name] = seen[text]
    if not found.texts:
        raise UserError(f"{path} has no sentence.")
    return found


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
    encoder: SentenceEncoder, source: Path, other: Path, target: Path | None, request: Request
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
    gold = None if request.gold is None else _read_gold(request.gold, a, b)
    with (
        _vectors(encoder, a.texts, request.src, request.centre) as vectors_a,
        _vectors(encoder, b.texts, request.tgt, request.centre) as vectors_b,
    ):
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


@contextmanager
def _vectors(
    encoder: SentenceEncoder, texts: list[str], language: str, centre: bool
) -> Iterator[NDArray[np.float32]]:
    """Encode sentences to a temporary file and yield a map of it, of length one."""
    with tempfile.TemporaryDirectory(prefix="xlmkit-mine-") as folder:
        path = Path(folder) / "vectors.npy"
        with (
            vector_file(path, encoder.width) as file,
            progress(f"encoding {language}", len(texts), "sentences") as job,
        ):
            for start in range(0, len(texts), _CHUNK):
                part = texts[start : start + _CHUNK]
                file.write(encoder.encode(part, language))
                job.advance(len(part))
        vectors: NDArray[np.float32] = np.load(path, mmap_mode="r+")
        to_one_space(vectors, centre=centre)
        yield vectors


def _read_gold(path: Path, a: Sentences, b: Sentences) -> Mapping[int, set[int]]:
    """Read gold pairs: number of a sentence to those of its translations."""
    gold: dict[int, set[int]] = {}
    strange = []
    with input_lines(path) as lines:
        for number, line in enumerate(lines, start=1):
            first, _, second = line.strip().partition("\t")
            if first in a.numbers and second in b.numbers:
                gold.setdefault(a.numbers[first], set()).add(b.numbers[second])
            elif line.strip():
                strange.append(str(number))
    if strange:
        say(
            f"{path}: {len(strange)} line{'s' * (len(strange) > 1)} left out, not naming a "
            f"sentence of each file: {', '.join(strange[:5])}"
        )
    if not gold:
        raise UserError(
            f"{path} names no pair of the two files; give two ids, or numbers of lines where "
            "sentences have none, with a tab between."
        )
    return gold


def _measure(pairs: Pairs, gold: Mapping[int, set[int]], a: Sentences, request: Request) -> Found:
    """Choose the threshold on one part of the first file, tell what it gives on the other.

    With a threshold that is given, all gold pairs are measured.
    """
    tuning = request.tuning if request.threshold is None else 0.0
    tunes = np.array([key_of(name) % 1000 < 1000 * tuning for name in a.names], bool)
    found = zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)
    right = np.array([j in gold.get(i, ()) for i, j in found], bool)
    in_tuning = tunes[pairs.first]
    n_tuning = sum(len(partners) for i, partners in gold.items() if tunes[i])
    n_test = sum(map(len, gold.values())) - n_tuning
    if not n_test or (request.threshold is None and not n_tuning):
        raise UserError(
            f"{request.gold} has {n_tuning} pairs to choose a threshold on and {n_test} to "
            "measure; give more pairs, or another --tuning share."
        )
    threshold = request.threshold
    if threshold is None:
        threshold = best_threshold(pairs.scores[in_tuning], right[in_tuning], n_tuning)
    measured = judge(pairs.scores[~in_tuning], right[~in_tuning], n_test, threshold)
    counted = ~in_tuning & (pairs.scores >= threshold)
    f1 = f1_interval(
        np.bincount(pairs.first[counted], minlength=len(a.texts)),
        np.bincount(pairs.first[counted & right], minlength=len(a.texts)),
        np.array([0 if tunes[i] else len(gold.get(i, ())) for i in range(len(a.texts))], np.int64),
    )
    say(
        f"Of {n_test:,} gold pairs, at a margin of {threshold:.4f}: precision "
        f"{measured.precision:.1%}, recall {measured.recall:.1%}, F1 {measured.f1:.1%} (95 % "
        f"interval {f1.low:.1%} to {f1.high:.1%})."
    )
    if request.numbers is not None:
        write_json(request.numbers, {**to_json(measured), "f1_interval": f1.to_json()})
    return measured


def run(
    model: Path,
    source: Path,
    other: Path,
    target: Path | None,
    request: Request,
    **settings: object,
) -> None:
    """Mine with a model's folder; `settings` are those of `SentenceEncoder`."""
    encoder = SentenceEncoder.from_pretrained(model, **settings)  # type: ignore[arg-type]
    mine_files(encoder, source, other, target, request)
