"""The list of contents of a report's page."""

import re
from typing import Any

from xlmkit.evaluate.report import render_report


def test_the_page_lists_its_sections(results: dict[str, Any]) -> None:
    page = render_report(results)
    linked = re.findall(r'<li><a href="#(.*?)">', page)
    assert linked == re.findall(r'<section id="(.*?)">', page)
    assert linked == [f"section-{n}" for n in range(1, page.count("<h2>") + 1)]
    assert len(linked) > 5
    assert page.index("</header>") < page.index("<nav") < page.index("<main>")


def test_a_short_page_needs_no_list() -> None:
    assert "<nav" not in render_report({"name": "empty"})
