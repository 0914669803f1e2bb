"""`xlmkit encode` and `xlmkit predict`: texts in, a row for each out, at any length of the file.

Texts are read and computed a chunk at a time, so that memory does not grow with the file.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.errors import UserError
from xlmkit.core.log import say
from xlmkit.core.progress import progress
from xlmkit.core.streams import output_lines
from xlmkit.core.unfinished import Work, check_output, skip, work_of
from xlmkit.data.text_windows import Join
from xlmkit.inference.answers import AnswerPredictor
from xlmkit.inference.encoder import Pooling, SentenceEncoder
from xlmkit.inference.model import InferencePrecision
from xlmkit.inference.predictors import Predictor, load_predictor, windows_asked
from xlmkit.inference.sequences import SequencePredictor
from xlmkit.inference.tagging import TaggingPredictor
from xlmkit.inference.texts import Text, Texts
from xlmkit.inference.vectors import vector_file

_CHUNK = 4096  # texts
_CHARACTERS = 4_000_000  # of a chunk, about: so that long texts do not take memory without limit

Worker = Callable[[list[Any], list[str]], None]
"""Computes texts (or pairs, or lists of words), each in its language, and writes its row."""


def encode(
    model: Path,
    texts: Texts,
    target: Path | None,
    *,
    precision: InferencePrecision,
    pooling: Pooling,
    layer: int | None,
    batch_tokens: int,
    resume: bool,
    stride: int | None = None,
) -> None:
    """Write the vector of every text, to a numpy file or as JSON lines.

    Args:
        model: a model's folder.
        texts: what is read.
        target: a file that ends in .npy, (texts, E) float32, or in .jsonl; None writes JSON lines
            to standard output.
        precision: see `xlmkit.inference.model.prepare`.
        pooling: how a text's states become one vector.
        layer: whose states; None takes the last.
        batch_tokens: tokens of a batch.
        resume: go on with a target that an earlier call has begun.
        stride: tokens that the windows of a long text share; None cuts its end off.

    Raises:
        UserError: a file cannot be read or written, a text's language is unknown, or a setting
            does not fit.
    """
    _check_ending(target, "Vectors", (".npy", ".jsonl"))
    check_output([texts.path], target)
    work = _work_of(
        "encode", model, texts, precision=precision, pooling=pooling, layer=layer, stride=stride
    )
    encoder = SentenceEncoder.from_pretrained(
        model, precision=precision, pooling=pooling, layer=layer, stride=stride
    )
    known = encoder.known

    def vectors(part: list[str], languages: list[str]) -> NDArray[np.float32]:
        return encoder.encode(part, languages, batch_tokens=batch_tokens)

    if target is not None and target.suffix == ".npy":
        with vector_file(target, encoder.width, work, resume=resume) as file:

            def append(part: list[str], languages: list[str]) -> None:
                file.write(vectors(part, languages))

            _run("encoding", texts, file.rows, append, known)
        return
    with output_lines(target, resume=resume, work=work) as (stream, done):

        def write(part: list[str], languages: list[str]) -> None:
            for row in vectors(part, languages):
                stream.write(f"{json.dumps([float(f'{number:.7g}') for number in row])}\n")
            stream.flush()

        _run("encoding", texts, done, write, known)


def predict(
    model: Path,
    texts: Texts,
    target: Path | None,
    *,
    precision: InferencePrecision,
    batch_tokens: int,
    resume: bool,
    spaces: bool = False,
    stride: int | None = None,
    join: Join | None = None,
    question_lang: str | None = None,
) -> None:
    """Write what a finetuned model says of every text, as JSON lines or a table.

    Args:
        model: a finetuned model's folder.
        texts: what is read.
        target: a file of JSON lines that ends in .jsonl, .ndjson or .json, or a table with a header
            that ends in .tsv; None writes JSON lines to standard output.
        precision: see `xlmkit.inference.model.prepare`.
        batch_tokens: tokens of a batch.
        resume: go on with a target that an earlier call has begun.
        spaces: for a tagger, that spaces alone stand between the words of a text.
        stride: tokens that the windows of a long text share; None reads as it was measured.
        join: how windows' scores become the text's; by default the mean, or as it was measured.
        question_lang: the language of questions, where it is not that of their contexts.

    Raises:
        UserError: a file cannot be read or written, a text's language is unknown, the model
            predicts nothing, or it reads no windows that could be joined.
    """
    _check_ending(target, "Predictions", (".jsonl", ".tsv", ".ndjson", ".json"))
    check_output([texts.path], target)
    long_texts = windows_asked(model, stride, join)
    predictor = load_predictor(model, precision, long_texts)
    ask, texts = _asked(predictor, model, texts, spaces=spaces, question_lang=question_lang)
    work = _work_of(
        "predict",
        model,
        texts,
        precision=precision,
        spaces=spaces,
        long_texts=long_texts,
        question_lang=question_lang,
    )
    table = target is not None and target.suffix == ".tsv"
    with output_lines(target, resume=resume, work=work) as (stream, done):
        if table and not done:
            stream.write("\t".join(predictor.columns) + "\n")

        def write(part: list[Any], languages: list[str]) -> None:
            for prediction in ask(part, languages, batch_tokens=batch_tokens):
                if table:
                    stream.write("\t".join(predictor.cells(prediction)) + "\n")
                else:
                    stream.write(f"{json.dumps(prediction, ensure_ascii=False)}\n")
            stream.flush()

        _run("predicting", texts, done - 1 if table and done else done, write, predictor.known)


def _check_ending(target: Path | None, what: str, endings: tuple[str, ...]) -> None:
    if target is not None and target.suffix not in endings:
        raise UserError(
            f"{what} are written to {' or '.join(endings[:2])}, but {target} is neither."
        )


def _asked(
    predictor: Predictor, model: Path, texts: Texts, *, spaces: bool, question_lang: str | None
) -> tuple[Callable[..., list[dict[str, Any]]], Texts]:
    """Return what is called for each chunk, and the texts as its kind of model reads them.

    Raises:
        UserError: a setting is for models of another kind.
    """
    ask: Callable[..., list[dict[str, Any]]] = predictor.predict
    if isinstance(predictor, TaggingPredictor):
        predictor.spaces = spaces
        texts = replace(texts, words=True)
        if texts.beside or texts.append:
            option = "--second-column" if texts.beside else "--append-column"
            raise UserError(f"{model} tags single texts; leave out {option}.")
    elif spaces:
        raise UserError(f"{model} labels texts and not words; leave out --spaces.")
    if isinstance(predictor, SequencePredictor):
        _tell_of_append(predictor, model, texts)
    if isinstance(predictor, AnswerPredictor):
        ask = partial(predictor.predict, question_lang=question_lang)
        if texts.append:
            raise UserError(f"{model} answers questions; leave out --append-column.")
        texts = texts.of_pairs("question", "context")
    elif question_lang is not None:
        raise UserError(f"{model} answers no questions; leave out --question-lang.")
    return ask, texts


def _tell_of_append(predictor: SequencePredictor, model: Path, texts: Texts) -> None:
    """Say where a model learned texts with more behind them, and these have nothing there."""
    if (learned := predictor.scoring.append) and not texts.append:
        options = " ".join(f"--append-column {column}" for column in learned)
        say(
            f"{model} learned texts with {' and '.join(learned)} behind them: give {options}, "
            "unless your texts already end in it."
        )


def _work_of(command: str, model: Path, texts: Texts, **settings: object) -> Work:
    """Return what a call does, so that only the same goes on with its output."""
    columns = asdict(texts)
    path = columns.pop("path")
    return work_of(command, model, [] if path is None else [path], **columns, **settings)


def _run(
    title: str, texts: Texts, done: int, worker: Worker, known: Collection[str] | None
) -> None:
    """Give a worker all texts but the first `done`, a chunk at a time."""
    with texts.read(known) as lines, progress(title, unit="texts", start=done) as job:
        skip(lines, done)
        for chunk in _chunks(lines):
            worker([text for text, _ in chunk], [language for _, language in chunk])
            job.advance(len(chunk))


def _chunks(lines: Iterable[Text]) -> Iterator[list[Text]]:
    """Yield texts a chunk at a time, fewer where they are long."""
    chunk: list[Text] = []
    characters = 0
    for line in lines:
        chunk.append(line)
        text = line[0]
        characters += len(text) if isinstance(text, str) else sum(map(len, text))
        if len(chunk) >= _CHUNK or characters >= _CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk
