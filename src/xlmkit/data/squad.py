"""Reader of questions in the layout of SQuAD (Rajpurkar et al. 2016 and 2018).

JSON, JSON lines and Hugging Face datasets; what is damaged is counted.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from xlmkit.core.errors import UserError
from xlmkit.core.files import open_bytes
from xlmkit.data.hub import open_dataset
from xlmkit.data.inputs import Reading, encoding_mend, find_files, json_value, lenient_lines
from xlmkit.data.language_files import by_language, every_language
from xlmkit.data.questions import Answer, Question, QuestionSource
from xlmkit.data.source_base import LANGUAGE_MARK

_LINES = (".jsonl", ".ndjson")
_KEYS = ("question", "context", "answers")

Row = tuple[Mapping[str, Any], str]
"""A question with its context, and where it stands."""


def read_questions(
    source: QuestionSource, reading: Reading, languages: Collection[str] | None = None
) -> Iterator[Question]:
    """Yield the questions of a source, language by language.

    Those without a question, a context or the text of an answer are counted in `reading.bad`.

    Args:
        source: where they are.
        reading: in which languages it may have files.
        languages: those that are wanted; of others nothing is read. By default all.

    Raises:
        UserError: a file is missing or no SQuAD, or there is no question in a wanted language of
            which the source has files.
    """
    if not reading.languages:
        raise UserError(
            f"The source {source.title!r} is limited to languages that the recipe does not have."
        )
    wanted = [code for code in reading.languages if languages is None or code in languages]
    parts = [part for part in _parts(source, reading) if part.language in wanted]
    found = False
    for part in parts:
        reading.bad.language = str(part.language)
        for row, place in _rows(part, reading):
            question = _question(row, part, place)
            if isinstance(question, str):
                reading.bad.add(question, place)
                if missing := [key for key in _KEYS if key not in row]:
                    has = f"a row has no `{missing[0]}` but {', '.join(map(str, row))}"
                    reading.bad.mends.setdefault(question, has)
            else:
                found = True
                yield question
    if parts and not found:
        n, why = reading.bad.counts.total(), reading.bad.reasons
        raise UserError(
            f"The source {source.title!r} gave no question in any of the languages "
            f"{', '.join(wanted)}; {n} were damaged" + (f" ({why})." if n else ".")
        )


def question_files(source: QuestionSource, base: Path) -> list[Path]:
    """Return the files on this machine that a source reads.

    Raises:
        UserError: a file is missing.
    """
    if source.path is not None:
        return find_files(every_language(source.path), base)
    folder = base / Path(source.place).expanduser()
    return sorted(file for file in folder.rglob("*") if file.is_file()) if folder.is_dir() else []


def _parts(source: QuestionSource, reading: Reading) -> list[QuestionSource]:
    """Return a source for each language."""
    if source.path is not None:
        return by_language(source, reading)
    if LANGUAGE_MARK not in str(source.subset):
        return [source]
    return [
        source.model_copy(
            update={"subset": str(source.subset).replace(LANGUAGE_MARK, code), "language": code}
        )
        for code in reading.languages
    ]


def _rows(source: QuestionSource, reading: Reading) -> Iterator[Row]:
    if source.path is None:
        name = f"{source.dataset}/{source.split}"
        place = (source.place, source.subset, source.split, source.revision)
        rows = open_dataset(*place, reading.base)
        yield from ((row, f"{name}:{number}") for number, row in enumerate(rows))
        return
    for path in find_files(source.path, reading.base):
        if any(ending in _LINES for ending in path.suffixes):
            yield from _lines(path, reading)
        else:
            yield from _nested(path, reading)


def _lines(path: Path, reading: Reading) -> Iterator[Row]:
    for number, line in lenient_lines(path, reading):
        place = f"{reading.shown(path)}:{number}"
        if not line.strip():
            continue
        try:
            row = json_value(line)
        except ValueError:
            row = None
        if isinstance(row, dict):
            yield row, place
        else:
            reading.bad.add("no JSON object", place)


def _nested(path: Path, reading: Reading) -> Iterator[Row]:
    with open_bytes(path) as stream:
        text = stream.read()
        if not text.strip():
            raise UserError(f"{path} is empty.")
        try:
            articles = json_value(text)["data"]
            paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
            rows = [{**qa, "context": p.get("context")} for p in paragraphs for qa in p["qas"]]
        except UnicodeDecodeError:
            raise UserError(f"{path} is not UTF-8; {encoding_mend(path)}.") from None
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            raise UserError(
                f"{path} is not in the layout of SQuAD, data[].paragraphs[].qas[] "
                f"({type(error).__name__}: {error}); a question a line is .jsonl."
            ) from None
    for number, row in enumerate(rows):
        yield row, f"{reading.shown(path)}:{row.get('id', number)}"


def _question(row: Mapping[str, Any], source: QuestionSource, place: str) -> Question | str:
    """Return a question, or what is wrong with it."""
    text, context = row.get("question"), row.get("context")
    if not isinstance(text, str) or not text.strip():
        return "an empty question"
    if not isinstance(context, str) or not context.strip():
        return "an empty context"
    try:
        name = str(row.get("id", place))
        answers = () if row.get("is_impossible") else tuple(_answers(row["answers"]))
    except (LookupError, TypeError, AttributeError, ValueError, OverflowError, RecursionError):
        return "no answers in the layout of SQuAD"
    if any(not answer.text.strip() for answer in answers):
        return "an empty answer"
    asked_in = source.question_language or ""
    return Question(name, str(source.language), text, context, answers, asked_in)


def _answers(found: Any) -> Iterable[Answer]:  # noqa: ANN401 - what a file may hold
    """Yield answers, given as a list of objects or, as Hugging Face does, as an object of lists."""
    if isinstance(found, Mapping):
        starts = found.get("answer_start")
        starts = [-1] * len(found["text"]) if starts is None else starts
        pairs = list(zip(found["text"], starts, strict=True))
    else:
        pairs = [(one["text"], one.get("answer_start", -1)) for one in found]
    for text, start in pairs:
        yield Answer(str(text), int(start))
