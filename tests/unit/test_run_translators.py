"""Translators in a run: from a recipe to folders that translate, and what is said of mistakes."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from typer.testing import CliRunner

from xlmkit.build.translation_texts import watched
from xlmkit.cli.app import app
from xlmkit.core.config import load_config
from xlmkit.core.errors import UserError
from xlmkit.core.files import read_json
from xlmkit.core.process import Processes
from xlmkit.evaluate.outcomes import load_outcomes
from xlmkit.evaluate.resampling import statistic
from xlmkit.generate.translator import Translator
from xlmkit.plan import RunPlan
from xlmkit.recipe import Recipe
from xlmkit.run import prepare, run, train_translator

SECTION = """\
translation:
  steps: 12
  tokens_per_batch: 256
  optimizer: {lr: 5.0e-3, warmup: 3}
  label_smoothing: 0.1
  validate_every: 6
  max_valid: 4
  beam_size: 2
  models:
    fresh: {title: Supervised, mt: {directions: [en-zh, zh-en], length: 32}}
    both:
      init: both
      share_embeddings: true
      ae: {length: 32}
      bt: {directions: [en-ar, ar-en], length: 32, temperature: 0.5}
      mlm: {length: 32, form: sentence}
      coefficients: {ae: [[0, 1], [6, 0]]}
"""
SHARES = ["data.split.valid=0.05", "data.split.test=0.05"]
PRETRAINED = "pretrain.models={both: {mlm: {length: 32, form: sentence}}}"


def add_translation(folder: Path, section: str = SECTION) -> Path:
    recipe = folder / "recipe.yaml"
    text = recipe.read_text("utf-8").partition("finetune:")[0]
    text = text.replace("- {kind: parallel", "- {name: all, kind: parallel")
    recipe.write_text(f"{text}{section}", encoding="utf-8")
    return recipe


@pytest.fixture(scope="module")
def trained(_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("translators") / "project"
    shutil.copytree(_project, folder)
    recipe = add_translation(folder)
    run(
        recipe, [PRETRAINED, "data.split.valid=0.05", "data.split.test=0.05"], folder / "out", False
    )
    return folder


def results(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "out" / "results.json").read_text("utf-8"))


def test_a_run_ends_with_translators(trained: Path) -> None:
    made = results(trained)["translators"]
    assert list(made) == ["fresh", "both"]
    assert made["fresh"]["title"] == "Supervised"
    assert set(made["fresh"]["test"]) == {"en-zh", "zh-en"}
    assert set(made["both"]["test"]) == {"en-ar", "ar-en"}
    score = made["fresh"]["test"]["en-zh"]
    assert score["n"] > 3
    assert "tok:zh" in score["scores"]["bleu"]["signature"]
    assert list(score["scores"]) == ["bleu", "chrf", "ter", "original"]
    assert "asian:yes" in score["scores"]["ter"]["signature"]
    assert "tok:moses-zh" in score["scores"]["original"]["signature"]
    assert score["scores"]["bleu"]["low"] <= score["scores"]["bleu"]["value"]
    assert score["examples"][0]["reference"]
    assert score["health"]["n"] == score["n"]
    assert "round_trip" not in score["scores"]
    assert "round_trip" in made["both"]["test"]["en-ar"]["scores"]
    points = {(p["objective"], p["language"], p["split"]) for p in made["both"]["curve"]}
    assert {("ae", None, "train"), ("bt", None, "train"), ("mlm", None, "train")} <= points
    assert {("bleu", "en-ar", "valid"), ("mt", "average", "valid")} <= points
    assert {("health", "ar-en", "valid"), ("round_trip", "average", "valid")} <= points
    rows = (trained / "out" / "results.csv").read_text("utf-8")
    assert "fresh,translation,en-zh,ter," in rows
    page = (trained / "out" / "report.html").read_text("utf-8")
    assert "TER counts corrections, so less is better" in page
    assert made["fresh"]["best_step"] in (6, 12)
    for name in ("fresh", "both"):
        folder = trained / "out" / "translation" / name
        assert not {"best", "training.safetensors"} & {path.name for path in folder.iterdir()}
        assert not any("encoder_pred" in key for key in load_file(folder / "model.safetensors"))


def test_what_bleu_is_made_from_is_kept_of_each_sentence(trained: Path) -> None:
    folder = trained / "out" / "evaluate" / "fresh@translator"
    made = read_json(folder / "figures.json")["test"]["en-zh"]
    kept = load_outcomes(folder / "outcomes" / "translation.npz")["en-zh"]
    assert len(kept.ids) == made["n"]
    bleu = statistic("bleu", kept.columns)
    assert bleu is not None
    everything = np.arange(made["n"])[None]
    assert 100 * bleu(everything)[0] == pytest.approx(made["scores"]["bleu"]["value"])


def test_a_translators_folder_translates(trained: Path) -> None:
    folder = trained / "out" / "translation" / "both"
    written = Translator.from_pretrained(folder).translate(["The old dog", ""], "en", "ar")
    assert written[1] == ""
    command = ["translate", str(folder), "--src", "en", "--tgt", "ar"]
    made = CliRunner().invoke(app, command, input="The old dog\n")
    assert made.exit_code == 0, made.output


def test_directions_that_were_not_learned_are_refused(trained: Path, tmp_path: Path) -> None:
    folder = trained / "out" / "translation" / "both"
    about = read_json(folder / "xlmkit.json")
    assert about["directions"] == ["en-ar", "ar-en"]
    assert about["length"] == Translator.from_pretrained(folder).longest == 32
    for src, tgt in (("en", "zh"), ("en", "en")):
        made = CliRunner().invoke(app, ["translate", str(folder), "-s", src, "-t", tgt], input="a")
        assert made.exit_code == 1
        message = f"en-ar, ar-en only, and not {src}-{tgt}"
        assert f"has learned to translate {message}" in made.stderr
        command = ["export", str(folder), str(tmp_path / "new"), "--to", "ctranslate2"]
        made = CliRunner().invoke(app, [*command, "-s", src, "-t", tgt])
        assert message in made.stderr


def test_languages_may_be_left_out_where_one_direction_fits(trained: Path) -> None:
    folder = trained / "out" / "translation" / "both"
    short, whole = (
        CliRunner().invoke(app, ["translate", str(folder), *languages], input="The dog\n")
        for languages in (["--src", "en"], ["--src", "en", "--tgt", "ar"])
    )
    assert short.exit_code == 0, short.output
    assert short.stdout == whole.stdout
    made = CliRunner().invoke(app, ["translate", str(folder)], input="a")
    assert "Name the languages of the translator with --src and --tgt. It has" in made.stderr


def test_a_model_of_lower_case_learns_how_words_are_written(trained: Path) -> None:
    folder = trained / "out" / "translation" / "both"
    forms = json.loads((folder / "truecase.json").read_text("utf-8"))
    assert forms["ar"]["احمر"] == "أحمر"
    assert "the" not in forms["en"]
    examples = results(trained)["translators"]["fresh"]["test"]["zh-en"]["examples"]
    written = " ".join(example["output"] for example in examples)
    assert any(map(str.isalpha, written))
    assert written == written.lower()  # it is measured as it is, against lower-cased references


def test_the_shared_embeddings_stay_one(trained: Path) -> None:
    weights = load_file(trained / "out" / "translation" / "both" / "model.safetensors")
    shared = weights["encoder.embeddings.weight"] == weights["decoder.embeddings.weight"]
    assert shared.all()
    weights = load_file(trained / "out" / "translation" / "fresh" / "model.safetensors")
    assert not (weights["encoder.embeddings.weight"] == weights["decoder.embeddings.weight"]).all()


def plan(folder: Path, *overrides: str) -> RunPlan:
    recipe = load_config(folder / "recipe.yaml", Recipe, [PRETRAINED, *SHARES, *overrides])
    return RunPlan(recipe, folder, folder / "out", Processes())


@pytest.mark.parametrize(
    ("override", "outdated"),
    [
        ("translation.models.fresh.title=Another", set()),
        ("translation.models.fresh.mt.alpha=0.5", {"fresh"}),
        ("translation.steps=13", {"fresh", "both"}),
        ("pretrain.steps=25", {"both"}),
        ("translation.models.both.dropout=0.3", {"both"}),
    ],
)
def test_a_change_outdates_what_depends_on_it(
    trained: Path, override: str, outdated: set[str]
) -> None:
    made = plan(trained, override)
    assert {name for name in made.translators() if not made.translated(name).finished} == outdated


@pytest.mark.parametrize(
    "override",
    [
        "translation.beam_size=3",
        "translation.test=[{kind: parallel, paths: {en: test.en, zh: test.zh}}]",
    ],
)
def test_how_a_translator_is_measured_does_not_outdate_its_training(
    trained: Path, override: str
) -> None:
    for code, text in (("en", "a\n"), ("zh", "b\n")):
        (trained / f"test.{code}").write_text(text, encoding="utf-8")
    made = plan(trained, override)
    assert all(made.translated(name).finished for name in made.translators())
    assert not any(made.tested(name).finished for name in made.translators())
    assert all(plan(trained).tested(name).finished for name in made.translators())


def test_a_step_is_chosen_by_directions_that_are_learned_alone(trained: Path) -> None:
    made = plan(trained, "translation.models={next: {bt: {length: 32}}}")
    learned = {"en-zh", "zh-en", "en-ar", "ar-en"}
    assert set(watched(made, "next", "valid")) == learned
    assert set(watched(made, "next", "test")) == learned | {"zh-ar", "ar-zh"}


def test_a_finished_translator_is_one_to_start_from(trained: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(trained, again)
    folder = again / "out" / "translation" / "fresh"
    first = f"translation.models={{next: {{init: '{folder}', mt: {{length: 32}}}}}}"
    overrides = [PRETRAINED, "data.split.valid=0.05", "data.split.test=0.05", first]
    train_translator(
        again / "recipe.yaml", [*overrides, "translation.steps=1"], again / "out", False
    )
    before = load_file(folder / "model.safetensors")
    after = load_file(again / "out" / "translation" / "next" / "model.safetensors")
    name = "decoder.encoder_attn.0.q_lin.weight"
    assert 0 < abs(before[name] - after[name]).max() < 0.1


def test_training_stops_by_patience(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = tmp_path / "again"
    shutil.copytree(trained, again)
    overrides = [
        PRETRAINED, *SHARES,
        "translation.models={still: {mt: {length: 32, pairs: 100000}}}",
        "translation.optimizer.lr=1.0e-30", "translation.optimizer.clip=1.0e-30",
        "translation.validate_every=2", "translation.patience=2", "translation.steps=50",
        "translation.criterion=loss",
    ]  # fmt: skip
    train_translator(again / "recipe.yaml", overrides, again / "out", False)
    figures = json.loads(
        (again / "out" / "translation" / "still" / "figures.json").read_text("utf-8")
    )
    assert figures["best_step"] == 2
    assert figures["steps"] == 6
    assert all(p["objective"] == "mt" for p in figures["curve"])
    told = capsys.readouterr().err
    assert re.search(r"still.mt.pairs is 100,000, but there are only \d+ translations", told)
    assert re.search(r"Step 2: .*English loss \d\.\d{3}.* \(best so far\)", told)
    assert re.search(r"Step 4: .*English loss \d\.\d{3}.* \(best at step 2\)", told)


def test_without_translations_the_way_there_and_back_is_the_criterion(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = add_translation(project)
    single = [f"{{kind: text, path: text.{code}, language: {code}}}" for code in ("en", "ar")]
    overrides = [
        "pretrain.models=null", *SHARES, "languages=[en, ar]", "translation.criterion=round_trip",
        f"data.sources=[{', '.join(single)}]",
        "translation.models={alone: {ae: {length: 32}, bt: {length: 32}}}",
        "translation.give_up_after=2",
    ]  # fmt: skip
    run(recipe, overrides, project / "out", False)
    made = results(project)["translators"]["alone"]
    assert not [p for p in made["curve"] if p["objective"] == "bleu"]
    measured = [p for p in made["curve"] if p["objective"] == "round_trip"]
    assert {p["language"] for p in measured} == {"en-ar", "ar-en", "average"}
    assert list(made["test"]["en-ar"]["scores"]) == ["round_trip"]
    assert made["best_step"] in (6, 12)
    assert re.search(
        r"Step 6: (English to Arabic|Arabic to English) round-trip BLEU \d+\.\d, .*\(best",
        capsys.readouterr().err,
    )


def test_without_text_to_validate_on_the_last_step_is_kept(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, out = add_translation(project), project / "out"
    overrides = [
        "pretrain.models=null", "data.split.valid=0", "translation.steps=3",
        "translation.models={alone: {mt: {directions: [en-ar], length: 32}}}",
    ]  # fmt: skip
    prepare(recipe, overrides, out, False)
    for asked in ("patience=2", "give_up_after=2", "criterion=bleu"):
        with pytest.raises(UserError, match="alone has no translations to be"):
            train_translator(recipe, [*overrides, f"translation.{asked}"], out, False)
    capsys.readouterr()
    train_translator(recipe, overrides, out, False)
    assert read_json(out / "translation" / "alone" / "figures.json")["best_step"] == 3
    told = "No text is held out to validate translation.models.alone on; its last step will be kept"
    assert told in capsys.readouterr().err


def test_round_trips_need_a_way_back(trained: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(trained, again)
    overrides = [
        PRETRAINED, *SHARES, "translation.criterion=round_trip",
        "translation.models={there: {mt: {directions: [en-ar], length: 32}}}",
    ]  # fmt: skip
    with pytest.raises(UserError, match="no direction that it learns both ways"):
        train_translator(again / "recipe.yaml", overrides, again / "out", False)


def test_without_other_models_none_is_pretrained(project: Path) -> None:
    recipe = add_translation(project)
    overrides = [
        "pretrain.models=null", *SHARES, "translation.steps=2",
        "translation.models={alone: {mt: {directions: [en-ar], length: 32}}}",
    ]  # fmt: skip
    run(recipe, overrides, project / "out", False)
    made = results(project)
    assert made["models"] == {}
    assert list(made["translators"]) == ["alone"]
    assert (project / "out" / "report.html").is_file()
    assert not (project / "out" / "pretrain").exists()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("translation.models.both.init=nowhere", "neither a model of pretrain.models"),
        ("translation.models.fresh.mt.directions=[en-de]", "names the language de"),
        ("translation.models.fresh.mt.directions=[en]", "directions"),
        ("translation.models.fresh.mt.length=100", "mt.length .100. is more than"),
        ("translation.models.fresh={mlm: {length: 32}}", "learns with mt, summary, ae or bt"),
        ("translation.models.fresh.coefficients={bt: [[0, 1]]}", "names bt"),
        ("translation.models.fresh.coefficients={mt: [[5, 1], [5, 2]]}", "must rise"),
        ("translation.models.fresh.coefficients={mt: [[0, 0]]}", "are 0 for all"),
        ("translation.models.both.bt.directions=[ar-ar]", "ar-ar has one language only"),
        (
            "translation={criterion: loss, give_up_after: 3, models: {a: {mt: {}}}}",
            "give_up_after looks at what is",
        ),
    ],
)
def test_mistakes_in_one_sentence(project: Path, override: str, message: str) -> None:
    add_translation(project)
    with pytest.raises(UserError, match=message):
        plan(project, override).find_files()


def test_an_initial_model_of_another_vocabulary_is_refused(trained: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(trained, again)
    folder = trained / "out" / "translation" / "fresh"
    overrides = [
        "pretrain.models=null", "tokenizer.vocabulary_size=250",
        f"translation.models={{next: {{init: '{folder}', mt: {{length: 32}}}}}}",
    ]  # fmt: skip
    with pytest.raises(UserError, match="has another vocabulary"):
        run(again / "recipe.yaml", overrides, again / "out", False)


def test_an_initial_model_with_too_few_positions_is_refused(trained: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(trained, again)
    folder = trained / "out" / "translation" / "fresh"
    overrides = [
        "pretrain.models=null", *SHARES, "model.max_position_embeddings=128",
        f"translation.models={{next: {{init: '{folder}', mt: {{length: 32}}, ae: {{}}}}}}",
    ]  # fmt: skip
    with pytest.raises(UserError, match=r"next.ae.length .128. is more than the 64 positions of"):
        train_translator(again / "recipe.yaml", overrides, again / "out", False)
