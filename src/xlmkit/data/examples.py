"""Training sequences cut from shards: streams, single sentences, and pairs of translations.

Each class offers groups for the sampler (languages, or pairs of languages) and turns what the
sampler drew into arrays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from xlmkit.data.batch import Arrays, assemble
from xlmkit.data.sampler import Draw, Group
from xlmkit.data.shards import Sentences, Shards
from xlmkit.text.sampling import sampling_probabilities


class Examples(Protocol):
    """What the sampler mixes and the objectives read."""

    groups: list[Group]

    def arrays(self, draw: Draw) -> Arrays:
        """Return the drawn sequences."""
        ...


class StreamExamples:
    """A language's sentences end to end, `</s>` between them, cut every `length` tokens."""

    def __init__(
        self, shards: Shards, split: str, length: int, alpha: float, languages: Sequence[str] = ()
    ) -> None:
        self.length = length
        ids = {language: number for number, language in enumerate(shards.languages)}
        sentences = {name: shards.sentences(split, name) for name in languages or ids}
        chunks = {name: len(s.tokens) // length for name, s in sentences.items()}
        probabilities = sampling_probabilities(
            {name: len(sentences[name].tokens) for name, n in chunks.items() if n}, alpha
        )
        self.groups = [
            Group(name, np.full(chunks[name], length, np.int32), probability)
            for name, probability in probabilities.items()
        ]
        self._tokens = [sentences[group.name].tokens for group in self.groups]
        self._ids = np.array([ids[group.name] for group in self.groups])

    def arrays(self, draw: Draw) -> Arrays:
        """Return full rows: nothing is padded."""
        rows = zip(draw.group, draw.item * self.length, strict=True)
        tokens = np.stack([self._tokens[g][start : start + self.length] for g, start in rows])
        shape = tokens.shape
        return Arrays(
            tokens=tokens.astype(np.int64),
            lengths=np.full(shape[0], self.length),
            positions=np.broadcast_to(np.arange(self.length), shape).copy(),
            languages=np.broadcast_to(self._ids[draw.group][:, None], shape).copy(),
        )


@dataclass(frozen=True)
class Pieces:
    """Texts of which those that are too long are cut into pieces of nearly equal length.

    Args:
        texts: all texts of a language.
        longest: tokens that a piece may have.
    """

    texts: Sentences
    longest: int

    @cached_property
    def _counts(self) -> NDArray[np.int64]:
        """Pieces of each text, (texts,)."""
        return np.maximum(1, -(-self.texts.lengths.astype(np.int64) // self.longest))

    @cached_property
    def _ends(self) -> NDArray[np.int64]:
        """How many pieces have come by the end of each text, (texts,)."""
        return np.cumsum(self._counts)

    @cached_property
    def lengths(self) -> NDArray[np.int32]:
        """Tokens of each piece, (pieces,)."""
        texts = np.repeat(np.arange(len(self.texts)), self._counts)
        place = np.arange(len(texts)) - (self._ends - self._counts)[texts]
        each, more = np.divmod(self.texts.lengths[texts], self._counts[texts])
        return (each + (place < more)).astype(np.int32)  # the first ones have a token more

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self.texts) else 0

    def __getitem__(self, number: int) -> NDArray[np.integer]:
        """Return the tokens of a piece."""
        text = int(np.searchsorted(self._ends, number, side="right"))
        count = int(self._counts[text])
        place = number - int(self._ends[text]) + count
        each, more = divmod(int(self.texts.lengths[text]), count)
        start = place * each + min(place, more)
        return self.texts[text][start : start + each + (place < more)]


class SentenceExamples:
    """Single texts, `</s> A </s>`.

    Args:
        shards: the corpus.
        split: of it.
        max_length: tokens of the longest sequence.
        alpha: exponent of the languages' shares.
        languages: by default all.
        whole: cut longer texts into pieces; else they lose their ends.
    """

    def __init__(
        self,
        shards: Shards,
        split: str,
        max_length: int,
        alpha: float,
        languages: Sequence[str] = (),
        *,
        whole: bool = False,
    ) -> None:
        self.max_length = max_length
        ids = {language: number for number, language in enumerate(shards.languages)}
        texts = {name: shards.sentences(split, name) for name in languages or ids}
        probabilities = sampling_probabilities(
            {name: len(s.tokens) for name, s in texts.items() if len(s)}, alpha
        )
        self._sentences: list[Sentences | Pieces] = [
            Pieces(texts[name], max_length - 2) if whole else texts[name] for name in probabilities
        ]
        self._ids = [ids[name] for name in probabilities]
        # Shares are shares of tokens: a language of short sentences is drawn more often.
        self.groups = [
            Group(name, np.minimum(s.lengths + 2, max_length), p / float(s.lengths.mean() + 2))
            for (name, p), s in zip(probabilities.items(), self._sentences, strict=True)
        ]

    def arrays(self, draw: Draw) -> Arrays:
        """Return rows padded to the longest."""
        rows = [
            ((self._sentences[group][item], self._ids[group]),)
            for group, item in zip(draw.group.tolist(), draw.item.tolist(), strict=True)
        ]
        return assemble(rows, self.max_length)


class PairExamples:
    """Translations side by side, `</s> A </s> </s> B </s>`, either language first."""

    def __init__(
        self,
        shards: Shards,
        split: str,
        max_length: int,
        alpha: float,
        pivot: str | None = None,
    ) -> None:
        self.max_length = max_length
        ids = {language: number for number, language in enumerate(shards.languages)}
        pairs = {
            names: numbers
            for names, numbers in shards.pairs(split).items()
            if len(numbers) and (pivot is None or pivot in names)
        }
        sentences = {name: shards.sentences(split, name) for name in ids}
        probabilities = sampling_probabilities(
            {f"{a}-{b}": len(numbers) for (a, b), numbers in pairs.items()}, alpha
        )
        self._sides = [
            (numbers, sentences[a], ids[a], sentences[b], ids[b])
            for (a, b), numbers in pairs.items()
        ]
        self.groups = []
        for (name, probability), (numbers, first, _, second, _) in zip(
            probabilities.items(), self._sides, strict=True
        ):
            lengths = first.lengths[numbers[:, 0]] + second.lengths[numbers[:, 1]] + 4
            self.groups.append(Group(name, np.minimum(lengths, max_length), probability))

    def arrays(self, draw: Draw) -> Arrays:
        """Return rows padded to the longest."""
        rows = []
        for group, item in zip(draw.group.tolist(), draw.item.tolist(), strict=True):
            numbers, first, first_id, second, second_id = self._sides[group]
            a, b = numbers[item].tolist()
            row = ((first[a], first_id), (second[b], second_id))
            # Not by the sentences' numbers: where all texts have both languages these are equal.
            rows.append(row if item % 2 else row[::-1])
        return assemble(rows, self.max_length)
