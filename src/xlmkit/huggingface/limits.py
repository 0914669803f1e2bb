"""What a model of another family can read: how many tokens, and whether it tells texts apart."""

import inspect
from typing import Any

from torch import nn

NO_LIMIT = 10**9
"""What tokenizers say that know no limit is larger."""


def position_limit(model: nn.Module, tokenizer: Any) -> int:  # noqa: ANN401 - their class
    """Return the most tokens that a model reads, `NO_LIMIT` where it sets no limit."""
    config: Any = model.config
    places = getattr(config, "max_position_embeddings", None) or NO_LIMIT
    places = places if places > 0 else NO_LIMIT  # XLNet says -1
    for name, module in model.named_modules():
        # RoBERTa's family counts positions from behind the padding's index.
        is_table = name.endswith("position_embeddings") and isinstance(module, nn.Embedding)
        if is_table and module.padding_idx is not None:
            places = min(places, module.num_embeddings - module.padding_idx - 1)
    return int(min(places, tokenizer.model_max_length, NO_LIMIT))


def reads_types(model: Any) -> bool:  # noqa: ANN401 - their class
    """Tell whether a model reads token type ids, and knows more than one of them."""
    reads = "token_type_ids" in inspect.signature(model.forward).parameters
    return reads and getattr(model.config, "type_vocab_size", 2) > 1
