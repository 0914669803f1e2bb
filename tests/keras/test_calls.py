"""A call takes its arguments in every form, gives named tuples, and names mistakes."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import transformers

import xlmkit.keras
from xlmkit import XLMConfig
from xlmkit.keras import TFXLMMainLayer, TFXLMModel, TFXLMWithLMHeadModel
from xlmkit.keras.outputs import TFBaseModelOutput

from .conftest import HEADS, array


def test_all_forms_of_a_call_are_the_same(
    make_model: Callable[..., Any], example: Callable[..., Any]
) -> None:
    model, inputs = make_model(), example("Model")
    ids, mask, langs = inputs.values()
    expected = array(model(**inputs)[0])
    for output in (
        model(inputs),
        model([ids, mask, langs]),
        model((ids, mask), langs=langs),
        model(ids, mask, langs),
        model({"input_ids": ids, "langs": langs}, attention_mask=mask),
        model({**inputs, "return_dict": True, "output_attentions": False}),
        model(transformers.BatchEncoding(inputs)),
        model.call(inputs),
    ):
        np.testing.assert_array_equal(array(output.last_hidden_state), expected)


def test_outputs_are_tuples_with_names(
    make_model: Callable[..., Any], example: Callable[..., Any]
) -> None:
    model, inputs = make_model("ForSequenceClassification"), example("ForSequenceClassification")
    output = model(inputs, output_hidden_states=True)
    assert tuple(output.keys()) == ("loss", "logits", "hidden_states")
    assert output.attentions is None
    assert "attentions" not in output
    assert output["logits"] is output.logits is output[1]
    loss, logits, states = output
    assert logits is output.logits
    assert [*output.items()] == [*zip(output.keys(), output.values(), strict=True)]
    assert len(states) == len(output.hidden_states) == 3
    with pytest.raises(KeyError):
        output["attentions"]
    with pytest.raises(AttributeError):
        _ = output.scores
    plain = model(inputs, output_hidden_states=True, return_dict=False)
    assert type(plain) is tuple
    np.testing.assert_array_equal(array(plain[0]), array(loss))

    del inputs["labels"]
    assert tuple(model(inputs).keys()) == ("logits",)


def test_outputs_can_be_copied_pickled_and_taken_apart() -> None:
    output = TFBaseModelOutput.of(last_hidden_state=np.ones(2), attentions=(np.zeros(1),))
    for again in (
        copy.deepcopy(output),
        pickle.loads(pickle.dumps(output)),  # noqa: S301
        keras.tree.map_structure(lambda value: value, output),
    ):
        assert isinstance(again, TFBaseModelOutput)
        assert tuple(again.keys()) == ("last_hidden_state", "attentions")
        assert again.last_hidden_state.tolist() == [1, 1]
    with pytest.raises(TypeError, match="has no logits"):
        TFBaseModelOutput.of(logits=1)


def test_what_is_asked_for_by_the_configuration_is_given(
    make_model: Callable[..., Any], example: Callable[..., Any]
) -> None:
    model = make_model(output_hidden_states=True, output_attentions=True)
    output = model(example("Model"))
    assert len(output.hidden_states) == 3
    assert [value.shape for value in output.attentions] == [(3, 4, 6, 6)] * 2
    plain = make_model(return_dict=False)
    assert type(plain(example("Model"))) is tuple


def test_mistakes_in_a_call_are_named(
    make_model: Callable[..., Any], example: Callable[..., Any]
) -> None:
    model, inputs = make_model(), example("Model")
    with pytest.raises(ValueError, match="takes no 'labels'"):
        model({**inputs, "labels": np.zeros(3)})
    with pytest.raises(TypeError, match="attention_mask was given twice"):
        model(inputs, attention_mask=inputs["attention_mask"])
    with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
        model(attention_mask=inputs["attention_mask"])
    with pytest.raises(ValueError, match=r"keep no cache.*xlmkit\.XLMWithLMHeadModel"):
        model(inputs, cache={"slen": np.zeros(1)})
    choice, inputs = make_model("ForMultipleChoice"), example("ForMultipleChoice")
    expected = array(choice(inputs).logits)
    with pytest.warns(UserWarning, match="ignores lengths"):
        output = choice({**inputs, "lengths": np.ones((3, 2))})
    np.testing.assert_array_equal(array(output.logits), expected)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"asm": True, "asm_cutoffs": [10, 20]}, r"\(asm\); use the PyTorch class xlmkit\.XLMWith"),
        ({"memory": {"positions": [[1, "in"]]}}, r"memories.*xlmkit\.XLMModel"),
        ({"is_encoder": False}, r"no decoder.*xlmkit\.XLMModel"),
        ({"n_heads": 5}, "emb_dim=16 is no multiple of n_heads=5"),
        ({"summary_type": "attn"}, "choose last, first, mean or cls_index"),
        ({"summary_activation": "swoosh"}, "choose gelu, gelu_new"),
    ],
)
def test_what_a_configuration_cannot_have_is_named(
    make_config: Callable[..., Any], choices: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        xlmkit.keras.TFXLMForSequenceClassification(make_config(**choices))


def test_configurations_of_transformers_and_mappings_are_taken(
    make_config: Callable[..., Any],
) -> None:
    config = make_config()
    other = transformers.XLMConfig(**config.to_dict())
    for given in (config, other, config.to_dict()):
        model = TFXLMModel(given)
        assert isinstance(model.config, XLMConfig)
        assert model.config.emb_dim == 16
    with pytest.raises(TypeError, match="made from an XLMConfig"):
        TFXLMModel(transformers.BertConfig())
    with pytest.raises(ValueError, match="set num_labels=2, not 3"):
        xlmkit.keras.TFXLMForQuestionAnsweringSimple(make_config(num_labels=3))


@pytest.mark.parametrize("head", HEADS)
def test_dummy_inputs_and_sizes_are_those_of_hugging_face(
    make_model: Callable[..., Any], head: str
) -> None:
    model = make_model(head)
    output = model(model.dummy_inputs)
    assert output[0].shape[0] == 3
    theirs = getattr(transformers, f"XLM{head}")(model.config)
    count = sum(parameter.numel() for parameter in theirs.parameters())
    assert model.num_parameters() == model.count_params() == count
    assert model.num_parameters(only_trainable=True) == count
    sinusoidal = make_model(head, sinusoidal_embeddings=True)
    assert sinusoidal.num_parameters(only_trainable=True) == count - 24 * 16


def test_a_vocabulary_grows_and_shrinks(make_model: Callable[..., Any]) -> None:
    for tied in (True, False):
        model = make_model("WithLMHeadModel", tie_word_embeddings=tied)
        ids = np.array([[7, 8, 9]], dtype="int32")
        before = array(model(ids).logits)
        model.compile("adam")
        for size in (50, 30):
            layer = model.resize_token_embeddings(size)
            assert layer is model.get_input_embeddings()
            assert layer.weight.shape == (size, 16)
            assert model.get_output_embeddings().weight.shape == (size, 16)
            assert model.get_bias()["bias"].shape == (size,)
            assert model.config.vocab_size == size
            logits = array(model(ids).logits)
            assert logits.shape == (1, 3, size)
            kept = min(size, 40)
            np.testing.assert_allclose(logits[..., :kept], before[..., :kept], atol=1e-5)
            with pytest.raises(ValueError, match="compile"):
                model.fit({"input_ids": ids, "labels": ids}, verbose=0)
            before = logits
        model.compile("adam", jit_compile=False)
        model.fit({"input_ids": ids, "langs": ids % 3, "labels": ids}, verbose=0)
        assert len(model.trainable_variables) == len({v.path for v in model.trainable_variables})
    assert TFXLMModel(model.config).get_output_embeddings() is None


def test_the_encoder_is_a_layer_of_other_models(make_model: Callable[..., Any]) -> None:
    config = make_model().config
    layer = TFXLMMainLayer(config)
    inputs = {
        name: keras.Input((6,), dtype="int32", name=name)
        for name in ("input_ids", "attention_mask")
    }
    pooled = keras.layers.GlobalAveragePooling1D()(layer(inputs)[0])
    model = keras.Model(inputs, keras.layers.Dense(3)(pooled))
    ids = np.arange(6, 12, dtype="int32")[None]
    batch = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    assert model(batch).shape == (1, 3)
    again = TFXLMMainLayer.from_config(layer.get_config())
    assert again.config.to_dict() == config.to_dict()
    assert TFXLMWithLMHeadModel.from_config(config).config.emb_dim == 16
