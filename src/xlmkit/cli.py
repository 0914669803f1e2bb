"""The command line: each verb names a function of `xlmkit.run`, and mistakes become one sentence.

`xlmkit.run` is loaded by name when a verb runs, so that help needs neither torch nor a recipe.
"""

import errno
import importlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

import xlmkit
from xlmkit import text_verbs
from xlmkit.core.errors import UserError
from xlmkit.core.files import is_disk_full

app = typer.Typer(
    name="xlmkit",
    help="Train, adapt and measure cross-lingual language models from one recipe.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Recipe = Annotated[
    Path, typer.Argument(metavar="RECIPE", help="The YAML file that says what to do.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a value of the recipe, for instance model.dropout=0.2; may be repeated.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FOLDER",
        help="Where results go, instead of the recipe's own folder.",
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help="Do the stages again, also where nothing has changed.")
]


class Engine(StrEnum):
    """What a translator's folder may be for."""

    auto = "auto"
    torch = "torch"
    ctranslate2 = "ctranslate2"


class Target(StrEnum):
    """What models can be exported to."""

    ctranslate2 = "ctranslate2"


class Quantization(StrEnum):
    """How the weights of an export are stored."""

    float32 = "float32"
    int8 = "int8"


VERBS = {
    "prepare": "Read, clean and split the texts, learn the tokenizer, and store the tokens.",
    "pretrain": "Train the language models; a stopped one goes on from its last checkpoint.",
    "finetune": "Adapt the pretrained models to the recipe's tasks.",
    "train-translator": "Train the recipe's translators, with or without translations.",
    "evaluate": "Measure the models in every language.",
    "report": "Write the tables and the pages from what was measured.",
}

_MENDABLE = {
    errno.EACCES: "allow access or choose another place",
    errno.EPERM: "allow access or choose another place",
    errno.EROFS: "choose another place",
}
_OUR_MISTAKE = (
    f"xlmkit: this is a mistake in xlmkit {xlmkit.__version__}, not in your files; "
    "please report it with the command and the lines below."
)


def _call(function: str, *arguments: object) -> None:
    """Call a function of `xlmkit.run`, with mistakes told as this module says."""
    with told_in_one_sentence():
        getattr(importlib.import_module("xlmkit.run"), function.replace("-", "_"))(*arguments)
        sys.stdout.flush()


@contextmanager
def told_in_one_sentence() -> Iterator[None]:
    """End the process with the right words and exit code, whatever the block raises.

    Exit codes: 1 for what the user can mend, 130 after Ctrl-C or SIGTERM, 141 when the reader of
    the output has gone away. Any other exception is ours and passes on, after a request to report
    it.
    """
    try:
        with _terminable():
            yield
    except UserError as error:
        raise _end(f"xlmkit: error: {error}", 1) from None
    except KeyboardInterrupt:
        raise _end("Stopped; the same command goes on from the last checkpoint.", 130) from None
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
    except Exception:
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


def _print_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"xlmkit {xlmkit.__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the version and end.",
        ),
    ] = False,
) -> None:
    del version  # its callback has done everything


@app.command(help="Do all stages; one whose inputs are unchanged is skipped.")
def run(
    recipe: Recipe, overrides: Overrides = None, output: Output = None, force: Force = False
) -> None:
    """Call `xlmkit.run.run`."""
    _call("run", recipe, overrides or [], output, force)


def _verb(name: str) -> Callable[..., None]:
    def verb(
        recipe: Recipe, overrides: Overrides = None, output: Output = None, force: Force = False
    ) -> None:
        _call(name, recipe, overrides or [], output, force)

    return verb


for _name, _help in VERBS.items():
    app.command(_name, help=_help)(_verb(_name))


@app.command(help="Turn a .pth of the original XLM into a model's folder, or a folder into a .pth.")
def convert(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="A .pth file, or a folder.")],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="A folder, or a .pth file.")],
    codes: Annotated[
        Path | None, typer.Option("--codes", help="The BPE codes that belong to a .pth.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", help="A published model, such as xlm-mlm-xnli15-1024."),
    ] = None,
    vocabulary: Annotated[
        Path | None,
        typer.Option("--vocab", help="The vocabulary file of a .pth that has no dictionary."),
    ] = None,
    keep_case: Annotated[
        bool, typer.Option("--keep-case", help="The model's text was not lower-cased.")
    ] = False,
) -> None:
    """Call `xlmkit.checkpoint.convert.convert`."""
    with told_in_one_sentence():
        module = importlib.import_module("xlmkit.checkpoint.convert")
        module.convert(source, target, codes, name, vocabulary=vocabulary, keep_case=keep_case)


@app.command(help="Translate lines of text with an encoder-decoder.")
def translate(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A translator's folder.")],
    src: Annotated[str, typer.Option("--src", "-s", help="Language of the text.")],
    tgt: Annotated[str, typer.Option("--tgt", "-t", help="Language to write.")],
    source: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="The text, a line each; else standard input."),
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file, instead of standard output.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an output that was not finished.")
    ] = False,
    beam_size: Annotated[
        int, typer.Option("--beam-size", min=0, help="Beams; 0 for greedy search.")
    ] = 5,
    length_penalty: Annotated[
        float, typer.Option("--length-penalty", min=0, help="More prefers longer translations.")
    ] = 1.0,
    n_best: Annotated[
        int,
        typer.Option("--n-best", min=1, help="Lines of number, score and translation, by tabs."),
    ] = 1,
    sample: Annotated[
        bool, typer.Option("--sample", help="Draw words instead; see also --set top_p=0.9.")
    ] = False,
    prefix: Annotated[
        str | None, typer.Option("--prefix", help="Words that every translation begins with.")
    ] = None,
    allowed: Annotated[
        Path | None,
        typer.Option("--allowed", metavar="FILE", help="Write only tokens of this text."),
    ] = None,
    batch_tokens: Annotated[
        int, typer.Option("--batch-tokens", min=16, help="Tokens of a batch, beams counted.")
    ] = 2048,
    engine: Annotated[
        Engine, typer.Option("--engine", help="What the folder must be for.")
    ] = Engine.auto,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any other key of the search."),
    ] = None,
) -> None:
    """Call `xlmkit.translate.translate`."""
    with told_in_one_sentence():
        importlib.import_module("xlmkit.core.device").share_the_processor()
        module = importlib.import_module("xlmkit.translate")
        named: dict[str, object] = {"beam_size": beam_size, "length_penalty": length_penalty}
        named |= {"n_best": n_best, "sample": json.dumps(sample), "batch_tokens": batch_tokens}
        given = [f"{key}={value}" for key, value in named.items()]
        search = module.search_of([*given, *(settings or [])])
        request = module.Request(
            src=src, tgt=tgt, search=search, prefix=prefix, allowed=allowed, engine=engine.value
        )
        module.translate(model, source, target, request, resume=resume)


@app.command(help="Measure translations: BLEU, chrF, TER and others, with intervals.")
def score(
    hypothesis: Annotated[Path, typer.Argument(help="Translations, a line each, detokenised.")],
    reference: Annotated[list[Path], typer.Argument(help="Human translations; may be several.")],
    tgt: Annotated[str, typer.Option("--tgt", "-t", help="Language of the translations.")],
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric", "-m", help="bleu, chrf, chrf++, ter, original or rouge; may be repeated."
        ),
    ] = None,
    against: Annotated[
        Path | None, typer.Option("--against", help="Another system's translations, to compare.")
    ] = None,
    source: Annotated[
        Path | None, typer.Option("--src-file", help="What was translated, to find copies.")
    ] = None,
    src: Annotated[
        str | None, typer.Option("--src", "-s", help="Language of what was translated.")
    ] = None,
    lowercase: Annotated[
        bool, typer.Option("--lowercase", help="Count upper and lower case as the same.")
    ] = False,
    tokenizer: Annotated[
        str | None, typer.Option("--tokenizer", help="sacreBLEU's, instead of the language's own.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--json", help="A file for the numbers.")] = None,
) -> None:
    """Call `xlmkit.evaluate.score_files.score_files`."""
    with told_in_one_sentence():
        importlib.import_module("xlmkit.evaluate.score_files").score_files(
            hypothesis,
            reference,
            tgt=tgt,
            metrics=metric or (),
            against=against,
            source=source,
            src=src,
            lowercase=lowercase,
            tokenizer=tokenizer,
            output=output,
        )


@app.command(help="Write a model for another engine, checked against xlmkit's own results.")
def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A translator's folder.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder.")],
    src: Annotated[str, typer.Option("--src", "-s", help="Language to read.")],
    tgt: Annotated[str, typer.Option("--tgt", "-t", help="Language to write.")],
    to: Annotated[Target, typer.Option("--to", help="The engine.")],
    quantization: Annotated[
        Quantization, typer.Option("--quantization", help="How weights are stored.")
    ] = Quantization.float32,
    samples: Annotated[
        Path | None,
        typer.Option("--samples", metavar="FILE", help="Lines to compare with, else random ones."),
    ] = None,
) -> None:
    """Call `xlmkit.export.command.export`."""
    with told_in_one_sentence():
        module = importlib.import_module("xlmkit.export.command")
        del to  # there is only one
        module.export(model, target, src, tgt, quantization.value, samples)


for _function, _help in (
    (text_verbs.encode, "Turn texts into vectors, in a .npy or .jsonl file."),
    (text_verbs.predict, "Ask a finetuned model about texts: labels with their probabilities."),
):
    app.command(help=_help)(told_in_one_sentence()(_function))


@app.command(help="Print the JSON schema of recipes, for an editor's completion and checks.")
def schema() -> None:
    """Print the schema of `xlmkit.run.Recipe`."""
    with told_in_one_sentence():
        recipe = importlib.import_module("xlmkit.run").Recipe
        text = json.dumps(recipe.model_json_schema(), ensure_ascii=False, indent=2)
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def main() -> None:
    """Run the command line of this process."""
    app()
