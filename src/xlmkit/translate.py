"""`xlmkit translate` and `summarize`: lines in, as many lines out, at any length of the files.

Lines are read and translated a chunk at a time, so that memory does not grow with the files. A
named output is written beside its name and takes it when all is done; `--resume` goes on behind the
last text that is surely done.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from xlmkit.checkpoint.folders import check_model_folder
from xlmkit.core.config import config_of_settings
from xlmkit.core.device import tune_allocator
from xlmkit.core.errors import UserError
from xlmkit.core.log import say
from xlmkit.core.progress import progress
from xlmkit.core.streams import (
    PipedLines,
    check_inputs,
    count_lines,
    input_lines,
    lines_of,
    output_lines,
)
from xlmkit.core.unfinished import Work, check_output, skip, work_of
from xlmkit.generate.ctranslate2_engine import is_export
from xlmkit.generate.directions import the_direction
from xlmkit.generate.engine import Precision
from xlmkit.generate.summarizer import LongTexts, Summarizer
from xlmkit.generate.translator import SearchConfig, Translation, Translator

_CHUNK = 512  # lines
_CHARACTERS = 100_000  # of a chunk, so that long lines do not keep the first ones waiting
_DECISIVE = ("src", "tgt", "prefix", "allowed", "capitals", "precision", "split")
_Found = Sequence[Sequence[Translation]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for, apart from files.

    Attributes:
        src: language of the lines; None where the model translates one direction alone.
        tgt: language to write; the same.
        search: how translations are searched for.
        prefix: how every translation is to begin.
        allowed: a text in the language to write; only its tokens are written.
        engine: what the folder must be for; `auto` takes what it is for.
        capitals: give the text its usual case and accents; by default where the model's has none.
        precision: what a folder for torch computes in; by default float32.
        split: translate the sentences of a line one by one; by default as the model was measured.
    """

    src: str | None
    tgt: str | None
    search: SearchConfig
    prefix: str | None = None
    allowed: Path | None = None
    engine: Literal["auto", "torch", "ctranslate2"] = "auto"
    capitals: bool | None = None
    precision: Precision | None = None
    split: bool | None = None


def search_of(settings: Sequence[str]) -> SearchConfig:
    """Return the search that `key=value` settings describe.

    Raises:
        UserError: one of them is wrong.
    """
    return config_of_settings(SearchConfig, settings, "the search")


def translate(
    model: Path,
    sources: Sequence[Path],
    target: Path | None,
    request: Request,
    *,
    resume: bool = False,
) -> None:
    """Translate files or standard input to a file or standard output.

    With `n_best` above 1 every translation is a line of its own: the number of its text, its score
    and itself, with tabs between.

    Args:
        model: a translator's folder.
        sources: the files to read, UTF-8, one behind the other; none for standard input.
        target: the file to write; None writes standard output.
        request: what is asked for.
        resume: go on with a target that an earlier call has begun.

    Raises:
        UserError: a file cannot be read or written, the text is not UTF-8, the model does not know
            a language or direction, or there is nothing to go on with.
    """
    _check(model, sources, target, request, resume=resume)
    tune_allocator()
    translator = Translator.from_pretrained(model, request.precision, capitals=request.capitals)
    src, tgt = the_direction(translator.directions, request.src, request.tgt)
    translator.translate([""], src, tgt)  # languages are known, before all else
    split = translator.splits if request.split is None else request.split
    request = replace(request, src=src, tgt=tgt, split=split, capitals=translator.capitals)
    work = _work_of("translate", model, sources, request)
    allowed = None
    if request.allowed is not None:
        with input_lines(request.allowed) as lines:
            allowed = translator.allowed_words(list(lines), tgt)
        if not bool(allowed.any()):
            raise UserError(f"{request.allowed} has no text, so that no word would be allowed.")

    def write(chunk: list[str], first: int) -> _Found:
        return translator.translations(
            chunk,
            src,
            tgt,
            request.search,
            prefixes=None if request.prefix is None else [request.prefix] * len(chunk),
            allowed=allowed,
            split=request.split,
            first=first,
        )

    title = f"translating {src} to {tgt}"
    _write_all(write, title, sources, target, request.search.n_best, work, resume=resume)


def summarize(
    model: Path,
    sources: Sequence[Path],
    target: Path | None,
    request: Request,
    long_texts: LongTexts = "beginning",
    *,
    resume: bool = False,
) -> None:
    """Summarise files or standard input, a text a line; see `translate`.

    Args:
        model: the folder of a model that has learned to summarise.
        sources: the files to read, UTF-8, one behind the other; none for standard input.
        target: the file to write; None writes standard output.
        request: what is asked for; prefixes and allowed words are for translations.
        long_texts: what is done with texts that are longer than the model reads at once.
        resume: go on with a target that an earlier call has begun.

    Raises:
        UserError: a file cannot be read or written, the text is not UTF-8, the model does not know
            a language or has not learned to summarise it, or there is nothing to go on with.
    """
    _check(model, sources, target, request, resume=resume)
    if request.src is None:
        raise UserError("Name the language of the texts with --language.")
    tune_allocator()
    summarizer = Summarizer.from_pretrained(model, request.precision, capitals=request.capitals)
    language, tgt = request.src, summarizer.target(request.src, request.tgt)
    request = replace(request, tgt=tgt)
    work = _work_of("summarize", model, sources, request, long_texts=long_texts)

    def write(chunk: list[str], first: int) -> _Found:
        return summarizer.summaries(
            chunk, language, tgt, request.search, long_texts=long_texts, first=first
        )

    title = f"summarising {language}"
    _write_all(write, title, sources, target, request.search.n_best, work, resume=resume)


def _write_all(
    write: Callable[[list[str], int], _Found],
    title: str,
    sources: Sequence[Path],
    target: Path | None,
    n_best: int,
    work: Work,
    *,
    resume: bool,
) -> None:
    """Write what `write` finds for a chunk of lines and the number of its first line."""
    total = count_lines(sources)
    with (
        closing(lines_of(sources, piped := PipedLines())) as lines,
        output_lines(target, resume=resume, work=work, numbered=n_best > 1) as (stream, done),
    ):
        skip(lines, done)
        lost = 0
        with progress(title, total, start=done) as job:
            for chunk in _chunks(lines, piped):
                found = write(chunk, done)
                lost += sum(best.score == -math.inf for best, *_ in found)
                stream.writelines(_written(found, done, n_best))
                stream.flush()
                done += len(chunk)
                job.advance(len(chunk))
    if lost:
        say(
            f"Of {lost:,} texts nothing, or not all, could be written: what is asked for together, "
            "such as --allowed, min_length and no_repeat_ngram, leaves no word; ask for less."
        )


def _chunks(lines: Iterable[str], piped: PipedLines) -> Iterator[list[str]]:
    """Yield lines a chunk at a time, fewer where they are long or the next are still to come."""
    chunk: list[str] = []
    characters = 0
    for line in lines:
        chunk.append(line)
        characters += len(line)
        if len(chunk) >= _CHUNK or characters >= _CHARACTERS or piped.next_is_to_come:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _work_of(
    command: str, model: Path, sources: Sequence[Path], request: Request, **settings: object
) -> Work:
    """Return what decides about the lines, which neither the batches nor the engine do."""
    asked = {name: getattr(request, name) for name in _DECISIVE}
    if request.allowed is not None and request.allowed.is_file():
        state = request.allowed.stat()
        settings["size of the allowed text"] = state.st_size
        settings["time of the allowed text"] = state.st_mtime_ns
    search = request.search.model_dump(exclude={"batch_tokens"})
    return work_of(command, model, sources, **asked, **search, **settings)


def _check(
    model: Path, sources: Sequence[Path], target: Path | None, request: Request, *, resume: bool
) -> None:
    check_inputs([*sources, request.allowed] if request.allowed else sources)
    check_output([*sources, request.allowed], target)
    if resume and target is None:
        raise UserError("--resume needs --output: only a file tells how far the last call came.")
    kind = "ctranslate2" if is_export(model) else "torch"
    if kind == "torch":
        check_model_folder(model)
    if request.engine not in ("auto", kind):
        raise UserError(
            f"{model} is for {kind}, not for {request.engine}; leave out --engine, or make the "
            "other folder with xlmkit export."
        )


def _written(found: _Found, first: int, n_best: int) -> Iterator[str]:
    """Yield the lines of some translations; `first` texts came before."""
    for number, (best, *others) in enumerate(found, start=first + 1):
        if n_best == 1:
            yield f"{best.text}\n"
        else:
            for one in (best, *others):
                yield f"{number}\t{one.score:.4f}\t{one.text}\n"
