"""What stands beside saved weights: the recipe that made them, and their checksum."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xlmkit.core.errors import UserError
from xlmkit.core.files import read_json, sha256_file, write_json

WEIGHTS_FILE = "model.safetensors"
PROVENANCE_FILE = "xlmkit.json"


def write_provenance(folder: Path, provenance: Mapping[str, Any]) -> None:
    """Write what made a model, with the checksum of its weights, which are there already."""
    checksum = sha256_file(folder / WEIGHTS_FILE)
    write_json(folder / PROVENANCE_FILE, {**provenance, "sha256": checksum})


def read_provenance(folder: Path) -> dict[str, Any]:
    """Return what made a model, {} where nothing is said.

    Raises:
        UserError: the file is damaged, or the weights are not those that were saved.
    """
    if not (folder / PROVENANCE_FILE).is_file():
        return {}
    provenance = read_json(folder / PROVENANCE_FILE)
    if not isinstance(provenance, dict):
        raise UserError(f"{folder / PROVENANCE_FILE} is no JSON object.")
    path = folder / WEIGHTS_FILE
    if path.is_file() and provenance.get("sha256", "") not in ("", sha256_file(path)):
        raise UserError(f"{path} is not the file that was saved: its checksum differs.")
    return provenance
