import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from pydantic import TypeAdapter, ValidationError

from xlmkit.core.errors import UserError
from xlmkit.data.inputs import Reading, find_files
from xlmkit.data.readers import local_files, read_blocks, read_source
from xlmkit.data.records import Record
from xlmkit.data.sources import Source

_SOURCE: TypeAdapter[Any] = TypeAdapter(Source)


def _read(
    base: Path, languages: tuple[str, ...] = ("en", "fr", "ru", "zh"), **fields: object
) -> tuple[list[Record], Reading]:
    reading = Reading(base, languages)
    return list(read_source(_SOURCE.validate_python(fields), reading)), reading


@pytest.mark.parametrize(
    ("ending", "compress"),
    [
        ("", bytes),
        (".gz", gzip.compress),
        (".xz", lzma.compress),
        (".zst", zstandard.ZstdCompressor().compress),
    ],
)
def test_text_plain_and_compressed(
    tmp_path: Path, ending: str, compress: Callable[[bytes], bytes]
) -> None:
    data = "\ufeffодин\r\n\n  \nдва\u2028три".encode()
    (tmp_path / f"a.txt{ending}").write_bytes(compress(data))
    records, _ = _read(tmp_path, kind="text", path=f"a.txt{ending}", language="ru", label="x")
    assert records == [
        Record({"ru": "один"}, "a.txt", f"a.txt{ending}:1", "x"),
        Record({"ru": "два\u2028три"}, "a.txt", f"a.txt{ending}:4", "x"),
    ]


def test_patterns_are_read_in_order(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.txt").write_text(name)
    records, _ = _read(tmp_path, kind="text", path="*.txt", language="en")
    assert [record.texts["en"] for record in records] == ["a", "b"]
    with pytest.raises(UserError, match=r"No file matches .*\*\.doc"):
        find_files("*.doc", tmp_path)
    odd = tmp_path / "odd[1].txt"  # an existing file whose name looks like a pattern
    odd.write_text("x")
    assert find_files("odd[1].txt", tmp_path) == [odd]


def test_bad_bytes_are_counted_and_reading_goes_on(tmp_path: Path) -> None:
    lines = [f"ligne {i}".encode() for i in range(60)]
    lines[6] = b"caf\xe9"
    (tmp_path / "a.txt").write_bytes(b"\n".join(lines))
    records, reading = _read(tmp_path, kind="text", path="a.txt", language="fr")
    assert len(records) == 59
    assert reading.bad.counts == {"not UTF-8": 1}
    assert reading.bad.places == {"not UTF-8": ["a.txt:7"]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no file"),
        (b"", "is empty"),
        (b"\n \n", "gave no text"),
        ("été\nhiver\n".encode("latin-1"), "1 of its 2 lines cannot be decoded"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(UserError, match=said) as caught:
        _read(tmp_path, kind="text", path="a.txt", language="fr")
    assert "a.txt" in str(caught.value)


def test_a_damaged_archive_is_one_sentence(tmp_path: Path) -> None:
    whole = gzip.compress(b"bonjour\n" * 1000)
    (tmp_path / "a.txt.gz").write_bytes(whole[:-20])
    with pytest.raises(UserError, match=r"damaged or not a \.gz file"):
        _read(tmp_path, kind="text", path="a.txt.gz", language="fr")


def test_parallel_lines_and_missing_sides(tmp_path: Path) -> None:
    (tmp_path / "a.en").write_text("one\n\nthree\n\n", encoding="utf-8")
    (tmp_path / "a.zh").write_text("一\n二\n \n\n", encoding="utf-8")
    records, _ = _read(tmp_path, kind="parallel", paths={"zh": "a.zh", "en": "a.en"})
    assert [record.texts for record in records] == [
        {"en": "one", "zh": "一"},
        {"zh": "二"},
        {"en": "three"},
    ]
    assert list(records[0].texts) == ["en", "zh"]  # the order of the recipe's languages
    assert records[2].where == "a.en:3"


def test_undecodable_line_keeps_the_alignment(tmp_path: Path) -> None:
    (tmp_path / "a.en").write_bytes(b"\n".join(b"line %d" % i for i in range(40)))
    (tmp_path / "a.fr").write_bytes(
        b"\n".join(b"\xff\xfe" if i == 1 else b"ligne %d" % i for i in range(40))
    )
    records, reading = _read(tmp_path, kind="parallel", paths={"en": "a.en", "fr": "a.fr"})
    assert records[1].texts == {"en": "line 1"}
    assert records[2].texts == {"en": "line 2", "fr": "ligne 2"}
    assert reading.bad.places == {"not UTF-8": ["a.fr:2"]}


def test_different_lengths_name_both_counts(tmp_path: Path) -> None:
    (tmp_path / "a.en").write_text("1\n2\n3\n")
    (tmp_path / "a.fr").write_text("1\n2\n")
    with pytest.raises(UserError, match=r"a\.en has 3 and .*a\.fr has 2"):
        _read(tmp_path, kind="parallel", paths={"en": "a.en", "fr": "a.fr"})


def test_tsv_by_number_with_bad_rows(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("id1\tcat\tкот\nid2\tdog\n\nid3\t\tлиса\n", encoding="utf-8")
    records, reading = _read(tmp_path, kind="tsv", path="a.tsv", columns={"en": 1, "ru": 2})
    assert [record.texts for record in records] == [{"en": "cat", "ru": "кот"}, {"ru": "лиса"}]
    assert reading.bad.places == {"too few columns": ["a.tsv:2"]}


def test_tsv_by_name_with_label(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("label\ttext\npos\tbien\n\tmoyen\n", encoding="utf-8")
    fields: dict[str, Any] = {"kind": "tsv", "path": "a.tsv", "header": True, "language": "fr"}
    records, _ = _read(tmp_path, **fields, text="text", label_column="label")
    assert [(record.texts["fr"], record.label) for record in records] == [
        ("bien", "pos"),
        ("moyen", None),
    ]
    with pytest.raises(UserError, match="has no column 'txt'; its header names label, text"):
        _read(tmp_path, **fields, text="txt")


def test_a_quote_that_swallows_rows_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"text {number},news" for number in range(400)]
    rows[1], rows[300] = '"the stray quote begins,news', 'he said "x" today,news'
    (tmp_path / "a.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    columns = {"text": 0, "label_column": 1, "language": "en"}
    _, reading = _read(tmp_path, kind="csv", path="a.csv", **columns)
    assert "a.csv:2: 1 row has 300 lines, since a quotation mark opens" in capsys.readouterr().err
    assert not reading.bad.counts  # it is kept
    assert reading.bad.languages == {"en": {"row of more than 10 lines, but kept": 1}}


def test_rows_that_quotes_glue_are_counted_by_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def text(*lengths: int) -> str:
        return "".join(
            '"a\n' + "b\n" * (length - 2) + 'c",x\n' if length > 1 else "a,x\n"
            for length in lengths
        )

    (tmp_path / "1.csv").write_text(text(1, 10, 11, 1, 72, 13), encoding="utf-8")
    (tmp_path / "2.csv").write_text(text(10, 2), encoding="utf-8")
    columns = {"text": 0, "label_column": 1, "language": "en"}
    records, reading = _read(tmp_path, kind="csv", path="*.csv", **columns)
    assert len(records) == 8
    (told,) = capsys.readouterr().err.splitlines()
    assert told == (
        "1.csv:12: 3 rows have up to 72 lines, this the first, since a quotation mark opens a "
        'field there; where it should not, double it ("").'
    )
    assert reading.bad.languages["en"]["row of more than 10 lines, but kept"] == 3
    (tmp_path / "a.tsv").write_text(text(11).replace(",", "\t"), encoding="utf-8")
    _read(tmp_path, kind="csv", path="a.tsv", separator="\t", **columns)
    told = 'double it (""), or take kind: tsv, which knows no quotes.'
    assert told in capsys.readouterr().err


def test_a_field_of_a_csv_may_be_a_whole_document(tmp_path: Path) -> None:
    text = "a word " * 40_000
    (tmp_path / "a.csv").write_text(f'"{text}",news\n', encoding="utf-8")
    columns = {"text": 0, "language": "en", "label_column": 1}
    records, _ = _read(tmp_path, kind="csv", path="a.csv", **columns)
    assert [record.texts["en"] for record in records] == [text]
    (tmp_path / "a.csv").write_text(f'"{text * 100}",news\n', encoding="utf-8")
    with pytest.raises(UserError, match=r"a\.csv:1 is no CSV: field larger than field limit"):
        _read(tmp_path, kind="csv", path="a.csv", **columns)


def test_jsonl_nested_columns_and_bad_lines(tmp_path: Path) -> None:
    lines = [
        json.dumps({"translation": {"en": "cat", "fr": "chat"}, "n": 3}),
        "{broken",
        "[" * 100_000,
        '{"n": 1' + "0" * 5000 + "}",
        "[1]",
        json.dumps({"translation": {"en": 5}}),
        json.dumps({"translation": None}),
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    columns = {"en": "translation.en", "fr": "translation.fr"}
    records, reading = _read(
        tmp_path, kind="jsonl", path="a.jsonl", columns=columns, label_column="n"
    )
    assert records == [Record({"en": "cat", "fr": "chat"}, "a.jsonl", "a.jsonl:1", "3")]
    assert reading.bad.counts == {
        "invalid JSON": 3,
        "not a JSON object": 1,
        "a text that is not a string": 1,
    }


def test_jsonl_language_column(tmp_path: Path) -> None:
    rows = [("en", "cat"), ("ru", "кот"), ("xx-unknown", "?"), ("de", "Katze")]
    (tmp_path / "a.jsonl").write_text(
        "\n".join(json.dumps({"lang": lang, "t": text}) for lang, text in rows)
    )
    records, reading = _read(
        tmp_path, kind="jsonl", path="a.jsonl", text="t", language_column="lang"
    )
    assert [record.texts for record in records] == [{"en": "cat"}, {"ru": "кот"}]
    assert reading.bad.counts == {"unknown language": 1}  # de is known, only not wanted


def test_languages_that_are_not_wanted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hallo")
    with pytest.raises(UserError, match="no text in any of the languages en, fr"):
        _read(tmp_path, ("en", "fr"), kind="text", path="a.txt", language="de")
    with pytest.raises(UserError, match="limited to languages"):
        _read(tmp_path, (), kind="text", path="a.txt", language="de")


def test_labels_beside_lines_are_as_many(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    for labels, said in (("x\n", "fewer lines than"), ("x\ny\nz\n", "more lines than")):
        (tmp_path / "a.labels").write_text(labels)
        fields = {"kind": "text", "path": "a.txt", "language": "en", "labels": "a.labels"}
        with pytest.raises(UserError, match=said):
            _read(tmp_path, **fields)


def test_more_columns_behind_the_text(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("He fell.\tcause\nShe ran.\t\n")
    fields: dict[str, Any] = {"kind": "tsv", "path": "a.tsv", "text": 0, "language": "en"}
    records, _ = _read(tmp_path, **fields, append=[1])
    assert [record.texts["en"] for record in records] == ["He fell. cause", "She ran."]
    source = _SOURCE.validate_python(fields)
    assert "append" not in source.model_dump()  # what was made before there was such a key holds
    with pytest.raises(ValidationError, match="append, second and choices stand beside text"):
        _SOURCE.validate_python({"kind": "tsv", "path": "a", "columns": {"en": 0}, "append": [1]})


def test_local_files_of_each_kind(tmp_path: Path) -> None:
    for name in ("a.en", "a.fr", "l/fr/x.po", "l/de/x.po", "set/train.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")

    def names(**fields: object) -> list[str]:
        files = local_files(_SOURCE.validate_python(fields), tmp_path)
        return [file.relative_to(tmp_path).as_posix() for file in files]

    assert names(kind="text", path="a.*", language="en") == ["a.en", "a.fr"]
    assert names(kind="parallel", paths={"en": "a.en", "fr": "a.fr"}) == ["a.en", "a.fr"]
    assert names(kind="gettext", path="l") == ["l/de/x.po", "l/fr/x.po"]
    assert names(kind="hub", dataset="set", columns={"en": "t"}) == ["set/train.csv"]
    assert names(kind="hub", dataset="org/set", columns={"en": "t"}) == []
    assert names(kind="wheel", package="a", version="1", sha256="0" * 64) == []
    with pytest.raises(UserError, match="There is no file"):
        names(kind="tmx", path="missing.tmx")


def test_a_part_of_a_plain_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n\nthree\nfour\nfive\n", encoding="utf-8")
    fields: dict[str, Any] = {"kind": "text", "path": "a.txt", "language": "en"}
    records, _ = _read(tmp_path, **fields, lines=(2, 4))
    found = [(record.texts["en"], record.where) for record in records]
    assert found == [("three", "a.txt:3"), ("four", "a.txt:4")]
    (tmp_path / "b.txt").write_text("un\ndeux\ntrois\n\ncinq\nsix\n", encoding="utf-8")
    paths = {"en": "a.txt", "fr": "b.txt"}
    records, _ = _read(tmp_path, kind="parallel", paths=paths, lines=(3, 4))
    assert [dict(r.texts) for r in records] == [{"en": "three", "fr": "trois"}, {"en": "four"}]
    with pytest.raises(ValidationError, match="not before the first"):
        _SOURCE.validate_python({**fields, "lines": (4, 2)})


def test_zstandard_is_read_to_its_end_or_damaged(tmp_path: Path) -> None:
    lines = [f"line {number} of the text" for number in range(50_000)]
    whole = zstandard.compress("\n".join(lines[:30_000]).encode() + b"\n")
    path = tmp_path / "a.txt.zst"
    path.write_bytes(whole + zstandard.compress("\n".join(lines[30_000:]).encode()))
    fields = {"kind": "text", "path": path.name, "language": "en"}
    records, _ = _read(tmp_path, **fields)
    assert [record.texts["en"] for record in records] == lines  # of both frames
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"is damaged or not a \.zst file: it ends too early"):
        _read(tmp_path, **fields)


def test_another_encoding_is_told_in_a_part_of_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("größe\n".encode("latin-1") * 40)
    fields: dict[str, Any] = {"kind": "text", "path": "a.txt", "language": "fr"}
    with pytest.raises(UserError, match="20 of its 20 lines cannot be decoded"):
        _read(tmp_path, **fields, lines=(11, 30))
    (tmp_path / "a.txt").write_bytes(b"fine\n" * 20 + b"\xff\n" * 20)
    records, reading = _read(tmp_path, **fields, lines=(1, 20))
    assert (len(records), reading.bad.counts.total()) == (20, 0)


@pytest.mark.parametrize("size", [1, 7, 50, 1 << 20])
@pytest.mark.parametrize(
    "fields",
    [
        {"path": "a.txt", "label": "x"},
        {"path": "?.txt", "lines": (2, 60)},
        {"path": "?.txt", "lines": (3, 3), "label": "y", "label_map": {"y": "z"}},
        {"path": "b.txt"},
    ],
)
def test_blocks_hold_the_same_records(tmp_path: Path, size: int, fields: dict[str, Any]) -> None:
    lines = [
        b"\xef\xbb\xbfone",
        b"two\r",
        b" \xc2\xa0",
        b"thr\xff",
        b"four\rfour",
        b"",
        "fünf 五".encode(),
    ]
    many = b"".join(b"%d\n" % i for i in range(100))
    (tmp_path / "a.txt").write_bytes(b"\n".join(lines) + b"\n" + many)
    (tmp_path / "b.txt").write_bytes(many + b"\n\nlast\r")
    expected, reading = _read(tmp_path, kind="text", language="en", **fields)
    again = Reading(tmp_path, ("en",))
    source = _SOURCE.validate_python({"kind": "text", "language": "en", **fields})
    blocks = list(read_blocks(source, again, size))
    assert [record for block in blocks for record in block.columns().records()] == expected
    assert expected
    assert again.bad == reading.bad
    assert len(blocks) > 1 or size > 7 or "lines" in fields


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_file_in_another_encoding_is_told_how_to_convert(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.txt").write_text("Übergröße\n" * 9, encoding=encoding)
    name, said = ("latin1", "convert the file") if encoding == "latin-1" else ("utf-16", "UTF-16")
    with pytest.raises(UserError, match=f"{said}.* iconv -f {name} -t UTF-8 a.txt"):
        _read(tmp_path, kind="text", path="a.txt", language="en")
