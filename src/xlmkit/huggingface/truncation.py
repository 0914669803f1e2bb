"""Which tokens of a row are kept, and the further rows that the others make."""

from collections.abc import Iterator
from itertools import product

from transformers.tokenization_utils_base import TruncationStrategy

Window = tuple[range, ...]
"""For each text of a row, the tokens that are kept."""


def tokens_to_remove(
    lengths: tuple[int, ...], excess: int, strategy: TruncationStrategy
) -> tuple[int, ...]:
    """Return how many tokens each text of a row loses, with the results of `transformers`.

    `longest_first` cuts the longer text down to the other, then both alike.

    Args:
        lengths: of the one or two texts.
        excess: tokens that are too many in all.
        strategy: which text is cut.
    """
    if excess <= 0 or strategy == TruncationStrategy.DO_NOT_TRUNCATE:
        return (0,) * len(lengths)
    if len(lengths) == 1:
        only_second = strategy == TruncationStrategy.ONLY_SECOND
        wanted: tuple[int, ...] = (0,) if only_second else (excess,)
    elif strategy == TruncationStrategy.ONLY_FIRST:
        wanted = (excess, 0)
    elif strategy == TruncationStrategy.ONLY_SECOND:
        wanted = (0, excess)
    else:
        first, second = lengths
        of_longer = min(abs(first - second), excess)
        of_both = excess - of_longer
        if first > second:
            wanted = (of_longer + of_both // 2, of_both - of_both // 2)
        else:
            wanted = (of_both // 2, of_longer + of_both - of_both // 2)
    return tuple(min(n, length) for n, length in zip(wanted, lengths, strict=True))


def first_window(lengths: tuple[int, ...], removed: tuple[int, ...], side: str) -> Window:
    """Return the tokens that stay where the others are removed at one side."""
    return tuple(
        range(n, length) if side == "left" else range(length - n)
        for length, n in zip(lengths, removed, strict=True)
    )


def all_windows(
    lengths: tuple[int, ...], removed: tuple[int, ...], side: str, stride: int
) -> list[Window]:
    """Return windows that cover all tokens of the text that is too long.

    Each is as long as the first, and shares `stride` tokens with the one before; the last may be
    shorter.

    Raises:
        ValueError: the windows would not go on.
    """
    parts = []
    for length, n in zip(lengths, removed, strict=True):
        if n and length - n <= stride:
            raise ValueError(
                f"max_length leaves {length - n} tokens for the text that is cut, so a stride of "
                f"{stride} is too long."
            )
        parts.append(list(_windows(length, length - n, stride, side)) if n else [range(length)])
    return list(product(*parts))


def _windows(length: int, size: int, stride: int, side: str) -> Iterator[range]:
    starts = range(0, max(length - stride, 1), size - stride)
    for start in starts:
        window = range(start, min(start + size, length))
        yield window if side == "right" else range(length - window.stop, length - window.start)
