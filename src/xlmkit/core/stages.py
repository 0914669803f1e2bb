"""Stages of a run: folders that appear whole, and are not made again while their inputs are equal.

A stage is built in a hidden folder beside its own and renamed when it is finished. The hidden
folder of a stage that was killed is kept, so that training goes on in it; one that belongs to other
inputs is thrown away.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlmkit.core.files import atomic_write, read_json, write_json

STAGE_FILE = "stage.json"
_KEY_FILE = "key"


@dataclass(frozen=True, slots=True)
class Stage:
    """A folder and what it is made from.

    Attributes:
        folder: where the finished stage stands.
        inputs: everything that decides its contents, as plain values.
    """

    folder: Path
    inputs: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Fingerprint of the inputs; equal keys mean equal contents."""
        text = json.dumps(self.inputs, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def finished(self) -> bool:
        """Whether the folder holds what these inputs give."""
        path = self.folder / STAGE_FILE
        return path.is_file() and bool(read_json(path)["key"] == self.key)

    @property
    def working(self) -> Path:
        """The hidden folder in which the stage is built."""
        return self.folder.with_name(f".{self.folder.name}.partial")

    @property
    def seconds(self) -> float:
        """How long the finished stage took, over all its starts."""
        return float(read_json(self.folder / STAGE_FILE)["seconds"])

    def make(self, build: Callable[[Path], object], *, versions: Mapping[str, str]) -> None:
        """Build the stage, going on in its working folder if that has the same inputs.

        Args:
            build: fills the folder it is given.
            versions: of the packages, written beside the result.
        """
        working = self.working
        mark = working / _KEY_FILE
        if not (mark.is_file() and mark.read_text(encoding="utf-8").split()[0] == self.key):
            shutil.rmtree(working, ignore_errors=True)
            working.mkdir(parents=True)
            self._mark(0.0)
        before = float(mark.read_text(encoding="utf-8").split()[1])
        began = time.monotonic()
        try:
            build(working)
        finally:
            seconds = before + time.monotonic() - began
            self._mark(seconds)
        mark.unlink()
        write_json(
            working / STAGE_FILE,
            {
                "key": self.key,
                "seconds": round(seconds, 2),
                "versions": dict(versions),
                "inputs": self.inputs,
            },
        )
        if self.folder.exists():
            shutil.rmtree(self.folder)
        working.replace(self.folder)

    def _mark(self, seconds: float) -> None:
        """Note the inputs and the time spent so far."""
        with atomic_write(self.working / _KEY_FILE) as stream:
            stream.write(f"{self.key} {seconds:.3f}\n")


def file_inputs(paths: list[Path]) -> list[list[str | int]]:
    """Return what tells whether files have changed: path, size and time of change.

    A file that is missing is left to its reader, who says so better.
    """
    found: list[list[str | int]] = []
    for path in paths:
        if path.is_file():
            status = path.stat()
            found.append([str(path), status.st_size, status.st_mtime_ns])
    return found
