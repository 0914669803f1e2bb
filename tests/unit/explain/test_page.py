import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from xlmkit.cli.app import app
from xlmkit.explain.explainer import Explainer
from xlmkit.explain.page import render

pytest.importorskip("captum")


class Texts(HTMLParser):
    """Collects what the paragraphs of class `read` say, and their words."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.marks = 0
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "p":
            self.inside = ("class", "read") in attrs
            if self.inside:
                assert ("dir", "auto") in attrs
                self.texts.append("")
        elif tag == "mark" and self.inside:
            self.marks += 1

    def handle_endtag(self, tag: str) -> None:
        self.inside &= tag != "p"

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.texts[-1] += data


@pytest.mark.parametrize(
    ("text", "language"),
    [("a h,  <b>!", "en"), ("قال h: نعم", "ar"), ("我h你", "zh")],
)
def test_a_text_stands_on_the_page_as_it_was_written(
    keyword_classifier: Path, text: str, language: str
) -> None:
    made = Explainer.from_pretrained(keyword_classifier).explain(text, language, steps=10)
    page = render(made)
    found = Texts()
    found.feed(page)
    assert found.texts == [text]
    assert found.marks == len(made.words) > 1
    assert f'lang="{language}"' in page
    assert not re.search(r'(?:src|href)="', page)  # nothing is fetched


def test_the_command_writes_a_page_and_numbers(keyword_classifier: Path, tmp_path: Path) -> None:
    page, data = tmp_path / "x.html", tmp_path / "x.json"
    arguments = ["explain", str(keyword_classifier), "--text", "a h", "--lang", "en"]
    files = ["--output", str(page), "--json", str(data), "--attention", "all"]
    result = CliRunner().invoke(app, [*arguments, *files])
    assert result.exit_code == 0, result.output
    text = page.read_text("utf-8")
    assert "Why key?" in text
    assert text.count("<figure>") == 4  # heads
    made = json.loads(data.read_text("utf-8"))
    (one,) = made["explained"]
    assert one["scores"][1] > abs(one["scores"][0])
    assert abs(one["convergence_delta"]) < 0.02 * (one["output"] - one["baseline"])
    assert len(made["attention"]["weights"]) == 2

    printed = CliRunner().invoke(app, arguments)
    assert "convergence delta" in printed.output
    wrong = CliRunner().invoke(app, [*arguments, "--output", "x.txt"])
    assert wrong.exit_code == 1
    assert "should end in .html" in wrong.output
