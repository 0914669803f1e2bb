"""Texts with their summaries come from tables, in one language or across two."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from xlmkit.core.errors import UserError
from xlmkit.data.sources import Source
from xlmkit.tasks.summaries import load_summaries


def source(**section: Any) -> Source:
    made: Source = TypeAdapter(Source).validate_python(section)
    return made


def test_a_column_beside_the_text_is_its_summary(tmp_path: Path) -> None:
    for code in ("en", "sw"):
        lines = [f"head {code} {n}\t a\u00a0long {code}  text {n}\n" for n in range(3)]
        (tmp_path / f"{code}.tsv").write_text("".join([*lines, "no text\t\n"]), encoding="utf-8")
    table = source(kind="tsv", path="{language}.tsv", text=1, second=0)
    found = load_summaries([table], tmp_path, ("en", "sw", "fr"), None)
    assert list(found) == ["en-en", "sw-sw"]
    assert found["sw-sw"].sources == [f"a long sw text {n}" for n in range(3)]
    assert found["sw-sw"].references == [f"head sw {n}" for n in range(3)]
    only = load_summaries([table], tmp_path, ("en", "sw"), ["en-en"])
    assert list(only) == ["en-en"]


def test_summaries_may_be_in_another_language(tmp_path: Path) -> None:
    row = {"article": "a long text", "summary": "maandishi"}
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    table = source(kind="jsonl", path="a.jsonl", columns={"sw": "summary", "en": "article"})
    found = load_summaries([table], tmp_path, ("en", "sw"), ["en-sw"])
    assert list(found) == ["en-sw"]
    assert (found["en-sw"].sources, found["en-sw"].references) == (["a long text"], ["maandishi"])
    with pytest.raises(UserError, match=r"a\.jsonl.*gave no summaries; name"):
        load_summaries([table], tmp_path, ("en", "sw"), None)


def test_a_file_without_what_is_wanted_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("long text\tshort\n", encoding="utf-8")
    alone = source(kind="tsv", path="a.tsv", text=0, language="en")
    with pytest.raises(UserError, match="gave no summaries; name their column with second"):
        load_summaries([alone], tmp_path, ("en",), None)
    both = source(kind="tsv", path="a.tsv", text=0, second=1, language="en")
    with pytest.raises(UserError, match="gave no summaries for en-sw"):
        load_summaries([both], tmp_path, ("en", "sw"), ["en-sw"])
