import json
from pathlib import Path

import pytest

from xlmkit.core.errors import UserError
from xlmkit.data import corpus_blocks
from xlmkit.data.corpus_blocks import CorpusBlock
from xlmkit.data.records import Record

RECORDS = [
    Record({"en": f'text {n} \u2028 \\ "quoted"\ttab', "fr": f"texte {n} \x85 é"}, "s", f"f:{n}")
    for n in range(40)
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(corpus_blocks, "BLOCK_BYTES", 1000)
    lines = "".join(f"{record.to_json()}\n" for record in RECORDS)
    (tmp_path / "train.jsonl").write_text(lines, encoding="utf-8", newline="\n")
    return tmp_path


def test_blocks_hold_all_texts_in_their_order(folder: Path) -> None:
    blocks = list(corpus_blocks.corpus_blocks(folder, "train"))
    assert len(blocks) > 3
    texts = [text for block in blocks for text in block.texts()]
    assert texts == [dict(record.texts) for record in RECORDS]
    assert [len(block.texts()) + block.first for block in blocks[:-1]] == [
        block.first for block in blocks[1:]
    ]
    assert blocks[0].by_language()["fr"][1] == RECORDS[1].texts["fr"]


@pytest.mark.parametrize("damage", ["", "{", "[]", "1], [2", '{"text": {}}'])
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
    assert CorpusBlock(Path("x"), 1, b"").texts() == []
