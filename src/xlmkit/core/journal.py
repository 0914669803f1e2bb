"""How far long work has come, so that it goes on there after it was stopped, even by a power cut.

A journal is a small file of JSON beside the files that grow. It is written after they are on the
disk, and says how long they were then; what they grew by later is cut off when the work goes on.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from xlmkit.core.files import atomic_write, read_json

SECONDS = 30.0
"""How long work goes on at least before it is noted again."""

_WORTH = 20  # how many times longer work takes than noting it, at least


class Journal:
    """The notes of one piece of work.

    Attributes:
        state: what was noted last, None if nothing was.
    """

    def __init__(self, path: Path, key: str = "") -> None:
        """Open the journal at a path.

        Notes are not heeded if they are of work with another key, or if a file is shorter than
        they say: what is missing cannot be made good.
        """
        self._path, self._key = path, key
        self.state: dict[str, Any] | None = None
        self._sizes: dict[str, int] = {}
        if path.is_file() and self._is_whole(noted := read_json(path)):
            self.state, self._sizes = noted["state"], noted["sizes"]
        self._noted = dict(self._sizes)  # of files that are not open any more, too
        self._next = time.monotonic() + SECONDS

    def _is_whole(self, noted: Any) -> bool:  # noqa: ANN401 - whatever the file holds
        if not isinstance(noted, dict) or noted.keys() != {"key", "sizes", "state"}:
            return False
        files = {self._path.parent / name: size for name, size in noted["sizes"].items()}
        return noted["key"] == self._key and all(
            path.is_file() and path.stat().st_size >= size for path, size in files.items()
        )

    def open(self, name: str) -> IO[bytes]:
        """Open a file beside the journal, as long as it was when the work was noted last."""
        path = self._path.parent / name
        path.touch()
        stream = path.open("r+b")
        stream.seek(stream.truncate(self._sizes.get(name, 0)))
        return stream

    def note(
        self,
        streams: Mapping[str, IO[bytes]],
        state: Callable[[], Mapping[str, object]],
        *,
        always: bool = False,
    ) -> None:
        """Note the state, if the last note is old enough.

        Args:
            streams: all files that grow, by name.
            state: says what is needed to go on, as plain values; all streams are written by then.
            always: note it in any case.
        """
        began = time.monotonic()
        if began < self._next and not always:
            return
        made = state()
        for stream in streams.values():
            stream.flush()
            os.fsync(stream.fileno())
        self._noted |= {name: stream.tell() for name, stream in streams.items()}
        with atomic_write(self._path) as file:
            # Not json.dump, which takes several times as long.
            file.write(json.dumps({"key": self._key, "sizes": self._noted, "state": made}))
        now = time.monotonic()
        self._next = now + max(SECONDS, _WORTH * (now - began))

    def remove(self) -> None:
        """Forget the notes, at the end of the work."""
        self._path.unlink(missing_ok=True)
