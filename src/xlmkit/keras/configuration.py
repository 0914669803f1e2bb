"""Which configurations the Keras classes can serve."""

from collections.abc import Mapping
from typing import Any

from xlmkit.huggingface.configuration import XLMConfig


def supported(config: Any) -> XLMConfig:  # noqa: ANN401 - it is checked
    """Return a configuration that the Keras classes can serve.

    Args:
        config: an `XLMConfig`, of xlmkit or of `transformers`, or one as a mapping.

    Raises:
        TypeError: it is neither.
        ValueError: it asks for what only the PyTorch classes have, or its sizes do not fit.
    """
    config = _as_config(config)
    only_pytorch = {
        "adaptive softmax (asm)": (config.asm, "XLMWithLMHeadModel"),
        "product-key memories (memory)": (config.memory, "XLMModel"),
        "decoder (is_encoder=False)": (not config.is_encoder, "XLMModel"),
    }
    for what, (wanted, pytorch_class) in only_pytorch.items():
        if wanted:
            raise ValueError(
                f"The Keras classes have no {what}; use the PyTorch class xlmkit.{pytorch_class}."
            )
    if config.emb_dim % config.n_heads:
        raise ValueError(
            f"emb_dim={config.emb_dim} is no multiple of n_heads={config.n_heads}; choose another."
        )
    made: XLMConfig = config
    return made


def _as_config(config: Any) -> XLMConfig:  # noqa: ANN401 - it is checked
    if isinstance(config, XLMConfig):
        return config
    if isinstance(config, Mapping):
        return XLMConfig.from_dict(dict(config))
    if getattr(config, "model_type", None) != "xlm":
        raise TypeError(f"A model is made from an XLMConfig, not from {config!r}.")
    return XLMConfig.from_dict(config.to_dict())
