"""What a translator learns from: directed pairs of sentences, and sentences of one language.

Source and target have the original's form, `</s> A </s>` and `</s> B </s>`, each with positions
from 0 and the id of its language; the target is shifted, so that each word is predicted from those
before it. Sentences that are too long are left out: one that is cut teaches to end too early.

Shapes: B sentences, S source positions, T target positions without the last, N predicted words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from xlmkit.core.errors import UserError
from xlmkit.data.batch import Inputs, PredictionBatch, Segment, assemble
from xlmkit.data.sampler import Draw, Group
from xlmkit.data.shards import Sentences, Shards
from xlmkit.text.sampling import sampling_probabilities
from xlmkit.text.vocabulary import EOS

Ids = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class TranslationBatch:
    """Sentences and what is to be written for them.

    Attributes:
        source: what the encoder reads, (B, S).
        target: what the decoder reads, `</s> B` without its end, (B, T), and the words to predict.
    """

    source: Inputs
    target: PredictionBatch

    @property
    def n_tokens(self) -> int:
        """Real tokens of both sides, padding not counted."""
        return self.source.n_tokens + self.target.inputs.n_tokens


def translation_batch(
    sources: Sequence[Segment], targets: Sequence[Segment], max_length: int
) -> TranslationBatch:
    """Lay out sentences and what is to be written for them.

    Args:
        sources: tokens and language of each sentence to read.
        targets: the same of each sentence to write.
        max_length: most tokens of a sentence with its `</s>`.
    """
    return TranslationBatch(
        assemble([(segment,) for segment in sources], max_length).tensors(),
        target_batch(targets, max_length),
    )


def target_batch(targets: Sequence[Segment], max_length: int) -> PredictionBatch:
    """Lay out sentences to write: every word but the first `</s>` is predicted."""
    whole = assemble([(segment,) for segment in targets], max_length)
    lengths = whole.lengths - 1
    real = np.arange(whole.tokens.shape[1] - 1) < lengths[:, None]  # (B, T)
    inputs = Inputs(
        *map(
            torch.from_numpy,
            (
                whole.tokens[:, :-1].copy(),
                lengths,
                whole.positions[:, :-1].copy(),
                whole.languages[:, :-1].copy(),
            ),
        )
    )
    words, groups = whole.tokens[:, 1:][real], whole.languages[:, 1:][real]
    return PredictionBatch(inputs, *map(torch.from_numpy, (np.flatnonzero(real), words, groups)))


@dataclass(frozen=True, slots=True)
class Direction:
    """Translations from one language to another.

    Attributes:
        source: sentences to read, and `source_id`, the number of their language.
        target: sentences to write, and `target_id`.
        numbers: which of them belong together, (pairs, 2).
    """

    source: Sentences
    source_id: int
    target: Sentences
    target_id: int
    numbers: NDArray[np.integer]


def directions_of(
    shards: Shards, split: str, wanted: Iterable[str] | None = None
) -> dict[str, Direction]:
    """Return the directions in which a split has translations, by names such as `en-fr`.

    Args:
        shards: the corpus.
        split: train, valid or test.
        wanted: names of directions; by default both directions of every pair.

    Raises:
        UserError: there is no translation for a direction that is wanted.
    """
    ids = {language: number for number, language in enumerate(shards.languages)}
    found = {}
    for (a, b), numbers in shards.pairs(split).items():
        if len(numbers):
            one, other = shards.sentences(split, a), shards.sentences(split, b)
            found[f"{a}-{b}"] = Direction(one, ids[a], other, ids[b], numbers)
            found[f"{b}-{a}"] = Direction(other, ids[b], one, ids[a], numbers[:, ::-1])
    if wanted is None:
        return found
    wanted = list(wanted)
    if missing := [name for name in wanted if name not in found]:
        raise UserError(
            f"There are no translations for {', '.join(missing)}, only for "
            f"{', '.join(found) or 'nothing'}; give parallel sources in data."
        )
    return {name: found[name] for name in wanted}


def direction_of(
    sources: Iterable[Ids], source_id: int, targets: Iterable[Ids], target_id: int
) -> Direction:
    """Return tokens of texts, and of what is to be written for each, as a direction."""
    read, written = _sentences(sources), _sentences(targets)
    numbers = np.arange(len(read))
    return Direction(read, source_id, written, target_id, np.stack([numbers, numbers], axis=1))


def _sentences(rows: Iterable[Ids]) -> Sentences:
    closed = [np.append(ids, EOS).astype(np.int32) for ids in rows]
    tokens = np.concatenate(closed) if closed else np.zeros(0, np.int32)
    return Sentences(tokens, np.cumsum([0, *map(len, closed)]))


class DirectedPairs:
    """Translations of some directions, mixed.

    Args:
        directions: by name.
        max_length: most tokens of a sentence with its `</s>`; pairs with a longer one are left out.
        alpha: directions are drawn in proportion to their number of pairs to this power.
        most: of each direction, at most so many pairs, spread evenly over all.
        alike: whether both sides are about equally long, as translations are.

    Attributes:
        left_out: name of a direction -> how many of its pairs are too long.

    Raises:
        UserError: nothing is left.
    """

    def __init__(
        self,
        directions: Mapping[str, Direction],
        max_length: int,
        alpha: float,
        *,
        most: int | None = None,
        alike: bool = True,
    ) -> None:
        self.max_length = max_length
        self._sides: list[tuple[Direction, NDArray[np.integer]]] = []
        self.left_out: dict[str, int] = {}
        kept = {}
        for name, d in directions.items():
            numbers = d.numbers[_longer_side(d, d.numbers) + 2 <= max_length]
            self.left_out[name] = len(d.numbers) - len(numbers)
            if most is not None and len(numbers) > most:
                numbers = numbers[len(numbers) * np.arange(most) // most]
            if len(numbers):
                kept[name] = len(numbers)
                self._sides.append((d, numbers))
        if not kept:
            raise UserError(
                f"There are no translations of at most {max_length} tokens to learn from."
            )
        shares = sampling_probabilities(kept, alpha)
        self.groups = []
        for (name, share), (d, numbers) in zip(shares.items(), self._sides, strict=True):
            # Twice the longer side: sorted by their sum, pairs would be padded twice as much.
            lengths = 2 * _longer_side(d, numbers) if alike else _both_sides(d, numbers)
            self.groups.append(Group(name, lengths + 4, share))

    def batch(self, draw: Draw) -> TranslationBatch:
        """Lay out the drawn pairs."""
        sources: list[Segment] = []
        targets: list[Segment] = []
        for group, item in zip(draw.group.tolist(), draw.item.tolist(), strict=True):
            direction, numbers = self._sides[group]
            a, b = numbers[item].tolist()
            sources.append((direction.source[a], direction.source_id))
            targets.append((direction.target[b], direction.target_id))
        return translation_batch(sources, targets, self.max_length)


def _longer_side(direction: Direction, numbers: NDArray[np.integer]) -> NDArray[np.int32]:
    """Return the tokens of the longer sentence of each pair, without `</s>`."""
    sides = (direction.source.lengths[numbers[:, 0]], direction.target.lengths[numbers[:, 1]])
    return np.asarray(np.maximum(*sides))


def _both_sides(direction: Direction, numbers: NDArray[np.integer]) -> NDArray[np.int32]:
    """Return the tokens of both sentences of each pair, without `</s>`."""
    sides = (direction.source.lengths[numbers[:, 0]], direction.target.lengths[numbers[:, 1]])
    return np.asarray(np.add(*sides))


class LanguageSentences:
    """Sentences of single languages, mixed.

    Args:
        shards: the corpus.
        split: train, valid or test.
        languages: what a group is called -> the language of its sentences.
        max_length: most tokens with `</s>`; longer sentences are left out.
        alpha: groups are drawn in proportion to their number of sentences to this power.

    Attributes:
        left_out: name of a group -> how many of its sentences are too long.

    Raises:
        UserError: a language has no sentence.
    """

    def __init__(
        self,
        shards: Shards,
        split: str,
        languages: Mapping[str, str],
        max_length: int,
        alpha: float,
    ) -> None:
        self._sentences = [shards.sentences(split, code) for code in languages.values()]
        self._ids = [shards.languages.index(code) for code in languages.values()]
        self._items = [
            np.flatnonzero((s.lengths > 0) & (s.lengths + 2 <= max_length)) for s in self._sentences
        ]
        for code, items in zip(languages.values(), self._items, strict=True):
            if not len(items):
                raise UserError(
                    f"There is no text in {code} of at most {max_length} tokens to learn from."
                )
        counts = {name: len(i) for name, i in zip(languages, self._items, strict=True)}
        self.left_out = {
            name: int(np.count_nonzero(s.lengths)) - counts[name]
            for name, s in zip(languages, self._sentences, strict=True)
        }
        shares = sampling_probabilities(counts, alpha)
        # Counted twice: what is read and what is written are about equally long.
        self.groups = [
            Group(name, 2 * (s.lengths[items] + 2), share)
            for (name, share), s, items in zip(
                shares.items(), self._sentences, self._items, strict=True
            )
        ]

    def segments(self, draw: Draw) -> list[Segment]:
        """Return the drawn sentences, each with its language."""
        return [
            (self._sentences[group][self._items[group][item]], self._ids[group])
            for group, item in zip(draw.group.tolist(), draw.item.tolist(), strict=True)
        ]
