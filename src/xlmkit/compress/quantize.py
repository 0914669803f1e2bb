"""Linear layers in 8-bit integers on a CPU, without data and without training.

Dynamic quantisation (Zafrir et al. 2019, "Q8BERT"; Jacob et al. 2018): weights are rounded once,
with a scale for each output; activations at every call, with a scale for the whole tensor. Sums are
taken in 32-bit integers. Embeddings, norms, attention weights and heads stay as they are.

Processors without VNNI add two products in 16 bits before they widen them, which overflows with
eight bits on either side and spoils the states. There the weights are given seven bits.

Shapes: B sequences, L positions, I inputs, O outputs, E width, H heads, D width of a head.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from xlmkit.core.errors import UserError
from xlmkit.model.attention import Attend, MultiHeadAttention, plain_attention
from xlmkit.model.cache import Past
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.model.heads import PredictionLayer
from xlmkit.model.transformer import TransformerLayers

Model = TypeVar("Model", bound=nn.Module)

# x86 is much faster for one sentence than onednn, and nearly as fast in batches; but it does not
# use AMX, with which onednn takes half its time in batches and is no slower for one sentence.
_ENGINES = ("x86", "onednn", "qnnpack")
_AMX_ENGINE = "onednn"


class Int8Linear(nn.Module):
    """A linear layer with rounded weights; it computes on a CPU and learns nothing.

    Args:
        weight_OI: (O, I).
        bias_O: (O,).

    Raises:
        UserError: this torch has no 8-bit products for this processor.
    """

    def __init__(self, weight_OI: Tensor, bias_O: Tensor) -> None:
        super().__init__()
        largest = 127 if torch.cpu._is_vnni_supported() else 63
        weight_OI = weight_OI.detach().float()
        scale_O = (weight_OI.abs().amax(dim=1) / largest).clamp(min=1e-12)
        with _engine(), warnings.catch_warnings():
            # torch means to replace tensors of this type, but not yet these kernels.
            warnings.simplefilter("ignore")
            rounded = torch.quantize_per_channel(
                weight_OI, scale_O.double(), torch.zeros(len(scale_O)).long(), 0, torch.qint8
            )
            self._packed = torch.ops.quantized.linear_prepack(rounded, bias_O.detach().float())

    @classmethod
    def of(cls, *linears: nn.Linear) -> "Int8Linear":
        """Round one layer, or several over the same input, whose outputs then stand in a row."""
        weights, biases = zip(*((linear.weight, linear.bias) for linear in linears), strict=True)
        return cls(torch.cat(weights), torch.cat(biases))

    def forward(self, hidden: Tensor) -> Tensor:
        """Return the outputs, (..., I) to (..., O), float32."""
        outputs: Tensor = torch.ops.quantized.linear_dynamic(hidden, self._packed)
        return outputs


class Int8SelfAttention(nn.Module):
    """Self-attention whose projections are 8-bit, query, key and value in one product."""

    def __init__(self, attention: MultiHeadAttention) -> None:
        super().__init__()
        self.n_heads, self.layer = attention.n_heads, attention.layer
        self.query_key_value = Int8Linear.of(attention.q_lin, attention.k_lin, attention.v_lin)
        self.out_lin = Int8Linear.of(attention.out_lin)

    def forward(
        self,
        hidden_BLE: Tensor,
        mask_B1QK: Tensor | None,
        *,
        causal: bool,
        past: Past | None = None,
        attend: Attend | None = None,
    ) -> Tensor:
        """Return the states, (B, L, E); arguments as for `MultiHeadAttention`."""
        projected = self.query_key_value(hidden_BLE).unflatten(2, (3, self.n_heads, -1))
        query, key, value = projected.permute(2, 0, 3, 1, 4)  # each (B, H, L, D)
        if past is not None:
            key, value = past.extend(self.layer, key, value)
        attend = attend or plain_attention
        context_BHLD = attend(query, key, value, mask_B1QK, dropout=0.0, causal=causal)
        context_BLE: Tensor = self.out_lin(context_BHLD.transpose(1, 2).flatten(2))
        return context_BLE


def quantize(model: Model) -> Model:
    """Round the linear layers of every Transformer in a model, in place, and return the model.

    Args:
        model: on a CPU, with weights in float32; afterwards it serves inference only.

    Raises:
        UserError: the model is not on a CPU, or torch has no 8-bit products for it.
    """
    if next(model.parameters()).device.type != "cpu":
        raise UserError("int8 is computed by a CPU only; choose bfloat16 on a GPU.")
    for module in list(model.modules()):
        if isinstance(module, TransformerLayers):
            _quantize_layers(module)
    return model.eval()


def _quantize_layers(layers: TransformerLayers) -> None:
    layers.attentions = nn.ModuleList(
        Int8SelfAttention(own) if isinstance(own, MultiHeadAttention) else own  # rounded before
        for own in layers.attentions
    )
    others = [
        *layers.ffns.values(),
        *(layers.encoder_attn if layers.architecture.is_decoder else ()),
    ]
    for module in others:
        for name, linear in list(module.named_children()):
            if isinstance(linear, nn.Linear):
                setattr(module, name, Int8Linear.of(linear))


class Int8PredictionLayer(nn.Module):
    """Word prediction with rounded weights; those of the word embeddings stay as they are."""

    def __init__(self, prediction: PredictionLayer) -> None:
        super().__init__()
        self.proj = Int8Linear.of(prediction.proj)

    def forward(self, hidden_NE: Tensor) -> Tensor:
        """Return the scores of all words, (..., E) to (..., V)."""
        scores_NV: Tensor = self.proj(hidden_NE)
        return scores_NV

    def loss(self, hidden_NE: Tensor, targets_N: Tensor) -> tuple[Tensor, Tensor]:
        """Return -log p(target) of each position, (N,), and whether it was the best word, (N,)."""
        scores_NV = self(hidden_NE)
        loss_N = functional.cross_entropy(scores_NV, targets_N, reduction="none")
        return loss_N, scores_NV.argmax(dim=1) == targets_N


def quantize_translator(model: EncoderDecoder) -> EncoderDecoder:
    """Round all linear layers of a translator, those that predict words as well, in place.

    An adaptive softmax stays in float32.

    Raises:
        UserError: as for `quantize`.
    """
    quantize(model)
    if isinstance(model.pred_layer, PredictionLayer):
        model.add_module("pred_layer", Int8PredictionLayer(model.pred_layer))
    return model


@contextmanager
def _engine() -> Iterator[None]:
    """Choose the kernels that weights are laid out for; layers remember theirs."""
    backend = torch.backends.quantized
    engines = [_AMX_ENGINE] if torch.cpu._is_amx_tile_supported() else []
    engines += _ENGINES
    chosen = next((name for name in engines if name in backend.supported_engines), None)
    if chosen is None:
        raise UserError(
            "This torch has no 8-bit products for this processor; choose float32 or bfloat16."
        )
    before = backend.engine
    backend.engine = chosen
    try:
        yield
    finally:
        backend.engine = before
