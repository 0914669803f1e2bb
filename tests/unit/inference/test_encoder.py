from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from xlmkit import SentenceEncoder
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.errors import UserError
from xlmkit.data.batch import SegmentRows

TEXTS = ["a b c", "", "c", "b a b c a", "a", "a b c"]
LANGUAGES = ["en", "fr", "fr", "en", "fr", "fr"]


def alone(folder: Path, text: str, language: str, layer: int, pooling: str) -> np.ndarray:
    """The vector of one text, from the plain model."""
    bundle = Bundle.load(folder)
    ids = bundle.tokenizer.encode_batch([text], language)[0]
    inputs = SegmentRows([((ids, bundle.tokenizer.lang2id[language]),)], 32).batch([0])
    with torch.inference_mode():
        state = inputs.fed_to(bundle.transformer().states)[layer][0]
    return np.asarray(state[0] if pooling == "first" else state.mean(dim=0))


@pytest.mark.parametrize(
    ("choices", "layer", "pooling"),
    [({}, 2, "mean"), ({"pooling": "first"}, 2, "first"), ({"layer": 1}, 1, "mean")],
)
def test_vectors_are_those_of_each_text_alone(
    language_model: Path, choices: dict[str, Any], layer: int, pooling: str
) -> None:
    encoder = SentenceEncoder.from_pretrained(language_model, precision="float32", **choices)
    for batch_tokens in (4096, 16):
        made = encoder.encode(TEXTS, LANGUAGES, batch_tokens=batch_tokens)
        assert made.dtype == np.float32
        for row, text, code in zip(made, TEXTS, LANGUAGES, strict=True):
            expected = alone(language_model, text, code, layer, pooling)
            np.testing.assert_allclose(row, expected, atol=1e-5)


def test_one_language_serves_all_and_no_texts_give_no_rows(language_model: Path) -> None:
    encoder = SentenceEncoder.from_pretrained(language_model)
    assert encoder.encode([], "en").shape == (0, 16)
    np.testing.assert_array_equal(
        encoder.encode(["a", "b"], "fr"), encoder.encode(["a", "b"], ["fr", "fr"])
    )


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_other_precisions_stay_close(language_model: Path, precision: Any) -> None:
    plain = SentenceEncoder.from_pretrained(language_model, precision="float32")
    other = SentenceEncoder.from_pretrained(language_model, precision=precision)
    one, two = (encoder.encode(TEXTS, LANGUAGES) for encoder in (plain, other))
    assert not np.array_equal(one, two)
    cosine = (one * two).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(two, axis=1)
    assert cosine.min() > 0.995


@pytest.mark.parametrize(
    ("languages", "message"),
    [("de", "does not know the language 'de', only en, fr"), (["en"], "2 texts but 1 languages")],
)
def test_languages_that_do_not_fit(language_model: Path, languages: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        SentenceEncoder.from_pretrained(language_model).encode(["a", "b"], languages)


@pytest.mark.parametrize("layer", [-1, 3])
def test_a_layer_that_is_not_there(language_model: Path, layer: int) -> None:
    with pytest.raises(UserError, match="layers 0 to 2"):
        SentenceEncoder.from_pretrained(language_model, layer=layer)


def test_one_text_is_no_list(language_model: Path) -> None:
    with pytest.raises(UserError, match="The texts are to be a list"):
        SentenceEncoder.from_pretrained(language_model).encode("a b", "en")
