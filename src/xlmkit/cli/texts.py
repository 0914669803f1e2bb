"""The verbs `encode` and `predict`, which read texts with a trained model."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

Model = Annotated[Path, typer.Argument(metavar="MODEL", help="A model's folder.")]
TextFile = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", help="Texts: lines, .tsv, .csv, .jsonl; else standard input."),
]
TextLanguage = Annotated[str | None, typer.Option("--lang", "-l", help="Language of all texts.")]
TextFormat = Annotated[
    Literal["lines", "tsv", "csv", "jsonl"] | None,
    typer.Option("--format", help="What the texts come in, where the file's ending does not say."),
]
TextColumn = Annotated[
    str | None,
    typer.Option(
        "--text-column", help="Number from 0, name in the first row, or key (JSONL) of the text."
    ),
]
LanguageColumn = Annotated[
    str | None,
    typer.Option("--lang-column", help="The same of the language, instead of --lang."),
]
InferencePrecision = Annotated[
    Literal["auto", "float32", "bfloat16", "int8"],
    typer.Option("--precision", help="auto takes bfloat16 where the hardware has it."),
]
BatchTokens = Annotated[int, typer.Option("--batch-tokens", min=16, help="Tokens of a batch.")]
Stride = Annotated[
    int | None,
    typer.Option("--stride", min=0, help="Read longer texts in windows that share so many tokens."),
]
RowFile = Annotated[
    Path | None, typer.Option("--output", "-o", help="A file, instead of standard output.")
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with an output that was not finished.")
]


def encode(
    model: Model,
    source: TextFile = None,
    target: RowFile = None,
    lang: TextLanguage = None,
    form: TextFormat = None,
    text: TextColumn = None,
    language: LanguageColumn = None,
    precision: InferencePrecision = "auto",
    pooling: Annotated[
        Literal["mean", "first"],
        typer.Option("--pooling", help="Mean of a text's states, or the first."),
    ] = "mean",
    layer: Annotated[
        int | None, typer.Option("--layer", help="Whose states; by default the last's.")
    ] = None,
    stride: Stride = None,
    batch_tokens: BatchTokens = 4096,
    resume: Resume = False,
) -> None:
    """Call `xlmkit.inference.files.encode`."""
    files, texts = _opened(source, lang, form, text, language)
    files.encode(
        model,
        texts,
        target,
        precision=precision,
        pooling=pooling,
        layer=layer,
        batch_tokens=batch_tokens,
        resume=resume,
        stride=stride,
    )


def predict(
    model: Model,
    source: TextFile = None,
    target: RowFile = None,
    lang: TextLanguage = None,
    form: TextFormat = None,
    text: TextColumn = None,
    seconds: Annotated[
        list[str] | None,
        typer.Option(
            "--second-column",
            help="The same of a pair's second text; once for each, of what to choose from.",
        ),
    ] = None,
    behind: Annotated[
        list[str] | None,
        typer.Option(
            "--append-column", help="The same of what is put behind the text; repeatable."
        ),
    ] = None,
    language: LanguageColumn = None,
    precision: InferencePrecision = "auto",
    stride: Stride = None,
    join: Annotated[
        Literal["mean", "max", "first", "vote"] | None,
        typer.Option("--join", help="How windows' scores become the text's; by default the mean."),
    ] = None,
    batch_tokens: BatchTokens = 4096,
    resume: Resume = False,
    spaces: Annotated[
        bool, typer.Option("--spaces", help="For taggers: spaces part words, no rules do.")
    ] = False,
    question_lang: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="For questions in another language than their contexts."),
    ] = None,
) -> None:
    """Call `xlmkit.inference.files.predict`."""
    files, texts = _opened(
        source, lang, form, text, language, beside=seconds or (), append=behind or ()
    )
    files.predict(
        model,
        texts,
        target,
        precision=precision,
        batch_tokens=batch_tokens,
        resume=resume,
        spaces=spaces,
        stride=stride,
        join=join,
        question_lang=question_lang,
    )


def _opened(
    source: Path | None,
    lang: str | None,
    form: str | None,
    text: str | None,
    language: str | None,
    beside: Sequence[str] = (),
    append: Sequence[str] = (),
) -> tuple[Any, Any]:
    """Return the module that does the work, and the texts."""
    device = importlib.import_module("xlmkit.core.device")
    device.share_the_processor()
    device.tune_allocator()
    texts = importlib.import_module("xlmkit.inference.texts").Texts(
        path=source,
        lang=lang,
        form=form,
        text=text,
        language=language,
        beside=tuple(beside),
        append=tuple(append),
    )
    return importlib.import_module("xlmkit.inference.files"), texts
