from pathlib import Path

import pytest

import xlmkit
from xlmkit.core.native_sources import is_built_from, sources_number
from xlmkit.model import kernels
from xlmkit.text import compiled

PACKAGE = Path(xlmkit.__file__).parent


@pytest.mark.skipif(not compiled.available(), reason="not built")
def test_the_tokenizer_was_built_from_the_sources_that_lie_here() -> None:
    assert sources_number(PACKAGE / "text" / "native") == compiled.native.SOURCES


@pytest.mark.skipif(not kernels.available(), reason="not built")
def test_the_kernels_were_built_from_the_sources_that_lie_here() -> None:
    assert kernels.built_from() == sources_number(PACKAGE / "model" / "native")


def test_what_was_built_from_others_is_told_and_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "text" / "native"
    folder.mkdir(parents=True)
    (folder / "module.cpp").write_text("a version", encoding="utf-8")
    number = sources_number(folder)
    assert is_built_from(folder, number)
    (folder / "module.cpp").write_text("another version", encoding="utf-8")
    with pytest.warns(RuntimeWarning, match=r"for text is of another version and left out"):
        assert not is_built_from(folder, number)
    with pytest.warns(RuntimeWarning, match="left out"):
        assert not is_built_from(folder, None)


def test_without_sources_what_was_built_is_used(tmp_path: Path) -> None:
    assert is_built_from(tmp_path / "nowhere", 5)
