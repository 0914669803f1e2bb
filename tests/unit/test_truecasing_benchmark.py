"""The benchmark of case and accents counts the words that come back as they were."""

import importlib
import sys
from pathlib import Path

import pytest

from xlmkit.text.truecasing import Truecaser


@pytest.fixture(autouse=True)
def _beside_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")


def test_words_that_come_back_are_counted() -> None:
    brought_back = importlib.import_module("truecasing").brought_back
    lines = ["Die Häuser am See. Sie sind alt.", "Im März"]  # 9 words between spaces
    forms = Truecaser({"de": {"hauser": "Häuser", "see": "See", "sie": "Sie"}})
    # Capitals alone bring back "Die", "am", "Sie", "sind", "alt." and "Im"; the forms "Häuser" and
    # "See." as well, and "März" is known to neither.
    assert brought_back(lines, "de", forms) == (9, 6, 8)


def test_the_command_tells_and_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    truecasing, harness = (importlib.import_module(name) for name in ("truecasing", "_harness"))
    (tmp_path / "text/de").mkdir(parents=True)
    (tmp_path / "text/de/a.txt").write_text("Wir sehen Häuser\n" * 2, encoding="utf-8")
    (tmp_path / "test.de").write_text("Alte Häuser\n", encoding="utf-8")
    monkeypatch.setattr(harness, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(harness, "copy_rate", lambda: 1.0)
    monkeypatch.setattr(truecasing, "set_up", lambda threads: None)
    command = ["truecasing.py", "--text", str(tmp_path / "text"), "--test"]
    monkeypatch.setattr(sys, "argv", [*command, f"de={tmp_path / 'test.de'}"])
    truecasing.main()
    (row,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("de"))
    assert row.split() == ["de", "2", "50.0", "100.0"]
    monkeypatch.setattr(sys, "argv", [*command, f"fr={tmp_path / 'test.de'}"])
    with pytest.raises(SystemExit, match="has no text in fr, of which --test names a file"):
        importlib.import_module("_arguments").run(truecasing.main)
    monkeypatch.setattr(sys, "argv", [*command, "test.de"])
    with pytest.raises(SystemExit):
        truecasing.main()
    assert "'test.de' is not CODE=FILE" in capsys.readouterr().err
