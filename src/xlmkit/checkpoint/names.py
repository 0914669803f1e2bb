"""Hugging Face's `config.json` for an architecture, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from xlmkit.core.errors import UserError
from xlmkit.model.config import Architecture, MemoryShape
from xlmkit.text.vocabulary import BOS, EOS, MASK, PAD, UNK

LANGUAGE_MODEL = "XLMWithLMHeadModel"
SEQUENCE_CLASSIFIER = "XLMForSequenceClassification"
TOKEN_CLASSIFIER = "XLMForTokenClassification"  # noqa: S105 - no password
SIMPLE_ANSWERER = "XLMForQuestionAnsweringSimple"
BEAM_ANSWERER = "XLMForQuestionAnswering"
TRANSLATOR = "XLMForConditionalGeneration"
"""Heads, by the names of the classes that Hugging Face opens them with."""

BEAM_SIZES = ("start_n_top", "end_n_top")
"""Keys of `config.json`: how many starts a beam head follows up, and how many ends of each."""

ENCODER_PREDICTION = "encoder_pred_layer."
"""A translator's tensors of this prefix are those by which its encoder learns MLM."""


def to_config_json(
    architecture: Architecture,
    lang2id: Mapping[str, int],
    head: str,
    labels: Sequence[str] = (),
    summary_type: str = "first",
    beam_sizes: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Return the contents of `config.json`, which `transformers.XLMConfig` reads.

    Args:
        architecture: the shape.
        lang2id: language to id.
        head: the class that Hugging Face opens it with.
        labels: class names, for a classifier.
        summary_type: how a classifier pools.
        beam_sizes: `BEAM_SIZES` to numbers, for a beam head.
    """
    shape = {field.name: getattr(architecture, field.name) for field in fields(architecture)}
    shape["asm_cutoffs"] = list(architecture.asm_cutoffs)
    shape["memory"] = None if architecture.memory is None else asdict(architecture.memory)
    pad = shape.pop("pad_index")
    shape["is_encoder"] = not shape.pop("is_decoder")
    config: dict[str, Any] = {
        "model_type": "xlm",
        "architectures": [head],
        "vocab_size": shape.pop("n_words"),
        **shape,
        "lang2id": dict(lang2id),
        "id2lang": {str(number): language for language, number in lang2id.items()},
        "unk_index": UNK,
        "mask_index": MASK,
        "pad_token_id": pad,
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        "mask_token_id": MASK,
        "dtype": "float32",
    }
    if head == TRANSLATOR:
        config |= {"is_encoder_decoder": True, "decoder_start_token_id": EOS}
    config |= beam_sizes or {}
    if labels:
        config |= {
            "id2label": {str(number): label for number, label in enumerate(labels)},
            "label2id": {label: number for number, label in enumerate(labels)},
            "summary_type": summary_type,
            "summary_use_proj": True,
            "summary_activation": None,
            "summary_proj_to_labels": True,
            "summary_over_padding": False,
        }
    return config


def from_config_json(config: Mapping[str, Any], where: Path | str) -> Architecture:
    """Return the architecture that a `config.json` describes.

    Args:
        config: its contents.
        where: what messages call it.

    Raises:
        UserError: it is not an XLM model, or a size is missing.
    """
    if "model_type" not in config:
        raise UserError(f"{where} names no model_type; is it in the folder of a model?")
    if config.get("model_type") != "xlm":
        raise UserError(f"{where} is for a {config.get('model_type')} model, not for XLM.")
    values = {
        field.name: config[field.name] for field in fields(Architecture) if field.name in config
    }
    values["n_words"] = config.get("vocab_size", config.get("n_words"))
    missing = [
        name for name in ("n_words", "n_layers", "emb_dim", "n_heads") if not values.get(name)
    ]
    if missing:
        raise UserError(f"{where} lacks {', '.join(missing)}.")
    values.setdefault("n_langs", 1)
    pad = config.get("pad_token_id", config.get("pad_index"))
    values["pad_index"] = PAD if pad is None else pad
    values["is_decoder"] = not config.get("is_encoder", True)
    values["asm_cutoffs"] = tuple(values.get("asm_cutoffs") or ())
    if memory := values.get("memory"):
        places = {
            name: tuple((int(layer), place) for layer, place in memory.get(name, ()))
            for name in ("positions", "decoder_positions")
        }
        known = {field.name for field in fields(MemoryShape)}
        if unknown := sorted(set(memory) - known):
            raise UserError(
                f"{where}: memory has no {', '.join(unknown)}, only {', '.join(sorted(known))}."
            )
        sizes = {"query_sizes": tuple(memory.get("query_sizes", ()))}
        values["memory"] = MemoryShape(**{**memory, **places, **sizes})
    return Architecture(**values)
