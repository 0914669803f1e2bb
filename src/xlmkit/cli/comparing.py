"""The verb `compare`: which model is best for some tasks and languages."""

import importlib
from pathlib import Path
from typing import Annotated

import typer


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Folders of finished runs, or their results.json."),
    ],
    tasks: Annotated[
        list[str] | None,
        typer.Option("--task", metavar="NAME", help="A task that matters; may be repeated."),
    ] = None,
    languages: Annotated[
        list[str] | None,
        typer.Option("--language", metavar="CODE", help="A language that matters; likewise."),
    ] = None,
    outputs: Annotated[
        list[Path] | None,
        typer.Option("--output", "-o", metavar="FILE", help="A .html, .json or .csv to write."),
    ] = None,
) -> None:
    """Call `xlmkit.evaluate.compare_command.compare`."""
    module = importlib.import_module("xlmkit.evaluate.compare_command")
    module.compare(runs, tasks or [], languages or [], outputs or [])
