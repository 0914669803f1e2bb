import bz2
import codecs
import json
import math
from pathlib import Path
from typing import Any

import pytest

from xlmkit.core.errors import UserError
from xlmkit.core.files import open_chunks, open_lines, write_json


def _refused(constant: str) -> Any:
    raise AssertionError(f"{constant} is no JSON")


def test_what_is_written_is_json_whatever_the_numbers(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    value = {"score": -math.inf, "curve": [{"loss": math.nan, "step": 2}, (1.5, math.inf)]}
    write_json(path, value)
    found = json.loads(path.read_text("utf-8"), parse_constant=_refused)
    assert found == {"score": None, "curve": [{"loss": None, "step": 2}, [1.5, None]]}
    write_json(path, {"é": 1.5})
    assert path.read_text("utf-8") == '{\n "é": 1.5\n}\n'


def test_a_value_that_json_cannot_hold_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert json.loads(path.read_text("utf-8")) == {"a": 1}


@pytest.mark.parametrize("size", [1, 3, 4, 100])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_chunks_end_with_lines(tmp_path: Path, size: int, end: bytes) -> None:
    lines = b"one\r\n\ntwo\xff\nthree" + end
    (tmp_path / "a.txt").write_bytes(codecs.BOM_UTF8 + lines)
    chunks = list(open_chunks(tmp_path / "a.txt", size))
    assert b"".join(chunks) == lines
    assert all(chunk.endswith(b"\n") for chunk in chunks[:-1])
    assert len(chunks) == 1 if size == 100 else len(chunks) > 2
    (tmp_path / "a.txt").write_bytes(b"")
    with pytest.raises(UserError, match="is empty"):
        list(open_chunks(tmp_path / "a.txt", size))


@pytest.mark.parametrize("ending", [".bz2", ".zip", ".7z"])
def test_of_other_compressed_files_it_is_told_which_are_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"text{ending}"
    with pytest.raises(UserError, match="There is no file"):
        next(open_lines(path))
    path.write_bytes(bz2.compress(b"a\n"))
    with pytest.raises(UserError, match=r"of compressed files only \.gz, \.xz, \.zst are; decom"):
        next(open_lines(path))
