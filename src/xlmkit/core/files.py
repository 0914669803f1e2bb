"""Files that appear whole or not at all, and text files read strictly.

A file is written beside its place, flushed to the disk and renamed, so that a process killed at
any moment leaves either the old file or the new one. A link stays: what it leads to is replaced.
Compressed text is recognised by its ending.
"""

import codecs
import errno
import gzip
import hashlib
import io
import json
import lzma
import math
import os
import re
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from xlmkit.core.errors import UserError

PACKED = (".gz", ".xz", ".zst")  # endings of compressed text that is read
PACKED_OTHERWISE = (".bz2", ".zip", ".7z")  # and of such that is not

_CHUNK = 1 << 20  # bytes
_COMPRESSED = 1 << 16  # bytes that are decompressed at a time
_OPEN_STREAMS = ("/dev/std", "/dev/fd/", "/proc/")  # regular files where they are redirected to one


def is_disk_full(error: OSError) -> bool:
    """Tell whether there was no room to write; numpy says so without the system's number."""
    if error.errno is None:
        return re.fullmatch(r"\d+ requested and \d+ written", str(error)) is not None
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def explained_disk_errors(path: Path) -> Iterator[None]:
    """Turn a full disk, or a place that must not be written, into one sentence about `path`.

    Raises:
        UserError: instead of these errors of the operating system.
    """
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise UserError(
                f"The disk is full: {path} could not be written; free some space and run again."
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR):
            raise UserError(f"Cannot write {path}: {error.strerror}.") from error
        raise


def place_of(path: Path, mend: str = "name a file") -> Path:
    """Return where a file of this name is put, which may replace another: links are followed.

    Raises:
        UserError: there is a device or a pipe, which is written to and not replaced.
    """
    is_stream = not path.is_file() or str(path).startswith(_OPEN_STREAMS)
    if is_stream and path.exists() and not path.is_dir():
        raise UserError(f"{path} is a device or a pipe and no file; {mend}.")
    return Path(os.path.realpath(path)) if path.is_symlink() else path


@contextmanager
def atomic_write(path: Path, *, binary: bool = False) -> Iterator[IO[Any]]:
    r"""Open `path` for writing; it takes its name only when the block ends without an exception.

    Text is UTF-8 with `\n` line ends. Folders above are created.

    Raises:
        UserError: the disk is full, or the place cannot be written or is a device or a pipe.
    """
    temporary: Path | None = None
    try:
        with explained_disk_errors(path):
            path = place_of(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            temporary = Path(name)
            with os.fdopen(
                descriptor,
                "wb" if binary else "w",
                encoding=None if binary else "utf-8",
                newline=None if binary else "\n",
            ) as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            temporary.chmod(0o644 & ~_umask())
            temporary.replace(path)
            temporary = None
            _sync_folder(path.parent)
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _sync_folder(folder: Path) -> None:
    """Make a rename durable; systems that cannot open folders (Windows) need no such call."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class _Frames(io.RawIOBase):
    """The content of Zstandard frames, one after another.

    The library's own reader stops behind the first, and takes a file that was cut off for whole.
    """

    def __init__(self, raw: IO[bytes], library: Any) -> None:  # noqa: ANN401 - zstandard
        self._raw, self._library = raw, library
        self._frame: Any = None  # that is not at its end
        self._left = self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - anything that can be written to
        while not self._ready:
            given = self._left or self._raw.read(_COMPRESSED)
            if not given and self._frame is None:
                return 0
            if not given:
                raise EOFError("it ends too early")
            frame = self._frame or self._library.ZstdDecompressor().decompressobj()
            self._ready = frame.decompress(given)
            self._frame, self._left = (None, frame.unused_data) if frame.eof else (frame, b"")
        n = min(len(buffer), len(self._ready))
        buffer[:n], self._ready = self._ready[:n], self._ready[n:]
        return n


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading, decompressed according to its ending (.gz, .xz, .zst).

    Raises:
        UserError: the file is missing, a folder, not what its ending says, or compressed otherwise.
    """
    try:
        with path.open("rb") as raw:
            match path.suffix:
                case ".gz":
                    with gzip.open(raw) as stream:
                        yield io.BufferedReader(stream)
                case ".xz":
                    with lzma.open(raw) as stream:
                        yield stream
                case ".zst":
                    import zstandard

                    try:
                        with io.BufferedReader(_Frames(raw, zstandard)) as stream:
                            yield stream
                    except zstandard.ZstdError as error:
                        raise UserError(f"{path} is not a valid .zst file: {error}.") from error
                case ending if ending in PACKED_OTHERWISE:
                    raise UserError(
                        f"{path} cannot be read: of compressed files only {', '.join(PACKED)} are; "
                        "decompress it, or compress its text as one of these."
                    )
                case _:
                    yield raw
    except FileNotFoundError:
        raise UserError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder, a file is needed.") from None
    except PermissionError:
        raise UserError(f"{path} must not be read; change its permissions.") from None
    except (gzip.BadGzipFile, lzma.LZMAError, zlib.error, EOFError) as error:
        raise UserError(f"{path} is damaged or not a {path.suffix} file: {error}.") from error


def open_chunks(path: Path, size: int) -> Iterator[bytes]:
    r"""Yield the lines of a text file, plain or compressed, in pieces of about `size` bytes.

    A piece ends with the `\n` of a line; only that of the file may have none. A byte-order mark at
    the start is removed.

    Raises:
        UserError: the file is missing or empty.
    """
    mark: bytes | None = codecs.BOM_UTF8
    with open_bytes(path) as stream:
        while lines := stream.read(size):
            if not lines.endswith(b"\n"):
                lines += stream.readline()
            yield lines if mark is None else lines.removeprefix(mark)
            mark = None
    if mark is not None:
        raise UserError(f"{path} is empty; give a file with text.")


def open_lines(
    path: Path, *, on_undecodable: Callable[[int], None] | None = None
) -> Iterator[tuple[int, str]]:
    r"""Yield (line number from 1, line without its end) of a UTF-8 text, plain or compressed.

    Only `\n` and `\r\n` end a line: other Unicode separators stay inside, so that line numbers
    agree between the files of a pair. A byte-order mark at the start is removed.

    Args:
        path: the file.
        on_undecodable: called with the number of each line that is not UTF-8, which is then given
            as an empty line; without it such a line is an error.

    Raises:
        UserError: the file is missing or empty, or a line is not UTF-8 (named with its number).
    """
    number = 0
    with open_bytes(path) as stream:
        for number, raw in enumerate(stream, start=1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                if on_undecodable is None:
                    raise UserError(
                        f"{path}, line {number}, is not UTF-8 (byte 0x{raw[error.start]:02x}); "
                        "convert the file, for instance with iconv -t UTF-8."
                    ) from None
                on_undecodable(number)
                line = ""
            yield number, line.rstrip("\n").removesuffix("\r")
    if number == 0:
        raise UserError(f"{path} is empty; give a file with text.")


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def write_json(path: Path, value: object) -> None:
    """Write a value as indented JSON, whole or not at all; see `json_text`."""
    with atomic_write(path) as stream:
        stream.write(f"{json_text(value)}\n")


def json_text(value: object) -> str:
    """Return a value as indented JSON, which has no infinity: what is no finite number is null."""
    try:
        return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, indent=1, allow_nan=False)


def _finite(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_json(path: Path) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Read a JSON file.

    Raises:
        UserError: the file is missing or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"There is no file {path}.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid JSON: {error}.") from None
