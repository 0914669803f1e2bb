"""Text to ids: words, then byte-pair encoding of each; words and pieces of text are remembered.

Texts of a language that Moses' rules split are cut into pieces (`xlmkit.text.cuts`), and a piece
that was seen before costs no more than finding its ids.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.parallel import map_in_order
from xlmkit.text import compiled
from xlmkit.text.aligned_words import aligned_words, fold_aligned
from xlmkit.text.alignment import Aligned, AlignedTokens, align_pieces
from xlmkit.text.bpe import BytePairEncoder, Merges
from xlmkit.text.compiled import CompiledPairs, CompiledPieces
from xlmkit.text.cuts import Cutter, cutter
from xlmkit.text.folding import fold_word
from xlmkit.text.known_words import KnownWords
from xlmkit.text.moses import moses_rules, moses_words
from xlmkit.text.numbered_words import NumberedWords
from xlmkit.text.pieces import Cuts, Flat, PieceEncoder, TextsEncoder, flat, forget_long
from xlmkit.text.segment import DEFAULT_SEGMENTERS, Segmenter, segmenter
from xlmkit.text.thai_cuts import PYTHAINLP, thai_cutter

_MAXIMUM_CACHED_WORDS = 1_000_000
_SHARE = 5_000  # texts that another process gets at a time


class TextEncoder:
    """Splits text into sub-words and gives their ids, with any vocabulary.

    Where a method takes a language, None says that the text is split already: the words between
    its spaces are encoded as they are, with their case and accents.

    Attributes:
        segmenters: language -> segmenter, see `xlmkit.text.segment`.
        lowercase_and_remove_accent: whether case and accents are taken away.
    """

    def __init__(
        self,
        merges: Merges,
        ids: Mapping[str, int],
        unknown: int,
        *,
        lowercase_and_remove_accent: bool = True,
        segmenters: Mapping[str, str] | None = None,
    ) -> None:
        """Build the encoder.

        Args:
            merges: the merges of byte-pair encoding.
            ids: symbol -> id.
            unknown: id of every sub-word that has none.
            lowercase_and_remove_accent: whether to take case and accents away.
            segmenters: language -> segmenter; None means the defaults.
        """
        self.segmenters = dict(DEFAULT_SEGMENTERS if segmenters is None else segmenters)
        self.lowercase_and_remove_accent = lowercase_and_remove_accent
        self._symbol_ids = ids
        self._unknown = unknown
        self._merges = merges
        self._compiled_pairs: CompiledPairs | None = None
        self._known_words: KnownWords | None = None
        self._bpe = BytePairEncoder(merges, ids, unknown)
        self._ids: dict[str, list[int]] = {}  # of words whose case and accents are yet to go
        self._ids_as_they_are: dict[str, list[int]] = {}
        self._piece_encoders: dict[str, TextsEncoder | None] = {}  # by language
        self._pieces: dict[str, list[str]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave what is remembered behind when the encoder is copied to another process."""
        caches = ("_ids", "_ids_as_they_are", "_piece_encoders", "_pieces")
        compiled_parts = ("_compiled_pairs", "_known_words")
        return {**self.__dict__, **{name: {} for name in caches}, **dict.fromkeys(compiled_parts)}

    def words(self, text: str, language: str | None) -> list[str]:
        """Split a text into the words that byte-pair encoding is applied to."""
        return list(chain.from_iterable(map(self._fold(language), self._split(text, language))))

    def encode(self, text: str, language: str | None) -> list[int]:
        """Return the ids of a text, without `</s>` at its ends.

        Special tokens written in the text are text like any other.
        """
        return self._encode_lists([text], language)[0]

    def encode_batch(
        self, texts: Sequence[str], language: str | None, *, processes: int = 1
    ) -> list[NDArray[np.int32]]:
        """Return the ids of many texts of one language, see `encode`; one array each.

        Args:
            texts: any number.
            language: of all of them.
            processes: how many share the work; what they remember goes with them.
        """
        if processes == 1 or len(texts) <= _SHARE:
            return [np.array(ids, dtype=np.int32) for ids in self._encode_lists(texts, language)]
        shares = (texts[start : start + _SHARE] for start in range(0, len(texts), _SHARE))
        encode = partial(self.encode_flat, language=language)
        rows: list[NDArray[np.int32]] = []
        for ids, lengths in map_in_order(encode, shares, processes, alone=0):
            rows += np.split(ids, np.cumsum(lengths)[:-1])
        return rows

    def encode_flat(self, texts: Sequence[str], language: str | None) -> Flat:
        """Return the ids of many texts of one language, end to end, and how many each has."""
        if encoder := self._piece_encoder(language):
            return encoder.encode_flat(texts)
        return flat(self._encode_lists(texts, language))

    def encode_numbered(self, texts: NumberedWords, language: str) -> Flat:
        """Return what `encode_flat` does for texts that are split into words already.

        Args:
            texts: their words, case and accents untouched (`xlmkit.text.words_of_texts`).
            language: of all of them.
        """
        # A segmenter's word may hold a space, and with that only Python deals.
        if compiled.in_use() and isinstance(cuts_of(language, self.segmenters), Cutter):
            if self._known_words is None:
                folds = self.lowercase_and_remove_accent
                self._known_words = KnownWords(self._pairs(), folds=folds)
            return texts.joined(self._known_words.encode(texts.words))
        rows = [[word] for word in texts.words.words()]
        return texts.joined(flat(self._encode_words(rows, language)))

    def _encode_lists(self, texts: Sequence[str], language: str | None) -> list[list[int]]:
        if encoder := self._piece_encoder(language):
            return encoder.encode(texts)
        return self._encode_words([self._split(text, language) for text in texts], language)

    def _encode_words(self, rows: list[list[str]], language: str | None) -> list[list[int]]:
        """Return the ids of each list of words, end to end."""
        cache = self._ids if language is not None else self._ids_as_they_are
        if len(cache) > _MAXIMUM_CACHED_WORDS:
            cache.clear()
        new = [word for word in dict.fromkeys(chain.from_iterable(rows)) if word not in cache]
        if new:  # all in one call
            parts = list(map(self._fold(language), new))
            encoded = iter(self._bpe.encode(list(chain.from_iterable(parts))))
            for word, folded in zip(new, parts, strict=True):
                cache[word] = list(chain.from_iterable(next(encoded) for _ in folded))
        found = [list(chain.from_iterable(map(cache.__getitem__, row))) for row in rows]
        forget_long(cache, new)
        return found

    def _piece_encoder(self, language: str | None) -> TextsEncoder | None:
        """Return what encodes the texts of a language by pieces, None if they have no pieces."""
        if language is None:
            return None
        if language not in self._piece_encoders:
            self._piece_encoders[language] = self._make_piece_encoder(language)
        return self._piece_encoders[language]

    def _make_piece_encoder(self, language: str) -> TextsEncoder | None:
        cuts = cuts_of(language, self.segmenters)
        if cuts is None:
            return None
        # Not a method: the compiled part would keep this encoder alive, and it would keep that.
        split = partial(split_words, language=language, segmenters=self.segmenters)
        if compiled.in_use() and isinstance(cuts, Cutter):
            return CompiledPieces(
                cuts, moses_rules(language), self._fold(language), split, self._pairs()
            )
        return PieceEncoder(cuts, split, partial(self._encode_words, language=language))

    def _pairs(self) -> CompiledPairs:
        """Return the merges as the compiled part takes them, made once."""
        if self._compiled_pairs is None:
            self._compiled_pairs = CompiledPairs(self._merges, self._symbol_ids, self._unknown)
        return self._compiled_pairs

    def forget(self) -> None:
        """Forget all words and pieces; they are remembered anew as they come."""
        for encoder in filter(None, self._piece_encoders.values()):
            encoder.forget()
        if self._known_words is not None:
            self._known_words.forget()
        for cache in (self._ids, self._ids_as_they_are, self._pieces):
            cache.clear()

    def pieces(self, text: str, language: str | None) -> list[str]:
        """Return the sub-words of a text as they are written, the unknown ones too.

        The last of a word ends in `</w>`.
        """
        return list(chain.from_iterable(self._pieces_of(self.words(text, language))))

    def align(self, text: str | Aligned, language: str | None) -> AlignedTokens:
        """Return the ids of a text, and for each the characters and the word it came from.

        Of a text that was made from another one, the characters are that one's.
        """
        if language is None:
            parts = [[word] for word in Aligned.of(text).words()]
        else:
            words = aligned_words(text, language, _segmenter(language, self.segmenters))
            parts = [fold_aligned(w) if self.lowercase_and_remove_accent else [w] for w in words]
        parts = [word for word in parts if word]  # of some, nothing is left
        pieces = iter(self._pieces_of([part.text for word in parts for part in word]))
        tokens = AlignedTokens([], [], [])
        for number, word in enumerate(parts):
            for part in word:
                symbols = next(pieces)
                tokens.ids.extend(self._symbol_ids.get(s, self._unknown) for s in symbols)
                tokens.spans.extend(align_pieces(part, symbols))
                tokens.words.extend([number] * len(symbols))
        return tokens

    def _split(self, text: str, language: str | None) -> list[str]:
        return text.split() if language is None else split_words(text, language, self.segmenters)

    def _fold(self, language: str | None) -> Callable[[str], list[str]]:
        folds = language is not None and self.lowercase_and_remove_accent
        return fold_word if folds else word_as_it_is

    def _pieces_of(self, words: Sequence[str]) -> list[list[str]]:
        if len(self._pieces) > _MAXIMUM_CACHED_WORDS:
            self._pieces.clear()
        new = [word for word in dict.fromkeys(words) if word not in self._pieces]
        self._pieces.update(zip(new, self._bpe.pieces(new), strict=True))
        found = [self._pieces[word] for word in words]
        forget_long(self._pieces, new)
        return found


def split_words(text: str, language: str, segmenters: Mapping[str, str]) -> list[str]:
    """Split a text into words as its language asks for, their case and accents untouched."""
    return moses_words(text, language, _segmenter(language, segmenters))


def word_as_it_is(word: str) -> list[str]:
    """Return the word as the only part of itself, no part if it is empty."""
    return [word] if word else []


def _segmenter(language: str, segmenters: Mapping[str, str]) -> Segmenter | None:
    name = segmenters.get(language)
    return segmenter(name) if name else None


def cuts_of(language: str, segmenters: Mapping[str, str]) -> Cuts | None:
    """Return where the texts of a language may be cut, None if nowhere."""
    if _segmenter(language, segmenters) is None:
        return cutter(language)
    pythainlp = (
        segmenters[language] == PYTHAINLP and language != "zh"
    )  # which is cleaned afterwards
    return thai_cutter(language) if pythainlp else None
