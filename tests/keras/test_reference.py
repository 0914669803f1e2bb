"""The Keras classes give what the PyTorch classes of `transformers` give: outputs and gradients."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

import xlmkit.keras

from .conftest import CHOICES, HEADS, LENGTH, ROWS, WIDTH, WORDS, array, labels_for

SEEDS = 40
TOLERANCE = 1e-4


def _choices(rng: np.random.Generator, head: str) -> dict[str, Any]:
    """Return a random configuration."""
    return {
        "n_layers": int(rng.integers(1, 3)),
        "n_heads": int(rng.choice([2, 4])),
        "n_langs": int(rng.choice([1, 3])),
        "use_lang_emb": bool(rng.random() < 0.8),
        "causal": bool(rng.random() < 0.4),
        "gelu_activation": bool(rng.random() < 0.7),
        "sinusoidal_embeddings": bool(rng.random() < 0.3),
        "layer_norm_eps": float(rng.choice([1e-12, 1e-5])),
        "pad_token_id": int(rng.choice([2, 5])),
        "tie_word_embeddings": bool(rng.random() < 0.7),
        "num_labels": 2 if head == "ForQuestionAnsweringSimple" else int(rng.choice([2, 4])),
        "summary_type": str(rng.choice(["first", "last", "mean", "cls_index"])),
        "summary_activation": [None, "tanh", "gelu", "relu"][rng.integers(4)],
        "summary_use_proj": head == "ForMultipleChoice" or bool(rng.random() < 0.8),
        "summary_proj_to_labels": True,
    }


def _inputs(rng: np.random.Generator, head: str, config: Any) -> dict[str, np.ndarray]:
    """Return random inputs: padded in each of the possible ways, with what may be given besides."""
    shape = (ROWS, CHOICES, LENGTH) if head == "ForMultipleChoice" else (ROWS, LENGTH)
    lengths = rng.integers(1, LENGTH + 1, shape[:-1])
    real = np.arange(LENGTH) < lengths[..., None]
    ids = rng.integers(6, WORDS, shape)
    inputs: dict[str, np.ndarray] = {}
    way = str(rng.choice(["full", "by id", "mask", "holes", "lengths", "embeddings"]))
    if way in ("by id", "mask"):
        ids = np.where(real, ids, config.pad_token_id)
    if way == "holes" and not config.causal:  # a causal model of transformers sees the holes
        real = rng.random(shape) < 0.7
        real[..., 0] = True
    if way in ("mask", "holes"):
        inputs["attention_mask"] = real.astype("int32")
    if way == "lengths" and head != "ForMultipleChoice":
        inputs["lengths"] = lengths
    if way == "embeddings":
        inputs["inputs_embeds"] = rng.normal(size=(*shape, WIDTH)).astype("float32")
    else:
        inputs["input_ids"] = ids
    if rng.random() < 0.6:
        inputs["langs"] = rng.integers(0, config.n_langs, shape)
    if rng.random() < 0.4:
        inputs["token_type_ids"] = rng.integers(0, 9, shape)
    if rng.random() < 0.4:
        inputs["position_ids"] = rng.integers(0, config.max_position_embeddings, shape)
    return {
        name: value.astype("int32", copy=False) if value.dtype == np.int64 else value
        for name, value in inputs.items()
    }


def _in_torch(inputs: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {
        name: torch.tensor(value.astype("int64") if value.dtype == np.int32 else value)
        for name, value in inputs.items()
    }


def _real(inputs: dict[str, np.ndarray], pad: int) -> np.ndarray:
    """Return the real tokens, (rows, LENGTH)."""
    if "attention_mask" in inputs:
        real = inputs["attention_mask"] != 0
    elif "lengths" in inputs:
        real = np.arange(LENGTH) < inputs["lengths"][:, None]
    elif "input_ids" in inputs:
        count = (inputs["input_ids"] != pad).sum(-1, keepdims=True)
        real = np.arange(LENGTH) < count
    else:
        real = np.ones(inputs["inputs_embeds"].shape[:-1], dtype=bool)
    return real.reshape(-1, LENGTH)


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("head", HEADS)
def test_outputs_and_gradients_are_those_of_the_pytorch_class(
    head: str,
    seed: int,
    tmp_path: Path,
    make_model: Callable[..., Any],
    gradients: Callable[..., dict[str, np.ndarray]],
) -> None:
    rng = np.random.default_rng([HEADS.index(head), seed])
    model = make_model(head, seed, **_choices(rng, head))
    model.save_pretrained(tmp_path)
    theirs = getattr(transformers, f"XLM{head}").from_pretrained(tmp_path).eval()
    inputs = _inputs(rng, head, model.config)
    real = _real(inputs, model.config.pad_token_id)
    if head != "ForSequenceClassification" or model.config.summary_use_proj:
        inputs |= labels_for(head, rng, model.config.num_labels)

    flags = {"output_hidden_states": True, "output_attentions": True}
    output, expected = model(inputs, **flags), theirs(**_in_torch(inputs), **flags)
    assert tuple(output.keys()) == tuple(expected.keys())
    for name in set(expected) - {"loss", "attentions", "hidden_states"}:
        _assert_close(output[name], expected[name])
    for ours, other in zip(output.hidden_states, expected.hidden_states, strict=True):
        _assert_close(ours, other)
    for ours, other in zip(output.attentions, expected.attentions, strict=True):
        # Causal models of transformers see padding; only padding ever looks at it.
        rows = real if model.config.causal else np.ones_like(real)
        _assert_close(np.moveaxis(array(ours), 2, 1)[rows], other.transpose(1, 2)[rows])
    loss = torch.sin(expected[0]).sum()
    if expected.get("loss") is not None:
        loss = expected.loss
        _assert_close(np.mean(array(output.loss)), loss)

    loss.backward()
    found = gradients(model, inputs)
    for name, parameter in theirs.named_parameters():
        name = name if head != "Model" else f"transformer.{name}"
        if name in found:
            other = parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)
            scale = max(1.0, float(other.abs().max()))
            _assert_close(found.pop(name) / scale, other / scale)
    assert found == {}, "gradients of weights that the PyTorch class lacks"


def _assert_close(ours: Any, theirs: torch.Tensor) -> None:
    np.testing.assert_allclose(array(ours), theirs.detach().numpy(), atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("head", HEADS)
def test_the_signature_of_call_is_that_of_hugging_faces_class(head: str) -> None:
    import inspect

    cls = getattr(xlmkit.keras, f"TFXLM{head}")
    labels = {"Model": (), "ForQuestionAnsweringSimple": ("start_positions", "end_positions")}
    assert tuple(inspect.signature(cls.call).parameters) == (
        "self", "input_ids", "attention_mask", "langs", "token_type_ids", "position_ids",
        "lengths", "cache", "head_mask", "inputs_embeds", "output_attentions",
        "output_hidden_states", "return_dict", *labels.get(head, ("labels",)), "training",
    )  # fmt: skip
