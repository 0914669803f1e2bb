"""The verbs `explain` and `align`: why a prediction, and which words are translations."""

import importlib
from pathlib import Path
from typing import Annotated, Literal

import typer

from xlmkit.cli.texts import Model

Second = Annotated[str | None, typer.Option("--second", help="The second text of a pair.")]
Choices = Annotated[
    list[str] | None, typer.Option("--choice", help="A text to choose from; twice or more.")
]
AnsweredQuestion = Annotated[str | None, typer.Option("--question", help="What the text answers.")]
QuestionLanguage = Annotated[
    str | None,
    typer.Option("--question-lang", metavar="CODE", help="Its language, if not the text's."),
]
Spaces = Annotated[bool, typer.Option("--spaces", help="Spaces part words, no rules do.")]
Layer = Annotated[
    int | None, typer.Option("--layer", help="Whose states; by default two thirds of the way.")
]
Gold = Annotated[
    Path | None,
    typer.Option("--gold", help="Alignments by people (0-0 1p2): tells the error rate."),
]
FromOne = Annotated[bool, typer.Option("--from-one", help="The gold file counts words from 1.")]


def explain(
    model: Model,
    text: Annotated[
        str, typer.Option("--text", metavar="TEXT", help="The text; of a question, the context.")
    ],
    lang: Annotated[str, typer.Option("--lang", "--language", "-l", help="Its language.")],
    second: Second = None,
    choices: Choices = None,
    question: AnsweredQuestion = None,
    question_lang: QuestionLanguage = None,
    labels: Annotated[
        list[str] | None,
        typer.Option("--label", help="What to explain, instead of what the model says."),
    ] = None,
    words: Annotated[
        list[str] | None,
        typer.Option("--word", help="Of a tagger: a word whose tag is explained."),
    ] = None,
    spaces: Spaces = False,
    page: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.html", help="A page.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--json", metavar="FILE.json", help="All numbers.")
    ] = None,
    attention: Annotated[
        str | None,
        typer.Option("--attention", metavar="LAYERS", help="Attention too, of layers 1,6 or all."),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option("--steps", min=2, help="Points of the integral; else as many as it needs."),
    ] = None,
    baseline: Annotated[
        Literal["pad", "mask"] | None,
        typer.Option("--baseline", help="The token that stands for no word."),
    ] = None,
) -> None:
    """Call `xlmkit.explain.command.explain`."""
    importlib.import_module("xlmkit.core.device").share_the_processor()
    importlib.import_module("xlmkit.explain.command").explain(
        model,
        text,
        lang,
        page,
        data,
        second=second,
        choices=choices or [],
        question=question,
        question_lang=question_lang,
        labels=labels or [],
        words=words or [],
        spaces=spaces,
        steps=steps,
        baseline=baseline,
        attention=attention,
    )


def align(
    model: Model,
    src: Annotated[str, typer.Option("--src", "-s", help="Language of the first sentences.")],
    tgt: Annotated[str, typer.Option("--tgt", "-t", help="Language of the others.")],
    source: Annotated[
        Path | None, typer.Argument(metavar="[SOURCE]", help="Sentences, one a line.")
    ] = None,
    target: Annotated[
        Path | None, typer.Argument(metavar="[TARGET]", help="Their translations, line by line.")
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", help="One sentence, in place of files.")
    ] = None,
    translation: Annotated[
        str | None, typer.Option("--translation", help="Its translation.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="A file, instead of standard output; .jsonl has words."
        ),
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--page", metavar="FILE.html", help="A page to look at.")
    ] = None,
    gold: Gold = None,
    from_one: FromOne = False,
    method: Annotated[
        Literal["argmax", "itermax", "softmax"],
        typer.Option("--method", help="How pairs are chosen."),
    ] = "argmax",
    layer: Layer = None,
    spaces: Spaces = False,
) -> None:
    """Call `xlmkit.explain.align_command.align`."""
    importlib.import_module("xlmkit.core.device").share_the_processor()
    files, sentences = (source, target), (text, translation)
    given = files if any(files) else tuple(part if part is None else [part] for part in sentences)
    if None in given or (any(files) and any(part is not None for part in sentences)):
        raise importlib.import_module("xlmkit.core.errors").UserError(
            "Name two files, or give --text and --translation."
        )
    importlib.import_module("xlmkit.explain.align_command").align(
        model,
        src,
        tgt,
        given,
        output,
        gold=gold,
        first=int(from_one),
        page=page,
        method=method,
        layer=layer,
        spaces=spaces,
    )
