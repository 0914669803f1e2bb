"""Recipes that name ready checkpoints: of other families, of xlmkit, and nothing but these."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

pytest.importorskip("transformers")

from xlmkit.cli.app import app
from xlmkit.core.config import load_config
from xlmkit.core.files import read_json, sha256_file, write_json
from xlmkit.recipe import Recipe
from xlmkit.run import run

Make = Callable[..., Path]

FILES = """\
    train: [{kind: tsv, path: train.tsv, text: 0, language_column: 1, label_column: 2}]
    test: [{kind: tsv, path: test.tsv, text: 0, language_column: 1, label_column: 2}]
"""
ALONE = f"""\
name: alone
languages: [en, zh, ar]
threads: 1
precision: float32
pretrain:
  models:
    bert: {{title: Tiny BERT, checkpoint: bert}}
    xlmr: {{title: Tiny XLM-R, checkpoint: models/xlmr, finetune_lr: 3.0e-3}}
finetune:
  kind:
{FILES}\
    epochs: 25
    tokens_per_batch: 256
    optimizer: {{lr: 2.0e-3, warmup: 10}}
"""


def call(folder: Path, verb: str, *settings: str) -> Result:
    words = [word for setting in settings for word in ("--set", setting)]
    places = [str(folder / "alone.yaml"), "--output", str(folder / "alone")]
    return CliRunner().invoke(app, [verb, *places, *words])


def refused(result: Result) -> str:
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)  # and so no traceback
    assert "mistake in xlmkit" not in result.stderr
    return result.stderr.splitlines()[-1].removeprefix("xlmkit: error: ")


def results(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = read_json(folder / "alone" / "results.json")
    return found


@pytest.fixture
def alone(project: Path, make_encoder: Make) -> Path:
    """A project whose recipe alone.yaml has two ready models and no data."""
    make_encoder("bert", project / "bert")
    make_encoder("xlm-roberta", project / "models" / "xlmr")
    (project / "alone.yaml").write_text(ALONE, encoding="utf-8")
    return project


def test_ready_models_alone_need_no_data_and_learn(
    alone: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(alone / "alone.yaml", [], alone / "alone", False)
    said = capfd.readouterr()
    assert "Tiny XLM-R" in said.out
    assert [line for line in said.err.splitlines() if "parameters" in line] == [
        "bert: bert, 23,648 parameters.", "models/xlmr: xlm-roberta, 23,616 parameters.",
    ]  # fmt: skip
    noise = ("it/s", "Warning", "weights", "transformers")
    assert [line for line in said.err.splitlines() if any(n in line for n in noise)] == []
    out = alone / "alone"
    assert sorted(path.name for path in out.iterdir()) == [
        "evaluate", "finetune", "pretrain", "recipe.yaml", "report.html", "results.csv",
        "results.json",
    ]  # fmt: skip
    found = results(alone)
    assert (found["data"], found["tokenizer"]) == (None, None)
    assert list(found["models"]) == ["bert", "xlmr"]
    for model in found["models"].values():
        assert (model["pretraining"], model["retrieval"]) == (None, None)
        assert "language_modelling" not in model
        measured = model["tasks"]["kind"]["languages"]
        assert measured["en"]["accuracy"]["value"] > 0.85
        assert {code: part["n"] for code, part in measured.items()} == dict.fromkeys(measured, 40)
        assert model["tasks"]["kind"]["curve"]
        assert all(part["tokens_per_word"] >= 1 for part in measured.values())
        assert all(part["unknown_share"] < 0.2 for part in measured.values())
    assert found["models"]["bert"]["checkpoint"]["model_type"] == "bert"
    assert found["models"]["bert"]["parameters"] == 23_648
    page = (out / "report.html").read_text(encoding="utf-8")
    for text in ("Tiny BERT", "ready: bert", "ready: models/xlmr"):
        assert text in page
    assert "without pretraining" not in page

    again = call(alone, "run")
    assert again.exit_code == 0, again.output
    assert again.stderr.count(": unchanged, kept from before.") == 6

    write_json(alone / "bert" / "config.json", {**read_json(alone / "bert" / "config.json")})
    assert call(alone, "report").exit_code == 1  # other spaces: the folder has changed
    changed = call(alone, "run", "finetune.kind.epochs=0.1")
    assert changed.exit_code == 0, changed.output
    assert "Opening Tiny BERT: unchanged" not in changed.stderr
    assert "Opening Tiny XLM-R: unchanged" in changed.stderr


def own_settings(earlier: Path) -> list[str]:
    """Return a recipe with data, a model of an earlier run and one of another family."""
    return [
        f"pretrain.models={{mine: {{checkpoint: {earlier}}}, bert: {{checkpoint: bert}}}}",
        "data={sources: [{kind: parallel, paths: {en: text.en, zh: text.zh, ar: text.ar}}]}",
        "finetune.kind.epochs=2", "finetune.kind.tokens_per_batch=128",
        "finetune.kind.optimizer={lr: 1.0e-4, warmup: 100, betas: [0.9, 0.999]}",
    ]  # fmt: skip


def test_a_language_that_a_model_cannot_read_is_told_once(
    alone: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = alone / "test.tsv"
    rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
    strange = [("ასე არ იკითხება" if code == "ar" else text, code, x) for text, code, x in rows]
    path.write_text("\n".join(map("\t".join, strange)), encoding="utf-8")
    run(alone / "alone.yaml", ["finetune.kind.epochs=0.1"], alone / "alone", False)
    said = [line for line in capfd.readouterr().err.splitlines() if "unknown to the" in line]
    assert len(said) == 2
    assert said[0].startswith("Tiny BERT on kind: 100% of the tokens of the texts in ar are ")
    for model in results(alone)["models"].values():
        shares = {
            code: x["unknown_share"] for code, x in model["tasks"]["kind"]["languages"].items()
        }
        assert shares["ar"] > 0.4 > 0.2 > shares["en"]


def test_a_model_of_an_earlier_run_is_measured_as_it_was_there(alone: Path, finished: Path) -> None:
    earlier = finished / "out" / "pretrain" / "both"
    result = call(alone, "run", *own_settings(earlier))
    assert result.exit_code == 0, result.output
    out = alone / "alone"
    assert (out / "corpus").is_dir()
    assert not (out / "shards").exists()
    found, before = results(alone), read_json(finished / "out" / "results.json")
    mine, both = found["models"]["mine"], before["models"]["both"]
    for part in ("parameters", "retrieval", "tasks"):
        assert without_time(mine[part]) == without_time(both[part])
    assert "language_modelling" not in mine
    assert set(found["models"]["bert"]["retrieval"]["directions"]) == set(
        both["retrieval"]["directions"]
    )
    assert len(found["models"]["bert"]["retrieval"]["layers_on_validation"]) == 3
    assert found["data"]["splits"]["train"]["texts"]["ar"] > 200
    assert (found["data"]["pairs"], found["tokenizer"]) == ({}, None)
    weights = [folder / "finetune" for folder in (out, finished / "out")]
    weights = [weights[0] / "mine" / "kind", weights[1] / "both" / "kind"]
    assert len({sha256_file(folder / "model.safetensors") for folder in weights}) == 1


def without_time(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_time(one) for name, one in value.items() if name != "seconds"}
    return [without_time(one) for one in value] if isinstance(value, list) else value


def test_labels_may_come_from_the_data(alone: Path) -> None:
    sources = "[{kind: tsv, path: train.tsv, text: 0, language_column: 1, label_column: 2}]"
    settings = ["finetune={kind: {epochs: 0.1}}", f"data.sources={sources}"]
    settings += ["data.split={valid: 0.1, test: 0.2}", "data.duplicates=exact"]
    result = call(alone, "run", *settings)
    assert result.exit_code == 0, result.output
    assert set(results(alone)["models"]["bert"]["tasks"]["kind"]["languages"]) == {"en"}


def as_transformers_saves(folder: Path, target: Path, **changes: Any) -> Path:
    """Open one of our models with transformers, and save what it makes of it."""
    import transformers

    config = transformers.XLMConfig.from_pretrained(folder, **changes)
    transformers.XLMModel.from_pretrained(folder, config=config).save_pretrained(target)
    transformers.XLMTokenizer.from_pretrained(folder).save_pretrained(target)
    return target


def test_a_folder_of_xlm_that_transformers_wrote_takes_the_plain_path(
    alone: Path, finished: Path
) -> None:
    as_transformers_saves(finished / "out" / "pretrain" / "both", alone / "bare")
    models = "pretrain.models={bare: {checkpoint: bare}}"
    short = "finetune.kind.epochs=0.1"
    result = call(alone, "run", models, short, "languages=[en, ar]")
    assert result.exit_code == 0, result.output
    config = read_json(alone / "alone" / "finetune" / "bare" / "kind" / "config.json")
    assert config["architectures"] == ["XLMForSequenceClassification"]
    assert config["max_position_embeddings"] == 64
    assert set(results(alone)["models"]["bare"]["tasks"]["kind"]["languages"]) == {"en", "ar"}
    sentence = refused(call(alone, "run", models, short, "languages=[en, sw]"))
    assert sentence == (
        "pretrain.models.bare.checkpoint: the model does not know sw, only ar, en, zh; leave out "
        "the others, or take a model without language embeddings."
    )


def test_a_model_without_language_embeddings_takes_any_language(
    alone: Path, finished: Path
) -> None:
    from safetensors.torch import load_file, save_file

    folder = as_transformers_saves(finished / "out" / "pretrain" / "both", alone / "bare")
    weights = load_file(folder / "model.safetensors")
    kept = {name: value for name, value in weights.items() if "lang_emb" not in name}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    config = read_json(folder / "config.json")
    write_json(folder / "config.json", {**config, "use_lang_emb": False})
    for name in ("train", "test"):
        text = (alone / f"{name}.tsv").read_text(encoding="utf-8")
        (alone / f"{name}.tsv").write_text(text.replace("\tar\t", "\tsw\t"), encoding="utf-8")
    models = "pretrain.models={bare: {checkpoint: bare}}"
    result = call(alone, "run", models, "finetune.kind.epochs=0.1", "languages=[en, sw, zh, ru]")
    assert result.exit_code == 0, result.output
    assert "The model does not know sw, ru: it tells no languages apart" in result.stderr
    model = results(alone)["models"]["bare"]
    assert set(model["tasks"]["kind"]["languages"]) == {"en", "sw", "zh"}
    assert model["unknown_languages"] == ["sw", "ru"]
    page = (alone / "alone" / "report.html").read_text(encoding="utf-8")
    assert "bare may never have seen text in Swahili, which it does not name" in page


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_stopped_finetuning_goes_on_bit_for_bit(
    alone: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    settings = [f"precision={precision}", "finetune.kind.epochs=5"]
    settings += ["pretrain.models={bert: {checkpoint: bert}}"]
    run(alone / "alone.yaml", settings, alone / "whole", False)
    from xlmkit.train import loop

    step, steps = loop._step, []

    def stopped(*arguments: Any) -> Any:
        steps.append(arguments)
        if len(steps) == 7:
            os.kill(os.getpid(), signal.SIGINT)
        return step(*arguments)

    monkeypatch.setattr(loop, "_step", stopped)
    first = call(alone, "run", *settings)
    assert first.exit_code == 130
    assert first.stderr.splitlines()[-1] == (
        "Stopped; the same command goes on from the last checkpoint."
    )
    assert not (alone / "alone" / "finetune" / "bert" / "kind").exists()
    again = call(alone, "run", *settings)
    assert again.exit_code == 0, again.output
    total = read_json(alone / "whole" / "finetune" / "bert" / "kind" / "figures.json")["steps"]
    assert len(steps) == total > 7
    weights = [
        sha256_file(alone / out / "finetune" / "bert" / "kind" / "model.safetensors")
        for out in ("whole", "alone")
    ]
    assert weights[0] == weights[1]


def test_a_learning_rate_of_a_model_is_its_own(alone: Path) -> None:
    short = "finetune.kind.epochs=1"
    run(alone / "alone.yaml", [short], alone / "alone", False)
    own = call(alone, "finetune", short, "pretrain.models.xlmr.finetune_lr=1.0e-5")
    assert "Finetuning Tiny BERT: kind: unchanged" in own.stderr
    assert "Finetuning Tiny XLM-R: kind: unchanged" not in own.stderr


TRAINED = "ours: {mlm: {length: 32}}"
DATA = "data={sources: [{kind: text, path: text.en, language: en}]}"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["pretrain.models={bert: {checkpoint: bert, mlm: {}, tlm: {}}}"],
         r"pretrain.models.bert: a checkpoint is ready and cannot be joined with mlm and tlm\."),
        (["pretrain.models={ours: {revision: main}}"],
         r"pretrain.models.ours: revision belongs to a checkpoint, but there is none\."),
        (["pretrain.models={bert: {checkpoint: ''}}"],
         r"pretrain.models.bert.checkpoint must have at least 1 character\."),
        ([f"pretrain.models={{bert: {{checkpoint: bert}}, {TRAINED}}}"],
         r"the recipe needs the key 'data', since pretrain.models.ours learns from it; only .*"),
        (["pretrain.models={ours: {}}"], r"the recipe needs the key 'data', since .*models.ours.*"),
        (["pretrain.models=null"], r"the recipe needs the key 'data', since pretrain learns .*"),
        (["finetune={kind: {}}"], r"the recipe needs the key 'data', since finetune.kind learns.*"),
        (["pretrain.models.bert.checkpoint=nowhere/near/here"],
         r"pretrain.models.bert.checkpoint: There is no folder .*/nowhere/near/here\."),
        (["pretrain.models.bert.revision=main"],
         r"pretrain.models.bert.checkpoint: .*/bert is a folder and has no revision main; .*"),
        (["evaluate.retrieval.layer=3"],
         r"evaluate.retrieval.layer is 3, but the model's last layer is 2\."),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_before_anything_is_trained(
    alone: Path, settings: list[str], sentence: str
) -> None:
    said = refused(call(alone, "run", *settings))
    place = r"(--set .*?: |.*alone\.yaml(:\d+)?: )?"
    assert re.fullmatch(place + sentence, said), said
    assert not (alone / "alone" / "finetune").exists()


def test_a_layer_is_checked_for_ready_models_by_their_own_depth(alone: Path) -> None:
    settings = ["evaluate.retrieval.layer=2", "model.n_layers=1"]
    load_config(alone / "alone.yaml", Recipe, settings)  # no model has the recipe's shape


@pytest.mark.parametrize("change", [{"hidden_size": 64}, {"model_type": "nonesuch"}])
def test_a_ready_model_that_cannot_be_used_is_told_before_another_is_trained(
    alone: Path, change: dict[str, Any]
) -> None:
    path = alone / "bert" / "config.json"
    write_json(path, {**read_json(path), **change})
    models = f"pretrain.models={{{TRAINED}, bert: {{checkpoint: bert}}}}"
    sentence = refused(call(alone, "run", models, DATA, "languages=[en]"))
    assert str(alone / "bert") in sentence
    assert not (alone / "alone" / "pretrain" / "ours").exists()


@pytest.mark.usefixtures("offline")
def test_a_model_of_the_hub_without_the_hub(alone: Path) -> None:
    sentence = refused(call(alone, "run", "pretrain.models.bert.checkpoint=some/model"))
    assert sentence == (
        f"pretrain.models.bert.checkpoint: There is no folder {alone / 'some' / 'model'}, and the "
        "model some/model cannot be fetched from the Hugging Face Hub: HF_HUB_OFFLINE is set, and "
        "the model is not in the cache."
    )
    assert not (alone / "alone").exists()


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Behave as with HF_HUB_OFFLINE=1 and an empty cache."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.mark.slow
def test_two_processes_open_a_ready_model_once(alone: Path) -> None:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    command = ["-m", "xlmkit", "run", "alone.yaml", "-o", "alone"]
    done = subprocess.run(
        [*launcher, *command, "--set", "finetune.kind.epochs=1"],
        cwd=alone, check=False, capture_output=True, text=True, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("bert: bert, 23,648 parameters.") == 1
    assert list(results(alone)["models"]) == ["bert", "xlmr"]
    assert list((alone / "alone").rglob(".*")) == []


@pytest.mark.slow
def test_every_family_is_compared_with_our_own(project: Path, make_encoder: Make) -> None:
    families = ["bert", "xlm-roberta", "deberta-v2", "modernbert", "mbart"]
    for family in families:
        make_encoder(family, project / family)
    ours = load_config(project / "recipe.yaml", Recipe).pretrain.models or {}
    settings = [f"pretrain.models.{name}={{checkpoint: {name}}}" for name in families]
    settings += ["finetune.kind.epochs=25", "finetune.kind.tokens_per_batch=256"]
    settings += ["finetune.kind.optimizer={lr: 2.0e-3, warmup: 10}", "precision=bfloat16"]
    run(project / "recipe.yaml", settings, project / "out", False)
    found = read_json(project / "out" / "results.json")["models"]
    assert list(found) == [*ours, *families]
    for name, model in found.items():
        scores = model["tasks"]["kind"]["languages"]
        assert set(scores) == {"en", "zh", "ar"}
        assert scores["en"]["accuracy"]["value"] > 0.85, name
        assert set(model["retrieval"]["directions"]) == {"zh-en", "en-zh", "ar-en", "en-ar"}
        assert ("language_modelling" in model) == (name == "both")
