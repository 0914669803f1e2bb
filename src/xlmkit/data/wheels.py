"""Wheels as a source of translations: fetched by pip, checked by their hash, never run.

A wheel is a zip archive. Only the message catalogs in it are read; it is not installed, nothing of
it is imported, and none of its paths is written to.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from xlmkit.core.errors import UserError
from xlmkit.core.files import sha256_file
from xlmkit.core.progress import progress
from xlmkit.data.gettext import read_archive
from xlmkit.data.inputs import Reading
from xlmkit.data.records import Record
from xlmkit.data.sources import WheelSource

_POLL = 0.2  # seconds
_NO_NETWORK = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError"
    r"|Connection (?:refused|reset|aborted|broken|timed out)|Max retries exceeded"
    r"|Temporary failure in name resolution|Network is unreachable"
)
_NO_SPACE = re.compile(r"No space left|Disk quota exceeded|not enough space", re.IGNORECASE)
_OTHER_HASH = re.compile(r"Got\s+([0-9a-f]{64})")
_VERSIONS = re.compile(r"\(from versions: ([^)]*)\)")


def read_wheel(source: WheelSource, reading: Reading) -> Iterator[Record]:
    """Yield the messages of the catalogs in a wheel, which is fetched unless it is in the cache.

    Raises:
        UserError: the wheel cannot be had, is another than its hash says, or has no catalog.
    """
    path = fetch_wheel(source)
    yield from read_archive(source, path, reading, f"{source.package}-{source.version}")


def cache_folder() -> Path:
    """Return where downloads are kept: $XLMKIT_CACHE, or the platform's folder for caches."""
    if chosen := os.environ.get("XLMKIT_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "xlmkit"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "xlmkit" / "Cache"
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "xlmkit"


def fetch_wheel(source: WheelSource) -> Path:
    """Return the path of a wheel with the wanted hash, from the cache or through pip.

    Raises:
        UserError: no network, no such version, another hash, no space.
    """
    expected = source.sha256.lower()
    name = f"{source.package}-{source.version}".lower()
    place = cache_folder() / "wheels" / f"{name}-{expected[:16]}.whl"
    if place.is_file() and sha256_file(place) == expected:
        return place
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=place.parent) as folder:
            wheel = _download(source, Path(folder))
            actual = sha256_file(wheel)
            if actual != expected:
                raise _wrong_hash(source, actual)
            wheel.replace(place)
    except OSError as error:
        raise UserError(
            f"The wheel of {source.package} could not be stored in {place.parent}: "
            f"{error.strerror or error}; another folder can be set with XLMKIT_CACHE."
        ) from error
    return place


def _download(source: WheelSource, folder: Path) -> Path:
    """Let pip download one wheel into a fresh folder and return its path."""
    requirements = folder / "requirements.txt"
    requirements.write_text(
        f"{source.package}=={source.version} --hash=sha256:{source.sha256.lower()}\n",
        encoding="utf-8",
    )
    target = folder / "wheel"
    options = (
        "--no-deps --only-binary :all: --require-hashes --ignore-requires-python --no-input "
        "--disable-pip-version-check --no-cache-dir --progress-bar off --retries 2 --timeout 20"
    )
    command = [sys.executable, "-m", "pip", "download", *options.split()]
    command += ["--dest", str(target), "--requirement", str(requirements)]
    code, output = _watch(command, folder, f"fetching {source.package} {source.version}")
    wheels = sorted(target.glob("*.whl")) if target.is_dir() else []
    if code == 0 and len(wheels) == 1:
        return wheels[0]
    raise _explained(source, output)


def _watch(command: list[str], folder: Path, title: str) -> tuple[int, str]:
    """Run pip with a bar that grows with its files; return its exit code and what it said."""
    environment = {**os.environ, "TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder)}
    log = folder / "pip.log"
    with log.open("wb") as stream, progress(title, total=None, unit="KiB") as bar:
        process = subprocess.Popen(  # noqa: S603 - no shell, and the recipe's words are checked
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=environment
        )
        try:
            shown = 0
            while process.poll() is None:
                size = _size(folder) >> 10
                if size > shown:
                    bar.advance(size - shown)
                    shown = size
                try:
                    process.wait(_POLL)
                except subprocess.TimeoutExpired:
                    continue
        finally:  # Ctrl-C must not leave pip running
            if process.poll() is None:
                process.terminate()
                process.wait()
    return process.returncode, log.read_text(encoding="utf-8", errors="replace")


def _size(folder: Path) -> int:
    """Return the bytes in a folder, whose files may come and go meanwhile."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).stat().st_size
            except OSError:
                continue
    return total


def _explained(source: WheelSource, output: str) -> UserError:
    """Turn what pip said into one sentence."""
    wanted = f"{source.package} {source.version}"
    if other := _OTHER_HASH.search(output):
        return _wrong_hash(source, other[1])
    if _NO_SPACE.search(output):
        return UserError(f"The disk is full: the wheel of {wanted} could not be stored.")
    if "No module named pip" in output:
        return UserError(
            f"Fetching the wheel of {wanted} needs pip, which this Python lacks; add it with "
            f"{sys.executable} -m ensurepip."
        )
    if _NO_NETWORK.search(output):
        return UserError(
            f"The wheel of {wanted} could not be fetched: the package index cannot be reached; "
            "connect to the network, or set PIP_INDEX_URL to a mirror."
        )
    if "No matching distribution" in output or "Could not find a version" in output:
        versions = _VERSIONS.search(output)
        known = versions[1].split(", ")[-5:] if versions and versions[1] != "none" else []
        there = f"; the latest ones there are {', '.join(known)}" if known else ""
        return UserError(f"The package index has no wheel of {wanted}{there}.")
    last = [line for line in output.splitlines() if line.strip()][-1:] or ["pip said nothing"]
    return UserError(f"The wheel of {wanted} could not be fetched: {last[0].strip()}.")


def _wrong_hash(source: WheelSource, actual: str) -> UserError:
    return UserError(
        f"The wheel of {source.package} {source.version} has another SHA-256 than the recipe says: "
        f"expected {source.sha256.lower()}, got {actual}."
    )
