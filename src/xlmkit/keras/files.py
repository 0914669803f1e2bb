"""Weights from all kinds of files in which XLM models are published.

PyTorch's `model.safetensors` and `pytorch_model.bin`, and what Hugging Face's TensorFlow classes
wrote: `tf_model.h5`, and `model.safetensors` with TensorFlow's names; each whole or in pieces.
Whatever the file, the weights come back under the names of the PyTorch classes, linear layers as
(out, in), float32.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from pickle import UnpicklingError

import numpy as np

SAFETENSORS = "model.safetensors"
PYTORCH = "pytorch_model.bin"
TENSORFLOW = "tf_model.h5"

_INDEX = ".index.json"
_ROOTS = {
    "transformer",
    "pred_layer_._proj",
    "sequence_summary",
    "logits_proj",
    "classifier",
    "qa_outputs",
}
"""The first part of every name that TensorFlow's files have, after the names of model and group."""

_LAST_PARTS = {"kernel": "weight", "gamma": "weight", "embeddings": "weight", "beta": "bias"}

Find = Callable[[str], Path | None]


def load_weights(find: Find, where: str, from_pt: bool | None = None) -> dict[str, np.ndarray]:
    """Return the weights of the first file that there is, by the names of the PyTorch classes.

    Args:
        find: gives the path of a file by its name, or None where there is none.
        where: what messages call the place.
        from_pt: True for PyTorch's files only, False for TensorFlow's only, None for any.

    Raises:
        OSError: there is no such file, or it is damaged.
    """
    for name, read, is_pytorch in (
        (SAFETENSORS, _read_safetensors, None),
        (PYTORCH, _read_pickle, True),
        (TENSORFLOW, _read_h5, False),
    ):
        if None not in (is_pytorch, from_pt) and is_pytorch is not from_pt:
            continue
        paths = _paths(find, name, where)
        if not paths:
            continue
        weights: dict[str, np.ndarray] = {}
        for path in paths:
            weights |= read(path)
        from_tensorflow = is_pytorch is False or any("/" in key for key in weights)
        if from_pt is None or from_pt is not from_tensorflow:
            return from_tensorflow_names(weights) if from_tensorflow else weights
    wanted = {None: [SAFETENSORS, PYTORCH, TENSORFLOW], True: [SAFETENSORS, PYTORCH]}
    names = wanted.get(from_pt, [f"{SAFETENSORS} of TensorFlow", TENSORFLOW])
    raise FileNotFoundError(f"{where} has no {' and no '.join(names)}; is it a model's folder?")


def _paths(find: Find, name: str, where: str) -> list[Path]:
    """Return the file of this name, or the pieces that its index names."""
    if (path := find(name)) is not None:
        return [path]
    index = find(name + _INDEX)
    if index is None:
        return []
    pieces = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    paths = {piece: find(piece) for piece in pieces}
    if lost := [piece for piece, path in paths.items() if path is None]:
        raise FileNotFoundError(f"{where} lacks {', '.join(lost)}, which {index.name} names.")
    return [path for path in paths.values() if path is not None]


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        # By torch, since numpy has no bfloat16.
        return {name: tensor.float().numpy() for name, tensor in load_file(path).items()}
    except SafetensorError as error:
        raise OSError(f"{path} is damaged: {error}.") from None


def _read_pickle(path: Path) -> dict[str, np.ndarray]:
    import torch

    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError) as error:
        raise OSError(f"{path} holds more than tensors, or is damaged: {error}") from None
    return {name: tensor.float().numpy() for name, tensor in tensors.items()}


def _read_h5(path: Path) -> dict[str, np.ndarray]:
    import h5py

    found: dict[str, np.ndarray] = {}

    def keep(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = np.asarray(item, dtype=np.float32)

    try:
        with h5py.File(path, "r") as file:
            file.visititems(keep)
    except OSError as error:
        raise OSError(f"{path} is damaged: {error}.") from None
    return found


def from_tensorflow_names(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return TensorFlow's weights under the names and in the shapes of the PyTorch classes."""
    renamed = {}
    for name, value in weights.items():
        parts = _after_root(name.partition(":")[0].split("/"))
        if parts[-1] == "kernel":
            value = value.T
        parts[-1] = _LAST_PARTS.get(parts[-1], parts[-1])
        renamed[".".join(parts).replace("_._", ".")] = value
    return renamed


def _after_root(parts: list[str]) -> list[str]:
    """Cut off what stands before a known root: names of the group and of the model."""
    roots: Iterable[int] = (i for i, part in enumerate(parts) if part in _ROOTS)
    return parts[max(roots, default=0) :]
