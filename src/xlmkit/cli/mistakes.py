"""How a command ends: mistakes become one sentence, and signals the right exit code."""

import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import typer

import xlmkit
from xlmkit.core.errors import UserError
from xlmkit.core.files import is_disk_full

_MENDABLE = {
    errno.EACCES: "allow access or choose another place",
    errno.EPERM: "allow access or choose another place",
    errno.EROFS: "choose another place",
    errno.EEXIST: "this is no folder; choose another place",
    errno.ENOTDIR: "a part of this path is a file; choose another",
    errno.EISDIR: "name a file",
    errno.ENOENT: "see that it is there, or choose another place",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ELOOP: "its links lead in a circle; choose another path",
}
_OUR_MISTAKE = (
    f"xlmkit: this is a mistake in xlmkit {xlmkit.__version__}, not in your files; "
    "please report it with the command and the lines below."
)


@contextmanager
def told_in_one_sentence(*, goes_on: bool = False) -> Iterator[None]:
    """End the process with the right words and exit code, whatever the block raises.

    Exit codes: 1 for what the user can mend, 130 after Ctrl-C or SIGTERM, 141 when the reader of
    the output has gone away. Any other exception is ours and passes on, after a request to report
    it.

    Args:
        goes_on: whether the same command goes on after a stop.
    """
    try:
        with _terminable():
            yield
    except UserError as error:
        raise _end(f"xlmkit: error: {error}", 1) from None
    except KeyboardInterrupt as stop:
        how = str(stop) or ("the same command goes on from the last checkpoint" if goes_on else "")
        raise _end(f"Stopped; {how}." if how else "Stopped.", 130) from None
    except BrokenPipeError:
        # Python flushes standard output once more at its end, which would fail aloud.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(141) from None
    except OSError as error:
        mend = _MENDABLE.get(error.errno or 0)
        if is_disk_full(error):
            mend = "free some space and run again"
        if mend is None:
            _tell(_OUR_MISTAKE)
            raise
        name = f"{error.filename}: " if error.filename else ""
        problem = error.strerror or os.strerror(errno.ENOSPC)
        raise _end(f"xlmkit: error: {name}{problem}; {mend}.", 1) from None
    except Exception as error:
        if type(error).__name__ == "OutOfMemoryError":  # torch's, which is not imported for this
            mend = "lower tokens_per_batch in the recipe, or --batch-tokens, and run again"
            raise _end(f"xlmkit: error: the GPU has not enough memory; {mend}.", 1) from None
        _tell(_OUR_MISTAKE)
        raise


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM, by which schedulers stop a job, end the block as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(sentence: str, code: int) -> typer.Exit:
    _tell(sentence)
    return typer.Exit(code)


def _tell(sentence: str) -> None:
    with suppress(BrokenPipeError):
        sys.stdout.flush()
    sys.stderr.write(f"{sentence}\n")
