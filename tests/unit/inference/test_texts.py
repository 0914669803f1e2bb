from pathlib import Path
from typing import Any

import pytest

from xlmkit.core.errors import UserError
from xlmkit.inference.texts import Texts

QUOTED = '\ufefflabel,text,l\r\nx,"One, ""two""\r\nlines",en\r\n\r\ny,,en\r\n'
ROWS = [('One, "two"\nlines', "en"), ("", "en")]


def read(path: Path, **choices: Any) -> list[tuple[str, str]]:
    with Texts(path=path, **choices).read() as texts:
        return list(texts)


@pytest.mark.parametrize(
    ("name", "content", "choices", "texts"),
    [
        ("a.txt", "x y\n\nz", {"lang": "en"}, [("x y", "en"), ("", "en"), ("z", "en")]),
        ("a.tsv", "x\ty\n", {"lang": "en"}, [("x", "en")]),
        ("a.tsv", "fr\ty\n", {"text": "1", "language": "0"}, [("y", "fr")]),
        ("a.jsonl", '{"text": "x"}\n', {"lang": "en"}, [("x", "en")]),
        ("a.tsv", "l\tt\nfr\ty\n", {"text": "t", "language": "0"}, [("y", "fr")]),
        ("A.CSV", QUOTED, {"lang": "en", "text": "1"}, [("text", "en"), *ROWS]),
        ("a.csv", QUOTED, {"lang": "en", "text": "text"}, ROWS),
        ("a.csv", QUOTED, {"text": "text", "language": "l"}, ROWS),
        ("a.txt", QUOTED, {"lang": "en", "text": "text", "form": "csv", "beside": ("l",)},
         [((text, "en"), "en") for text, _ in ROWS]),
        ("a.csv", "", {"lang": "en", "text": "0"}, []),
        ("a.json", '{"text": "x"}\n', {"lang": "en", "form": "jsonl"}, [("x", "en")]),
        ("a.txt", '{"b": "x", "l": "fr"}\n',
         {"form": "jsonl", "text": "b", "language": "l"}, [("x", "fr")]),
    ],
)  # fmt: skip
def test_each_line_is_a_text(
    tmp_path: Path, name: str, content: str, choices: dict[str, Any], texts: list[tuple[str, str]]
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert read(path, **choices) == texts


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({}, "one of the two"),
        ({"lang": "en", "language": "l"}, "one of the two"),
        ({"lang": "en", "text": "0"}, "Plain lines have no columns"),
        ({"lang": "en", "form": "csv"}, "Say with --text-column which column of the CSV"),
        ({"lang": "en", "path": Path("squad.json.gz")}, "say --format jsonl if each of its lines"),
    ],
)
def test_choices_that_do_not_fit(choices: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Texts(**{"path": None, **choices})


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("a.tsv", "x"),
        ("a.jsonl", "{"),
        pytest.param("a.jsonl", "[" * 100_000, id="deep"),
        ("a.jsonl", "[]"),
        ("a.jsonl", '{"1": 5, "l": "en"}'),
    ],
)
def test_a_line_that_does_not_fit_is_named(tmp_path: Path, name: str, line: str) -> None:
    path = tmp_path / name
    good = "en\tx" if name == "a.tsv" else '{"1": "x", "l": "en"}'
    path.write_text(f"{good}\n{line}\n", encoding="utf-8")
    column = "0" if name == "a.tsv" else "l"
    with pytest.raises(UserError, match=f"{name}, line 2, is no"):
        read(path, text="1", language=column)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,l\na,en\n", "has no column 'label'; its first row names text, l"),
        ('l,label\nen,"a\nen,b\n', "is no CSV up to line 3 .* inside the mark is doubled"),
        ('l,label\nen,"a" b\n', "is no CSV up to line 2 "),
        (
            "l,label\nen,a\n\nen\n",
            r"line 4, is no CSV with the columns asked for \(it has too few\)",
        ),
    ],
)
def test_what_is_no_csv_with_the_columns_is_told(
    tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=message):
        read(path, lang="en", text="label")
