"""Training sequences cut from shards: streams, single sentences, and pairs of translations.

Each class offers groups for the sampler (languages, or pairs of languages) and turns what the
sampler drew into arrays.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from xlmkit.data.batch import Arrays, assemble
from xlmkit.data.sampler import Draw, Group
from xlmkit.data.shards import Shards
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


class SentenceExamples:
    """Single sentences, `</s> A </s>`."""

    def __init__(
        self,
        shards: Shards,
        split: str,
        max_length: int,
        alpha: float,
        languages: Sequence[str] = (),
    ) -> None:
        self.max_length = max_length
        ids = {language: number for number, language in enumerate(shards.languages)}
        sentences = {name: shards.sentences(split, name) for name in languages or ids}
        probabilities = sampling_probabilities(
            {name: len(s.tokens) for name, s in sentences.items() if len(s)}, alpha
        )
        self._sentences = [sentences[name] for name in probabilities]
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
