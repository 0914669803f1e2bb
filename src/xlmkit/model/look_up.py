"""Looking up ids in a table of vectors, with a sentence about one that is not in it."""

import torch
from torch import Tensor, nn


def look_up(table: nn.Module, ids: Tensor, kind: str) -> Tensor:
    """Return the vectors of ids, (..., E).

    On a GPU an id that the table has not ends the process' work there, as in all of torch; nothing
    is checked beforehand, since that would wait for the device at every step.

    Args:
        table: an embedding.
        ids: of any shape, (...), int64.
        kind: what the ids name, such as `token`.

    Raises:
        IndexError: an id is not in the table.
    """
    if torch.compiler.is_compiling():
        vectors: Tensor = table(ids)
        return vectors
    try:
        vectors = table(ids)
    except IndexError as error:
        raise IndexError(
            f"The {kind} ids go from {int(ids.min())} to {int(ids.max())}, but the model's are 0 "
            f"to {getattr(table, 'num_embeddings', 0) - 1}; do they come from its own tokenizer?"
        ) from error
    return vectors
