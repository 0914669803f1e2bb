"""Long texts as models of other families read them: in overlapping windows, as xlmkit's own do."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.errors import UserError
from xlmkit.data.text_windows import cut_rows
from xlmkit.huggingface.frames import Frame
from xlmkit.huggingface.sequences import EncodedTexts, TextEncoder

Row = tuple[NDArray[np.int32], NDArray[np.int32]]
"""Token ids and token type ids of a sequence."""


def encode_in_windows(
    encoder: TextEncoder,
    texts: Mapping[str, Sequence[str]],
    max_length: int,
    stride: int,
    *,
    types: bool,
    seconds: Mapping[str, Sequence[str]] | None = None,
) -> tuple[EncodedTexts, NDArray[np.int64]]:
    """Encode texts by language, in this order; what fits is encoded as without windows.

    Args:
        encoder: the tokenizer.
        texts: language to texts.
        max_length: longest sequence in tokens.
        stride: tokens that neighbouring windows share.
        types: whether the model reads token type ids.
        seconds: language to the second texts of pairs, where they are pairs.

    Returns:
        The windows, and the number of the text of each, ascending, (windows,).

    Raises:
        UserError: the tokenizer does not tell where its special tokens stand.
    """
    tokenizer = encoder.tokenizer
    if not tokenizer.is_fast:
        raise UserError(
            f"{type(tokenizer).__name__} does not tell where its special tokens stand, which "
            "windows of long texts need; take a model with a fast tokenizer (tokenizer.json)."
        )
    rows: list[Row] = []
    owners: list[int] = []
    first = 0
    for language, part in texts.items():
        encoder.tell_language(language)
        pairs = (seconds or {}).get(language)
        frame = Frame.of(tokenizer, 1 if pairs is None else 2)
        for number, row in enumerate(zip(*encoder.rows(part, pairs), strict=True) if part else ()):
            made = [row]
            if len(row[0]) > max_length:
                sides = [part[number]] if pairs is None else [part[number], pairs[number]]
                made = list(_windows(encoder, frame, sides, max_length, stride))
            rows += made
            owners += [first + number] * len(made)
        first += len(part)
    ids, kinds = [row for row, _ in rows], [kind for _, kind in rows]
    left = tokenizer.padding_side == "left"
    encoded = EncodedTexts(ids, kinds if types else None, tokenizer.pad_token_id, left)
    return encoded, np.array(owners, np.int64)


def _windows(
    encoder: TextEncoder, frame: Frame, sides: Sequence[str], max_length: int, stride: int
) -> Iterator[Row]:
    """Yield the windows of a text or a pair, each with the special tokens of a whole one."""
    made = encoder.tokenizer(encoder.plain(sides), add_special_tokens=False, verbose=False)
    row = tuple((np.array(ids, np.int32), 0) for ids in made["input_ids"])
    for window in cut_rows([row], max_length, stride, special=frame.size).rows:
        yield frame.around([ids for ids, _ in window])
