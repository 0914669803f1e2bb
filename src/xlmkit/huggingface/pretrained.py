"""`XLMPreTrainedModel`: what all of Hugging Face's classes share here."""

from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers import initialization as init

from xlmkit.huggingface.configuration import XLMConfig, own_config
from xlmkit.model.memory import ProductKeyMemory
from xlmkit.model.positions import sinusoidal_positions
from xlmkit.model.transformer import TransformerLayers


class XLMPreTrainedModel(PreTrainedModel):
    """What all classes share: configuration, fresh weights, and what they can do."""

    config: XLMConfig
    config_class = XLMConfig
    base_model_prefix = "transformer"
    supports_gradient_checkpointing = True
    accepts_loss_kwargs = False  # losses are means over their own batch
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flex_attn = True
    _supports_attention_backend = True
    _can_set_attn_implementation_cached_value = True
    _no_split_modules = ["XLMModel"]  # noqa: RUF012 - the parts of a layer lie in several lists
    _keys_to_ignore_on_load_unexpected = [r"position_ids$"]  # noqa: RUF012

    def __init__(self, config: XLMConfig, *arguments: Any, **named: Any) -> None:  # noqa: ANN401
        super().__init__(own_config(config), *arguments, **named)

    def _resize_token_embeddings(self, *arguments: Any, **named: Any) -> nn.Module:  # noqa: ANN401
        """Resize the word embeddings.

        Raises:
            ValueError: words are predicted by clusters, whose sizes are fixed.
        """
        if self.config.asm and hasattr(self, "pred_layer"):
            raise ValueError("The clusters of an adaptive softmax cannot be resized.")
        return super()._resize_token_embeddings(*arguments, **named)

    @property
    def dummy_inputs(self) -> dict[str, Any]:
        """A small batch with padding, and with languages if the model has them."""
        mask = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
        has_languages = self.config.use_lang_emb and self.config.n_langs > 1
        return {
            "input_ids": torch.tensor([[7, 6, 9, 1, 2], [1, 12, 1, 2, 2], [1, 8, 4, 5, 1]]),
            "attention_mask": mask,
            "langs": mask if has_languages else None,
        }

    def _initialize_weights(self, module: nn.Module, *_: bool) -> None:
        """Initialise also modules without parameters of their own.

        `transformers` passes those over in classes that are not its own, since they might overwrite
        what was loaded; `init` sees to that here.
        """
        super()._initialize_weights(module)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        """Give fresh weights the original's spread."""
        super()._init_weights(module)
        config = self.config
        if isinstance(module, nn.Embedding):
            init.normal_(module.weight, std=config.embed_init_std)
            is_fresh = not getattr(module.weight, "_is_hf_initialized", False)
            if module.padding_idx is not None and is_fresh:
                init.zeros_(module.weight[module.padding_idx])
        elif isinstance(module, ProductKeyMemory):
            bound = module.keys.shape[-1] ** -0.5
            init.uniform_(module.keys, -bound, bound)
            init.normal_(module.values.weight, std=config.emb_dim**-0.5)
        elif isinstance(module, TransformerLayers) and config.sinusoidal_embeddings:
            weight = module.position_embeddings.weight
            init.copy_(weight, sinusoidal_positions(*weight.shape))
