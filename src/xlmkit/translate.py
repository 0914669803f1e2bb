"""`xlmkit translate`: lines in, as many lines out, at any length of the file.

Lines are read and translated a chunk at a time, so that memory does not grow with the file. A named
output is written beside its name and takes it when all is done; `--resume` goes on behind the last
line that was written.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Literal

from xlmkit.core.config import config_of_settings
from xlmkit.core.device import tune_allocator
from xlmkit.core.errors import UserError
from xlmkit.core.files import explained_disk_errors, open_bytes
from xlmkit.core.progress import progress
from xlmkit.generate.ctranslate2_engine import is_export
from xlmkit.generate.translator import SearchConfig, Translation, Translator

_CHUNK = 512  # lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for, apart from files.

    Attributes:
        src: language of the lines.
        tgt: language to write.
        search: how translations are searched for.
        prefix: how every translation is to begin.
        allowed: a text in the language to write; only its tokens are written.
        engine: what the folder must be for; `auto` takes what it is for.
    """

    src: str
    tgt: str
    search: SearchConfig
    prefix: str | None = None
    allowed: Path | None = None
    engine: Literal["auto", "torch", "ctranslate2"] = "auto"


def search_of(settings: Sequence[str]) -> SearchConfig:
    """Return the search that `key=value` settings describe.

    Raises:
        UserError: one of them is wrong.
    """
    return config_of_settings(SearchConfig, settings)


def translate(
    model: Path,
    source: Path | None,
    target: Path | None,
    request: Request,
    *,
    resume: bool = False,
) -> None:
    """Translate a file or standard input to a file or standard output.

    With `n_best` above 1 every translation is a line of its own: the number of its text, its score
    and itself, with tabs between.

    Args:
        model: a translator's folder.
        source: the file to read, UTF-8; None reads standard input.
        target: the file to write; None writes standard output.
        request: what is asked for.
        resume: go on with a target that an earlier call has begun.

    Raises:
        UserError: a file cannot be read or written, the text is not UTF-8, the model does not know
            a language, or there is nothing to go on with.
    """
    if resume and target is None:
        raise UserError("--resume needs --output: only a file tells how far the last call came.")
    if resume and request.search.n_best > 1:
        raise UserError("--resume needs one line for each text; leave out --n-best, or --resume.")
    if request.engine not in ("auto", kind := "ctranslate2" if is_export(model) else "torch"):
        raise UserError(
            f"{model} is for {kind}, not for {request.engine}; leave out --engine, or make the "
            "other folder with xlmkit export."
        )
    tune_allocator()
    translator = Translator.from_pretrained(model)
    translator.translate([""], request.src, request.tgt)  # languages are known, before all else
    allowed = None
    if request.allowed is not None:
        with _lines(request.allowed) as lines:
            allowed = translator.allowed_words(list(lines), request.tgt)
    with _output(target, resume=resume) as (stream, done), _lines(source) as lines:
        for _ in islice(lines, done):
            pass
        with progress(f"translating {request.src} to {request.tgt}", start=done) as job:
            while chunk := list(islice(lines, _CHUNK)):
                found = translator.translations(
                    chunk,
                    request.src,
                    request.tgt,
                    request.search,
                    prefixes=None if request.prefix is None else [request.prefix] * len(chunk),
                    allowed=allowed,
                    first=done,
                )
                stream.writelines(_written(found, done, request.search.n_best))
                stream.flush()
                done += len(chunk)
                job.advance(len(chunk))


def _written(found: Sequence[Sequence[Translation]], first: int, n_best: int) -> Iterator[str]:
    """Yield the lines of some translations; `first` is the number of texts before."""
    for number, (best, *others) in enumerate(found, start=first + 1):
        if n_best == 1:
            yield f"{best.text}\n"
        else:
            for one in (best, *others):
                yield f"{number}\t{one.score:.4f}\t{one.text}\n"


@contextmanager
def _lines(source: Path | None) -> Iterator[Iterator[str]]:
    """Open the input; lines come without their ends, and an empty input has none."""
    if source is None:
        yield _decoded(sys.stdin.buffer, "standard input")
        return
    with open_bytes(source) as stream:
        yield _decoded(stream, str(source))


def _decoded(stream: Iterable[bytes], name: str) -> Iterator[str]:
    for number, line in enumerate(stream, start=1):
        try:
            yield line.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise UserError(
                f"{name}, line {number}, is not UTF-8; convert it, for instance with iconv."
            ) from None


@contextmanager
def _output(target: Path | None, *, resume: bool) -> Iterator[tuple[IO[str], int]]:
    """Open the output; yields also how many lines an earlier call has written."""
    if target is None:
        yield sys.stdout, 0
        return
    part = target.with_name(f"{target.name}.part")
    with explained_disk_errors(part):
        part.parent.mkdir(parents=True, exist_ok=True)
        done = _keep_whole_lines(part) if resume and part.exists() else 0
        with part.open("a" if done else "w", encoding="utf-8", newline="\n") as stream:
            yield stream, done
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(target)


def _keep_whole_lines(path: Path) -> int:
    """Cut off a line that was not finished, and return how many there are."""
    done = end = 0
    with path.open("r+b") as stream:
        for line in stream:
            if line.endswith(b"\n"):
                done, end = done + 1, end + len(line)
        stream.truncate(end)
    return done
