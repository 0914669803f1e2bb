"""Texts as models of other families read them: native special tokens, padding and languages."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xlmkit.core.errors import UserError
from xlmkit.evaluate.protocols import Cut
from xlmkit.text.alignment import Aligned
from xlmkit.text.languages import from_locale

_TYPES = "token_type_ids"
_LANGUAGE_CODE = re.compile(r"[a-z]{2,3}_[A-Z]{2}")  # of mBART: en_XX, zh_CN


@dataclass(frozen=True, slots=True)
class EncoderInputs:
    """A batch, by the names of a forward call's arguments.

    Attributes:
        tensors: `input_ids`, `attention_mask` (1 for real tokens), perhaps `token_type_ids`; all
            (B, L), int64.
    """

    tensors: Mapping[str, Tensor]

    @property
    def mask(self) -> Tensor:
        """1 for real tokens, 0 for padding, (B, L)."""
        return self.tensors["attention_mask"]

    @property
    def n_tokens(self) -> int:
        """Real tokens, padding not counted."""
        return int(self.mask.sum())

    def to(self, device: torch.device) -> "EncoderInputs":
        """Return the same on a device."""
        return EncoderInputs({name: tensor.to(device) for name, tensor in self.tensors.items()})

    def fed_to(self, model: Callable[..., Any]) -> Any:  # noqa: ANN401 - what the model returns
        """Call a model of `transformers`."""
        return model(**self.tensors)


@dataclass(frozen=True)
class EncodedTexts:
    """Token ids of texts, from which batches are made.

    Attributes:
        ids: of each text, special tokens counted.
        types: token type ids of each, or None for a model that has none.
        pad: the id that fills up.
        left: whether the tokenizer pads on the left.
        n_cut: texts that have lost their ends.
    """

    ids: Sequence[NDArray[np.int32]]
    types: Sequence[NDArray[np.int32]] | None
    pad: int
    left: bool
    n_cut: int = 0

    @cached_property
    def lengths(self) -> NDArray[np.int32]:
        """Tokens of each text, (texts,)."""
        return np.array([len(row) for row in self.ids], np.int32)

    def batch(self, items: Sequence[int]) -> EncoderInputs:
        """Lay out the texts with these numbers."""
        rows = [self.ids[item] for item in items]
        columns = {
            "input_ids": self._padded(rows, self.pad),
            "attention_mask": self._padded([np.ones_like(row) for row in rows], 0),
        }
        if self.types is not None:
            columns[_TYPES] = self._padded([self.types[item] for item in items], 0)
        return EncoderInputs(columns)

    def _padded(self, rows: Sequence[NDArray[np.int32]], fill: int) -> Tensor:
        longest = max(map(len, rows))
        table = np.full((len(rows), longest), fill, np.int64)
        for number, row in enumerate(rows):
            start = longest - len(row) if self.left else 0
            table[number, start : start + len(row)] = row
        return torch.from_numpy(table)


class TextEncoder:
    """A tokenizer of `transformers`, told the language of every text where it wants to know.

    Args:
        tokenizer: their object.
        languages: what it will be asked for.

    Raises:
        UserError: the tokenizer marks languages and has no mark for one of these.
    """

    def __init__(self, tokenizer: Any, languages: Sequence[str]) -> None:  # noqa: ANN401
        self.tokenizer = tokenizer
        special = sorted(tokenizer.all_special_tokens, key=len, reverse=True)
        self._special = re.compile("|".join(re.escape(t) for t in special if len(t) > 1) or "(?!)")
        self._codes: dict[str | None, str] = {}
        if hasattr(tokenizer, "src_lang"):
            marks = [token for token in special if _LANGUAGE_CODE.fullmatch(token)]
            self._codes = {from_locale(mark): mark for mark in marks}
            if unknown := [code for code in languages if code not in self._codes]:
                known = ", ".join(sorted(str(code) for code in self._codes if code))
                raise UserError(
                    f"the model does not know {', '.join(unknown)}, only {known}; leave out the "
                    "others, or take a model that marks no languages."
                )

    def encode(
        self,
        texts: Mapping[str, Sequence[str]],
        max_length: int,
        *,
        types: bool,
        seconds: Mapping[str, Sequence[str]] | None = None,
    ) -> EncodedTexts:
        """Encode texts by language, in this order.

        Args:
            texts: language to texts.
            max_length: longest sequence in tokens; longer ones lose their ends.
            types: whether the model reads token type ids.
            seconds: language to the second texts of pairs, where they are pairs.
        """
        ids: list[NDArray[np.int32]] = []
        type_ids: list[NDArray[np.int32]] = []
        n_cut = 0
        for language, part in texts.items():
            self.tell_language(language)
            if not part:
                continue
            pairs = (seconds or {}).get(language)
            rows, kinds = self.rows(part, pairs)
            if long := [place for place, row in enumerate(rows) if len(row) > max_length]:
                n_cut += len(long)
                ends = None if pairs is None else [pairs[place] for place in long]
                shorter = self.rows([part[place] for place in long], ends, max_length)
                for place, row, kind in zip(long, *shorter, strict=True):
                    rows[place], kinds[place] = row, kind
            ids += rows
            type_ids += kinds
        return EncodedTexts(
            ids,
            type_ids if types else None,
            pad=self.tokenizer.pad_token_id,
            left=self.tokenizer.padding_side == "left",
            n_cut=n_cut,
        )

    def rows(
        self, texts: Sequence[str], seconds: Sequence[str] | None, longest: int | None = None
    ) -> tuple[list[NDArray[np.int32]], list[NDArray[np.int32]]]:
        """Return the token ids and token type ids of each text, special tokens counted.

        Args:
            texts: of the language that the tokenizer was told.
            seconds: the second text of each pair, where they are pairs.
            longest: most tokens of a text; None leaves all whole.
        """
        made = self.tokenizer(
            self.plain(texts),
            None if seconds is None else self.plain(seconds),
            truncation=longest is not None,
            max_length=longest,
            return_token_type_ids=True,
            verbose=False,
        )
        # A tokenizer without special tokens gives nothing for an empty text.
        ids = [row or [self.tokenizer.pad_token_id] for row in made["input_ids"]]
        kinds = [row or [0] for row in made[_TYPES]]
        return [np.array(row, np.int32) for row in ids], [np.array(row, np.int32) for row in kinds]

    def cut(self, texts: Sequence[str], language: str) -> Cut:
        """Return what the tokenizer makes of texts."""
        if not texts:
            return Cut(0, 0)
        self.tell_language(language)
        made = self.tokenizer(self.plain(texts), add_special_tokens=False, verbose=False)
        rows, unknown = made["input_ids"], self.tokenizer.unk_token_id
        return Cut(sum(map(len, rows)), sum(row.count(unknown) for row in rows))

    def tell_language(self, language: str) -> None:
        """Tell the tokenizer the language of what comes next, if it wants to know."""
        if self._codes:
            self.tokenizer.src_lang = self._codes[language]

    def plain(self, texts: Sequence[str]) -> list[str]:
        """Return texts in which nothing is a special token."""
        return [self._special.sub(_broken, text) for text in texts]

    def plain_aligned(self, text: Aligned) -> Aligned:
        """Return what `plain` makes of a text, aligned with it."""
        return text.substitute(self._special, _broken)


def _broken(match: re.Match[str]) -> str:
    """Part what is written like a special token, so that it is text like any other."""
    return f"{match[0][0]} {match[0][1:]}"
