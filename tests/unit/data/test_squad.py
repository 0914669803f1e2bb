import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from xlmkit.core.errors import UserError
from xlmkit.data.inputs import Reading
from xlmkit.data.questions import Answer, Question, QuestionSource
from xlmkit.data.squad import question_files, read_questions

CONTEXT = "The Nile flows north. The Amazon flows east."


def nested(context: str, *qas: dict[str, Any]) -> str:
    return json.dumps(
        {"version": "1", "data": [{"paragraphs": [{"context": context, "qas": qas}]}]}
    )


def qa(text: str, start: int, **more: Any) -> dict[str, Any]:
    return {
        "question": "Where?",
        "id": "q",
        "answers": [{"text": text, "answer_start": start}],
        **more,
    }


def test_a_file_for_each_language_is_read(tmp_path: Path) -> None:
    for name in ("en", "zh_CN"):
        (tmp_path / f"q.{name}.json").write_text(nested(CONTEXT, qa("north", 15)))
    source = QuestionSource(path="q.{language}.json")
    found = list(read_questions(source, Reading(tmp_path, ("zh", "en", "de"))))
    assert [question.language for question in found] == ["zh", "en"]
    assert found[0] == Question("q", "zh", "Where?", CONTEXT, (Answer("north", 15),))
    assert [file.name for file in question_files(source, tmp_path)] == ["q.en.json", "q.zh_CN.json"]


def test_questions_may_be_in_another_language_than_contexts(tmp_path: Path) -> None:
    for name in ("en", "de"):
        (tmp_path / f"{name}-en.json").write_text(nested(CONTEXT, qa("north", 15)))
    source = QuestionSource(path="{language}-en.json", question_language="en")
    found = list(read_questions(source, Reading(tmp_path, ("en", "de"))))
    assert [(one.language, one.asked_in) for one in found] == [("en", "en"), ("de", "en")]
    plain = QuestionSource(path="{language}-en.json")
    assert next(read_questions(plain, Reading(tmp_path, ("de",)))).asked_in == "de"
    assert "question_language" not in plain.model_dump()  # what was made before still holds


def test_both_layouts_of_rows_and_questions_without_answers(tmp_path: Path) -> None:
    rows = [
        {"question": "a", "context": "b c", "answers": {"text": ["b"], "answer_start": [0]}},
        {"question": "a", "context": "b c", "answers": [{"text": "c"}]},
        {"question": "a", "context": "b c", "answers": {"text": [], "answer_start": []}},
        {"question": "a", "context": "b c", "answers": [{"text": "b"}], "is_impossible": True},
    ]
    (tmp_path / "q.jsonl").write_text("\n".join(map(json.dumps, rows)))
    source = QuestionSource(path="q.jsonl", language="en")
    found = list(read_questions(source, Reading(tmp_path, ("en",))))
    assert [q.answers for q in found] == [(Answer("b", 0),), (Answer("c"),), (), ()]
    assert found[1].place() == (2, 3)
    assert found[2].place() is None


def test_what_is_damaged_is_counted(tmp_path: Path) -> None:
    rows = [
        qa("north", 15),
        qa("north", 15, question=" "),
        qa(" ", 0),
        {"question": "Where?"},
        qa("north", 15, answers="north"),
    ]
    (tmp_path / "q.json").write_text(nested(CONTEXT, *rows))
    reading = Reading(tmp_path, ("en",))
    source = QuestionSource(path="q.json", language="en")
    assert len(list(read_questions(source, reading))) == 1
    assert reading.bad.counts == {
        "an empty question": 1,
        "an empty answer": 1,
        "no answers in the layout of SQuAD": 2,
    }


def test_no_damage_ends_a_reading(tmp_path: Path) -> None:
    good = json.dumps({**qa("north", 15), "context": CONTEXT})
    lines = ["[" * 100_000, f'{{"id": {"1" * 5000}}}', good.replace("15", "1e400"), good]
    # As deep as is read, and too deep to be written.
    lines += [good.replace('"q"', f"{'[' * depth}{']' * depth}") for depth in range(800, 1000)]
    (tmp_path / "q.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    reading = Reading(tmp_path, ("en",))
    found = list(read_questions(QuestionSource(path="q.jsonl", language="en"), reading))
    assert len(found) >= 1
    assert len(found) + reading.bad.counts.total() == len(lines)
    assert reading.bad.places["no JSON object"][:2] == ["q.jsonl:1", "q.jsonl:2"]
    assert reading.bad.places["no answers in the layout of SQuAD"][0] == "q.jsonl:3"


def test_another_layout_is_one_sentence(tmp_path: Path) -> None:
    source = QuestionSource(path="q.json", language="en")
    reading = Reading(tmp_path, ("en",))
    for text in ('{"data": [{"title": "a"}]}', "[1]", "no JSON", "[" * 100_000):
        (tmp_path / "q.json").write_text(text)
        with pytest.raises(UserError, match="not in the layout of SQuAD"):
            list(read_questions(source, reading))
    (tmp_path / "q.json").write_text(nested(CONTEXT))
    with pytest.raises(UserError, match="gave no question"):
        list(read_questions(source, reading))


def test_what_is_wrong_with_a_whole_file_is_said_as_by_other_readers(tmp_path: Path) -> None:
    one = json.dumps({"question": "Where?", "context": "Here, ü.", "answer": "Here"}) + "\n"
    latin = nested("here", qa("here", 0)).replace("here", "überall")
    for name, content, message in (
        ("q.json", latin.encode("latin-1"), r"q.json is not UTF-8; .* iconv -f latin1 -t UTF-8 q"),
        ("q.json", b" \n", r"q.json is empty\."),
        (
            "q.jsonl",
            one.encode(),
            r"1 were damaged \(no answers in the layout of SQuAD; a row has no `answers` but "
            r"question, context, answer\)\.",
        ),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=message):
            list(
                read_questions(QuestionSource(path=name, language="en"), Reading(tmp_path, ("en",)))
            )


def test_a_dataset_of_hugging_face_is_read(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    answers = [{"text": ["north"], "answer_start": [15]}, {"text": [], "answer_start": []}]
    rows = {"id": ["1", "2"], "question": ["Where?"] * 2, "context": [CONTEXT] * 2}
    datasets.Dataset.from_dict({**rows, "answers": answers}).save_to_disk(str(tmp_path / "saved"))
    source = QuestionSource(dataset="saved", language="en")
    found = list(read_questions(source, Reading(tmp_path, ("en",))))
    assert [len(question.answers) for question in found] == [1, 0]
    assert question_files(source, tmp_path)


@pytest.mark.parametrize(
    ("answer", "place"),
    [
        (Answer("flows", 9), (9, 14)),
        (Answer("flows", 8), (9, 14)),
        (Answer("flows", 40), (33, 38)),
        (Answer("flows", 20), (9, 14)),
        (Answer(" north ", 14), (15, 20)),
        (Answer("east"), (39, 43)),
        (Answer("south", 15), None),
        (Answer(" ", 0), None),
    ],
)
def test_an_answer_out_of_place_is_sought_near_by(
    answer: Answer, place: tuple[int, int] | None
) -> None:
    assert answer.place(CONTEXT) == place


def test_a_source_names_one_place_and_one_language() -> None:
    for wrong in (
        {"language": "en"},
        {"path": "a", "dataset": "b", "language": "en"},
        {"path": "a"},
        {"path": "{language}", "language": "en"},
        {"dataset": "a", "subset": "b"},
    ):
        with pytest.raises(ValidationError):
            QuestionSource.model_validate(wrong)
    assert QuestionSource(dataset="a", subset="{language}.x").title == "a"
