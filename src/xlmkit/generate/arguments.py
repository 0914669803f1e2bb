"""What is seen to of the arguments of translators and summarisers before anything is computed."""

import torch
from torch import Tensor

from xlmkit.core.errors import UserError
from xlmkit.generate.config import SearchConfig


def check_how(search: object, first: int, allowed: object = None, n_words: int = 0) -> None:
    """See that it is said in the right form how texts are written.

    Args:
        search: a section, or None.
        first: number of the first text.
        allowed: True at words that may be written, or None.
        n_words: how many words there are.

    Raises:
        UserError: one of them is something else.
    """
    if search is not None and not isinstance(search, SearchConfig):
        raise UserError(
            "The search is to be a SearchConfig, such as SearchConfig(beam_size=2), and no "
            f"{type(search).__name__}."
        )
    if first < 0:
        raise UserError(f"The first text's number counts from 0 and cannot be {first}.")
    if allowed is None:
        return
    right = isinstance(allowed, Tensor) and allowed.dtype == torch.bool
    if not right or allowed.shape != (n_words,):  # type: ignore[attr-defined]
        raise UserError(
            "The allowed words are to be what Translator.allowed_words(texts, language) returns."
        )
