from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from xlmkit.core.errors import UserError
from xlmkit.data.inputs import Reading
from xlmkit.data.language_files import named_language
from xlmkit.data.readers import local_files, read_source
from xlmkit.data.records import Record
from xlmkit.data.sources import Source

LANGUAGES = ("en", "sw", "zh")


def read(folder: Path, section: dict, languages: tuple[str, ...] = LANGUAGES) -> list[Record]:
    source = TypeAdapter(Source).validate_python(section)
    return list(read_source(source, Reading(folder, languages)))


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("en", "en"), ("eng_Latn", "en"), ("english", "en"), ("arb_Arab", "ar"), ("deu", "de"),
        ("zho_Hans", "zh"), ("swa", "sw"), ("swh_Latn", "sw"), ("pes_Arab", "fa"), ("xyz", None),
    ],
)  # fmt: skip
def test_files_may_name_languages_as_datasets_do(name: str, code: str | None) -> None:
    assert named_language(name) == code


def test_each_language_has_its_file_and_others_are_left(tmp_path: Path) -> None:
    files = {f"{n}/test.tsv": f"text {n}\ta\n" for n in ("swh_Latn", "eng_Latn", "fra_Latn")}
    write(tmp_path, files)
    section = {"kind": "tsv", "path": "{language}/test.tsv", "text": 0, "label_column": 1}
    records = read(tmp_path, section)
    assert [dict(record.texts) for record in records] == [
        {"en": "text eng_Latn"},
        {"sw": "text swh_Latn"},
    ]
    assert {record.source for record in records} == {"test.tsv"}
    with pytest.raises(UserError, match="is of any of the languages de"):
        read(tmp_path, section, ("de",))


def test_a_mark_that_stands_twice_means_the_same_name(tmp_path: Path) -> None:
    write(tmp_path, {"en/t.en.txt": "yes\n", "sw/t.en.txt": "no\n"})
    records = read(tmp_path, {"kind": "text", "path": "{language}/t.{language}.txt"})
    assert [dict(record.texts) for record in records] == [{"en": "yes"}]


def test_a_language_may_have_several_files(tmp_path: Path) -> None:
    write(tmp_path, {"en/b.txt": "two\n", "en/a.txt": "one\n", "sw/a.txt": "moja\n"})
    records = read(tmp_path, {"kind": "text", "path": "{language}/*.txt"})
    assert [dict(record.texts) for record in records] == [
        {"en": "one"}, {"en": "two"}, {"sw": "moja"},
    ]  # fmt: skip


def test_labels_may_lie_in_a_file_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, {"english/text": "a\n\nb\n", "english/labels": "0\n1\n2\n"})
    section = {"kind": "text", "path": "{language}/text", "labels": "{language}/labels"}
    assert [(r.texts["en"], r.label) for r in read(tmp_path, section)] == [("a", "0"), ("b", "2")]
    found = local_files(TypeAdapter(Source).validate_python(section), tmp_path)
    assert [path.name for path in found] == ["text", "labels"]
    write(tmp_path, {"english/labels": "0\n"})
    with pytest.raises(UserError, match="has fewer lines than"):
        read(tmp_path, section)


def test_csv_has_quotes_and_lines_within_them(tmp_path: Path) -> None:
    write(tmp_path, {"t.csv": 'sport;"A ""goal"";\nat last";x\nnews;b;y\nshort\n'})
    source = {"kind": "csv", "path": "t.csv", "separator": ";", "language": "en"}
    records = read(tmp_path, {**source, "text": 1, "second": 2, "label_column": 0})
    assert [(r.texts["en"], r.others, r.label) for r in records] == [
        ('A "goal";\nat last', ("x",), "sport"),
        ("b", ("y",), "news"),
    ]
    with pytest.raises(UserError, match="has no column 'no'; its header names sport, "):
        read(tmp_path, {**source, "text": "no", "header": True})


def test_a_language_is_said_once(tmp_path: Path) -> None:
    for wrong in (
        {"kind": "text", "path": "a"},
        {"kind": "text", "path": "{language}", "language": "en"},
        {"kind": "tsv", "path": "{language}", "language": "en", "text": 0},
    ):
        with pytest.raises(ValidationError, match="language"):
            TypeAdapter(Source).validate_python(wrong)


def test_other_marks_of_patterns_stand_beside_that_of_the_language(tmp_path: Path) -> None:
    write(tmp_path, {"x/en.txt": "one\n", "x/y/en.txt": "two\n", "sw.part1.text": "moja\n"})
    for pattern, texts in (
        ("**/{language}.txt", ["one", "two"]),
        ("{language}.part?.text", ["moja"]),
        ("{language}.part[!2-9].text", ["moja"]),
        ("x*/{language}.*", ["one"]),
    ):
        records = read(tmp_path, {"kind": "text", "path": pattern})
        assert [text for record in records for text in record.texts.values()] == texts, pattern
