"""Layers that are frozen or learn more slowly, from the recipe on."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from xlmkit.core.config import load_config
from xlmkit.core.errors import UserError
from xlmkit.recipe import Recipe
from xlmkit.run import finetune, run
from xlmkit.train.depth import depths


def moved(before: Path, after: Path, prefix: str = "") -> dict[int, bool]:
    """Tell of each depth whether any of its parameters is another than in pretraining."""
    old, new = (load_file(folder / "model.safetensors") for folder in (before, after))
    found: dict[int, bool] = {}
    for name, depth in depths(new).items():
        if (was := old.get(name.removeprefix(prefix))) is not None:
            found[depth] = found.get(depth, False) or not torch.equal(was, new[name])
    return found


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_what_is_frozen_stays_and_the_rest_learns(finished: Path, precision: str) -> None:
    out = finished / "out"
    settings = ["model.n_layers=2", f"precision={precision}", "finetune.kind.freeze=1"]
    run(finished / "recipe.yaml", settings, out, False)
    found = moved(out / "pretrain" / "both", out / "finetune" / "both" / "kind")
    assert found == {0: False, 1: False, 2: True}


@pytest.mark.parametrize("family", ["bert", "mbart"])
def test_embeddings_of_another_family_stay(
    family: str, project: Path, make_encoder: Callable[..., Path]
) -> None:
    encoder = make_encoder(family, project / "encoder")
    settings = [
        "data=null", "evaluate.retrieval=null", "evaluate.language_modeling=false",
        f"pretrain.models={{ready: {{checkpoint: {encoder}}}}}",
        "finetune.kind.freeze=embeddings", "finetune.kind.layer_decay=0.5",
    ]  # fmt: skip
    if family == "mbart":
        settings.append("languages=[en]")  # the only one that its tokenizer can be told here
    run(project / "recipe.yaml", settings, project / "out", False)
    found = moved(encoder, project / "out" / "finetune" / "ready" / "kind")
    assert found[0] is False
    assert found[1] is found[2] is True


def test_a_decay_changes_what_is_learned(finished: Path) -> None:
    stage = finished / "out" / "finetune" / "both" / "kind"
    before = load_file(stage / "model.safetensors")
    settings = ["finetune.kind.layer_decay=0.1"]
    finetune(finished / "recipe.yaml", settings, finished / "out", False)
    start = load_file(finished / "out" / "pretrain" / "both" / "model.safetensors")
    after, name = load_file(stage / "model.safetensors"), "transformer.embeddings.weight"
    distances = [float((one[name] - start[name]).norm()) for one in (before, after)]
    assert 0 < distances[1] < 0.1 * distances[0]


def test_more_layers_than_there_are_is_told_at_once(project: Path) -> None:
    with pytest.raises(UserError, match=r"finetune\.kind\.freeze is 5, but the model has 1 layers"):
        load_config(project / "recipe.yaml", Recipe, ["finetune.kind.freeze=5"])


def test_more_layers_than_a_checkpoint_has_names_task_and_model(
    project: Path, make_encoder: Callable[..., Path]
) -> None:
    encoder = make_encoder("bert", project / "encoder")
    settings = [
        "data=null", "evaluate.retrieval=null", "evaluate.language_modeling=false",
        f"pretrain.models={{ready: {{checkpoint: {encoder}}}}}", "finetune.kind.freeze=3",
    ]  # fmt: skip
    with pytest.raises(UserError, match=r"finetune\.kind, model ready: freeze is 3, but .* has 2"):
        run(project / "recipe.yaml", settings, project / "out", False)
