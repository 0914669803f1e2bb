"""What differs from Hugging Face on purpose: padding on the left, and padding of causal models."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from .conftest import HEADS, array, labels_for

TEXTS = [[7, 8, 9, 10, 11], [12, 13, 14], [15]]


def _padded(side: str) -> tuple[np.ndarray, np.ndarray]:
    """Return ids and mask of the texts, both (3, 6)."""
    ids, mask = np.full((3, 6), 2, dtype="int32"), np.zeros((3, 6), dtype="int32")
    for row, text in enumerate(TEXTS):
        place = slice(6 - len(text), 6) if side == "left" else slice(0, len(text))
        ids[row, place], mask[row, place] = text, 1
    return ids, mask


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("masked", [True, False])
def test_padded_rows_equal_the_texts_alone(
    make_model: Callable[..., Any], causal: bool, side: str, masked: bool
) -> None:
    model = make_model("WithLMHeadModel", causal=causal)
    ids, mask = _padded(side)
    given = {"input_ids": ids, "attention_mask": mask} if masked else {"input_ids": ids}
    output = model(given, output_hidden_states=True)
    for row, text in enumerate(TEXTS):
        alone = model(np.array([text], dtype="int32"), output_hidden_states=True)
        real = mask[row] == 1
        np.testing.assert_allclose(
            array(output.logits)[row, real], array(alone.logits)[0], atol=1e-5
        )
        for padded, single in zip(output.hidden_states, alone.hidden_states, strict=True):
            padded = array(padded)[row]
            np.testing.assert_allclose(padded[real], array(single)[0], atol=1e-5)
            assert not padded[~real].any()


def test_a_causal_model_sees_neither_padding_nor_what_comes(
    make_model: Callable[..., Any],
) -> None:
    model = make_model(causal=True)
    ids, mask = _padded("left")
    weights = array(model(ids, attention_mask=mask, output_attentions=True).attentions[1])
    for row in range(3):
        for query in np.flatnonzero(mask[row]):
            seen = (mask[row] == 1) & (np.arange(6) <= query)
            assert not weights[row, :, query, ~seen].any()
            np.testing.assert_allclose(weights[row, :, query].sum(-1), 1, atol=1e-6)


@pytest.mark.parametrize("kind", ["first", "last", "mean"])
def test_a_summary_without_padding_is_that_of_the_text_alone(
    make_model: Callable[..., Any], kind: str
) -> None:
    model = make_model(
        "ForSequenceClassification", summary_type=kind, summary_over_padding=False, num_labels=3
    )
    for side in ("left", "right"):
        ids, mask = _padded(side)
        logits = array(model(ids, attention_mask=mask).logits)
        for row, text in enumerate(TEXTS):
            alone = array(model(np.array([text], dtype="int32")).logits)
            np.testing.assert_allclose(logits[row], alone[0], atol=1e-5)


@pytest.mark.parametrize("head", ["ForSequenceClassification", "ForMultipleChoice"])
def test_padding_on_the_left_leaves_the_usual_summary_as_it_is(
    make_model: Callable[..., Any], example: Callable[..., Any], head: str
) -> None:
    model, inputs = make_model(head), example(head)
    labels = labels_for(head, np.random.default_rng(0))
    inputs = {name: value for name, value in inputs.items() if name not in labels}
    wider = {
        name: np.pad(value, [(0, 0)] * (value.ndim - 1) + [(2, 0)], constant_values=pad)
        for (name, value), pad in zip(inputs.items(), (2, 0, 0), strict=True)
    }
    np.testing.assert_allclose(array(model(wider).logits), array(model(inputs).logits), atol=1e-5)


@pytest.mark.parametrize("head", HEADS)
def test_a_row_of_padding_alone_gives_finite_numbers(
    make_model: Callable[..., Any], example: Callable[..., Any], head: str
) -> None:
    model, inputs = make_model(head), example(head)
    inputs["attention_mask"] = np.zeros_like(inputs["attention_mask"])
    for value in model(inputs):
        assert np.isfinite(array(value)).all()


def test_heads_can_be_turned_off(make_model: Callable[..., Any]) -> None:
    model = make_model()
    ids, mask = _padded("right")
    plain = array(model(ids, mask)[0])
    all_on = np.ones((2, 4), dtype="float32")
    np.testing.assert_allclose(array(model(ids, mask, head_mask=all_on)[0]), plain, atol=1e-6)
    without = np.array([1, 0, 1, 1], dtype="float32")
    masked = array(model(ids, mask, head_mask=without)[0])
    assert np.abs(masked - plain).max() > 0.01
    for attention in model.transformer.attentions:
        kernel = array(attention.out_lin.kernel).copy()
        kernel[4:8] = 0  # what the second of four heads of width 4 adds
        attention.out_lin.kernel.assign(kernel)
    np.testing.assert_allclose(array(model(ids, mask)[0]), masked, atol=1e-5)
