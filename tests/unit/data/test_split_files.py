from pathlib import Path

import numpy as np
import pytest

from xlmkit.data import split_files
from xlmkit.data.records import Record
from xlmkit.data.split import DROPPED, HELD_OUT_ELSEWHERE, SPLITS
from xlmkit.data.split_files import write_splits


@pytest.mark.parametrize("size", [1, 300, 1 << 16])
def test_every_record_goes_to_its_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(split_files, "_BYTES", size)
    rng = np.random.default_rng(1)
    records = [
        Record({"en": f"{i} \u2028\r\n" * rng.integers(1, 9)}, "s", f"a:{i}", "x")
        for i in range(90)
    ]
    split = np.sort(rng.integers(0, DROPPED + 1, 90)).astype(np.uint8)
    split[40:] = rng.integers(0, DROPPED + 1, 50)
    ambiguous = rng.integers(0, 5, 90) == 0
    (tmp_path / "records.jsonl").write_bytes(
        "".join(f"{record.to_json()}\n" for record in records).encode()
    )
    write_splits(tmp_path / "records.jsonl", tmp_path, split, ambiguous)
    assert HELD_OUT_ELSEWHERE in split
    for number, name in enumerate(SPLITS):
        expected = [
            Record(record.texts, "s", record.where, None if unclear else "x")
            for record, part, unclear in zip(records, split, ambiguous, strict=True)
            if part == number
        ]
        lines = (tmp_path / f"{name}.jsonl").read_bytes().decode().split("\n")
        assert [Record.from_json(line) for line in lines[:-1]] == expected
        assert lines[-1] == ""
