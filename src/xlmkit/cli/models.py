"""The verbs that make a model's folder from another: `convert`, `export`, `extend-positions`."""

import importlib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer


class Target(StrEnum):
    """What models can be exported to."""

    ctranslate2 = "ctranslate2"
    sentence_transformers = "sentence-transformers"


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
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model's folder.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder.")],
    to: Annotated[Target, typer.Option("--to", help="The engine.")],
    src: Annotated[
        str | None, typer.Option("--src", "-s", help="Language that a translator reads.")
    ] = None,
    tgt: Annotated[
        str | None, typer.Option("--tgt", "-t", help="Language that a translator writes.")
    ] = None,
    lang: Annotated[
        str | None, typer.Option("--lang", "-l", help="Language of sentences that name none.")
    ] = None,
    pooling: Annotated[
        Literal["mean", "first"] | None,
        typer.Option("--pooling", help="Mean of a sentence's states (default), or the first."),
    ] = None,
    layer: Annotated[
        int | None, typer.Option("--layer", help="Whose states are a sentence's; else the last's.")
    ] = None,
    quantization: Annotated[
        Quantization | None,
        typer.Option("--quantization", help="How a translator's weights are stored; float32."),
    ] = None,
    samples: Annotated[
        Path | None,
        typer.Option("--samples", metavar="FILE", help="Lines to compare with, else random ones."),
    ] = None,
) -> None:
    """Call `xlmkit.export.command.export`."""
    module = importlib.import_module("xlmkit.export.command")
    module.export(
        model,
        target,
        to.value,
        samples,
        src=src,
        tgt=tgt,
        quantization=quantization and quantization.value,
        lang=lang,
        pooling=pooling,
        layer=layer,
    )


def extend_positions(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model's folder.")],
    positions: Annotated[int, typer.Option("--to", min=1, help="How many positions it gets.")],
    target: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="A new folder.")],
    way: Annotated[
        Literal["copy", "interpolate"],
        typer.Option("--by", help="How a learned table is made longer."),
    ] = "copy",
) -> None:
    """Call `xlmkit.checkpoint.extend.extend_positions`."""
    module = importlib.import_module("xlmkit.checkpoint.extend")
    module.extend_positions(model, positions, target, way)
