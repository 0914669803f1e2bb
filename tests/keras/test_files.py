"""Files of all kinds are read, and what is written is read by the PyTorch classes."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import safetensors.torch
import torch
import transformers

import xlmkit.keras
from xlmkit.keras import TFXLMForSequenceClassification, TFXLMModel, TFXLMWithLMHeadModel

from .conftest import HEADS, array

DATA = Path(__file__).parent / "data"
"""Models that Hugging Face's TensorFlow classes wrote (transformers 4.57), with their outputs."""


@pytest.mark.parametrize("kind", ["h5", "safetensors", "safetensors_pieces"])
def test_models_of_hugging_faces_tensorflow_classes_give_their_outputs(kind: str) -> None:
    _assert_gives_its_outputs(DATA / kind)
    _assert_gives_its_outputs(DATA / kind, from_pt=False)


def _assert_gives_its_outputs(folder: Path, **options: Any) -> None:
    head = json.loads((folder / "config.json").read_text())["architectures"][0]
    cls = getattr(xlmkit.keras, f"TF{head}")
    model, loading = cls.from_pretrained(folder, output_loading_info=True, **options)
    assert not any(loading.values())
    arrays = dict(np.load(folder / "example.npz"))
    expected = {name: arrays.pop(name) for name in list(arrays) if name.startswith("expected.")}
    output = model(arrays, output_hidden_states=True)
    seen = set()
    for name, value in output.items():
        for number, one in enumerate(value if isinstance(value, tuple) else [value]):
            key = f"expected.{name}.{number}" if isinstance(value, tuple) else f"expected.{name}"
            assert one.shape == expected[key].shape
            np.testing.assert_allclose(array(one), expected[key], atol=1e-5)
            seen.add(key)
    assert seen == set(expected)


def test_pieces_of_h5_are_read(tmp_path: Path) -> None:
    """Hugging Face wrote the pieces of an h5 file with flat names, without groups of layers."""
    pieces = DATA / "safetensors_pieces"
    for name in ("config.json", "example.npz"):
        shutil.copy(pieces / name, tmp_path)
    index = json.loads((pieces / "model.safetensors.index.json").read_text())["weight_map"]
    places = {}
    for number, file in enumerate(sorted(set(index.values()))):
        piece = f"tf_model-{number + 1:05}-of-00003.h5"
        with h5py.File(tmp_path / piece, "w") as target:
            for name, value in safetensors.torch.load_file(pieces / file).items():
                target.create_dataset(name, data=value.numpy())
                places[name] = piece
    (tmp_path / "tf_model.h5.index.json").write_text(json.dumps({"weight_map": places}))
    _assert_gives_its_outputs(tmp_path)
    (tmp_path / "tf_model-00002-of-00003.h5").unlink()
    with pytest.raises(OSError, match=r"lacks tf_model-00002-of-00003\.h5"):
        _assert_gives_its_outputs(tmp_path)


@pytest.mark.parametrize("head", HEADS)
def test_what_is_written_is_read_by_both(
    head: str, tmp_path: Path, make_model: Callable[..., Any], example: Callable[..., Any]
) -> None:
    model = make_model(head)
    model.save_pretrained(tmp_path)
    inputs = example(head)
    cls, theirs = type(model), getattr(transformers, f"XLM{head}")
    again, loading = cls.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(loading.values())
    np.testing.assert_array_equal(array(again(inputs)[0]), array(model(inputs)[0]))

    pytorch, loading = theirs.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(loading[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert pytorch.config.architectures == [f"XLM{head}"]
    assert pytorch.dtype == torch.float32
    assert (tmp_path / "generation_config.json").exists() == (head == "WithLMHeadModel")
    pytorch.save_pretrained(tmp_path / "pytorch")
    here = safetensors.torch.load_file(tmp_path / "model.safetensors")
    there = safetensors.torch.load_file(tmp_path / "pytorch" / "model.safetensors")
    assert set(here) == set(there)
    assert all(torch.equal(here[name], there[name]) for name in here)


def test_pytorchs_pickle_and_pieces_are_read(
    tmp_path: Path, make_model: Callable[..., Any], example: Callable[..., Any]
) -> None:
    model = make_model("WithLMHeadModel")
    model.save_pretrained(tmp_path)
    expected = array(model(example("Model")).logits)
    theirs = transformers.XLMWithLMHeadModel.from_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()

    torch.save(theirs.state_dict(), tmp_path / "pytorch_model.bin")
    for options in ({}, {"from_pt": True}):
        again = TFXLMWithLMHeadModel.from_pretrained(tmp_path, **options)
        np.testing.assert_array_equal(array(again(example("Model")).logits), expected)
    with pytest.raises(OSError, match=r"no model\.safetensors of TensorFlow and no tf_model\.h5"):
        TFXLMWithLMHeadModel.from_pretrained(tmp_path, from_pt=False)
    torch.save({"weight": Path("x")}, tmp_path / "pytorch_model.bin")
    with pytest.raises(OSError, match="holds more than tensors"):
        TFXLMWithLMHeadModel.from_pretrained(tmp_path)
    (tmp_path / "pytorch_model.bin").unlink()

    theirs.save_pretrained(tmp_path, max_shard_size="6KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
    again = TFXLMWithLMHeadModel.from_pretrained(tmp_path)
    np.testing.assert_array_equal(array(again(example("Model")).logits), expected)


def test_halves_are_read_as_float32(tmp_path: Path, make_model: Callable[..., Any]) -> None:
    model = make_model()
    model.save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    weights = {name: w.bfloat16() for name, w in safetensors.torch.load_file(path).items()}
    safetensors.torch.save_file(weights, path, {"format": "pt"})
    again = TFXLMModel.from_pretrained(tmp_path)
    for ours, other in zip(again.weights, model.weights, strict=True):
        assert ours.dtype == "float32"
        np.testing.assert_allclose(array(ours), array(other), rtol=0.01)


def test_the_encoder_goes_into_a_head_and_out_again(
    tmp_path: Path,
    make_model: Callable[..., Any],
    example: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    encoder = make_model()
    encoder.save_pretrained(tmp_path / "encoder")
    capsys.readouterr()
    classifier = TFXLMForSequenceClassification.from_pretrained(tmp_path / "encoder", num_labels=5)
    said = capsys.readouterr().err
    assert "not in the file, so fresh: sequence_summary.summary.weight, " in said
    assert said.count("\n") == 1
    states = array(encoder(example("Model")).last_hidden_state)
    assert classifier(example("Model")).logits.shape == (3, 5)
    _assert_same_states(classifier, example("Model"), states)

    classifier.save_pretrained(tmp_path / "classifier")
    again, loading = TFXLMModel.from_pretrained(tmp_path / "classifier", output_loading_info=True)
    np.testing.assert_array_equal(array(again(example("Model"))[0]), states)
    summary = ["sequence_summary.summary.bias", "sequence_summary.summary.weight"]
    assert sorted(loading["unexpected_keys"]) == summary
    assert "only in the file, so left out: sequence_summary" in capsys.readouterr().err


def _assert_same_states(model: Any, inputs: dict[str, Any], states: np.ndarray) -> None:
    found = model(inputs, output_hidden_states=True).hidden_states[-1]
    np.testing.assert_array_equal(array(found), states)


def test_weights_of_another_size_are_refused_by_name_or_left_fresh(
    tmp_path: Path, make_model: Callable[..., Any]
) -> None:
    make_model("ForSequenceClassification", num_labels=3).save_pretrained(tmp_path)
    cls = TFXLMForSequenceClassification
    with pytest.raises(ValueError, match=r"summary\.weight is \(16, 3\) in the file and \(16, 4\)"):
        cls.from_pretrained(tmp_path, num_labels=4)
    model, loading = cls.from_pretrained(
        tmp_path, num_labels=4, ignore_mismatched_sizes=True, output_loading_info=True
    )
    assert [name for name, *_ in loading["mismatched_keys"]] == [
        "sequence_summary.summary.weight",
        "sequence_summary.summary.bias",
    ]
    assert model.config.num_labels == 4


def test_what_is_no_model_is_said_in_one_sentence(
    tmp_path: Path, make_model: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OSError, match=r"has no config\.json"):
        TFXLMModel.from_pretrained(tmp_path)
    with pytest.raises(OSError, match="There is no folder"):
        TFXLMModel.from_pretrained(tmp_path / "absent")
    make_model().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="has no field n_layer"):
        TFXLMModel.from_pretrained(tmp_path, n_layer=3)
    with pytest.raises(ValueError, match="leave safe_serialization"):
        make_model().save_pretrained(tmp_path, safe_serialization=False)
    (tmp_path / "model.safetensors").write_bytes(b"x" * 20)
    with pytest.raises(OSError, match=r"model\.safetensors is damaged"):
        TFXLMModel.from_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(OSError, match=r"has no model\.safetensors and no pytorch_model\.bin and"):
        TFXLMModel.from_pretrained(tmp_path)


def test_the_hub_is_asked_for_what_is_no_folder(
    tmp_path: Path, make_model: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    make_model().save_pretrained(tmp_path)
    assert TFXLMModel.from_pretrained(tmp_path.parent, subfolder=tmp_path.name)
    asked = []

    def download(repository: str, name: str, **options: Any) -> str:
        asked.append((repository, name, options))
        if not (tmp_path / name).exists():
            raise EntryNotFoundError(name)
        return str(tmp_path / name)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    TFXLMModel.from_pretrained("someone/model", revision="v1")
    options = {"revision": "v1"}
    assert asked == [
        ("someone/model", "config.json", options),
        ("someone/model", "model.safetensors", options),
    ]

    def offline(repository: str, name: str, **options: Any) -> str:
        raise LocalEntryNotFoundError("no connection")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", offline)
    with pytest.raises(OSError, match="the hub cannot be reached"):
        TFXLMModel.from_pretrained("someone/model")
