import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from xlmkit.core.errors import UserError
from xlmkit.core.files import sha256_file
from xlmkit.data import wheels
from xlmkit.data.inputs import Reading
from xlmkit.data.readers import read_source
from xlmkit.data.sources import WheelSource

pytest.importorskip("pip")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its only index, with the wheel greeter 1.0 in it."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / "greeter-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("greeter/__init__.py", "raise SystemExit('this code must never run')")
        archive.writestr(
            "greeter/locale/tr/LC_MESSAGES/greeter.po",
            'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
            'msgid "Good morning"\nmsgstr "Günaydın"\n',
        )
        info = "greeter-1.0.dist-info"
        archive.writestr(
            f"{info}/METADATA",
            "Metadata-Version: 2.1\nName: greeter\nVersion: 1.0\nRequires-Python: <3\n",
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("XLMKIT_CACHE", str(tmp_path / "cache"))
    return folder


def _source(sha256: str, version: str = "1.0") -> WheelSource:
    return WheelSource(kind="wheel", package="greeter", version=version, sha256=sha256)


def _hash(index: Path) -> str:
    return sha256_file(next(index.glob("*.whl")))


def test_fetched_once_then_read_from_the_cache(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = _source(_hash(index).upper())  # the package wants Python 2: its text can be had still
    reading = Reading(tmp_path, ("en", "tr"))
    records = list(read_source(source, reading))
    assert [record.texts for record in records] == [{"en": "Good morning", "tr": "Günaydın"}]
    assert records[0].where == "greeter-1.0!greeter/locale/*/LC_MESSAGES/greeter"
    kept = list((tmp_path / "cache" / "wheels").iterdir())
    assert [path.suffix for path in kept] == [".whl"]

    def no_process(*_: object, **__: object) -> None:
        raise AssertionError("pip must not be asked again")

    monkeypatch.setattr(subprocess, "Popen", no_process)
    assert list(read_source(source, reading)) == records


def test_a_cached_wheel_that_was_changed_is_fetched_again(index: Path) -> None:
    source = _source(_hash(index))
    path = wheels.fetch_wheel(source)
    path.write_bytes(b"tampered")
    assert sha256_file(wheels.fetch_wheel(source)) == source.sha256


def test_another_hash_says_both_and_keeps_nothing(index: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"expected {'0' * 64}, got {_hash(index)}"):
        wheels.fetch_wheel(_source("0" * 64))
    assert not list((tmp_path / "cache" / "wheels").iterdir())


def test_a_missing_version_names_those_there(index: Path) -> None:
    with pytest.raises(
        UserError, match=r"no wheel of greeter 2\.0; the latest ones there are 1\.0"
    ):
        wheels.fetch_wheel(_source(_hash(index), "2.0"))


def test_no_network(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # nothing listens there
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(UserError, match="the package index cannot be reached"):
        wheels.fetch_wheel(_source(_hash(index)))


def test_a_cache_that_cannot_be_written(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XLMKIT_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"could not be stored .* XLMKIT_CACHE"):
        wheels.fetch_wheel(_source(_hash(index)))


def test_stopping_stops_pip(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    class Slow(real):  # type: ignore[misc, valid-type]
        def __init__(self, command: list[str], **options: object) -> None:
            super().__init__([sys.executable, "-c", "import time; time.sleep(60)"], **options)
            started.append(self)

        def poll(self) -> int | None:
            if len(started) == 1 and not hasattr(self, "asked"):
                self.asked = True
                raise KeyboardInterrupt
            return super().poll()  # type: ignore[no-any-return]

    monkeypatch.setattr(subprocess, "Popen", Slow)
    with pytest.raises(KeyboardInterrupt):
        wheels.fetch_wheel(_source(_hash(index)))
    assert started[0].returncode is not None
    assert not list((tmp_path / "cache" / "wheels").iterdir())


def test_cache_folder_by_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XLMKIT_CACHE", str(tmp_path))
    assert wheels.cache_folder() == tmp_path
    monkeypatch.delenv("XLMKIT_CACHE")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert wheels.cache_folder() == tmp_path / "xdg" / "xlmkit"
