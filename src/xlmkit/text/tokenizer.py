"""The tokenizer: text in, ids out, equal to Hugging Face's `XLMTokenizer` on the same files."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from xlmkit.core.config import Config
from xlmkit.core.errors import UserError
from xlmkit.core.files import read_json, write_json
from xlmkit.core.parallel import map_in_order
from xlmkit.text.bpe import END_OF_WORD, Merges
from xlmkit.text.bpe_files import (
    read_merges,
    read_vocabulary_json,
    write_merges,
    write_vocabulary_json,
)
from xlmkit.text.bpe_learning import learn_merges_and_symbols
from xlmkit.text.encoder import TextEncoder
from xlmkit.text.folding import folded_counts
from xlmkit.text.languages import language
from xlmkit.text.segment import DEFAULT_SEGMENTERS, NONE, check_segmenter_name
from xlmkit.text.truecasing import Truecaser
from xlmkit.text.vocabulary import BOS, EOS, MASK, PAD, SPECIAL_TOKENS, UNK, Vocabulary
from xlmkit.text.word_counts import WordCounter
from xlmkit.text.words_of_texts import WordsOfTexts
from xlmkit.text.writing import written

VOCABULARY_FILE = "vocab.json"
MERGES_FILE = "merges.txt"
CONFIG_FILE = "tokenizer_config.json"

HUGGING_FACE_SEGMENTERS = {"zh": "rjieba", "th": "pythainlp", "ja": "kytea"}
_WITHOUT_SPACES = frozenset({"th", "lo", "km", "my"})


class TokenizerConfig(Config):
    """How the vocabulary is learned and how text becomes words."""

    checkpoint: str | None = Field(default=None, min_length=1)
    """A folder of XLM's, or a model of the Hugging Face Hub, whose tokenizer is taken as it is, to
    go on from that model; nothing is learned then, and no other key counts."""
    vocabulary_size: int = Field(default=16000, gt=len(SPECIAL_TOKENS))
    """The most symbols the vocabulary may have, the 14 special tokens included."""
    lowercase_and_remove_accent: bool = True
    """Lower the case and drop accents, as the models for up to 15 languages do."""
    alpha: float = Field(default=0.5, ge=0.0, le=1.0)
    """Exponent of language sampling for the vocabulary: 1 by size, 0 all languages alike."""
    segmenters: dict[str, str] = Field(default_factory=dict)
    """Language -> rjieba, pythainlp, kytea:MODEL, fugashi, sudachi, characters or none, where it is
    not to be the default (zh rjieba, th pythainlp, ja fugashi)."""
    character_coverage: float = Field(default=0.9995, gt=0.0, le=1.0)
    """Share of all characters that the vocabulary must cover; the rarest rest become <unk>."""

    @property
    def all_segmenters(self) -> dict[str, str]:
        """Language -> segmenter, the defaults included."""
        return {**DEFAULT_SEGMENTERS, **self.segmenters}

    @model_validator(mode="after")
    def _taken_or_learned(self) -> Self:
        others = sorted(self.model_fields_set - {"checkpoint"})
        if self.checkpoint is not None and others:
            raise ValueError(
                f"the tokenizer of {self.checkpoint} is taken as it is; take {others[0]} out, or "
                "take checkpoint out and learn one"
            )
        return self

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


class Tokenizer(TextEncoder):
    """Splits text of known languages into sub-words of one joint vocabulary.

    Ids are those of the text alone; whoever builds sequences adds `</s>` at both ends.

    Attributes:
        vocabulary: symbols and ids.
        merges: the merges of byte-pair encoding.
        lang2id: language -> id, in the order of the recipe.
        segmenters: language -> segmenter, see `xlmkit.text.segment`.
        lowercase_and_remove_accent: whether case and accents are taken away.
        truecaser: brings both back to what is decoded; None where nothing was learned of them.
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
        truecaser: Truecaser | None = None,
    ) -> None:
        """Join the parts; `segmenters` None means the defaults."""
        self.vocabulary = vocabulary
        self.merges = merges
        self.lang2id = dict(lang2id)
        self.truecaser = truecaser
        super().__init__(
            merges,
            vocabulary.ids,
            UNK,
            lowercase_and_remove_accent=lowercase_and_remove_accent,
            segmenters=segmenters,
        )

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
        counter = WordCounter()
        for code, words in map_in_order(WordsOfTexts(config.all_segmenters), batches):
            counter.update(code, words)
        return cls.of_counts(counter, config, languages)

    @classmethod
    def of_counts(
        cls, counter: WordCounter, config: TokenizerConfig, languages: Sequence[str]
    ) -> "Tokenizer":
        """Learn a joint vocabulary from words that are counted, see `learn`.

        Args:
            counter: counted what `config.all_segmenters` split texts into; is emptied.
            config: the recipe's section.
            languages: the languages of the model, in the order of their ids.

        Raises:
            UserError: a language has no text, or there is text in another one.
        """
        for code in counter.totals:
            if code not in languages:
                raise UserError(f"There is text in {code}, which is not among the languages.")
        silent = [code for code in languages if not counter.totals.get(code)]
        if silent:
            raise UserError(f"There is no text in {', '.join(silent)} to learn a vocabulary from.")
        fold = folded_counts if config.lowercase_and_remove_accent else None
        weights = counter.weighted(config.alpha, fold)
        counter.clear()  # which takes as much memory again
        merges, symbols = learn_merges_and_symbols(
            weights, config.vocabulary_size - len(SPECIAL_TOKENS), config.character_coverage
        )
        return cls(
            Vocabulary.from_counts(symbols),
            merges,
            {code: index for index, code in enumerate(languages)},
            lowercase_and_remove_accent=config.lowercase_and_remove_accent,
            segmenters=config.all_segmenters,
        )

    def with_languages(self, lang2id: Mapping[str, int]) -> "Tokenizer":
        """Return the same tokenizer for other languages."""
        return self._copy(lang2id, self.truecaser)

    def with_truecaser(self, truecaser: Truecaser | None) -> "Tokenizer":
        """Return the same tokenizer with what brings back case and accents."""
        return self._copy(self.lang2id, truecaser)

    def _copy(self, lang2id: Mapping[str, int], truecaser: Truecaser | None) -> "Tokenizer":
        return Tokenizer(
            self.vocabulary,
            self.merges,
            lang2id,
            lowercase_and_remove_accent=self.lowercase_and_remove_accent,
            segmenters=self.segmenters,
            truecaser=truecaser,
        )

    def __len__(self) -> int:
        """Return the size of the vocabulary, special tokens included."""
        return len(self.vocabulary)

    def tokens(self, ids: Iterable[int]) -> list[str]:
        """Return the symbols of ids; the last of a word ends in `</w>`."""
        return [self.vocabulary.symbol(int(index)) for index in ids]

    def decode(self, ids: Iterable[int], language: str = "en", *, cased: bool = False) -> str:
        """Return the text of ids, written as the language writes it; special tokens are left out.

        What `<unk>` stood for is lost; it appears as a word of its own.

        Args:
            ids: of the text.
            language: its language.
            cased: give words the case and accents that the truecaser, if there is one, knows.
        """
        pieces = []
        for index in map(int, ids):
            if index == UNK:
                pieces.append(f"{END_OF_WORD}{SPECIAL_TOKENS[UNK]}{END_OF_WORD}")
            elif index >= len(SPECIAL_TOKENS):
                pieces.append(self.vocabulary.symbol(index))
        words = [word for word in "".join(pieces).split(END_OF_WORD) if word]
        if cased and self.truecaser is not None:
            words = self.truecaser.cased(words, language)
        if language in _WITHOUT_SPACES and self.segmenters.get(language, NONE) != NONE:
            return "".join(words)
        return written(words, language)

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
        if self.truecaser is not None:
            self.truecaser.save(folder)
        write_json(folder / CONFIG_FILE, self._hugging_face_config())

    def _hugging_face_config(self) -> dict[str, Any]:
        eos = SPECIAL_TOKENS[EOS]
        return {
            "tokenizer_class": "XLMTokenizer",
            # Where sequence_form is not read, </s> first gives the original's form of one text.
            "sequence_form": "original",
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
        lang2id = config.get("lang2id") or {}
        if not isinstance(lang2id, dict) or not all(isinstance(n, int) for n in lang2id.values()):
            raise UserError(f"lang2id of {folder / CONFIG_FILE} does not give languages numbers.")
        return cls(
            read_vocabulary_json(folder / VOCABULARY_FILE),
            read_merges(folder / MERGES_FILE),
            lang2id,
            lowercase_and_remove_accent=config.get("do_lowercase_and_remove_accent", True),
            segmenters=config.get("segmenters", HUGGING_FACE_SEGMENTERS),
            truecaser=Truecaser.load(folder),
        )
