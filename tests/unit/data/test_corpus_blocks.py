import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from xlmkit.core.errors import UserError
from xlmkit.data import corpus_blocks
from xlmkit.data.corpus_blocks import BlockTexts, CorpusBlock
from xlmkit.data.records import Record
from xlmkit.text import compiled

RECORDS = [
    Record({"en": f'text {n} \u2028 \\ "quoted"\ttab', "fr": f"texte {n} \x85 é"}, "s", f"f:{n}")
    for n in range(40)
]


@pytest.fixture(autouse=True, params=[True, False], ids=["compiled", "pure"])
def _part(request: pytest.FixtureRequest) -> Iterator[None]:
    with compiled.using(request.param):
        yield


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(corpus_blocks, "BLOCK_BYTES", 1000)
    lines = "".join(f"{record.to_json()}\n" for record in RECORDS)
    (tmp_path / "train.jsonl").write_text(lines, encoding="utf-8", newline="\n")
    return tmp_path


def test_blocks_hold_all_texts_in_their_order(folder: Path) -> None:
    blocks = list(corpus_blocks.corpus_blocks(folder, "train"))
    assert len(blocks) > 3
    read = [block.texts() for block in blocks]
    for language in ("en", "fr"):
        texts = [text for block in read for text in block.languages[language][1]]
        assert texts == [record.texts[language] for record in RECORDS]
    assert [source for block in read for source in block.sources] == ["s"] * len(RECORDS)
    assert [texts.count + block.first for texts, block in zip(read, blocks, strict=True)][:-1] == [
        block.first for block in blocks[1:]
    ]


def test_each_text_stands_in_the_row_of_its_record() -> None:
    texts = [{"en": "a"}, {"fr": "b", "en": "c"}, {"fr": "d"}]
    lines = "".join(f"{Record(t, f's{n // 2}', 'w').to_json()}\n" for n, t in enumerate(texts))
    read = CorpusBlock(Path("x"), 1, lines.encode()).texts()
    rows = {code: (rows.tolist(), found) for code, (rows, found) in read.languages.items()}
    assert rows == {"en": ([0, 1], ["a", "c"]), "fr": ([1, 2], ["b", "d"])}
    assert (read.count, read.sources) == (3, ["s0", "s0", "s1"])


_LINE = '{"texts": {"en": "a"}, "source": "s", "where": "w", "label": null}'


@pytest.mark.parametrize(
    "line",
    [
        _LINE.replace(": ", ":"),
        _LINE.replace('"en": "a"', '"en": "a", "en": "b"'),
        _LINE.replace('"a"', '"\\u00e9\\ud83d\\ude00 \\/ \\n \\\\"'),
        _LINE.replace('"en": "a"', ""),
        _LINE.replace("null", '"kind"'),
        *(Record({"en": chr(n)}, chr(n), chr(n), chr(n)).to_json() for n in range(0x90)),
    ],
)
def test_lines_are_read_alike_by_both_parts(line: str) -> None:
    block = CorpusBlock(Path("x"), 1, f"{_LINE}\n{line}\n{_LINE}\n".encode())
    read, expected = block.texts(), block._texts()
    assert (read.count, read.sources) == (expected.count, expected.sources)
    assert list(read.languages) == list(expected.languages)
    for language, (rows, texts) in expected.languages.items():
        assert read.languages[language][0].tolist() == rows.tolist()
        assert read.languages[language][1] == texts


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", "1], [2", '{"text": {}}', '{"texts": []}', '{"texts": {"en": "a\t"']
)
def test_a_damaged_line_is_named(folder: Path, damage: str) -> None:
    path = folder / "train.jsonl"
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[20] = damage
    path.write_text("\n".join(lines), encoding="utf-8")
    blocks = corpus_blocks.corpus_blocks(folder, "train")
    with pytest.raises(UserError, match=r"train\.jsonl, line 21, is damaged"):
        list(map(CorpusBlock.texts, blocks))


def test_records_are_written_as_json_writes_them() -> None:
    nasty = "".join(map(chr, range(0x2F0))) + "\u2028\ufeff😀"
    for label in (None, nasty):
        record = Record({"en": nasty, "fr": ""}, nasty, f"{nasty}:1", label)
        fields = {"texts": record.texts, "source": nasty, "where": record.where, "label": label}
        assert record.to_json() == json.dumps(fields, ensure_ascii=False)
        assert Record.from_json(record.to_json()) == record


def test_an_empty_block_has_no_texts() -> None:
    assert CorpusBlock(Path("x"), 1, b"").texts() == BlockTexts(0, {}, [])
