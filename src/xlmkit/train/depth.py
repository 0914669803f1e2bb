"""How deep in a model each parameter lies, told from its name, and what follows for its learning.

Embeddings lie at depth 0, layers from 1, and the head above them all. Of an encoder-decoder, the
decoder's layers follow those of the encoder.

Freezing:  parameters up to a depth keep the values of pretraining.
Decay:     the rate of a parameter at depth d is rate * decay^(top - d), with the head at the top
           (Howard & Ruder 2018, section 3.2; for Transformers Clark et al. 2020, appendix B).
"""

import re
from collections.abc import Iterable
from typing import Literal

from xlmkit.core.errors import UserError

Freeze = Literal["embeddings"] | int
"""The embeddings, or these and so many of the lowest layers."""

# What the lists of layers are called: in xlmkit one for each part of a layer, in transformers one.
_LAYER = re.compile(
    r"(?:^|\.)(?:layers?|h|blocks?|attentions|encoder_attn|ffns|memories|layer_norm(?:1|15|2))"
    r"\.(\d+)(?=[._])"
)
_DECODER = re.compile(r"(?:^|\.)decoder\.")
_EMBEDDINGS = re.compile(r"emb|shared|wte|wpe")


def depths(names: Iterable[str]) -> dict[str, int]:
    """Return the depth of each parameter.

    Args:
        names: of all parameters of a model with its head, whichever library it is of.

    Raises:
        UserError: the model has no layers that can be told by their names.
    """
    names = list(names)
    layers = {}
    for name in names:
        if (found := _LAYER.search(name)) is not None:
            layers[name] = (_DECODER.search(name) is not None, int(found[1]))
    if not layers:
        raise UserError(
            "the layers of this model cannot be told from the names of its parameters; leave out "
            "freeze and layer_decay."
        )
    order = {layer: number for number, layer in enumerate(sorted(set(layers.values())), start=1)}
    top = len(order) + 1
    return {
        name: order[layers[name]] if name in layers else 0 if _EMBEDDINGS.search(name) else top
        for name in names
    }


def frozen(names: Iterable[str], freeze: Freeze) -> set[str]:
    """Return the names of the parameters that are not learned.

    Raises:
        UserError: there are not so many layers.
    """
    found = depths(names)
    highest, n_layers = 0 if freeze == "embeddings" else freeze, max(found.values()) - 1
    if highest > n_layers:
        raise UserError(f"freeze is {highest}, but the model has {n_layers} layers.")
    return {name for name, depth in found.items() if depth <= highest}


def rate_factors(names: Iterable[str], decay: float) -> dict[str, float]:
    """Return what each parameter's learning rate is multiplied by."""
    found = depths(names)
    top = max(found.values())
    return {name: decay ** (top - depth) for name, depth in found.items()}
