"""The verbs `fill-mask` and `generate`, which ask a pretrained model for words."""

import importlib
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from xlmkit.cli.texts import Model, RowFile

Language = Annotated[str, typer.Option("--lang", "-l", help="Language of the texts.")]
OnlyLanguage = Annotated[
    bool, typer.Option("--only-language", help="Only tokens in the language's own script.")
]
Allowed = Annotated[
    Path | None, typer.Option("--allowed", metavar="FILE", help="Only tokens of this text.")
]
Lines = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="A text each line; else standard input.")
]


def fill_mask(
    model: Model,
    lang: Language,
    source: Lines = None,
    target: RowFile = None,
    top: Annotated[int, typer.Option("--top", min=1, help="Tokens for each mask.")] = 5,
    mask: Annotated[str, typer.Option("--mask", help="How a mask is written.")] = "<mask>",
    only_language: OnlyLanguage = False,
    allowed: Allowed = None,
) -> None:
    """Call `xlmkit.inference.word_files.fill_mask`."""
    _module().fill_mask(
        model,
        source,
        target,
        lang=lang,
        top=top,
        mask=mask,
        only_language=only_language,
        allowed=allowed,
    )


def generate(
    model: Model,
    lang: Language,
    source: Lines = None,
    target: RowFile = None,
    prompts: Annotated[
        list[str] | None, typer.Option("--prompt", help="How the text begins; may be repeated.")
    ] = None,
    beam_size: Annotated[
        int, typer.Option("--beam-size", min=0, help="Beams; 0 for greedy search.")
    ] = 5,
    n_best: Annotated[
        int, typer.Option("--n-best", min=1, help="Lines of number, score and text, by tabs.")
    ] = 1,
    sample: Annotated[
        bool, typer.Option("--sample", help="Draw words instead; see also --set top_p=0.9.")
    ] = False,
    max_new: Annotated[
        int, typer.Option("--max-new", min=1, help="Most tokens behind the prompt.")
    ] = 50,
    only_language: OnlyLanguage = False,
    allowed: Allowed = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any other key of the search."),
    ] = None,
) -> None:
    """Call `xlmkit.inference.word_files.generate`."""
    named = {"beam_size": beam_size, "n_best": n_best, "sample": json.dumps(sample)}
    _module().generate(
        model,
        prompts or [],
        source,
        target,
        lang=lang,
        settings=[*(f"{key}={value}" for key, value in named.items()), *(settings or [])],
        max_new=max_new,
        only_language=only_language,
        allowed=allowed,
    )


def _module() -> Any:  # noqa: ANN401 - loaded when a verb runs
    device = importlib.import_module("xlmkit.core.device")
    device.share_the_processor()
    device.tune_allocator()
    return importlib.import_module("xlmkit.inference.word_files")
