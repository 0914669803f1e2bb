import json
import tracemalloc
from pathlib import Path

import pytest

from xlmkit.core.errors import UserError
from xlmkit.data import corpus
from xlmkit.data.corpus import DataConfig, prepare_corpus, read_corpus
from xlmkit.data.corpus_report import CorpusReport, read_report
from xlmkit.data.index import IndexWriter
from xlmkit.data.records import Record

LANGUAGES = ("en", "fr", "zh")
SPLITS = ("train", "valid", "test")


def _numbered(i: int) -> str:
    return "".join(chr(97 + int(digit)) for digit in str(i))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A folder of sources: pairs, one language alone, a labelled table."""
    numbers = range(200)
    (tmp_path / "p.en").write_text("".join(f"Open file {_numbered(i)}\n" for i in numbers))
    (tmp_path / "p.fr").write_text("".join(f"Ouvrir {_numbered(i)}\n" for i in numbers))
    zh = [f"打开文件{chr(0x4E00 + i)}" for i in numbers]
    (tmp_path / "z.txt").write_bytes("\n".join([*zh, zh[0]]).encode() + b"\n\xff\xff")
    rows = [("a", "Print it now"), ("b", "print it NOW"), ("b", "Close that"), ("a", "12:30")]
    (tmp_path / "t.tsv").write_text("".join(f"{label}\t{text}\n" for label, text in rows))
    return tmp_path


def _config(**more: object) -> DataConfig:
    sources = [
        {"kind": "parallel", "paths": {"en": "p.en", "fr": "p.fr"}, "name": "pairs"},
        {"kind": "text", "path": "z.txt", "language": "zh", "name": "alone"},
        {"kind": "tsv", "path": "t.tsv", "text": 1, "language": "en", "label_column": 0},
    ]
    split = {"valid": 0.1, "test": 0.1}
    return DataConfig.model_validate({"sources": sources, "split": split, **more})


def _prepare(base: Path, folder: str = "corpus", config: DataConfig | None = None) -> CorpusReport:
    return prepare_corpus(config or _config(), LANGUAGES, base / folder, base, seed=1)


def test_every_text_is_accounted_for(base: Path) -> None:
    report = _prepare(base)
    for source in report.sources.values():
        for language, read in source.read.items():
            dropped = sum(counts[language] for counts in source.dropped.values())
            assert read == source.kept[language] + dropped
    assert report.sources["pairs"].read == {"en": 200, "fr": 200}
    assert report.sources["alone"].dropped["duplicate"] == {"zh": 1}
    assert report.sources["alone"].bad_lines == {"not UTF-8": 1}
    assert report.sources["alone"].bad_places == {"not UTF-8": ["z.txt:202"]}
    table = report.sources["t.tsv"]
    assert table.dropped == {"near-duplicate": {"en": 1}, "too few letters": {"en": 1}}
    assert table.ambiguous_labels == 2
    assert read_report(base / "corpus") == report


def test_splits_hold_what_the_report_says(base: Path) -> None:
    report = _prepare(base)
    seen: list[set[tuple[str, str]]] = []
    for name in SPLITS:
        records = list(read_corpus(base / "corpus", name))
        account = report.splits[name]
        assert len(records) == account.records > 5
        assert sum(len(record.texts) > 1 for record in records) == account.parallel
        assert account.pairs == {"en-fr": account.parallel}
        assert sum(account.texts.values()) == sum(len(record.texts) for record in records)
        assert sum(account.labels.values()) == sum(record.label is not None for record in records)
        seen.append({item for record in records for item in record.texts.items()})
    assert not seen[0] & seen[1] | seen[0] & seen[2] | seen[1] & seen[2]
    records = [record for name in SPLITS for record in read_corpus(base / "corpus", name)]
    labels = {record.texts["en"]: record.label for record in records if record.source == "t.tsv"}
    assert labels == {"Print it now": None, "Close that": "b"}
    assert Record({"en": "Open file h", "fr": "Ouvrir h"}, "pairs", "p.en:8") in records


def test_reading_order_is_kept(base: Path) -> None:
    _prepare(base)
    for name in SPLITS:
        wheres = [record.where for record in read_corpus(base / "corpus", name)]
        places = [("ztp".index(w[0]) if w[0] != "p" else -1, int(w.split(":")[1])) for w in wheres]
        assert places == sorted(places)


def test_the_same_recipe_gives_the_same_bytes(base: Path) -> None:
    _prepare(base, "one")
    _prepare(base, "two")
    files = sorted(path.name for path in (base / "one").iterdir())
    assert files == ["report.json", "test.jsonl", "train.jsonl", "valid.jsonl"]
    for name in files:
        assert (base / "one" / name).read_bytes() == (base / "two" / name).read_bytes()


def test_the_order_of_sources_moves_no_text(base: Path) -> None:
    _prepare(base, "one")
    backwards = _config(sources=[*reversed(_config().sources)])
    _prepare(base, "two", backwards)
    for name in SPLITS:
        one, two = (
            {item for record in read_corpus(base / folder, name) for item in record.texts.items()}
            for folder in ("one", "two")
        )
        assert one == two


def test_tables_for_the_terminal(base: Path) -> None:
    report = _prepare(base)
    columns, rows = report.source_table()
    assert columns[:4] == ["source", "language", "read", "kept"]
    assert all(len(row) == len(columns) for row in rows)
    assert rows[-1][:3] == ["all", "", 605]
    columns, rows = report.split_table()
    assert columns == ["split", "records", "parallel", "labelled", "en", "fr", "zh"]
    assert [row[0] for row in rows] == list(SPLITS)
    assert report.bad_line_table()[1] == [["alone", "not UTF-8", 1, "z.txt:202"]]


def test_nothing_left(base: Path) -> None:
    with pytest.raises(UserError, match="No text is left after cleaning"):
        _prepare(base, config=_config(clean={"min_words": 100}))
    assert list((base / "corpus").iterdir()) == []


def test_a_failing_source_leaves_the_old_corpus(base: Path) -> None:
    _prepare(base)
    before = {path: path.read_bytes() for path in (base / "corpus").glob("*.json*")}
    (base / "z.txt").unlink()
    with pytest.raises(UserError, match="There is no file"):
        _prepare(base)
    assert {path: path.read_bytes() for path in (base / "corpus").glob("*.json*")} == before


def test_traces_of_a_killed_run_are_removed(base: Path) -> None:
    stale = base / "corpus" / "preparing"
    stale.mkdir(parents=True)
    (stale / "records.jsonl").write_text("x")
    _prepare(base)
    assert not stale.exists()


def test_interrupted(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(corpus, "find_duplicates", interrupt)
    with pytest.raises(KeyboardInterrupt):
        _prepare(base)
    assert [path.name for path in (base / "corpus").iterdir()] == ["preparing"]
    monkeypatch.undo()
    _prepare(base)
    assert not (base / "corpus" / "preparing").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: object, record: Record, source: int) -> None:
        with open("/dev/full", "w", buffering=1) as stream:  # noqa: PTH123
            stream.write("x\n")

    monkeypatch.setattr(IndexWriter, "add", full)
    with pytest.raises(UserError, match="The disk is full"):
        _prepare(base)


def test_a_place_that_cannot_be_written(base: Path) -> None:
    with pytest.raises(UserError, match="Cannot write"):
        _prepare(base, "p.en/corpus")


def test_reading_back_what_is_not_there(base: Path) -> None:
    _prepare(base, config=_config(split={"valid": 0, "test": 0.1}))
    assert list(read_corpus(base / "corpus", "valid")) == []
    with pytest.raises(UserError, match="no split 'dev'; the splits are train, valid, test"):
        list(read_corpus(base / "corpus", "dev"))
    with pytest.raises(UserError, match="There is no file"):
        list(read_corpus(base / "nowhere", "train"))
    path = base / "corpus" / "train.jsonl"
    path.write_text(path.read_text() + json.dumps({"texts": {}}) + "\n")
    with pytest.raises(UserError, match=r"train\.jsonl, line \d+, is damaged"):
        list(read_corpus(base / "corpus", "train"))


def test_memory_does_not_grow_with_the_length_of_texts(tmp_path: Path) -> None:
    source = {"kind": "text", "path": "a.txt", "language": "en"}
    config = DataConfig.model_validate({"sources": [source], "duplicates": "exact"})
    peaks = []
    for words in (60, 60, 240):  # the first run fills caches; more blocks than wait in any
        line = " ".join(f"word{_numbered(i)}" for i in range(words))
        with (tmp_path / "a.txt").open("w") as stream:
            stream.writelines(f"{line} {_numbered(i)}\n" for i in range(3000))
        tracemalloc.start()
        prepare_corpus(config, LANGUAGES, tmp_path / "corpus", tmp_path, 1)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (tmp_path / "a.txt").stat().st_size > 4_500_000
    assert peaks[2] - peaks[1] < 300_000
