"""The verb `mine`, which finds translations in texts that are not aligned."""

import importlib
from pathlib import Path
from typing import Annotated, Literal

import typer

from xlmkit.cli.texts import InferencePrecision, Model, RowFile, Stride


def mine(
    model: Model,
    source: Annotated[Path, typer.Argument(metavar="FILE", help="Sentences, a line each.")],
    other: Annotated[Path, typer.Argument(metavar="OTHER", help="Those of another language.")],
    src: Annotated[str, typer.Option("--src", "-s", help="Language of the first file.")],
    tgt: Annotated[str, typer.Option("--tgt", "-t", help="Language of the other.")],
    target: RowFile = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", help="Least margin of a pair, such as 1.06.")
    ] = None,
    neighbours: Annotated[
        int, typer.Option("--neighbours", min=1, help="Nearest sentences that the margin counts.")
    ] = 4,
    centre: Annotated[
        bool, typer.Option("--centre/--no-centre", help="Take each file's mean away.")
    ] = True,
    ids: Annotated[
        bool, typer.Option("--ids", help="Lines begin with an id and a tab, as in BUCC.")
    ] = False,
    gold: Annotated[
        Path | None, typer.Option("--gold", help="Pairs of ids, or of numbers of lines.")
    ] = None,
    tuning: Annotated[
        float,
        typer.Option("--tuning", min=0, max=1, help="Share of gold that chooses the threshold."),
    ] = 0.5,
    numbers: Annotated[
        Path | None, typer.Option("--json", help="A file for the numbers of --gold.")
    ] = None,
    precision: InferencePrecision = "auto",
    pooling: Annotated[
        Literal["mean", "first"],
        typer.Option("--pooling", help="Mean of a text's states, or the first."),
    ] = "mean",
    layer: Annotated[
        int | None, typer.Option("--layer", help="Whose states; by default the last's.")
    ] = None,
    stride: Stride = None,
) -> None:
    """Call `xlmkit.inference.mining.run`."""
    device = importlib.import_module("xlmkit.core.device")
    device.share_the_processor()
    device.tune_allocator()
    module = importlib.import_module("xlmkit.inference.mining")
    request = module.Request(
        src=src,
        tgt=tgt,
        threshold=threshold,
        neighbours=neighbours,
        centre=centre,
        ids=ids,
        gold=gold,
        tuning=tuning,
        numbers=numbers,
    )
    settings = {"precision": precision, "pooling": pooling, "layer": layer, "stride": stride}
    module.run(model, source, other, target, request, **settings)
