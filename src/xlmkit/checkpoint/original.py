"""Checkpoints of the original XLM project (facebookresearch/XLM): its `.pth` files.

A language model lies in one as `model`, a translator as `encoder` and `decoder`. Every size is
taken from the tensors themselves; `params` gives only what tensors cannot show.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import ENCODER_PREDICTION, LANGUAGE_MODEL, TRANSLATOR
from xlmkit.checkpoint.original_shape import Params, architecture_of
from xlmkit.checkpoint.restricted_pickle import read_pickle
from xlmkit.core.errors import UserError
from xlmkit.core.files import atomic_write
from xlmkit.model.config import Architecture
from xlmkit.text.bpe import END_OF_WORD, Merges
from xlmkit.text.bpe_files import read_codes, read_vocabulary_file
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import BOS, EOS, MASK, PAD, SPECIAL_TOKENS, UNK, Vocabulary

_PARTS = {LANGUAGE_MODEL: ("model",), TRANSLATOR: ("encoder", "decoder")}
_TIED = "pred_layer.proj.weight"
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
    vocabulary: Path | None = None,
    lowercase_and_remove_accent: bool = True,
    causal: bool | None = None,
    languages: Sequence[str] | None = None,
) -> Bundle:
    """Read a language model or a translator of the original project.

    Args:
        path: the `.pth`.
        codes: its BPE codes; without them text cannot be split into its sub-words.
        vocabulary: its vocabulary file, where the `.pth` has no dictionary.
        lowercase_and_remove_accent: as its training text was prepared; a checkpoint does not say.
        causal: whether attention is from left to right; None asks the checkpoint's training steps.
        languages: names in the order of their ids, instead of the checkpoint's.

    Raises:
        UserError: the file is not such a checkpoint, is damaged, asks for more than data, or its
            parts do not fit.
    """
    data = read_pickle(path)
    settings = data.get("params") or {}
    if not isinstance(settings, Mapping):
        raise UserError(f"{path}: its params are a {type(settings).__name__}, no settings by name.")
    params = Params(path, settings)
    head = LANGUAGE_MODEL if "model" in data else TRANSLATOR
    parts = {name: _tensors(path, data, name) for name in _PARTS[head]}
    shapes = [architecture_of(path, tensors, params) for tensors in parts.values()]
    architecture = shapes[0]
    if head == TRANSLATOR:
        architecture = _joined(path, *shapes)
    elif causal is not None:
        architecture = replace(architecture, causal=causal)
    names = params.languages(architecture.n_langs)
    if languages is not None and not architecture.use_lang_emb:  # no tensor shows how many
        architecture = replace(architecture, n_langs=len(languages))
    if languages is not None and len(languages) == architecture.n_langs:
        names = list(languages)
    tokenizer = Tokenizer(
        _words(path, data, vocabulary, architecture.n_words),
        Merges(()) if codes is None else read_codes(codes),
        {language: number for number, language in enumerate(names)},
        lowercase_and_remove_accent=lowercase_and_remove_accent,
    )
    return Bundle(
        architecture,
        tokenizer,
        _renamed(parts, architecture),
        head=head,
        provenance={"original": path.name, "params": params.plain()},
    )


def _tensors(path: Path, data: Mapping[str, Any], part: str) -> dict[str, Tensor]:
    """Return the tensors of a part, in float32, without the prefix that several GPUs give them."""
    state = data.get(part)
    if not isinstance(state, Mapping):
        found = ", ".join(map(str, data)) or "nothing"
        raise UserError(
            f"{path} has no model: a checkpoint of XLM holds 'model', or 'encoder' and 'decoder', "
            f"and this one {found}."
        )
    return {
        str(name).removeprefix(_MULTI_GPU): tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in state.items()
        if isinstance(tensor, Tensor)
    }


def _joined(path: Path, encoder: Architecture, decoder: Architecture) -> Architecture:
    """Return the shape of a translator, whose memory is that of both sides.

    Raises:
        UserError: the sides differ in more than their memories.
    """
    memory = encoder.memory or decoder.memory
    if memory is not None:
        memory = replace(
            memory,
            positions=encoder.memory.positions if encoder.memory else (),
            decoder_positions=decoder.memory.positions if decoder.memory else (),
        )
    joined = replace(
        encoder,
        causal=False,
        memory=memory,
        asm=decoder.asm,
        asm_cutoffs=decoder.asm_cutoffs,
        asm_div_value=decoder.asm_div_value,
        tie_word_embeddings=decoder.tie_word_embeddings,
    )
    if joined.decoder != replace(decoder, causal=True, memory=joined.decoder.memory):
        raise UserError(f"{path}: its encoder and decoder are of different shapes.")
    return joined


def _renamed(
    parts: Mapping[str, Mapping[str, Tensor]], architecture: Architecture
) -> dict[str, Tensor]:
    """Return the tensors under the names that they have in a folder."""
    named = {}
    for part, tensors in parts.items():
        for name, tensor in tensors.items():
            if not name.startswith("pred_layer."):
                named[f"{'transformer' if part == 'model' else part}.{name}"] = tensor
            elif name == _TIED and architecture.asm:
                continue  # left over from tying: an adaptive softmax does not use it
            elif part != "encoder":
                named[name] = tensor
            elif name != _TIED or not tensor.equal(tensors["embeddings.weight"]):
                named[f"encoder_{name}"] = tensor
    return named


def _words(
    path: Path, data: Mapping[str, Any], vocabulary: Path | None, n_words: int
) -> Vocabulary:
    if vocabulary is None:
        return _vocabulary(path, data.get("dico_id2word"), n_words)
    read, _ = read_vocabulary_file(vocabulary)
    if len(read) < n_words:
        raise UserError(
            f"{path} has embeddings for {n_words:,} words but {vocabulary} has only {len(read):,}; "
            "the two are not of one model."
        )
    return Vocabulary(read.symbols[:n_words])


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
        if number not in words:
            raise UserError(f"{path}: its dictionary has no word {number}.")
        word = str(words[number])
        continued = word.endswith(_CONTINUED)
        symbols.append(word.removesuffix(_CONTINUED) if continued else word + END_OF_WORD)
    return Vocabulary(symbols)


def check_form(bundle: Bundle) -> None:
    """See that the original has such models.

    Raises:
        UserError: the model has a head that the original does not know.
    """
    if bundle.head not in _PARTS:
        raise UserError(
            f"A {bundle.head} has no form in the original project, only {' and '.join(_PARTS)}."
        )


def save_original(bundle: Bundle, path: Path) -> None:
    """Write a language model or a translator as the original's `.pth`: plain values and tensors.

    Raises:
        UserError: the model has a head that the original does not know.
    """
    check_form(bundle)
    symbols = bundle.tokenizer.vocabulary.symbols[: bundle.architecture.n_words]
    words = [*SPECIAL_TOKENS, *map(_original_word, symbols[len(SPECIAL_TOKENS) :])]
    checkpoint = {
        **_original_states(bundle),
        "dico_id2word": dict(enumerate(words)),
        "dico_word2id": {word: number for number, word in enumerate(words)},
        "dico_counts": dict.fromkeys(words, 0),
        "params": _original_params(bundle),
    }
    with atomic_write(path, binary=True) as stream:
        torch.save(checkpoint, stream)


def _original_states(bundle: Bundle) -> dict[str, dict[str, Tensor]]:
    """Return the state dictionaries that the original's loader asks for."""
    if bundle.head == LANGUAGE_MODEL:
        state = bundle.language_model().state_dict()
        return {"model": {n.removeprefix("transformer."): _own(t) for n, t in state.items()}}
    parts: dict[str, dict[str, Tensor]] = {"encoder": {}, "decoder": {}}
    for name, tensor in bundle.encoder_decoder().state_dict().items():
        part, _, rest = name.partition(".")
        side, inner = ("decoder", name) if part == "pred_layer" else (part, rest)
        parts[side][inner] = _own(tensor)
    # The original's encoder has a prediction layer too, by which it learns MLM beside translation.
    words = parts["encoder"]["embeddings.weight"]
    if not bundle.architecture.asm:
        parts["encoder"] |= {
            _TIED: _own(words),
            "pred_layer.proj.bias": words.new_zeros(len(words)),
        }
    parts["encoder"] |= {
        name.removeprefix("encoder_"): _own(tensor)
        for name, tensor in bundle.weights.items()
        if name.startswith(ENCODER_PREDICTION)
    }
    return parts


def _own(tensor: Tensor) -> Tensor:
    return tensor.detach().clone()


def _original_word(symbol: str) -> str:
    if symbol.endswith(END_OF_WORD):
        return symbol.removesuffix(END_OF_WORD)
    return symbol + _CONTINUED


def _original_params(bundle: Bundle) -> dict[str, Any]:
    """Return the settings that the original's loader asks for."""
    shape, lang2id = bundle.architecture, bundle.tokenizer.lang2id
    languages = [code for code, _ in sorted(lang2id.items(), key=lambda item: item[1])]
    params: dict[str, Any] = {
        "encoder_only": bundle.head == LANGUAGE_MODEL,
        "share_inout_emb": shape.tie_word_embeddings,
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
            "mem_dec_positions": list(memory.decoder_positions),
            "mem_heads": memory.n_heads,
            "mem_n_keys": memory.n_keys,
            "mem_k_dim": memory.key_dim,
            "mem_knn": memory.n_neighbors,
            "mem_query_layer_sizes": [0, *memory.query_sizes, 0],
            "mem_query_bias": memory.query_bias,
            "mem_query_batchnorm": memory.query_batch_norm,
        }
    return params
