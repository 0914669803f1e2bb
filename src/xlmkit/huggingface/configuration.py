"""`XLMConfig`: Hugging Face's configuration of XLM, and what it lacks.

The added fields describe what only the original project had (adaptive softmax, memories, a decoder)
and one repair. A configuration of `transformers` is read as it is, and one that is saved here is
read by `transformers`, which keeps the fields that it does not know.
"""

from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import XLMConfig as _HuggingFaceConfig

from xlmkit.checkpoint.names import from_config_json
from xlmkit.model.config import Architecture

ORIGINAL_CUTOFFS = (8000, 20000)
"""Where the original's adaptive softmax parts its clusters unless told otherwise."""


@strict
class XLMConfig(_HuggingFaceConfig):
    """The shape of an XLM model, with the arguments of `transformers.XLMConfig` and a few more.

    Args:
        asm_cutoffs: word numbers at which clusters of the adaptive softmax begin; by default the
            original's 8,000 and 20,000, as far as the vocabulary reaches.
        asm_div_value: each cluster's width is the one's before it, divided by this.
        memory: product-key memories, the fields of `xlmkit.model.config.MemoryShape`.
        summary_over_padding: average padding too and take it for the last state, as `transformers`
            does; otherwise only real tokens count.
        target_lang_id: language that a decoder writes where none is given.
        decoder_start_token_id: what a decoder begins with; `</s>` unless told otherwise.
    """

    asm_cutoffs: list[int] | tuple[int, ...] | None = None
    asm_div_value: float | int = 4.0
    memory: dict[str, Any] | None = None
    summary_over_padding: bool = True
    target_lang_id: int | None = None
    decoder_start_token_id: int | None = None

    def __post_init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - other fields, by name
        """Complete the cutoffs of an adaptive softmax.

        Raises:
            ValueError: the vocabulary is too small for the original's.
        """
        if self.asm and not self.asm_cutoffs:
            self.asm_cutoffs = [cutoff for cutoff in ORIGINAL_CUTOFFS if cutoff < self.vocab_size]
            if not self.asm_cutoffs:
                raise ValueError(
                    f"An adaptive softmax over {self.vocab_size} words needs asm_cutoffs below it."
                )
        super().__post_init__(**kwargs)

    @property
    def n_labels(self) -> int:
        """How many classes there are."""
        return int(self.num_labels or 0)

    @property
    def architecture(self) -> Architecture:
        """The same as the plain torch modules take it."""
        return from_config_json(self.to_dict(), "XLMConfig")


def own_config(config: _HuggingFaceConfig) -> XLMConfig:
    """Return the configuration, or one of ours with what a `transformers.XLMConfig` says."""
    if isinstance(config, XLMConfig):
        return config
    own = XLMConfig.from_dict(config.to_dict())
    own._attn_implementation = config._attn_implementation
    return own
