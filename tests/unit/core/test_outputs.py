"""Where outputs go: behind links, and never in the place of a device or a pipe."""

import os
from pathlib import Path

import pytest

from xlmkit.core.errors import UserError
from xlmkit.core.files import atomic_write
from xlmkit.core.streams import output_lines
from xlmkit.core.unfinished import check_output


@pytest.fixture
def link(tmp_path: Path) -> Path:
    """A link to `folder/text`, which is not there."""
    (tmp_path / "folder").mkdir()
    (link := tmp_path / "link").symlink_to(Path("folder", "text"))
    return link


@pytest.mark.parametrize("before", [None, "old\n"])
@pytest.mark.parametrize("lines", [True, False])
def test_what_a_link_leads_to_is_written(link: Path, before: str | None, lines: bool) -> None:
    text = link.parent / "folder" / "text"
    if before is not None:
        text.write_text(before, encoding="utf-8")
    if lines:
        with output_lines(link, work={}) as (stream, _):
            beside = sorted(path.name for path in text.parent.iterdir() if path != text)
            assert beside == ["text.part", "text.part.json"]
            stream.write("new\n")
    else:
        with atomic_write(link) as stream:
            stream.write("new\n")
    assert link.readlink() == Path("folder", "text")
    assert not text.is_symlink()
    assert text.read_text("utf-8") == "new\n"
    assert sorted(link.parent.rglob("*")) == [text.parent, text, link]


@pytest.mark.parametrize("through_a_link", [True, False])
def test_a_pipe_is_not_replaced(tmp_path: Path, through_a_link: bool) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    (link := tmp_path / "link").symlink_to(pipe)
    target = link if through_a_link else pipe
    message = f"{target} is a device or a pipe and no file; "
    with pytest.raises(UserError, match=f"{message}name a file"), atomic_write(target):
        pass
    with pytest.raises(UserError, match=message), output_lines(target):
        pass
    with pytest.raises(UserError, match=f"{message}leave out --output and redirect"):
        check_output([], target)
    with pytest.raises(UserError, match=f"{message}give --json the name of a file"):
        check_output([], target, "--json")
    assert pipe.is_fifo()
    assert sorted(tmp_path.iterdir()) == [link, pipe]


def test_an_open_file_is_not_replaced_by_the_name_of_its_stream(tmp_path: Path) -> None:
    with (tmp_path / "log").open("a+", encoding="utf-8") as log:
        log.write("before\n")
        log.flush()
        target = Path("/dev/fd", str(log.fileno()))
        if not target.exists():
            pytest.skip("the system has no names for open files")
        with pytest.raises(UserError, match="is a device or a pipe"):
            check_output([], target)
    assert (tmp_path / "log").read_text("utf-8") == "before\n"


@pytest.mark.parametrize("ending", [".gz", ".xz", ".zst", ".bz2", ".zip", ".7z"])
def test_plain_text_is_not_written_under_the_name_of_a_compressed_file(
    tmp_path: Path, ending: str
) -> None:
    with pytest.raises(UserError) as caught:
        check_output([], tmp_path / f"out.fr{ending}", "--json")
    assert str(caught.value).endswith(f"give --json {tmp_path / 'out.fr'} and compress that file.")
    check_output([], tmp_path / f"out{ending}.fr")
