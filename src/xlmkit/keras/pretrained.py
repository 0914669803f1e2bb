"""Folders of models: read with `from_pretrained`, written with `save_pretrained`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import safetensors.numpy
from transformers import GenerationConfig

from xlmkit.core.files import atomic_write
from xlmkit.core.log import say
from xlmkit.huggingface.configuration import XLMConfig
from xlmkit.keras.configuration import supported
from xlmkit.keras.files import SAFETENSORS, Find, load_weights
from xlmkit.keras.weights import get_weights, set_weights

CONFIG = "config.json"

_OF_THE_HUB = (
    "cache_dir", "force_download", "local_files_only", "revision", "subfolder", "token",
)  # fmt: skip


class Pretrained:
    """Loading and saving of a model, in Hugging Face's layout."""

    config: XLMConfig
    can_generate: Callable[[], bool]

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | Path,
        from_pt: bool | None = None,
        config: XLMConfig | None = None,
        *,
        output_loading_info: bool = False,
        ignore_mismatched_sizes: bool = False,
        **overrides: Any,  # noqa: ANN401 - fields of the configuration
    ) -> Self | tuple[Self, dict[str, list[Any]]]:
        """Make a model from a folder or from the Hugging Face hub.

        Weights of PyTorch and of Hugging Face's TensorFlow classes are read alike, and those of
        another head too: what is missing is fresh, what is too much is left out, and a line on
        standard error says so.

        Args:
            pretrained_model_name_or_path: a folder, or the name of a repository of the hub.
            from_pt: True to read PyTorch's files only, False for TensorFlow's only.
            config: used instead of the folder's.
            output_loading_info: return `missing_keys`, `unexpected_keys` and `mismatched_keys` too.
            ignore_mismatched_sizes: leave weights fresh whose shape is another, instead of failing.
            **overrides: fields of the configuration to change; and for the hub `cache_dir`,
                `force_download`, `local_files_only`, `revision`, `subfolder` and `token`, as
                `huggingface_hub.hf_hub_download` takes them.

        Raises:
            OSError: the place has no model, or cannot be reached.
            ValueError: weights and configuration do not fit, or a field is unknown.
        """
        where = str(pretrained_model_name_or_path)
        hub = {name: overrides.pop(name) for name in _OF_THE_HUB if name in overrides}
        find = _finder(where, hub)
        if config is None:
            config = _read_config(find, where)
        model = cls(_overridden(config, overrides))  # type: ignore[call-arg]
        loading = set_weights(
            model,
            load_weights(find, where, from_pt),
            ignore_mismatched_sizes=ignore_mismatched_sizes,
        )
        if sentence := loading.sentence(cls.__name__, where):
            say(sentence)
        if not output_loading_info:
            return model
        return model, {
            "missing_keys": list(loading.missing),
            "unexpected_keys": list(loading.unexpected),
            "mismatched_keys": list(loading.mismatched),
        }

    def save_pretrained(
        self,
        save_directory: str | Path,
        saved_model: bool = False,
        safe_serialization: bool = True,
    ) -> None:
        """Write `config.json` and `model.safetensors`, which the PyTorch class opens too.

        A language model writes `generation_config.json` besides, as the PyTorch class does.

        Args:
            save_directory: made if it is not there.
            saved_model: also write a SavedModel of TensorFlow, in `saved_model/1`.
            safe_serialization: as in Hugging Face's classes; there is no other way here.

        Raises:
            ValueError: `safe_serialization` is off.
        """
        if not safe_serialization:
            raise ValueError("Weights are written as safetensors only; leave safe_serialization.")
        folder = Path(save_directory)
        folder.mkdir(parents=True, exist_ok=True)
        self.config.architectures = [type(self).__name__.removeprefix("TF")]
        self.config.dtype = "float32"
        self.config.save_pretrained(folder)
        if self.can_generate():
            GenerationConfig.from_model_config(self.config).save_pretrained(folder)
        with atomic_write(folder / SAFETENSORS, binary=True) as stream:
            stream.write(safetensors.numpy.save(get_weights(self), {"format": "pt"}))
        if saved_model:
            self.export(folder / "saved_model" / "1")  # type: ignore[attr-defined]


def _read_config(find: Find, where: str) -> XLMConfig:
    path = find(CONFIG)
    if path is None:
        raise FileNotFoundError(f"{where} has no {CONFIG}; is it a model's folder?")
    return XLMConfig.from_json_file(path)


def _overridden(config: XLMConfig, overrides: dict[str, Any]) -> XLMConfig:
    """Return a copy of a configuration with some fields changed."""
    config = supported(config.to_dict())
    if unknown := [name for name in overrides if not hasattr(config, name)]:
        raise ValueError(f"XLMConfig has no field {', '.join(unknown)}.")
    return supported({**config.to_dict(), **overrides})


def _finder(where: str, hub: dict[str, Any]) -> Find:
    """Return what finds a file by its name: in a folder, or on the hub."""
    folder = Path(where, hub.get("subfolder") or "")
    if folder.is_dir():
        return lambda name: folder / name if (folder / name).is_file() else None
    if Path(where).is_absolute() or where.startswith(".") or where.count("/") > 1:
        raise FileNotFoundError(f"There is no folder {where}.")
    return lambda name: _download(where, name, hub)


def _download(repository: str, name: str, hub: dict[str, Any]) -> Path | None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        return Path(hf_hub_download(repository, name, **hub))
    except LocalEntryNotFoundError:
        raise OSError(
            f"{repository} is no folder, the hub cannot be reached, and {name} of {repository} was "
            "not downloaded before; connect, or give a folder."
        ) from None
    except EntryNotFoundError:
        return None
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise OSError(f"{repository} is neither a folder nor a repository: {error}") from None
