"""What is wrong in the files of each kind of task: counted and told, or one sentence."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from xlmkit.core.errors import UserError
from xlmkit.tasks.base import TaskInputs
from xlmkit.tasks.kinds import Task

FILES = {
    "good.tsv": "a\tx\nb\ty\n",
    "unknown.tsv": "a\tz\nb\tx\nc\tz\n",
    "empty.tsv": "\tx\nb\t\nc\tx\n",
    "blank.tsv": " \tx\n\u00a0\ty\n\u200b\tx\nb\t \nc\t x \nd\t\u200b\ne\tx\u200b\n",
    "blank_pairs.tsv": "a\tb\tx\na\t \tx\n \tb\ty\na\tb\ty\n",
    "blank_lines.txt": "a\n \nb\n",
    "blank_labels.txt": "x\ny\nx\n",
    "narrow.tsv": "a\nb\n",
    "named.tsv": "text\tlabel\na\tx\n",
    "german.tsv": "a\tx\tde\n",
    "named_languages.tsv": "a\tx\tENGLISH\nb\ty\tde-DE\n",
    "numbers.tsv": "a\t1\nb\tx\nc\tnan\nd\t2\n",
    "pairs.tsv": "a\tb\tx\na\t\tx\n\tb\ty\na\tb\ty\n",
    "choices.tsv": "p\tc\td\t0\np\tc\td\t2\np\tc\t\t1\np\tc\td\t1\n",
    "quoted.tsv": 'x\t"One\nmore"\ny\tTwo\nz\n',
    "texts.tsv": "".join(f"{n}\ttext {n}\n" for n in range(60)),
    "rows.jsonl": '{"text": "a", "label": "x"}\n{"text": "b"}\n{"label": "x"}\n[]\n',
    "lists.jsonl": '{"text": "a", "labels": ["x", "a, b"]}\n{"text": "b", "labels": []}\n',
    "good.conll": "a B-X\nb I-X\n\nc O\n",
    "bad.conll": "a I-X\n\nb\n\nc B-Z\nd I-X\n",
    "prefixed.conll": "en:a B-X\nen:b I-X\n\nen:c O\n",
    "untagged.conll": "a\nb\n",
}
GOOD = {"id": "1", "question": "What?", "answers": [{"text": "Nile", "answer_start": 0}]}
QUESTIONS: list[dict[str, Any]] = [
    GOOD,
    {"id": "2", "question": "", "answers": GOOD["answers"]},
    {"id": "3", "question": "Who?", "answers": [{"text": "Amazon", "answer_start": 3}]},
    {"id": "4", "question": "Who?", "answers": [{"text": " ", "answer_start": 3}]},
    {"id": "5", "question": "Who?"},
]


def tsv(name: str, label: int | None = 1, **more: Any) -> dict[str, Any]:
    return {"kind": "tsv", "path": name, "text": 0, "label_column": label, "language": "en", **more}


PAIRS = tsv("pairs.tsv", 2, second=1)
CHOICES = tsv("choices.tsv", 3, choices=[1, 2])
CONLL = {"kind": "conll", "language": "en"}
SQUAD = {"kind": "squad", "language": "en"}
GERMAN = {"kind": "tsv", "path": "german.tsv", "text": 0, "label_column": 1, "language_column": 2}
NAMED = tsv("named.tsv", header=True) | {"text": "text", "label_column": "lable"}
LISTS = {
    "kind": "jsonl",
    "path": "lists.jsonl",
    "text": "text",
    "label_column": "labels",
    "language": "en",
}
ROWS = {"kind": "jsonl", "path": "rows.jsonl", "text": "text", "language": "en"}


@pytest.fixture
def load(tmp_path: Path) -> Any:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    for name, questions in (("questions", QUESTIONS), ("lost", QUESTIONS[2:3])):
        nested = {"data": [{"paragraphs": [{"context": "Nile is long.", "qas": questions}]}]}
        (tmp_path / f"{name}.json").write_text(json.dumps(nested), encoding="utf-8")
    inputs = TaskInputs(tmp_path / "corpus", tmp_path, ("en", "sw"))

    def read(kind: str, train: dict[str, Any], test: dict[str, Any]) -> Any:
        section = {"kind": kind, "train": [train], "test": [test]}
        return TypeAdapter(Task).validate_python(section).load(inputs)

    return read


@pytest.mark.parametrize(
    ("kind", "train", "test", "n", "told"),
    [
        (
            "classification",
            tsv("good.tsv"),
            tsv("unknown.tsv"),
            1,
            [
                "never learned are left out: z (2) in en, first at unknown.tsv:1; learned are x, "
                "y; `label_map` of a source gives labels these names."
            ],
        ),
        (
            "multilabel",
            tsv("good.tsv"),
            tsv("unknown.tsv"),
            1,
            [
                "never learned are left out: z (2) in en, first at unknown.tsv:1; learned are x, "
                "y; `label_map` of a source gives labels these names."
            ],
        ),
        (
            "classification",
            tsv("good.tsv"),
            tsv("empty.tsv"),
            1,
            [
                "1 line left out (an empty text): empty.tsv:1",
                "1 line left out (no label): empty.tsv:2",
            ],
        ),
        (
            "classification",
            tsv("good.tsv"),
            tsv("blank.tsv"),
            2,
            [
                "3 lines left out (an empty text): blank.tsv:1, blank.tsv:2, blank.tsv:3",
                "2 lines left out (no label): blank.tsv:4, blank.tsv:6",
            ],
        ),
        (
            "classification",
            tsv("good.tsv"),
            {"kind": "text", "path": "blank_lines.txt", "labels": "blank_labels.txt"}
            | {"language": "en"},
            2,
            ["1 line left out (an empty text): blank_lines.txt:2"],
        ),
        (
            "classification",
            PAIRS,
            tsv("blank_pairs.tsv", 2, second=1),
            2,
            [
                "(an empty second text or choice): blank_pairs.tsv:2",
                "(an empty text): blank_pairs.tsv:3",
            ],
        ),
        (
            "multilabel",
            tsv("good.tsv"),
            tsv("empty.tsv"),
            2,
            ["(an empty text)", "1 of 2 texts to test on are of no class"],
        ),
        (
            "classification",
            tsv("good.tsv"),
            ROWS | {"label_column": "label"},
            1,
            [
                "(no label): rows.jsonl:2",
                "(an empty text): rows.jsonl:3",
                "(not a JSON object): rows.jsonl:4",
            ],
        ),
        (
            "classification",
            PAIRS,
            PAIRS,
            2,
            ["(an empty second text or choice): pairs.tsv:2", "(an empty text): pairs.tsv:3"],
        ),
        (
            "classification",
            tsv("quoted.tsv", 0) | {"text": 1},
            tsv("quoted.tsv", 0) | {"text": 1},
            2,
            ['quoted.tsv:2, quoted.tsv:4; it has fields that begin with " and go on in the next'],
        ),
        (
            "regression",
            tsv("numbers.tsv"),
            tsv("numbers.tsv"),
            2,
            ["no numbers are left out: x (1), nan (1) in en, first at numbers.tsv:2."],
        ),
        (
            "multiple_choice",
            CHOICES,
            CHOICES,
            2,
            [
                "(an empty second text or choice): choices.tsv:3",
                "name no choice are left out: 2 (1) in en, first at choices.tsv:2; labels count "
                "the choices from 0.",
            ],
        ),
        (
            "tagging",
            CONLL | {"path": "good.conll"},
            CONLL | {"path": "prefixed.conll"},
            3,
            ["prefixed.conll: 3 of 3 words begin with en:; `prefix: true` of the source takes"],
        ),
        (
            "tagging",
            CONLL | {"path": "good.conll"},
            CONLL | {"path": "bad.conll"},
            3,
            [
                "1 sentence left out (too few columns): bad.conll:3",
                "Test words whose tags were never learned count as wrong: B-Z (1) in en.",
                "I- of the test files that continue no entity begin an entity: en 2",
            ],
        ),
        (
            "question_answering",
            SQUAD | {"path": "questions.json"},
            SQUAD | {"path": "questions.json"},
            2,
            [
                "(an empty question): questions.json:2",
                "(an empty answer): questions.json:4",
                "(no answers in the layout of SQuAD): questions.json:5",
                "whose answers do not occur in their contexts: en 1",
                "Training questions left out, as no answer occurs in their contexts: en 1",
            ],
        ),
    ],
)
def test_what_cannot_be_used_is_counted_and_told(
    load: Any,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    train: dict[str, Any],
    test: dict[str, Any],
    n: int,
    told: list[str],
) -> None:
    (part,) = load(kind, train, test).test.values()
    labels = getattr(part, "labels", getattr(part, "tags", part))
    assert len(labels) == n
    said = capsys.readouterr().err
    assert [sentence for sentence in told if sentence not in said] == []


def test_lists_of_classes_and_none(load: Any) -> None:
    data = load("multilabel", LISTS, LISTS)
    assert data.labels == ["a, b", "x"]
    assert data.test["en"].labels.tolist() == [[1, 1], [0, 0]]
    renamed = LISTS | {"label_map": {"x": "one", "a, \u200bb": "two"}}  # as a name is copied
    assert load("multilabel", renamed, renamed).labels == ["one", "two"]


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("classification", tsv("good.tsv")),
        ("tagging", CONLL | {"path": "good.conll"}),
        ("question_answering", SQUAD | {"path": "questions.json"}),
    ],
)
def test_a_source_language_without_labels_is_named(
    tmp_path: Path, load: Any, kind: str, file: dict[str, Any]
) -> None:
    del load  # it has written the files
    section = {"kind": kind, "train": [file], "test": [file], "source_languages": ["en", "sw"]}
    config = TypeAdapter(Task).validate_python(section)
    with pytest.raises(UserError, match="no label to learn from is in sw, which source_languages"):
        config.load(TaskInputs(tmp_path / "corpus", tmp_path, ("en", "sw")))


NONE = "no text of its test files has a label that is among those of its train files"


@pytest.mark.parametrize(
    ("kind", "train", "test", "message"),
    [
        ("classification", tsv("good.tsv"), tsv("unknown.tsv") | {"label_map": {"x": "q"}}, NONE),
        (
            "classification",
            tsv("good.tsv"),
            tsv("narrow.tsv"),
            "gave no text in any of the languages en, sw; 2 of its lines could not be used (too "
            "few columns; columns are parted by tabs; others want kind: csv with their "
            "`separator`)",
        ),
        (
            "classification",
            tsv("good.tsv"),
            tsv("good.tsv") | {"kind": "csv"},
            "(too few columns; columns are parted by ','; see `separator`)",
        ),
        (
            "multilabel",
            tsv("narrow.tsv"),
            tsv("good.tsv"),
            "2 of its lines could not be used (too few columns; columns are parted by tabs; ",
        ),
        (
            "classification",
            tsv("good.tsv"),
            tsv("good.tsv", None),
            "'good.tsv' has no label in any of its 2 texts; name the right column",
        ),
        (
            "regression",
            tsv("numbers.tsv"),
            ROWS | {"label_column": "lable"},
            "has no label in any of its 2 texts",
        ),
        (
            "classification",
            tsv("good.tsv"),
            NAMED,
            "has no column 'lable'; its header names text, label",
        ),
        (
            "classification",
            tsv("texts.tsv"),
            tsv("texts.tsv"),
            "60 of the 60 different labels of its train files have a single example, as 'text 0': "
            "these are no classes",
        ),
        (
            "classification",
            tsv("good.tsv"),
            GERMAN,
            "gave no text in any of the languages en, sw; its lines are in de 1: add these to",
        ),
        (
            "classification",
            tsv("good.tsv"),
            GERMAN | {"path": "named_languages.tsv"},
            "2 of its lines could not be used (unknown language 'ENGLISH', 'de-DE'; "
            "write codes such as en, de, zh)",
        ),
        (
            "regression",
            tsv("numbers.tsv"),
            tsv("good.tsv"),
            "no label of its test files is a number",
        ),
        ("multiple_choice", CHOICES, CHOICES | {"label_column": 0}, NONE),
        (
            "tagging",
            CONLL | {"path": "good.conll"},
            CONLL | {"path": "untagged.conll"},
            "has no sentence that can be used (too few columns; columns are parted by tabs or "
            "blanks, and numbered by `token` and `tag`)",
        ),
        (
            "tagging",
            CONLL | {"path": "good.conll"},
            {"kind": "jsonl", "path": "rows.jsonl", "language": "en"},
            "`tokens` and `tags` of the source name the keys of the lists)",
        ),
        (
            "question_answering",
            SQUAD | {"path": "lost.json"},
            SQUAD | {"path": "questions.json"},
            "no question of its train files has an answer that is in its context",
        ),
        *(
            (
                kind,
                file,
                file | {"language": "de"},
                "is in de, which `languages` of the recipe does not name; add it there",
            )
            for kind, file in (
                ("question_answering", SQUAD | {"path": "questions.json"}),
                ("tagging", CONLL | {"path": "good.conll"}),
                ("classification", tsv("good.tsv")),
            )
        ),
        (
            "question_answering",
            SQUAD | {"path": "questions.json", "language": "sw"},
            SQUAD | {"path": "questions.json"},
            "its train files have no question in en",
        ),
        (
            "classification",
            LISTS,
            LISTS,
            "'lists.jsonl' has a list of labels at lists.jsonl:1; a task whose texts are of "
            "several classes is of kind: multilabel",
        ),
    ],
)
def test_where_nothing_is_left_one_sentence_ends_the_run(
    load: Any, kind: str, train: dict[str, Any], test: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError) as caught:
        load(kind, train, test)
    assert message in str(caught.value)
