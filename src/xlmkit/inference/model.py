"""How a trained model is made ready to read many texts, and how texts are given to it."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from xlmkit.compress.quantize import quantize
from xlmkit.core.arguments import check_as_many, check_list
from xlmkit.core.device import choose_device, choose_dtype
from xlmkit.data.batch import Inputs, Segment, SegmentRows
from xlmkit.data.measures import normalize
from xlmkit.data.text_windows import PairForm, cut_rows
from xlmkit.evaluate.inference import run_batches, tell_of_cut
from xlmkit.model.transformer import Transformer
from xlmkit.text.languages import check_known
from xlmkit.text.tokenizer import Tokenizer

BATCH_TOKENS = 4096

InferencePrecision = Literal["auto", "float32", "bfloat16", "int8"]
Languages = str | Sequence[str]
"""One language for all texts, or one for each."""

Model = TypeVar("Model", bound=nn.Module)


def prepare(model: Model, precision: InferencePrecision) -> Model:
    """Put a model on the fastest device, in a precision, without padding; changes it in place.

    Args:
        model: with weights in float32, on the CPU.
        precision: `auto` takes bfloat16 where the hardware multiplies in it, and float32
            elsewhere; `int8` rounds weights and activations, on a CPU.

    Raises:
        UserError: int8 is asked for where it cannot be computed.
    """
    device = choose_device()
    model = model.to(device).eval().requires_grad_(False)
    for module in model.modules():
        if isinstance(module, Transformer):
            module.packs = True
    if precision == "int8":
        return quantize(model)
    return model.to(choose_dtype(precision, device))


@dataclass(frozen=True, slots=True)
class WindowRows:
    """What was computed of every window.

    Attributes:
        values: (windows, ...), float32; without any (0,).
        owners: the number of the text of each, ascending, (windows,).
        lengths: tokens of each, (windows,).
    """

    values: NDArray[np.float32]
    owners: NDArray[np.int64]
    lengths: NDArray[np.int32]


class Reader:
    """Gives texts to a model: tokens, batches of similar lengths, results in the texts' order.

    Args:
        model: prepared.
        tokenizer: of the model.
        longest: tokens that the model reads.
        stride: longer texts are read in windows that share so many tokens; None cuts their ends
            off, which is told the first time.
        form: how pairs are read.
    """

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Tokenizer,
        longest: int,
        stride: int | None = None,
        form: PairForm = "apart",
    ) -> None:
        self.model, self.tokenizer, self.longest = model, tokenizer, longest
        self.stride, self.form = stride, form
        self._told = False

    def read(
        self,
        texts: Sequence[str],
        lang: Languages,
        compute: Callable[[Inputs], Tensor],
        batch_tokens: int = BATCH_TOKENS,
        seconds: Sequence[str] | None = None,
    ) -> "WindowRows":
        """Apply `compute` to all texts, long ones in windows.

        Args:
            texts: any number.
            lang: their language, or one for each.
            compute: from a batch to one row for each text, (B, ...).
            batch_tokens: tokens of a batch.
            seconds: the second texts of pairs, where they are pairs.

        Returns:
            A row for each window; where no text is long, for each text.

        Raises:
            UserError: the model does not know a language, or there are not as many as texts.
        """
        codes = languages_of(texts, lang, self.tokenizer.lang2id)
        sides = [texts] if seconds is None else [texts, seconds]
        whole = list(zip(*(self._segments(side, codes) for side in sides), strict=True))
        if self.stride is None:
            rows, owners = SegmentRows(whole, self.longest, self.form), np.arange(len(whole))
            if rows.n_cut and not self._told:
                tell_of_cut(rows.n_cut, len(whole), self.longest, "texts", "--stride")
                self._told = True
        else:
            windows = cut_rows(whole, self.longest, self.stride, self.form)
            rows, owners = SegmentRows(windows.rows, self.longest, self.form), windows.owners
        values = run_batches(self.model, rows, compute, batch_tokens)
        return WindowRows(values, owners, rows.lengths)

    def _segments(self, texts: Sequence[str], codes: Sequence[str]) -> Iterator[Segment]:
        """Yield the tokens of every text; those of one language are encoded together.

        Texts are read in their normal form, in which models learn and are measured.
        """
        made: dict[str, Iterator[NDArray[np.int32]]] = {}
        for code in dict.fromkeys(codes):
            own = [
                normalize(text) for text, other in zip(texts, codes, strict=True) if other == code
            ]
            made[code] = iter(self.tokenizer.encode_batch(own, code))
        for code in codes:
            yield next(made[code]), self.tokenizer.lang2id[code]


def languages_of(
    texts: Sequence[object], lang: Languages, known: Collection[str] | None
) -> list[str]:
    """Return the language of each text; `known` None knows all.

    Raises:
        UserError: the model does not know one, there are not as many as texts, or there is one
            text in place of a list.
    """
    check_list(texts)
    codes = list(repeat(lang, len(texts))) if isinstance(lang, str) else list(lang)
    check_as_many(codes, "languages", texts)
    for code in dict.fromkeys(codes):
        if known is not None:
            check_known(code, known)
    return codes
