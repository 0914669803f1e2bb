"""Longer position tables, so that a model reads longer texts.

- `copy`: the learned table over and over again, as for Longformer (Beltagy, Peters & Cohan 2020,
  section 5): texts of the old length are read exactly as before.
- `interpolate`: the learned table drawn out, each new position between two old ones (linear, as
  Dosovitskiy et al. 2021 do it for images): neighbours lie closer than the model has learned, in
  short texts too.

A sinusoidal table is computed for the new length, which changes nothing of what was there. A model
with a learned table reads long texts well only after some more training on them.
"""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Literal

from torch import Tensor
from torch.nn import functional

from xlmkit.checkpoint.bundle import CONFIG_FILE, PROVENANCE_FILE, WEIGHTS_FILE, Bundle
from xlmkit.core.errors import UserError
from xlmkit.core.files import read_json, write_json
from xlmkit.core.log import say
from xlmkit.model.positions import sinusoidal_positions

Way = Literal["copy", "interpolate"]

_TABLE = "position_embeddings.weight"
_WEIGHTS = ("*.safetensors", "*.bin", "*.index.json")


def extend_positions(model: Path, positions: int, target: Path, way: Way = "copy") -> None:
    """Write a model's folder with more positions; everything else stays as it is.

    Args:
        model: a folder of xlmkit's.
        positions: how many the new model has.
        target: a new folder.
        way: how a learned table is made longer.

    Raises:
        UserError: the model has as many already, or the target is there.
    """
    if target.exists():
        raise UserError(f"{target} is there already; name a new folder with --output.")
    bundle = Bundle.load(model)
    before = bundle.architecture.max_position_embeddings
    if positions <= before:
        raise UserError(
            f"{model} has {before:,} positions already; --to must be more than that, not "
            f"{positions:,}."
        )
    sinusoidal = bundle.architecture.sinusoidal_embeddings
    weights = dict(bundle.weights)
    for name in [name for name in weights if name.endswith(_TABLE)]:
        weights[name] = extended(weights[name], positions, "sinusoidal" if sinusoidal else way)
    weights = {name: one for name, one in weights.items() if not name.endswith("position_ids")}
    shape = replace(bundle.architecture, max_position_embeddings=positions)
    made = {"positions": {"before": before, "way": "sinusoidal" if sinusoidal else way}}
    provenance = {**bundle.provenance, "extended": made}
    replace(bundle, architecture=shape, weights=weights, provenance=provenance).save(target)
    # What the folder says beyond what xlmkit writes stays too.
    config = read_json(model / CONFIG_FILE)
    write_json(target / CONFIG_FILE, {**config, "max_position_embeddings": positions})
    for path in sorted(model.iterdir()):
        own = path.name in (CONFIG_FILE, PROVENANCE_FILE, WEIGHTS_FILE)
        if path.is_file() and not own and not any(path.match(one) for one in _WEIGHTS):
            shutil.copy2(path, target / path.name)
    how = "computed" if sinusoidal else {"copy": "copied", "interpolate": "interpolated"}[way]
    say(f"{target} reads {positions:,} tokens instead of {before:,}; its positions are {how}.")


def extended(table_PE: Tensor, positions: int, way: Way | Literal["sinusoidal"]) -> Tensor:
    """Return a table with more positions, (positions, E)."""
    before, width = table_PE.shape
    if way == "sinusoidal":
        return sinusoidal_positions(positions, width)
    if way == "copy":
        return table_PE.repeat(-(-positions // before), 1)[:positions]
    drawn_1EP = functional.interpolate(
        table_PE.T[None].float(), size=positions, mode="linear", align_corners=True
    )
    return drawn_1EP[0].T.contiguous()
