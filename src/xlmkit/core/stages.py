"""Stages of a run: folders that appear whole, and are not made again while their inputs are equal.

A stage is built in a hidden folder beside its own and renamed when it is finished. The hidden
folder of a stage that was killed is kept, so that training goes on in it; one that belongs to other
inputs is put aside, one of each stage, for who goes back to those. A finished folder in which a
file is missing or cut short counts as unmade.
"""

import glob
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
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
        if not path.is_file():
            return False
        made = read_json(path)
        files = made.get("files", {})
        return bool(made.get("key") == self.key and files and files == _sizes(self.folder, files))

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

        Killed at any moment, it leaves the folder that was there before, or the new one.

        Args:
            build: fills the folder it is given.
            versions: of the packages, written beside the result.
        """
        working = self.working
        if self._key_in(working) != self.key:
            self._put_aside()
            with suppress(FileNotFoundError):
                self._aside(self.key).replace(working)  # these inputs were begun before
        if self._key_in(working) != self.key:
            working.mkdir(parents=True, exist_ok=True)
            self._mark(0.0)
        _remove_hidden(working)
        if not (working / STAGE_FILE).is_file():  # else it was killed just before its renaming
            self._build(build, versions)
        self._replace()

    def _aside(self, key: str) -> Path:
        return self.working.with_name(f"{self.working.name}.{key[:16]}")

    def _put_aside(self) -> None:
        """Keep what other inputs have begun, in the place of what others had begun before."""
        other = self._key_in(self.working)
        if not other:
            shutil.rmtree(self.working, ignore_errors=True)
            return
        for old in self.folder.parent.glob(f"{glob.escape(self.working.name)}.*"):
            if old != self._aside(self.key):
                shutil.rmtree(old, ignore_errors=True)
        self.working.replace(self._aside(other))

    @staticmethod
    def _key_in(folder: Path) -> str:
        """Return the key of the inputs with which a working folder was begun; "" if unknown."""
        mark = folder / _KEY_FILE
        words = mark.read_text(encoding="utf-8").split() if mark.is_file() else []
        return words[0] if words else ""

    def _build(self, build: Callable[[Path], object], versions: Mapping[str, str]) -> None:
        """Fill the working folder, and say in it what it is made from."""
        before = float((self.working / _KEY_FILE).read_text(encoding="utf-8").split()[1])
        began = time.monotonic()
        try:
            build(self.working)
        finally:
            seconds = before + time.monotonic() - began
            self._mark(seconds)
        names = [
            path.relative_to(self.working).as_posix()
            for path in sorted(self.working.rglob("*"))
            if path.is_file() and path != self.working / _KEY_FILE
        ]
        write_json(
            self.working / STAGE_FILE,
            {
                "key": self.key,
                "seconds": round(seconds, 2),
                "versions": dict(versions),
                "files": _sizes(self.working, names),
                "inputs": self.inputs,
            },
        )

    def _replace(self) -> None:
        """Put the working folder in the place of the one that was there before."""
        before = self.folder.with_name(f".{self.folder.name}.before")
        shutil.rmtree(before, ignore_errors=True)
        if self.folder.exists():
            self.folder.replace(before)
        self.working.replace(self.folder)
        (self.folder / _KEY_FILE).unlink()
        shutil.rmtree(before, ignore_errors=True)

    def _mark(self, seconds: float) -> None:
        """Note the inputs and the time spent so far."""
        with atomic_write(self.working / _KEY_FILE) as stream:
            stream.write(f"{self.key} {seconds:.3f}\n")


def _remove_hidden(folder: Path) -> None:
    """Remove what a killed process was just writing; no file of a stage begins with a dot."""
    for path in folder.rglob(".*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _sizes(folder: Path, names: Iterable[str]) -> dict[str, int | None]:
    """Return the bytes of each file of a folder, None where there is no such file."""
    paths = {name: folder / name for name in names}
    return {name: path.stat().st_size if path.is_file() else None for name, path in paths.items()}


def file_inputs(paths: Iterable[Path], base: Path) -> list[list[str | int]]:
    """Return what tells whether files have changed: path, size and time of change.

    Paths below `base` are told from there, so that a folder may move with all that is in it. A
    file that is missing is left to its reader, who says so better.
    """
    found: list[list[str | int]] = []
    for path in paths:
        if path.is_file():
            status = path.stat()
            shown = path.relative_to(base) if path.is_relative_to(base) else path
            found.append([shown.as_posix(), status.st_size, status.st_mtime_ns])
    return found
