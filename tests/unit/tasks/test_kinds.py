"""Every kind of task that scores sequences: reading, mistakes, and a whole run."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from xlmkit.core.errors import UserError
from xlmkit.core.files import read_json
from xlmkit.recipe import Recipe
from xlmkit.run import run
from xlmkit.tasks.base import TaskInputs
from xlmkit.tasks.classification import ClassificationConfig
from xlmkit.tasks.multilabel import MultilabelConfig
from xlmkit.tasks.multiple_choice import MultipleChoiceConfig
from xlmkit.tasks.regression import RegressionConfig
from xlmkit.tasks.sequences import LabelledTexts

LANGUAGES = ("en", "zh")


def load(folder: Path, section: type, lines: dict[str, str], **more: Any) -> Any:
    """Load a task whose train file is `en` and whose test files are all of `lines`."""
    for name, text in lines.items():
        (folder / f"{name}.tsv").write_text(text, encoding="utf-8")
    columns = {"kind": "tsv", "text": 0, "label_column": 1, **more}
    task = {
        "kind": section.model_fields["kind"].annotation.__args__[0],
        "train": [{**columns, "path": "en.tsv", "language": "en"}],
        "test": [{**columns, "path": "{language}.tsv"}],
    }
    config = section.model_validate(task)
    return config.load(TaskInputs(folder, folder, LANGUAGES))


def test_pairs_are_read(tmp_path: Path) -> None:
    data = load(tmp_path, ClassificationConfig, {"en": "a\tx\tb\nc\ty\td\n"}, second=2)
    assert (data.train["en"].texts, data.train["en"].seconds) == (["a", "c"], ["b", "d"])
    answers = data.answers(data.train["en"], np.array([[1, 0], [3, 0]], np.float32))
    assert [(one["label"], one["predicted"]) for one in answers] == [("x", "x"), ("y", "x")]
    assert answers[0]["probability"] == pytest.approx(1 / (1 + np.exp(-1)), abs=1e-4)


def test_a_source_may_be_limited_to_some_languages(tmp_path: Path) -> None:
    for name in ("en", "zh"):
        (tmp_path / f"{name}.tsv").write_text("a\tx\nc\ty\n")
    columns = {"kind": "tsv", "text": 0, "label_column": 1}
    test = {**columns, "path": "{language}.tsv", "languages": ["zh"]}
    task = {"train": [{**columns, "path": "en.tsv", "language": "en"}], "test": [test]}
    config = ClassificationConfig.model_validate(task)
    assert list(config.load(TaskInputs(tmp_path, tmp_path, LANGUAGES)).test) == ["zh"]


@pytest.mark.parametrize("section", [ClassificationConfig, MultilabelConfig, RegressionConfig])
def test_pairs_and_single_texts_do_not_mix(tmp_path: Path, section: type) -> None:
    (tmp_path / "a.tsv").write_text("a\t1\tb\nc\t2\td\n")
    kind = section.model_fields["kind"].annotation.__args__[0]
    single = {"kind": "tsv", "path": "a.tsv", "text": 0, "label_column": 1, "language": "en"}
    pair = {**single, "second": 2}
    inputs = TaskInputs(tmp_path, tmp_path, LANGUAGES)
    for train, test in (([single, pair], [single]), ([pair], [single]), ([single], [pair])):
        config = section.model_validate({"kind": kind, "train": train, "test": test})
        with pytest.raises(UserError, match="some of its texts are pairs and some are not"):
            config.load(inputs)
        files = {"kind": kind, "train": test, "valid": train, "test": test}
        config = section.model_validate(files)
        config.load(inputs)
        with pytest.raises(UserError, match="some of its texts are pairs and some are not"):
            config.validation().load(inputs)


def test_choices_are_of_a_multiple_choice_alone(tmp_path: Path) -> None:
    columns = {"label_column": 1, "choices": [2, 3]}
    with pytest.raises(UserError, match="`choices`, which only a task of kind: multiple_choice"):
        load(tmp_path, ClassificationConfig, {"en": "p\t0\ta\tb\nq\t1\tc\td\n"}, **columns)


def test_an_empty_second_text_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = load(tmp_path, ClassificationConfig, {"en": "a\tx\tb\nb\tx\t\nc\ty\td\n"}, second=2)
    assert data.train["en"].texts == ["a", "c"]
    assert "1 line left out (an empty second text or choice)" in capsys.readouterr().err


def test_several_classes_are_read_and_those_never_learned_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = load(tmp_path, MultilabelConfig, {"en": "a\t2, 1\nb\t2\n", "zh": "c\t1,9\nd\t1\n"})
    assert data.labels == ["1", "2"]
    assert data.train["en"].labels.tolist() == [[1, 1], [0, 1]]
    assert data.test["zh"].texts == ["d"]
    assert "1,9 (1)" in capsys.readouterr().err
    part = LabelledTexts(["a", "b"], np.array([[1, 1], [0, 1]], np.float32))
    scores = np.array([[1, 1], [-1, -2]], np.float32)
    judged = data.judge(part, scores)
    assert judged["micro_f1"]["value"] == pytest.approx(2 * 2 / (2 + 3))
    assert judged["macro_f1"]["value"] == pytest.approx((1 + 2 / 3) / 2)
    assert judged["exact_match"]["value"] == 0.5
    # Four decisions: yes with 0.73 twice, right; no with 0.73, right; no with 0.88, wrong.
    calibration = judged["calibration"]
    assert [(n, hits) for n, _, hits in calibration["bins"] if n] == [(3, 3), (1, 0)]
    sure, wrong = (1 / (1 + np.exp(-score)) for score in (1, 2))
    assert calibration["ece"]["n"] == 4
    assert calibration["ece"]["value"] == pytest.approx((3 * (1 - sure) + wrong) / 4)
    assert data.answers(part, scores)[1] == {"label": "2", "predicted": "none"}


def test_numbers_are_scaled_for_training_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = {"en": "a\t1.0\nb\t5\nc\tmany\nd\tnan\n", "zh": "e\t3\nf\t4\n"}
    data = load(tmp_path, RegressionConfig, lines)
    assert data.train["en"].labels.tolist() == [-1, 1]
    assert data.test["zh"].labels.tolist() == [3, 4]
    assert "many (1), nan (1)" in capsys.readouterr().err
    judged = data.judge(data.test["zh"], np.array([[0.1], [0.2]], np.float32))
    assert judged["spearman"]["value"] == pytest.approx(1)
    answers = data.answers(data.test["zh"], np.array([[0.0], [1.0]], np.float32))
    assert answers == [
        {"label": "3.0", "predicted": "3.0"},
        {"label": "4.0", "predicted": "5.0"},
    ]
    with pytest.raises(UserError, match="no two different numbers"):
        load(tmp_path, RegressionConfig, {"en": "a\t1\nb\t1\n"})


def test_choices_are_laid_out_one_after_the_other(tmp_path: Path) -> None:
    lines = {"en": "p\t0\ta\tb\nq\t1\tc\td\nr\t7\te\tf\n"}
    data = load(tmp_path, MultipleChoiceConfig, lines, choices=[2, 3])
    part = data.train["en"]
    assert (part.texts, part.seconds) == (["p", "p", "q", "q"], ["a", "b", "c", "d"])
    assert part.labels.tolist() == [0, 1]
    scores = np.array([[2], [1], [5], [1]], np.float32)
    assert data.judge(part, scores)["accuracy"]["value"] == 0.5
    wrong = data.answers(part, scores)[1]
    assert (wrong["label"], wrong["predicted"]) == ("d", "c")
    with pytest.raises(UserError, match="name their columns with `choices`"):
        load(tmp_path, MultipleChoiceConfig, {"en": "p\t0\n"})


def test_models_that_learned_long_texts_cut_are_made_anew() -> None:
    config = MultipleChoiceConfig(kind="multiple_choice")
    assert "learned" not in config.inputs()
    windows = MultipleChoiceConfig.model_validate({"kind": "multiple_choice", "long_texts": {}})
    assert windows.inputs()["learned"] == "in windows"
    other = RegressionConfig(kind="regression", long_texts=windows.long_texts)
    assert "learned" not in other.inputs()


def test_test_labels_that_were_never_learned_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "en.tsv").write_text("a\tx\nb\ty\n")
    (tmp_path / "t.tsv").write_text("a\tz\n")
    columns = {"kind": "tsv", "text": 0, "label_column": 1, "language": "en"}
    task = {"train": [{**columns, "path": "en.tsv"}], "test": [{**columns, "path": "t.tsv"}]}
    config = ClassificationConfig.model_validate(task)
    with pytest.raises(UserError, match=r"no text of its test files .* \(x, y\)"):
        config.load(TaskInputs(tmp_path, tmp_path, LANGUAGES))


def test_an_unknown_kind_is_refused_and_none_is_a_classification() -> None:
    source = {"kind": "text", "path": "a", "language": "en"}
    recipe = {"name": "a", "languages": ["en"], "data": {"sources": [source]}}
    made = Recipe.model_validate({**recipe, "finetune": {"t": {}}})
    assert isinstance(made.finetune["t"], ClassificationConfig)
    assert Recipe.model_validate_json(made.model_dump_json()) == made
    with pytest.raises(ValidationError, match="multiple_choice"):
        Recipe.model_validate({**recipe, "finetune": {"t": {"kind": "ranking"}}})


_TASKS = """
  pairs:
    kind: classification
    train: [{kind: tsv, path: pairs.tsv, text: 0, second: 1, label_column: 2, language: en}]
    test: [{kind: tsv, path: pairs.tsv, text: 0, second: 1, label_column: 2, language: zh}]
  emotions:
    kind: multilabel
    train: [{kind: tsv, path: pairs.tsv, text: 0, label_column: 3, language: en}]
    test: [{kind: tsv, path: pairs.tsv, text: 0, label_column: 3, language: zh}]
  likeness:
    kind: regression
    train: [{kind: tsv, path: pairs.tsv, text: 0, second: 1, label_column: 4, language: en}]
    test: [{kind: tsv, path: pairs.tsv, text: 0, second: 1, label_column: 4, language: zh}]
  choice:
    kind: multiple_choice
    train: [{kind: tsv, path: pairs.tsv, text: 0, choices: [0, 1], label_column: 5, language: en}]
    test: [{kind: tsv, path: pairs.tsv, text: 0, choices: [0, 1], label_column: 5, language: zh}]
"""


def test_a_run_adapts_and_measures_every_kind(project: Path, make_encoder: Any) -> None:
    rows = (
        f"The old dog {i}\tA small cat {i % 5}\t{'yn'[i % 2]}\t{'j' if i % 3 else 'j,s'}"
        f"\t{i % 4 + 0.5}\t{i % 2}\n"
        for i in range(24)
    )
    (project / "pairs.tsv").write_text("".join(rows), encoding="utf-8")
    make_encoder("bert", project / "bert")
    recipe = project / "recipe.yaml"
    recipe.write_text(recipe.read_text("utf-8") + _TASKS, encoding="utf-8")
    models = {"none": {}, "bert": {"checkpoint": "bert"}}
    run(recipe, [f"pretrain.models={json.dumps(models)}"], project / "out", False)
    results = read_json(project / "out" / "results.json")
    metrics = {
        "pairs": ["accuracy", "macro_f1"],
        "emotions": ["macro_f1", "micro_f1", "exact_match"],
        "likeness": ["spearman", "pearson"],
        "choice": ["accuracy"],
    }
    for model in models:
        for task, names in metrics.items():
            found = results["models"][model]["tasks"][task]
            assert found["metrics"] == names
            assert found["languages"]["zh"]["n"] == 24
            assert set(names) <= set(found["languages"]["zh"])
            assert found["train_examples"] == 24
            assert found["examples"]["zh"]
    page = (project / "out" / "report.html").read_text("utf-8")
    assert "Spearman" in page
    assert "Exact match" in page
