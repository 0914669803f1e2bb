"""Questions are read, held out and told; both heads are learned, measured, saved and asked."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

import xlmkit
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.errors import UserError
from xlmkit.core.files import read_json
from xlmkit.data.questions import Question
from xlmkit.evaluate.answers import Answering, Answers, Found
from xlmkit.inference.answers import AnswerPredictor
from xlmkit.inference.files import predict
from xlmkit.inference.texts import Texts
from xlmkit.run import run
from xlmkit.tasks.base import TaskInputs
from xlmkit.tasks.question_answering import QuestionAnsweringConfig, QuestionAnsweringData

ANIMALS = {"en": ["dog", "cat", "bird", "horse"], "zh": ["狗", "猫", "鸟", "马"]}
FORMS = {
    "en": ("The {} sees the old {}.", "What does the {} see?"),
    "zh": ("{}看见老{}。", "{}看见什么?"),
}


def rows(language: str, n: int, impossible: bool) -> list[dict[str, Any]]:
    """Return questions about who sees whom; every third one is about someone who is not there."""
    words, (context, asked) = ANIMALS[language], FORMS[language]
    made = []
    for number in range(n):
        first, second, third = (words[(number + i) % 4] for i in range(3))
        text = f"{context.format(first, second)} {number}"
        answers = [{"text": second, "answer_start": text.rindex(second)}]
        row = {"id": str(number), "question": asked.format(first), "context": text}
        if impossible and number % 3 == 0:
            row, answers = {**row, "question": asked.format(third)}, []
        made.append({**row, "answers": answers, "is_impossible": not answers})
    return made


def write(folder: Path, impossible: bool) -> None:
    for language in ANIMALS:
        lines = (json.dumps(row) + "\n" for row in rows(language, 60, impossible))
        (folder / f"qa.{language}.jsonl").write_text("".join(lines), encoding="utf-8")


def config(**more: Any) -> QuestionAnsweringConfig:
    train = [{"path": "qa.en.jsonl", "language": "en"}]
    test = [{"path": "qa.{language}.jsonl"}]
    section = {"kind": "question_answering", "train": train, "test": test, **more}
    return QuestionAnsweringConfig.model_validate(section)


def load(folder: Path, **more: Any) -> QuestionAnsweringData:
    return config(**more).load(TaskInputs(folder, folder, ("en", "zh")))


def test_contexts_are_held_out_where_some_questions_have_no_answer(tmp_path: Path) -> None:
    write(tmp_path, impossible=True)
    data = load(tmp_path)
    assert len(data.train) + len(data.valid) == 60
    assert 0 < len(data.valid) < 20
    assert not {q.context for q in data.train} & {q.context for q in data.valid}
    assert {code: len(part) for code, part in data.test.items()} == {"en": 60, "zh": 60}
    assert len(load(tmp_path, null_threshold=0.5).train) == 60
    files = load(tmp_path, valid=[{"path": "qa.{language}.jsonl", "languages": ["en"]}])
    assert (len(files.train), len(files.valid)) == (60, 60)
    write(tmp_path, impossible=False)
    assert (len(load(tmp_path).train), load(tmp_path).valid) == (60, [])


def test_files_of_other_languages_are_left(tmp_path: Path) -> None:
    write(tmp_path, impossible=False)
    each = [{"path": f"qa.{code}.jsonl", "language": code} for code in ("en", "zh")]
    data = load(tmp_path, train=each, valid=each, test=each)
    assert {question.language for question in data.train} == {"en"}
    assert set(data.test) == {"en", "zh"}


def test_a_source_of_other_languages_chooses_their_steps_and_is_not_learned(tmp_path: Path) -> None:
    write(tmp_path, impossible=False)
    (tmp_path / "qa.zh.jsonl").rename(tmp_path / "cross-zh-en.jsonl")
    english = {"path": "qa.en.jsonl", "language": "en"}
    cross = {"path": "cross-{language}-en.jsonl", "question_language": "en"}
    for other in (cross, {**cross, "languages": ["zh"]}):
        given = [english, other]
        settings = config(train=given, valid=given, test=given)
        inputs = TaskInputs(tmp_path, tmp_path, ("en", "zh"))
        assert {question.language for question in settings.load(inputs).train} == {"en"}
        chooses = settings.validation()
        assert chooses is not None
        assert set(chooses.load(inputs).test) == {"en", "zh"}
    for wrong, message in (
        ({"path": "cross-{language}-zh.jsonl"}, "No file matches the pattern"),
        ({**cross, "languages": ["fr"]}, "limited to languages that the recipe does not have"),
    ):
        with pytest.raises(UserError, match=message):
            load(tmp_path, train=[english, wrong])


def test_questions_without_answers_that_no_model_learned_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, impossible=False)
    unanswerable = "".join(json.dumps(row) + "\n" for row in rows("zh", 60, impossible=True))
    (tmp_path / "qa.zh.jsonl").write_text(unanswerable, encoding="utf-8")
    told = (
        "20 of 60 test questions in zh have no answer, but the model never learned to give none; "
        "train on such questions."
    )
    inputs = TaskInputs(tmp_path, tmp_path, ("en", "zh"))
    config().load(inputs)
    assert told in capsys.readouterr().err
    reason = "no answer, which the model never learned to give, but counted as any other"
    assert inputs.bad.to_json() == {"test": {"zh": {reason: 20}}}
    load(tmp_path, null_threshold=0.0)
    write(tmp_path, impossible=True)
    load(tmp_path)
    assert told not in capsys.readouterr().err


def test_answers_that_do_not_occur_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, impossible=False)
    lost = {"question": "a", "context": "b", "answers": [{"text": "c", "answer_start": 0}]}
    empty = {"question": " ", "context": "b", "answers": []}
    for language, extra in (("en", [lost, lost, empty]), ("zh", [lost])):
        with (tmp_path / f"qa.{language}.jsonl").open("a") as stream:
            stream.writelines(json.dumps(row) + "\n" for row in extra)
    data = load(tmp_path)
    assert len(data.train) == 60
    assert len(data.test["zh"]) == 61  # it can only be answered wrongly, and is counted so
    told = capsys.readouterr().err
    assert "Training questions left out, as no answer occurs in their contexts: en 2." in told
    assert "whose answers do not occur in their contexts: en 2, zh 1." in told
    assert "1 question left out (an empty question)" in told
    (tmp_path / "qa.en.jsonl").write_text(json.dumps(lost))
    with pytest.raises(UserError, match="no question of its train files has an answer"):
        load(tmp_path)


def test_a_stride_leaves_room() -> None:
    with pytest.raises(ValidationError, match="stride must be less than"):
        config(max_length=100, max_question=50, stride=46)
    with pytest.raises(ValidationError, match=r"max_question \(51\) must be at most half"):
        config(max_length=100, max_question=51, stride=0)
    with pytest.raises(ValidationError, match=r"\(64, its default\) must be at most half of .*100"):
        config(max_length=100, stride=0)
    assert config(max_length=101, max_question=50, stride=46).answering.shape.stride == 46


class Oracle:
    """Answers rightly in English, and with half of the words elsewhere."""

    languages = ("en", "zh")
    settings = Answering(null_threshold=0.0)

    def answers(self, questions: list[Question]) -> list[Answers]:
        found = []
        for q in questions:
            text = q.answers[0].text if q.answers else "x"
            text = text if q.language == "en" else f"{text} y"
            start, end = q.place() or (0, 1)
            found.append(Answers((Found(text, start, end, -0.5),), -1.0 if q.answers else 2.0))
        return found


def test_what_is_measured(tmp_path: Path) -> None:
    write(tmp_path, impossible=True)
    data = load(tmp_path)
    measured = data.measured(Oracle(), config(), ["en"])
    english, chinese = measured["languages"]["en"], measured["languages"]["zh"]
    assert measured["metrics"][:2] == ["f1", "exact_match"]
    assert {name: english[name]["value"] for name in measured["metrics"]} == dict.fromkeys(
        measured["metrics"], 1.0
    )
    assert chinese["has_answer_f1"]["value"] == pytest.approx(2 / 3)
    assert chinese["has_answer_exact_match"]["value"] == 0
    assert chinese["no_answer_accuracy"]["value"] == 1
    assert chinese["answered"] == chinese["has_answer_f1"]["n"] < chinese["n"]
    assert measured["average"]["exact_match"] == pytest.approx(1 / 3)
    shown = measured["examples"]["zh"]
    assert {one["label"] == one["predicted"] for one in shown} == {True, False}
    assert measured["null_threshold"] == 0
    columns = measured["outcomes"]["zh"].columns  # from which models are compared in pairs
    assert columns["f1"].mean() == pytest.approx(chinese["f1"]["value"])
    assert columns["exact_match"].mean() == pytest.approx(chinese["exact_match"]["value"])


def test_questions_in_other_languages_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path, impossible=False)
    other = {"path": "qa.zh.jsonl", "language": "zh", "question_language": "en"}
    data = load(tmp_path, test=[{"path": "qa.{language}.jsonl"}, other])
    measured = data.measured(Oracle(), config(), ["en"])
    assert measured["languages"]["zh"]["n"] == 120
    found = measured["asked_in"]
    assert set(found) == set(found["zh"]) == {"en", "zh"}
    assert set(found["en"]) == {"en"}
    assert found["zh"]["en"] == {"f1": pytest.approx(2 / 3), "exact_match": 0, "n": 60}
    assert "asked_in" not in load(tmp_path).measured(Oracle(), config(), ["en"])
    with pytest.raises(UserError, match="asks in fr, which is none of the recipe's languages"):
        load(tmp_path, test=[{**other, "question_language": "fr"}])


_TASK = """
  {name}:
    kind: question_answering
    head: {head}
    max_length: 40
    max_question: 12
    stride: 8
    epochs: 5
    optimizer: {{lr: 1.0e-2}}
    train: [{{kind: squad, path: qa.en.jsonl, language: en}}]
    test: [{{kind: squad, path: "qa.{{language}}.jsonl"}}]
"""
_CHOSEN = """\
    valid: [{kind: squad, path: "qa.{language}.jsonl"}]
    validate_every: 0.5
    patience: 4
"""
_SHARED = """\
    valid_share: 0.3
    sweep: {lr: [1.0e-7, 1.0e-2], processes: 1}
"""


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory, _project: Path) -> Path:
    import shutil

    folder = Path(shutil.copytree(_project, tmp_path_factory.mktemp("qa") / "project"))
    write(folder, impossible=True)
    recipe = folder / "recipe.yaml"
    tasks = "".join(_TASK.format(name=head, head=head) for head in ("simple", "beam"))
    tasks += _TASK.format(name="chosen", head="simple") + _CHOSEN
    tasks += _TASK.format(name="shared", head="simple") + _SHARED
    base, _, _ = recipe.read_text("utf-8").partition("finetune:")
    recipe.write_text(f"{base}finetune:{tasks}", encoding="utf-8")
    run(recipe, ['pretrain.models={"none": {}}'], folder / "out", False)
    return folder


@pytest.mark.parametrize("head", ["simple", "beam"])
def test_a_run_learns_measures_and_saves(finished_run: Path, head: str) -> None:
    results = read_json(finished_run / "out" / "results.json")
    found = results["models"]["none"]["tasks"][head]
    assert found["languages"]["zh"]["n"] == 60
    assert found["languages"]["en"]["tokens_per_word"] > 1
    assert found["languages"]["en"]["f1"]["value"] > 0.3
    folder = finished_run / "out" / "finetune" / "none" / head
    settings = Answering.load(folder)
    assert settings.null_threshold == found["null_threshold"] is not None
    assert settings.max_length == 40
    page = (finished_run / "out" / "report.html").read_text("utf-8")
    assert "Exact match" in page
    assert "No answer accuracy" in page


def test_valid_questions_choose_the_step(finished_run: Path) -> None:
    stage = finished_run / "out" / "finetune" / "none" / "chosen"
    figures = read_json(stage / "figures.json")
    curve = [point for point in figures["curve"] if point["objective"] == "selection"]
    values = {point["step"]: point["value"] for point in curve if point["language"] == "en"}
    assert {point["language"] for point in curve} == {"en", "zh"}
    assert len(values) > 1
    best = figures["selection"]["source_selected"]
    assert values[best] == max(values.values())
    results = read_json(finished_run / "out" / "results.json")
    found = results["models"]["none"]["tasks"]["chosen"]
    assert found["languages"]["en"]["f1"]["value"] == pytest.approx(values[best], abs=1e-5)
    assert found["null_threshold"] == Answering.load(stage).null_threshold is not None
    assert config(patience=1, valid=[{"path": "a", "language": "en"}]).inputs()["chosen_by"]
    assert "chosen_by" not in config().inputs()


def test_contexts_that_are_held_back_choose_the_step_and_the_rate(finished_run: Path) -> None:
    figures = read_json(finished_run / "out" / "finetune" / "none" / "shared" / "figures.json")
    curve = [point for point in figures["curve"] if point["objective"] == "selection"]
    assert {point["language"] for point in curve} == {"en"}
    assert [trial["chosen"] for trial in figures["trials"]] == [False, True]
    found = read_json(finished_run / "out" / "results.json")["models"]["none"]["tasks"]["shared"]
    assert 0 < found["train_examples"] < 60
    assert found["languages"]["en"]["n"] == 60
    assert found["null_threshold"] is not None


def test_the_folders_open_as_the_classes_they_name(finished_run: Path) -> None:
    folder = finished_run / "out" / "finetune" / "none"
    bundle = Bundle.load(folder / "simple")
    model = xlmkit.XLMForQuestionAnsweringSimple.from_pretrained(folder / "simple").eval()
    ids = torch.tensor([[1, 20, 21, 1, 1, 22, 23, 24, 1]])
    places = torch.tensor([[0, 1, 2, 3, 0, 1, 2, 3, 4]])
    languages = torch.zeros_like(ids)
    with torch.no_grad():
        theirs = model(ids, position_ids=places, langs=languages)
        ours = bundle.answerer()(ids, torch.tensor([9]), places, languages)
    torch.testing.assert_close(ours[..., 0], theirs.start_logits)
    torch.testing.assert_close(ours[..., 1], theirs.end_logits)
    beam = xlmkit.XLMForQuestionAnswering.from_pretrained(folder / "beam").eval()
    assert beam.config.start_n_top == 5
    with torch.no_grad():
        states = Bundle.load(folder / "beam").answerer()
        hidden = states(ids, torch.tensor([9]), places, languages)
        start, end = torch.tensor([5]), torch.tensor([6])
        loss = states.qa_outputs.loss(hidden, start, end)
        theirs = beam(
            ids, position_ids=places, langs=languages, start_positions=start, end_positions=end
        )
    torch.testing.assert_close(loss, theirs.loss)


@pytest.mark.parametrize("head", ["simple", "beam"])
def test_predict_answers_questions(finished_run: Path, tmp_path: Path, head: str) -> None:
    folder = finished_run / "out" / "finetune" / "none" / head
    asked = rows("en", 5, impossible=True)
    source = tmp_path / "asked.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in asked), encoding="utf-8")
    settings = {"precision": "float32", "batch_tokens": 512, "resume": False}
    for target in (tmp_path / "out.jsonl", tmp_path / "out.tsv"):
        predict(folder, Texts(path=source, lang="en"), target, **settings)
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert len(found) == 5
    for row, one in zip(asked, found, strict=True):
        total = sum(span["probability"] for span in one["n_best"])
        assert total == pytest.approx(1 / (1 + np.exp(one["no_answer"])), abs=1e-4)
        for span in one["n_best"]:
            assert row["context"][span["start"] : span["end"]] == span["text"]
    table = (tmp_path / "out.tsv").read_text("utf-8").splitlines()
    assert table[0] == "answer\tprobability\tstart\tend"
    assert len(table) == 6
    pairs = [(row["question"], row["context"]) for row in asked]
    predictor = AnswerPredictor.from_pretrained(folder, precision="float32")
    assert predictor.predict(pairs, "en")[1]["answer"] == found[1]["answer"]
    with pytest.raises(UserError, match="does not know the language 'fr'"):
        predictor.predict(pairs, "fr")
    predict(
        folder, Texts(path=source, lang="en"), tmp_path / "zh.jsonl", question_lang="zh", **settings
    )
    other = [json.loads(line) for line in (tmp_path / "zh.jsonl").read_text("utf-8").splitlines()]
    assert [one["no_answer"] for one in other] != [one["no_answer"] for one in found]
    with pytest.raises(UserError, match="does not know the language 'fr'"):
        AnswerPredictor.from_pretrained(folder).predict(pairs, "en", question_lang="fr")


def test_questions_come_as_json_lines(finished_run: Path, tmp_path: Path) -> None:
    folder = finished_run / "out" / "finetune" / "none" / "simple"
    source = tmp_path / "a.txt"
    source.write_text("{}\n")
    settings = {"precision": "float32", "batch_tokens": 512, "resume": False}
    with pytest.raises(UserError, match="question and context: name JSON lines"):
        predict(folder, Texts(path=source, lang="en"), None, **settings)
    with pytest.raises(UserError, match="every line needs question and context"):
        predict(folder, Texts(path=source, lang="en", form="jsonl"), None, **settings)
