"""Writing on: the words that the PyTorch class writes, in a language for each text."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from xlmkit.keras.generation import Draw

from .conftest import array

PROMPTS = np.array([[7, 8, 9], [12, 13, 14]], dtype="int32")


def _next_word(model: Any, text: list[int], lang: int) -> int:
    """Return the most probable next word of one text, computed alone."""
    ids = text if model.config.causal else [*text, model.config.mask_token_id]
    ids = np.array([ids], dtype="int32")
    return int(array(model(ids, langs=np.full_like(ids, lang)).logits)[0, -1].argmax())


@pytest.mark.parametrize("seed", range(3))
def test_a_masked_model_writes_what_the_pytorch_class_writes(
    make_model: Callable[..., Any], tmp_path: Path, seed: int
) -> None:
    model = make_model("WithLMHeadModel", seed, mask_token_id=5, lang_id=1)
    bias = array(model.pred_layer.bias).copy()
    bias[2] = -100  # transformers takes padding that was written for padding
    model.pred_layer.bias.assign(bias)
    model.save_pretrained(tmp_path)
    theirs = transformers.XLMWithLMHeadModel.from_pretrained(tmp_path)
    expected = theirs.generate(
        torch.tensor(PROMPTS, dtype=torch.long), do_sample=False, max_length=10, use_cache=False
    )
    written = array(model.generate(PROMPTS, max_length=10))
    np.testing.assert_array_equal(written, expected.numpy())


@pytest.mark.parametrize("causal", [False, True])
def test_every_text_is_written_as_if_it_were_alone_in_its_language(
    make_model: Callable[..., Any], causal: bool
) -> None:
    model = make_model("WithLMHeadModel", causal=causal, mask_token_id=5, eos_token_id=None)
    texts, langs = [[7, 8, 9], [12, 13], [14]], [2, 0, 1]
    ids = np.full((3, 3), 2, dtype="int32")
    for row, text in enumerate(texts):
        ids[row, 3 - len(text) :] = text
    written = array(model.generate(ids, langs=np.array(langs), max_new_tokens=4))
    assert written.shape == (3, 7)
    for row, (text, lang) in enumerate(zip(texts, langs, strict=True)):
        for _ in range(4):
            text = [*text, _next_word(model, text, lang)]
        assert written[row, 3 - len(texts[row]) :].tolist() == text
    by_token = np.repeat(np.array(langs)[:, None], 3, axis=1)
    again = array(model.generate(ids, ids != 2, by_token, max_length=7))
    np.testing.assert_array_equal(again, written)


def test_a_text_ends_with_its_end(make_model: Callable[..., Any]) -> None:
    model = make_model("WithLMHeadModel", causal=True, eos_token_id=None)
    free = array(model.generate(PROMPTS, max_length=9))
    model.config.eos_token_id = int(free[0, 4])
    ended = array(model.generate(PROMPTS, max_length=9))
    end = 4 + free[0, 3:].tolist().index(model.config.eos_token_id)
    assert ended[0].tolist() == [*free[0, :end], *[2] * (ended.shape[1] - end)]
    model.config.eos_token_id = [int(free[0, 3]), int(free[1, 3])]
    assert array(model.generate(PROMPTS, max_length=9)).shape == (2, 4)


def test_drawing_is_repeatable_and_differs(make_model: Callable[..., Any]) -> None:
    model = make_model("WithLMHeadModel", causal=True)
    first, again, other = (
        array(model.generate(PROMPTS, max_length=15, do_sample=True, seed=s)) for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or (first != other).any()
    greedy = array(model.generate(PROMPTS, max_length=15))
    one = array(model.generate(PROMPTS, max_length=15, do_sample=True, top_k=1))
    np.testing.assert_array_equal(one, greedy)
    from_start = array(model.generate(max_length=5, do_sample=True))
    assert from_start[0, 0] == model.config.bos_token_id


@pytest.mark.parametrize(
    ("options", "odds"),
    [
        ({}, [0.5, 0.25, 0.15, 0.1]),
        ({"temperature": 0.5}, [0.25, 0.0625, 0.0225, 0.01]),
        ({"top_k": 2}, [0.5, 0.25, 0, 0]),
        ({"top_p": 0.7}, [0.5, 0.25, 0, 0]),
        ({"top_p": 0.76}, [0.5, 0.25, 0.15, 0]),
    ],
)
def test_words_are_drawn_by_their_probability(options: dict[str, Any], odds: list[float]) -> None:
    rng = np.random.default_rng(0)
    draw = Draw(**{"temperature": 1.0, "top_k": 0, "top_p": 1.0, "rng": rng, **options})
    scores = np.log(np.tile([0.1, 0.5, 0.15, 0.25], (20000, 1)))
    shares = np.bincount(draw(scores), minlength=4)[[1, 3, 2, 0]] / 20000
    np.testing.assert_allclose(shares, np.array(odds) / sum(odds), atol=0.015)


def test_what_cannot_be_written_is_named(make_model: Callable[..., Any]) -> None:
    model = make_model("WithLMHeadModel")
    with pytest.raises(ValueError, match="pad shorter texts on the left"):
        model.generate(np.array([[7, 2]]))
    with pytest.raises(ValueError, match="24 positions"):
        model.generate(PROMPTS, max_length=24)
    with pytest.raises(ValueError, match="max_length has to be"):
        model.generate(PROMPTS, max_length=3)
    with pytest.raises(ValueError, match=r"without beams.*xlmkit\.XLMWithLMHeadModel"):
        model.generate(PROMPTS, num_beams=4)
