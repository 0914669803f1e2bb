"""The verbs `convert` and `export`, by which models go to other software and come from it."""

import importlib
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Target(StrEnum):
    """What models can be exported to."""

    ctranslate2 = "ctranslate2"


class Quantization(StrEnum):
    """How the weights of an export are stored."""

    float32 = "float32"
    int8 = "int8"


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
    module = importlib.import_module("xlmkit.checkpoint.convert")
    module.convert(source, target, codes, name, vocabulary=vocabulary, keep_case=keep_case)


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
    module = importlib.import_module("xlmkit.export.command")
    del to  # there is only one
    module.export(model, target, src, tgt, quantization.value, samples)
