"""Encoding texts in which added tokens stand, many at once."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from xlmkit.huggingface.added_tokens import AddedTokenSplitter, Chunk
from xlmkit.huggingface.call_options import Source
from xlmkit.text.alignment import AlignedTokens
from xlmkit.text.encoder import TextEncoder


class SourceEncoder(NamedTuple):
    """Parts texts at added tokens and encodes what stands between them.

    Where a language is None, the text is split into words already, see `TextEncoder`.

    Attributes:
        encoder: encodes what is no added token.
        splitter: finds added tokens; None where they are text like any other.
    """

    encoder: TextEncoder
    splitter: AddedTokenSplitter | None

    def encode(self, sources: Sequence[tuple[Source, str | None]]) -> list[list[int]]:
        """Return the ids of each (source, language); each language's texts go in one call."""
        texts: dict[str | None, list[str]] = {}
        plans = [list(self._plan(source, language, texts)) for source, language in sources]
        encoded = {
            language: self.encoder.encode_batch(batch, language)
            for language, batch in texts.items()
        }
        rows = []
        for (_, language), plan in zip(sources, plans, strict=True):
            ids: list[int] = []
            for place, index in plan:
                ids += [index] if place is None else encoded[language][place].tolist()
            rows.append(ids)
        return rows

    def _plan(
        self, source: Source, language: str | None, texts: dict[str | None, list[str]]
    ) -> Iterator[tuple[int | None, int]]:
        """Put a source's texts among `texts`; yield their places there, or ids (place None)."""
        for part in [source] if isinstance(source, str) else source:
            if isinstance(part, int):
                yield None, part
                continue
            for chunk in self._chunks(part):
                if chunk.id is not None:
                    yield None, chunk.id
                    continue
                batch = texts.setdefault(language, [])
                batch.append(part[chunk.start : chunk.end])
                yield len(batch) - 1, -1

    def align(self, source: Source, language: str | None) -> AlignedTokens:
        """Return the tokens of a source with their characters and words.

        Where words are given, their numbers are those of the list, and characters count within
        each word; given ids have no characters, and each is a word.
        """
        tokens = AlignedTokens([], [], [])
        if isinstance(source, str):
            for chunk in self._chunks(source):
                part = self._align_chunk(source, chunk, language)
                first = tokens.words[-1] + 1 if tokens.words else 0
                _append(tokens, part, [first + word for word in part.words])
            return tokens
        words: Sequence[str | int] = source
        for number, word in enumerate(words):
            if isinstance(word, int):
                _append(tokens, AlignedTokens([word], [(0, 0)], []), [number])
                continue
            for chunk in self._chunks(word):
                part = self._align_chunk(word, chunk, language)
                _append(tokens, part, [number] * len(part.ids))
        return tokens

    def tokens(self, text: str, language: str | None) -> list[str]:
        """Return the tokens of a text as they are written, the unknown ones too."""
        tokens: list[str] = []
        for chunk in self._chunks(text):
            part = text[chunk.start : chunk.end]
            tokens += self.encoder.pieces(part, language) if chunk.id is None else [part]
        return tokens

    def _chunks(self, text: str) -> list[Chunk]:
        return self.splitter.split(text) if self.splitter else [Chunk(0, len(text), None)]

    def _align_chunk(self, text: str, chunk: Chunk, language: str | None) -> AlignedTokens:
        start, end, index = chunk
        if index is not None:
            return AlignedTokens([index], [(start, end)], [0])
        part = self.encoder.align(text[start:end], language)
        spans = [(start + first, start + last) for first, last in part.spans]
        return AlignedTokens(part.ids, spans, part.words)


def _append(tokens: AlignedTokens, part: AlignedTokens, words: list[int]) -> None:
    tokens.ids.extend(part.ids)
    tokens.spans.extend(part.spans)
    tokens.words.extend(words)
