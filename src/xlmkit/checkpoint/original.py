"""Checkpoints of the original XLM project (facebookresearch/XLM): its `.pth` files.

A `.pth` is a pickle, and a pickle can run any command. It is read by torch's restricted loader,
which builds tensors and plain values only, and refused with the name of whatever else it asks for.
Every size is taken from the tensors themselves; `params` gives only what tensors cannot show.
"""

import codecs
import pickle
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import LANGUAGE_MODEL
from xlmkit.core.errors import UserError
from xlmkit.core.files import atomic_write
from xlmkit.model.config import Architecture, MemoryShape
from xlmkit.text.bpe import END_OF_WORD, Merges
from xlmkit.text.bpe_files import read_codes
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import BOS, EOS, MASK, PAD, SPECIAL_TOKENS, UNK, Vocabulary

_CONTINUED = "@@"
_MULTI_GPU = "module."
_SHAPE_PARAMS = (
    "emb_dim",
    "n_layers",
    "n_heads",
    "n_words",
    "n_langs",
    "dropout",
    "attention_dropout",
    "gelu_activation",
    "sinusoidal_embeddings",
    "use_lang_emb",
    "asm",
    "causal",
)


def load_original(
    path: Path,
    codes: Path | None = None,
    *,
    lowercase_and_remove_accent: bool = True,
    causal: bool | None = None,
) -> Bundle:
    """Read a language model of the original project.

    Args:
        path: the `.pth`.
        codes: its BPE codes; without them text cannot be split into its sub-words.
        lowercase_and_remove_accent: as its training text was prepared; a checkpoint does not say.
        causal: whether attention is from left to right; None asks the checkpoint's training steps.

    Raises:
        UserError: the file is not such a checkpoint, is damaged, asks for more than data, or its
            parts do not fit.
    """
    data = read_pickle(path)
    if "model" not in data:
        kind = "an encoder and a decoder" if "decoder" in data else "no model"
        raise UserError(f"{path} holds {kind}; only language models can be read so far.")
    weights = {
        name.removeprefix(_MULTI_GPU): tensor
        for name, tensor in data["model"].items()
        if isinstance(tensor, Tensor)
    }
    params = _Params(path, data.get("params") or {})
    architecture = _architecture(path, weights, params)
    if causal is not None:
        architecture = replace(architecture, causal=causal)
    vocabulary = _vocabulary(path, data.get("dico_id2word"), architecture.n_words)
    languages = params.languages(architecture.n_langs)
    tokenizer = Tokenizer(
        vocabulary,
        Merges(()) if codes is None else read_codes(codes),
        {language: number for number, language in enumerate(languages)},
        lowercase_and_remove_accent=lowercase_and_remove_accent,
    )
    return Bundle(
        architecture,
        tokenizer,
        _renamed(weights, architecture),
        provenance={"original": path.name, "params": params.plain()},
    )


def read_pickle(path: Path) -> dict[str, Any]:
    """Load a `.pth` without running anything that it holds.

    Raises:
        UserError: missing, damaged, or asking for something that is not plain data.
    """
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(_numpy_scalars()):
            warnings.simplefilter(
                "ignore"
            )  # about protocols other than 2, which are read or refused
            data = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"There is no file {path}.") from None
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)|Unsupported operand (\d+)", str(error))
        if found is None:
            raise UserError(f"{path} is damaged or not a checkpoint.") from None
        wanted = found[1] or f"the pickle operation {found[2]}"
        raise UserError(
            f"{path} was refused and nothing in it was run: it asks for {wanted}, "
            "which is not plain data."
        ) from None
    except (RuntimeError, EOFError, ValueError, OSError, KeyError, IndexError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{path} is damaged or not a checkpoint: {reason}.") from None
    if not isinstance(data, dict):
        raise UserError(f"{path} holds a {type(data).__name__}, not a checkpoint of XLM.")
    return data


def _numpy_scalars() -> list[Any]:
    """Return what builds a numpy number: the original's `params` may hold some among its scores."""
    scalar = np.float64(0).__reduce__()[0]
    kinds = {type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8", "b1")}
    return [scalar, (scalar, "numpy.core.multiarray.scalar"), np.dtype, *kinds, codecs.encode]


@dataclass(frozen=True, slots=True)
class _Params:
    """The original's bag of settings, asked only for what tensors do not show."""

    path: Path
    values: Mapping[str, Any]

    def get(self, name: str, default: Any) -> Any:  # noqa: ANN401 - as its default
        return self.values.get(name, default)

    def require(self, name: str) -> Any:  # noqa: ANN401 - a plain value
        if name not in self.values:
            raise UserError(f"{self.path} does not say {name} in its params.")
        return self.values[name]

    def languages(self, n_langs: int) -> list[str]:
        """Return the languages in the order of their ids."""
        names = self.get("id2lang", {})
        return [str(names.get(number, f"lang{number}")) for number in range(n_langs)]

    def plain(self) -> dict[str, Any]:
        """Return the settings that JSON can hold."""
        kinds = (str, int, float, bool, type(None))
        return {str(k): v for k, v in self.values.items() if isinstance(v, kinds)}


def _architecture(path: Path, weights: Mapping[str, Tensor], params: _Params) -> Architecture:
    try:
        n_words, emb_dim = weights["embeddings.weight"].shape
        n_positions = len(weights["position_embeddings.weight"])
    except (KeyError, ValueError):
        raise UserError(f"{path} has no word or position embeddings: not a model of XLM.") from None
    languages = weights.get("lang_embeddings.weight")
    asm = "pred_layer.proj.head.weight" in weights
    n_layers = 1 + max(
        int(name.split(".")[1]) for name in weights if name.startswith("attentions.")
    )
    return Architecture(
        n_words=n_words,
        n_langs=int(params.get("n_langs", 1)) if languages is None else len(languages),
        n_layers=n_layers,
        emb_dim=emb_dim,
        n_heads=int(params.require("n_heads")),
        dropout=float(params.get("dropout", 0.1)),
        attention_dropout=float(params.get("attention_dropout", 0.1)),
        gelu_activation=bool(params.require("gelu_activation")),
        sinusoidal_embeddings=bool(params.get("sinusoidal_embeddings", False)),
        use_lang_emb=languages is not None,
        max_position_embeddings=n_positions,
        embed_init_std=emb_dim**-0.5,
        causal=_causal(params),
        asm=asm,
        asm_cutoffs=_cutoffs(weights, n_words) if asm else (),
        asm_div_value=float(params.get("asm_div_value", 4.0)),
        memory=_memory(weights, params),
    )


def _causal(params: _Params) -> bool:
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


def _memory(weights: Mapping[str, Tensor], params: _Params) -> MemoryShape | None:
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
        n_neighbors=int(params.require("mem_knn")),
        query_sizes=tuple(len(tensor) for tensor in linear[:-1]),
        query_bias=f"{prefix}0.bias" in weights,
        query_batch_norm=any(name.endswith("running_mean") for name in weights),
    )


def _vocabulary(path: Path, words: Any, n_words: int) -> Vocabulary:  # noqa: ANN401 - from a pickle
    """Return the dictionary in Hugging Face's notation, cut to the model's size.

    Vocabulary files are often longer than the model, which was trained with `max_vocab`; the words
    beyond have no embedding.
    """
    if not isinstance(words, Mapping) or len(words) < n_words:
        found = len(words) if isinstance(words, Mapping) else 0
        raise UserError(
            f"{path} has embeddings for {n_words:,} words but a dictionary of {found:,}; "
            "the two are not of one model."
        )
    symbols = list(SPECIAL_TOKENS)
    for number in range(len(SPECIAL_TOKENS), n_words):
        word = str(words[number])
        continued = word.endswith(_CONTINUED)
        symbols.append(word.removesuffix(_CONTINUED) if continued else word + END_OF_WORD)
    return Vocabulary(symbols)


def _renamed(weights: Mapping[str, Tensor], architecture: Architecture) -> dict[str, Tensor]:
    """Return the weights under Hugging Face's names."""
    named = {}
    for name, tensor in weights.items():
        if name.startswith("pred_layer."):
            if architecture.asm and name == "pred_layer.proj.weight":
                continue  # left over from tying: an adaptive softmax does not use it
            named[name] = tensor.float()
        else:
            is_count = name.endswith("num_batches_tracked")
            named[f"transformer.{name}"] = tensor if is_count else tensor.float()
    return named


def save_original(bundle: Bundle, path: Path) -> None:
    """Write a language model as the original project's `.pth`: plain values and tensors only.

    Raises:
        UserError: the model has a head that the original does not know.
    """
    if bundle.head != LANGUAGE_MODEL:
        raise UserError(
            f"A {bundle.head} has no form in the original project, only {LANGUAGE_MODEL}."
        )
    symbols = bundle.tokenizer.vocabulary.symbols[: bundle.architecture.n_words]
    words = [*SPECIAL_TOKENS, *map(_original_word, symbols[len(SPECIAL_TOKENS) :])]
    state = {
        name.removeprefix("transformer."): tensor.detach().clone()
        for name, tensor in bundle.language_model().state_dict().items()
    }
    checkpoint = {
        "model": state,
        "dico_id2word": dict(enumerate(words)),
        "dico_word2id": {word: number for number, word in enumerate(words)},
        "dico_counts": dict.fromkeys(words, 0),
        "params": _original_params(bundle),
    }
    with atomic_write(path, binary=True) as stream:
        torch.save(checkpoint, stream)


def _original_word(symbol: str) -> str:
    if symbol.endswith(END_OF_WORD):
        return symbol.removesuffix(END_OF_WORD)
    return symbol + _CONTINUED


def _original_params(bundle: Bundle) -> dict[str, Any]:
    """Return the settings that the original's loader asks for."""
    shape, lang2id = bundle.architecture, bundle.tokenizer.lang2id
    languages = [code for code, _ in sorted(lang2id.items(), key=lambda item: item[1])]
    params: dict[str, Any] = {
        "encoder_only": True,
        "share_inout_emb": True,
        "use_memory": shape.memory is not None,
        "bos_index": BOS,
        "eos_index": EOS,
        "pad_index": PAD,
        "unk_index": UNK,
        "mask_index": MASK,
        "langs": sorted(languages),
        "lgs": "-".join(languages),
        "lang2id": dict(lang2id),
        "id2lang": {number: code for code, number in lang2id.items()},
        "mem_enc_positions": [],
        "mem_dec_positions": [],
    }
    for name in _SHAPE_PARAMS:
        params[name] = getattr(shape, name)
    if shape.asm:
        params |= {"asm_cutoffs": list(shape.asm_cutoffs), "asm_div_value": shape.asm_div_value}
    if shape.memory is not None:
        memory = shape.memory
        params |= {
            "mem_enc_positions": list(memory.positions),
            "mem_heads": memory.n_heads,
            "mem_n_keys": memory.n_keys,
            "mem_k_dim": memory.key_dim,
            "mem_knn": memory.n_neighbors,
            "mem_query_layer_sizes": [0, *memory.query_sizes, 0],
            "mem_query_bias": memory.query_bias,
            "mem_query_batchnorm": memory.query_batch_norm,
        }
    return params
