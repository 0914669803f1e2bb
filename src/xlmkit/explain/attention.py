"""Attention weights of xlmkit's own models, and weights of tokens made weights of words.

The fused and packed ways of attention never have the weights; here the same layers are run once
more with attention written out. Weights tell where a layer looks, not why the model decides (Jain
& Wallace 2019, "Attention is not explanation").
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xlmkit.core.errors import UserError
from xlmkit.data.batch import Inputs
from xlmkit.explain.explanation import Attention, Word
from xlmkit.model.attention import WeightKeeper, attention_mask
from xlmkit.model.look_up import look_up
from xlmkit.model.transformer import Surroundings, Transformer


@torch.no_grad()
def attention_weights(transformer: Transformer, inputs: Inputs) -> Tensor:
    """Return the weights of all layers and heads for one sequence, (layers, H, L, L)."""
    keeper = WeightKeeper()
    causal = transformer.architecture.causal
    words_BLE = look_up(transformer.embeddings, inputs.tokens, "token")
    hidden_BLE = transformer.embed(words_BLE, inputs.positions, inputs.languages)
    mask = attention_mask(inputs.lengths, inputs.tokens.shape[1], causal=causal)
    around = Surroundings(mask=mask, causal=causal, attend=keeper)
    for _ in transformer.layers(hidden_BLE, None, around):
        pass
    return torch.stack([weights_BHLL[0] for weights_BHLL in keeper.weights])


def chosen_layers(asked: str, n_layers: int) -> list[int]:
    """Return the numbers of layers, from 1, that `all` or `1,6` names.

    Raises:
        UserError: it names none, or one that is not there.
    """
    if asked == "all":
        return list(range(1, n_layers + 1))
    names = [name.strip() for name in asked.split(",")]
    if not all(name.isdecimal() and 1 <= int(name) <= n_layers for name in names):
        raise UserError(
            f"The model has the layers 1 to {n_layers}, but not {asked!r}; give numbers such as "
            f"1,{n_layers}, or all."
        )
    return [int(name) for name in names]


def word_attention(
    weights_KHLL: NDArray[np.float32],
    owners: NDArray[np.int64],
    symbols: Sequence[str],
    words: Sequence[Word],
    layers: list[int],
) -> Attention:
    """Make weights of tokens weights of words, as Clark et al. 2019 do.

    What is paid to a word is the sum over its tokens, what a word pays is their mean.

    Args:
        weights_KHLL: of the chosen layers, (layers, heads, L, L).
        owners: the number of each token's word, below 0 for special tokens, (L,).
        symbols: the tokens.
        words: of the texts.
        layers: numbers of the layers.
    """
    units: list[str] = []
    unit_of = np.empty(len(owners), np.int64)
    known: dict[int, int] = {}
    for place, owner in enumerate(owners.tolist()):
        if owner < 0 or owner not in known:
            known[owner] = len(units)
            units.append(symbols[place] if owner < 0 else words[owner].text)
        unit_of[place] = known[owner] if owner >= 0 else len(units) - 1
    member_UL = (unit_of[None, :] == np.arange(len(units))[:, None]).astype(np.float32)
    mean_UL = member_UL / member_UL.sum(axis=1, keepdims=True)
    return Attention(units, layers, mean_UL @ weights_KHLL @ member_UL.T)
