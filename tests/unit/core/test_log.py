"""What is said once, and again in another run."""

import pytest

from xlmkit.core.log import forget_said, say_once
from xlmkit.evaluate.inference import tell_of_cut


def test_a_line_is_said_once_in_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        say_once("a")
        say_once("b")
    assert capsys.readouterr().err == "a\nb\n"
    forget_said()
    say_once("a")
    assert capsys.readouterr().err == "a\n"


def test_texts_that_lose_their_ends_are_told_once_each(capsys: pytest.CaptureFixture[str]) -> None:
    for language in ("de", "hi", "de", "hi"):
        tell_of_cut(2, 119, 128, f"texts in {language}")
    said = capsys.readouterr().err.splitlines()
    assert [line.split(" are ")[0] for line in said] == [
        "2 of 119 texts in de",
        "2 of 119 texts in hi",
    ]
