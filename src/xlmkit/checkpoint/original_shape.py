"""The shape of an original checkpoint, taken from its tensors.

Only what no tensor shows (heads, activation, dropout, neighbours of a memory) is asked of the
checkpoint's own settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from xlmkit.core.errors import UserError
from xlmkit.model.config import Architecture, MemoryShape


@dataclass(frozen=True, slots=True)
class Params:
    """The original's bag of settings, asked only for what tensors do not show."""

    path: Path
    values: Mapping[str, Any]

    def get(self, name: str, default: Any) -> Any:  # noqa: ANN401 - as its default
        """Return a setting, or the default where it is missing."""
        return self.values.get(name, default)

    def number(self, name: str, default: float | None = None) -> float:
        """Return a setting that is a number.

        Raises:
            UserError: it is missing and has no default, or is no number.
        """
        value = self.values.get(name, default)
        if value is None:
            raise UserError(f"{self.path} does not say {name} in its params.")
        try:
            return float(value)
        except (TypeError, ValueError):
            raise UserError(f"{self.path}: {name} in its params is {value!r}, no number.") from None

    def languages(self, n_langs: int) -> list[str]:
        """Return the languages in the order of their ids."""
        given = self.get("id2lang", {})
        if not isinstance(given, Mapping):
            raise UserError(f"{self.path}: id2lang in its params does not map ids to names.")
        names = {str(number): str(name) for number, name in given.items()}
        found = [names.get(str(number), f"lang{number}") for number in range(n_langs)]
        if len(set(found)) < n_langs:
            raise UserError(f"{self.path}: id2lang in its params names a language twice.")
        return found

    def plain(self) -> dict[str, Any]:
        """Return the settings that JSON can hold."""
        kinds = (str, int, float, bool, type(None))
        return {str(k): v for k, v in self.values.items() if isinstance(v, kinds)}


def architecture_of(path: Path, weights: Mapping[str, Tensor], params: Params) -> Architecture:
    """Return the shape of a language model, or of the encoder or decoder of a translator.

    Args:
        path: the checkpoint, for messages.
        weights: parameter name to tensor, names as in the original.
        params: the checkpoint's settings.

    Raises:
        UserError: tensors or settings are missing, or do not describe a model.
    """
    try:
        return _architecture(path, weights, params)
    except (KeyError, ValueError, TypeError, IndexError, RuntimeError) as error:
        raise UserError(
            f"{path} is no model as the original saves it: its tensors do not fit one another "
            f"({error})."
        ) from None


def _architecture(path: Path, weights: Mapping[str, Tensor], params: Params) -> Architecture:
    try:
        n_words, emb_dim = weights["embeddings.weight"].shape
        n_positions = len(weights["position_embeddings.weight"])
    except (KeyError, ValueError, TypeError):
        raise UserError(f"{path} has no word or position embeddings: not a model of XLM.") from None
    layers = [int(name.split(".")[1]) for name in weights if name.startswith("attentions.")]
    if not layers:
        raise UserError(f"{path} has no attention layers: not a model of XLM.")
    languages = weights.get("lang_embeddings.weight")
    asm = "pred_layer.proj.head.weight" in weights
    return Architecture(
        n_words=n_words,
        n_langs=int(params.number("n_langs", 1)) if languages is None else len(languages),
        n_layers=1 + max(layers),
        emb_dim=emb_dim,
        n_heads=int(params.number("n_heads")),
        dropout=params.number("dropout", 0.1),
        attention_dropout=params.number("attention_dropout", 0.1),
        gelu_activation=bool(params.number("gelu_activation")),
        sinusoidal_embeddings=bool(params.get("sinusoidal_embeddings", False)),
        use_lang_emb=languages is not None,
        max_position_embeddings=n_positions,
        embed_init_std=emb_dim**-0.5,
        causal=_causal(params),
        asm=asm,
        asm_cutoffs=_cutoffs(weights, n_words) if asm else (),
        asm_div_value=params.number("asm_div_value", _div_value(weights, emb_dim)),
        memory=_memory(weights, params),
        tie_word_embeddings=_tied(weights),
        is_decoder="layer_norm15.0.weight" in weights,
    )


def _tied(weights: Mapping[str, Tensor]) -> bool:
    """Words are predicted with the embeddings' weights unless the file has others."""
    own = weights.get("pred_layer.proj.weight")
    return own is None or own.equal(weights["embeddings.weight"])


def _div_value(weights: Mapping[str, Tensor], emb_dim: int) -> float:
    """Return by what an adaptive softmax divides the width of its first cluster of rare words."""
    first = weights.get("pred_layer.proj.tail.0.0.weight")
    return 4.0 if first is None else emb_dim / len(first)


def _causal(params: Params) -> bool:
    """A model is causal if it learned CLM and neither MLM nor TLM: the original keeps no flag."""
    steps = {kind: bool(params.get(f"{kind}_steps", ())) for kind in ("clm", "mlm")}
    return bool(params.get("causal", steps["clm"] and not steps["mlm"]))


def _cutoffs(weights: Mapping[str, Tensor], n_words: int) -> tuple[int, ...]:
    """Return where the clusters of an adaptive softmax begin, from the sizes of its tails."""
    sizes: list[int] = []
    while (name := f"pred_layer.proj.tail.{len(sizes)}.1.weight") in weights:
        sizes.append(len(weights[name]))
    ends = [n_words]
    for size in reversed(sizes):
        ends.append(ends[-1] - size)
    return tuple(reversed(ends[1:]))


def _memory(weights: Mapping[str, Tensor], params: Params) -> MemoryShape | None:
    """Return the shape of the memories; all of a model's are alike."""
    places = sorted({name.split(".")[1] for name in weights if name.startswith("memories.")})
    if not places:
        return None
    n_heads, _, n_keys, half = weights[f"memories.{places[0]}.keys"].shape
    prefix = f"memories.{places[0]}.query_proj.query_mlps."
    linear = [
        tensor
        for name, tensor in weights.items()
        if name.startswith(prefix) and name.endswith("weight") and tensor.dim() == 2
    ]
    return MemoryShape(
        positions=tuple((int(p.split("_")[0]), p.split("_")[1]) for p in places),
        n_heads=n_heads,
        n_keys=n_keys,
        key_dim=2 * half,
        n_neighbors=int(params.number("mem_knn")),
        query_sizes=tuple(len(tensor) for tensor in linear[:-1]),
        query_bias=f"{prefix}0.bias" in weights,
        query_batch_norm=any(name.endswith("running_mean") for name in weights),
    )
