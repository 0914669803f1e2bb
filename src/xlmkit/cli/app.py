"""The command line: each verb names a function of another module, loaded when the verb runs.

So help needs neither torch nor a recipe.
"""

import importlib
import json
import sys
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

import xlmkit
from xlmkit.cli import comparing, explaining, mining, models, texts, translation, words
from xlmkit.cli.mistakes import told_in_one_sentence

app = typer.Typer(
    name="xlmkit",
    help="Train, adapt and measure cross-lingual language models from one recipe.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # to load Rich would take a third of the time that help takes
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


VERBS = {
    "prepare": "Read, clean and split the texts, learn the tokenizer, and store the tokens.",
    "pretrain": "Train the language models; a stopped one goes on from its last checkpoint.",
    "finetune": "Adapt the pretrained models to the recipe's tasks.",
    "train-translator": "Train the recipe's translators, with or without translations.",
    "evaluate": "Measure the models in every language.",
    "report": "Write the tables and the pages from what was measured.",
}


def _call(function: str, *arguments: object) -> None:
    """Call a function of `xlmkit.run`, with mistakes told as this module says."""
    with told_in_one_sentence(goes_on=True):
        getattr(importlib.import_module("xlmkit.run"), function.replace("-", "_"))(*arguments)
        sys.stdout.flush()


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


def _command(text: str, name: str | None = None) -> Callable[..., object]:
    """Return a decorator that adds a command; its help is listed as a whole, not cut to a line."""
    return app.command(name, help=text, short_help=text)


@_command("Do all stages; one whose inputs are unchanged is skipped.")
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
    _command(_help, _name)(_verb(_name))


for _function, _help in (
    (texts.encode, "Turn texts into vectors, in a .npy or .jsonl file."),
    (texts.predict, "Ask a finetuned model about texts: labels with their probabilities."),
    (explaining.explain, "Explain a prediction: what each word did for it, as a page or JSON."),
    (explaining.align, "Find the words of two sentences, or of two files, that are translations."),
    (mining.mine, "Find pairs of translations in two files that are not aligned."),
    (words.fill_mask, "Fill the masks of texts with a pretrained model's likeliest words."),
    (words.generate, "Let a pretrained model write on from prompts, in a language."),
    (translation.translate, "Translate lines of text with an encoder-decoder."),
    (translation.summarize, "Summarise texts with an encoder-decoder that has learned to."),
    (translation.score, "Measure translations: BLEU, chrF, TER and others, with intervals."),
    (comparing.compare, "Put models of several runs side by side: quality, speed, size."),
    (models.convert, "Turn a .pth of the original XLM into a model's folder, or back."),
    (models.export, "Write a model for another engine, checked against xlmkit's own results."),
    (models.extend_positions, "Make a model read longer texts: a longer table of positions."),
):
    _command(_help)(told_in_one_sentence()(_function))


@_command("Print the JSON schema of recipes, for an editor's completion and checks.")
def schema() -> None:
    """Print the schema of `xlmkit.run.Recipe`."""
    with told_in_one_sentence():
        recipe = importlib.import_module("xlmkit.run").Recipe
        text = json.dumps(recipe.model_json_schema(), ensure_ascii=False, indent=2)
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def main() -> None:
    """Run the command line of this process, which writes UTF-8 as it reads it, in any locale."""
    if isinstance(sys.stdout, TextIOWrapper):
        # Without `errors` it would be strict.
        sys.stdout.reconfigure(encoding="utf-8", errors=sys.stdout.errors, newline="\n")
    app()
