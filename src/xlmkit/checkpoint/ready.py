"""Ready checkpoints: models that others have trained, in a folder here or on the Hugging Face Hub.

A model of the hub is fetched once, into the hub's own cache, and then read from there: a later run
takes the same version and needs no network. Nothing here opens a model, so nothing needs torch.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from xlmkit.checkpoint.folders import check_model_folder
from xlmkit.core.errors import UserError
from xlmkit.core.files import read_json, sha256_file
from xlmkit.core.log import say

_HUB_NAME = re.compile(r"(?:[\w-][\w.-]*/)?[\w-][\w.-]*")
_SMALL_FILES = (".json", ".txt", ".model", ".bpe", ".spm", ".vocab", ".tiktoken")
_WEIGHTS = (re.compile(r"model.*\.safetensors"), re.compile(r"pytorch_model.*\.bin"))
_INDEX = ".index.json"  # says which weights lie in which of several files
_TOKENIZERS = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "vocab.txt", "*.model")
_RECORDS = frozenset({"stage.json", "figures.json", "xlmkit.json"})  # of times, beside a model


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A ready model on this machine.

    Attributes:
        name: what the recipe calls it.
        folder: where its files are.
        version: the commit of a model of the hub, the SHA-256 of what a folder holds.
        model_type: the family, as `config.json` says; "xlm" for xlmkit's own.
    """

    name: str
    folder: Path
    version: str
    model_type: str

    def to_json(self) -> dict[str, str]:
        """Return what decides the model, wherever its files lie."""
        return {"name": self.name, "version": self.version, "model_type": self.model_type}


def find_checkpoint(name: str, revision: str | None, base: Path) -> Checkpoint:
    """Find a ready model, fetching it if it is on the hub and not in the cache yet.

    Args:
        name: a folder, from `base`, or the name of a model on the hub.
        revision: branch, tag or commit on the hub.
        base: the recipe's folder.

    Raises:
        UserError: it is nowhere, cannot be fetched, or is no model.
    """
    folder = base / Path(name).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise UserError(f"{folder} is a folder and has no revision {revision}; leave it out.")
        return Checkpoint(name, folder, _content(folder), model_type_of(folder))
    if folder.exists():
        raise UserError(
            f"{folder} is a file; name a model's folder (xlmkit convert turns a .pth into one)."
        )
    if not _HUB_NAME.fullmatch(name):
        raise UserError(f"There is no folder {folder}.")
    cached = _from_cache(name, revision) or _fetch(name, revision, folder)
    return Checkpoint(name, cached, cached.name, model_type_of(cached))


def model_type_of(folder: Path) -> str:
    """Return the family of a model's folder; "xlm" for xlmkit's own.

    Raises:
        UserError: it does not say one.
    """
    path = folder / "config.json"
    check_model_folder(folder)
    config = read_json(path)
    found = config.get("model_type") if isinstance(config, dict) else None
    if not isinstance(found, str):
        raise UserError(f"{path} does not say which family of models it is for (model_type).")
    return found


def _content(folder: Path) -> str:
    """Return a hash of the names and contents of all that is read of a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        wanted = path.suffix in _SMALL_FILES or _is_weights(path.name)
        if wanted and path.is_file() and path.name not in _RECORDS:
            digest.update(f"{path.name}\0{sha256_file(path)}\n".encode())
    return digest.hexdigest()


def _is_weights(name: str) -> bool:
    return any(pattern.fullmatch(name) for pattern in _WEIGHTS)


def _from_cache(name: str, revision: str | None) -> Path | None:
    """Return the folder of a model that was fetched before, None if anything of it is missing."""
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(name, revision=revision, local_files_only=True))
    except (OSError, ValueError):
        return None
    return folder if _is_whole(folder) else None


def _is_whole(folder: Path) -> bool:
    there = {path.name for path in folder.iterdir() if path.is_file()}
    indexes = [read_json(folder / name) for name in there if name.endswith(_INDEX)]
    shards = {shard for index in indexes for shard in index.get("weight_map", {}).values()}
    return (
        "config.json" in there
        and any(_is_weights(name) for name in there)
        and any(True for pattern in _TOKENIZERS for _ in folder.glob(pattern))
        and shards <= there
    )


def _fetch(name: str, revision: str | None, folder: Path) -> Path:
    """Fetch a model's files from the hub; `folder` is where it would have been on this machine."""
    from huggingface_hub import HfApi, errors, snapshot_download

    # Its bases name what a failed connection raises, which is of another package in each version.
    bases = cast("tuple[type[Exception], ...]", errors.HfHubHTTPError.__bases__)
    failures: tuple[type[Exception], ...] = (OSError, ValueError, *bases)
    try:
        siblings = HfApi().model_info(name, revision=revision, files_metadata=True).siblings or ()
        sizes = {file.rfilename: file.size or 0 for file in siblings}
        small, weights = _wanted(sizes)
        if not weights:
            raise UserError(f"The model {name} of the Hugging Face Hub has no model.safetensors.")
        size = sum(sizes[file] for file in small + weights)
        say(f"Fetching {name} from the Hugging Face Hub ({size / 1e6:,.0f} MB).")
        # The weights last: where they are, a fetch was not cut short.
        for files in (small, weights):
            snapshot = snapshot_download(name, revision=revision, allow_patterns=files)
    except failures as error:
        raise UserError(
            f"There is no folder {folder}, and the model {name} cannot be fetched from the "
            f"Hugging Face Hub: {_reason(error, revision)}."
        ) from None
    return Path(snapshot)


def _wanted(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Choose configuration and tokenizer, and the weights in the safest form that there is."""
    top = [name for name in names if "/" not in name]
    small = [name for name in top if name.endswith(_SMALL_FILES) and not name.endswith(_INDEX)]
    for pattern in _WEIGHTS:
        if weights := [name for name in top if pattern.fullmatch(name.removesuffix(_INDEX))]:
            return small, weights
    return small, []


def _reason(error: Exception, revision: str | None) -> str:
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return "its owner asks for agreement; agree on its page, then log in with hf auth login"
    if isinstance(error, errors.RevisionNotFoundError):
        return f"it has no revision {revision}"
    if isinstance(error, errors.RepositoryNotFoundError):
        return "it has no such model; see whether the name is right"
    if isinstance(error, errors.OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set, and the model is not in the cache"
    return "it cannot be reached; connect to the network, or give a folder"
