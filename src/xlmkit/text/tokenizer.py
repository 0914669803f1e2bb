"""The tokenizer: text in, ids out, equal to Hugging Face's `XLMTokenizer` on the same files."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from xlmkit.core.config import Config
from xlmkit.core.errors import UserError
from xlmkit.core.files import read_json, write_json
from xlmkit.text.bpe import END_OF_WORD, BytePairEncoder, Merges
from xlmkit.text.bpe_files import (
    read_merges,
    read_vocabulary_json,
    write_merges,
    write_vocabulary_json,
)
from xlmkit.text.bpe_learning import learn_merges_and_symbols
from xlmkit.text.languages import language
from xlmkit.text.moses import moses_rules, moses_words
from xlmkit.text.normalize import lowercase_and_remove_accent
from xlmkit.text.segment import DEFAULT_SEGMENTERS, NONE, check_segmenter_name, segmenter
from xlmkit.text.vocabulary import BOS, EOS, MASK, PAD, SPECIAL_TOKENS, UNK, Vocabulary
from xlmkit.text.word_counts import WordCounter

VOCABULARY_FILE = "vocab.json"
MERGES_FILE = "merges.txt"
CONFIG_FILE = "tokenizer_config.json"

HUGGING_FACE_SEGMENTERS = {"zh": "rjieba", "th": "pythainlp", "ja": "kytea"}
_WITHOUT_SPACES = frozenset({"th", "lo", "km", "my"})
_MAXIMUM_CACHED_WORDS = 1_000_000


class TokenizerConfig(Config):
    """How the vocabulary is learned and how text becomes words."""

    vocabulary_size: int = Field(default=16000, gt=len(SPECIAL_TOKENS))
    """The most symbols the vocabulary may have, the 14 special tokens included."""
    lowercase_and_remove_accent: bool = True
    """Lower the case and drop accents, as the models for up to 15 languages do."""
    alpha: float = Field(default=0.5, ge=0.0, le=1.0)
    """Exponent of language sampling for the vocabulary: 1 by size, 0 all languages alike."""
    segmenters: dict[str, str] = Field(default_factory=dict)
    """Language -> rjieba, pythainlp, kytea:MODEL, fugashi, characters or none, where it is not to
    be the default (zh rjieba, th pythainlp, ja fugashi)."""
    character_coverage: float = Field(default=0.9995, gt=0.0, le=1.0)
    """Share of all characters that the vocabulary must cover; the rarest rest become <unk>."""

    @field_validator("segmenters")
    @classmethod
    def _known_names(cls, segmenters: dict[str, str]) -> dict[str, str]:
        for code, name in segmenters.items():
            try:
                language(code)
                check_segmenter_name(name)
            except UserError as error:
                raise ValueError(str(error)) from None
        return segmenters


class Tokenizer:
    """Splits text of known languages into sub-words of one joint vocabulary.

    Ids are those of the text alone; whoever builds sequences adds `</s>` at both ends.

    Attributes:
        vocabulary: symbols and ids.
        merges: the merges of byte-pair encoding.
        lang2id: language -> id, in the order of the recipe.
        segmenters: language -> segmenter, see `xlmkit.text.segment`.
        lowercase_and_remove_accent: whether case and accents are taken away.
    """

    bos: ClassVar[int] = BOS
    eos: ClassVar[int] = EOS
    pad: ClassVar[int] = PAD
    unk: ClassVar[int] = UNK
    mask: ClassVar[int] = MASK

    def __init__(
        self,
        vocabulary: Vocabulary,
        merges: Merges,
        lang2id: Mapping[str, int],
        *,
        lowercase_and_remove_accent: bool = True,
        segmenters: Mapping[str, str] | None = None,
    ) -> None:
        """Join the parts; `segmenters` None means the defaults."""
        self.vocabulary = vocabulary
        self.merges = merges
        self.lang2id = dict(lang2id)
        self.segmenters = dict(DEFAULT_SEGMENTERS if segmenters is None else segmenters)
        self.lowercase_and_remove_accent = lowercase_and_remove_accent
        self._encoder = BytePairEncoder(merges, vocabulary.ids, UNK)
        self._ids: dict[str, list[int]] = {}

    @classmethod
    def learn(
        cls,
        batches: Iterable[tuple[str, list[str]]],
        config: TokenizerConfig,
        languages: Sequence[str],
    ) -> "Tokenizer":
        """Learn a joint vocabulary; the same text in the same order gives the same vocabulary.

        Args:
            batches: (language, texts), read once and not kept.
            config: the recipe's section.
            languages: the languages of the model, in the order of their ids.

        Raises:
            UserError: a language is unknown or has no text, or a segmenter is missing.
        """
        for code in languages:
            language(code)
        segmenters = {**DEFAULT_SEGMENTERS, **config.segmenters}
        fold = config.lowercase_and_remove_accent
        counter = WordCounter()
        for code, texts in batches:
            if code not in languages:
                raise UserError(f"There is text in {code}, which is not among the languages.")
            counter.update(code, [w for text in texts for w in _split(text, code, segmenters)])
        silent = [code for code in languages if not counter.totals.get(code)]
        if silent:
            raise UserError(f"There is no text in {', '.join(silent)} to learn a vocabulary from.")
        weights: dict[str, float] = {}
        for word, weight in counter.weighted(config.alpha).items():
            for part in _fold(word, fold):
                weights[part] = weights.get(part, 0.0) + weight
        merges, symbols = learn_merges_and_symbols(
            weights, config.vocabulary_size - len(SPECIAL_TOKENS), config.character_coverage
        )
        return cls(
            Vocabulary.from_counts(symbols),
            merges,
            {code: index for index, code in enumerate(languages)},
            lowercase_and_remove_accent=fold,
            segmenters=segmenters,
        )

    def with_languages(self, lang2id: Mapping[str, int]) -> "Tokenizer":
        """Return the same tokenizer for other languages."""
        return Tokenizer(
            self.vocabulary,
            self.merges,
            lang2id,
            lowercase_and_remove_accent=self.lowercase_and_remove_accent,
            segmenters=self.segmenters,
        )

    def __len__(self) -> int:
        """Return the size of the vocabulary, special tokens included."""
        return len(self.vocabulary)

    def words(self, text: str, language: str) -> list[str]:
        """Split a text into the words that byte-pair encoding is applied to."""
        words = _split(text, language, self.segmenters)
        return [part for word in words for part in _fold(word, self.lowercase_and_remove_accent)]

    def encode(self, text: str, language: str) -> list[int]:
        """Return the ids of a text, without `</s>` at its ends.

        Special tokens written in the text are text like any other.
        """
        words = _split(text, language, self.segmenters)
        self._remember(words)
        return [index for word in words for index in self._ids[word]]

    def encode_batch(self, texts: Sequence[str], language: str) -> list[NDArray[np.int32]]:
        """Return the ids of many texts of one language, see `encode`; one array each."""
        rows = [_split(text, language, self.segmenters) for text in texts]
        self._remember(chain.from_iterable(rows))
        ids = self._ids.__getitem__
        return [np.fromiter(chain.from_iterable(map(ids, row)), dtype=np.int32) for row in rows]

    def _remember(self, words: Iterable[str]) -> None:
        """Encode the words that are not in the cache yet, all in one call."""
        if len(self._ids) > _MAXIMUM_CACHED_WORDS:
            self._ids.clear()
        new = [word for word in dict.fromkeys(words) if word not in self._ids]
        if not new:
            return
        parts = [_fold(word, self.lowercase_and_remove_accent) for word in new]
        encoded = iter(self._encoder.encode(list(chain.from_iterable(parts))))
        for word, folded in zip(new, parts, strict=True):
            self._ids[word] = list(chain.from_iterable(next(encoded) for _ in folded))

    def tokens(self, ids: Iterable[int]) -> list[str]:
        """Return the symbols of ids; the last of a word ends in `</w>`."""
        return [self.vocabulary.symbol(int(index)) for index in ids]

    def decode(self, ids: Iterable[int], language: str = "en") -> str:
        """Return the text of ids, written as the language writes it; special tokens are left out.

        What `<unk>` stood for is lost; it appears as a word of its own.
        """
        pieces = []
        for index in map(int, ids):
            if index == UNK:
                pieces.append(f"{END_OF_WORD}{SPECIAL_TOKENS[UNK]}{END_OF_WORD}")
            elif index >= len(SPECIAL_TOKENS):
                pieces.append(self.vocabulary.symbol(index))
        words = [word for word in "".join(pieces).split(END_OF_WORD) if word]
        if language in _WITHOUT_SPACES and self.segmenters.get(language, NONE) != NONE:
            return "".join(words)
        return moses_rules(language).detokenize(words)

    @cached_property
    def signature(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of all that decides which ids a text gets."""
        parts = [
            self.vocabulary.symbols,
            self.merges.pairs,
            self.lowercase_and_remove_accent,
            sorted(self.segmenters.items()),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def save(self, folder: Path) -> None:
        """Write the files that `load` and Hugging Face's `XLMTokenizer` read."""
        write_vocabulary_json(folder / VOCABULARY_FILE, self.vocabulary)
        write_merges(folder / MERGES_FILE, self.merges)
        write_json(folder / CONFIG_FILE, self._hugging_face_config())

    def _hugging_face_config(self) -> dict[str, Any]:
        eos = SPECIAL_TOKENS[EOS]
        return {
            "tokenizer_class": "XLMTokenizer",
            # With </s> first, Hugging Face builds the original's form: </s> A </s> B </s>.
            "bos_token": eos,
            "cls_token": eos,
            "sep_token": eos,
            "pad_token": SPECIAL_TOKENS[PAD],
            "unk_token": SPECIAL_TOKENS[UNK],
            "mask_token": SPECIAL_TOKENS[MASK],
            "additional_special_tokens": list(SPECIAL_TOKENS[UNK + 1 :]),
            "do_lowercase_and_remove_accent": self.lowercase_and_remove_accent,
            "lang2id": self.lang2id,
            "id2lang": {str(index): code for code, index in self.lang2id.items()},
            "segmenters": self.segmenters,
        }

    @classmethod
    def load(cls, folder: Path) -> "Tokenizer":
        """Read a tokenizer's folder, written by `save` or by Hugging Face's `XLMTokenizer`.

        Raises:
            UserError: a file is missing or is not what its name says.
        """
        config = read_json(folder / CONFIG_FILE)
        if not isinstance(config, dict):
            raise UserError(f"{folder / CONFIG_FILE} is no JSON object.")
        return cls(
            read_vocabulary_json(folder / VOCABULARY_FILE),
            read_merges(folder / MERGES_FILE),
            config.get("lang2id") or {},
            lowercase_and_remove_accent=config.get("do_lowercase_and_remove_accent", True),
            segmenters=config.get("segmenters", HUGGING_FACE_SEGMENTERS),
        )


def _split(text: str, language: str, segmenters: Mapping[str, str]) -> list[str]:
    name = segmenters.get(language)
    return moses_words(text, language, segmenter(name) if name else None)


def _fold(word: str, lowercase_and_remove_accents: bool) -> list[str]:
    """Lower a word and drop its accents if asked; white space in it parts it, as elsewhere."""
    if not lowercase_and_remove_accents:
        return [word] if word else []
    return [part for part in lowercase_and_remove_accent(word).split(" ") if part]
