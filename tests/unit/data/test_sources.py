from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from xlmkit.data.source_base import ALL_MARKUP
from xlmkit.data.sources import (
    Source,
    TextSource,
    TsvSource,
    WheelSource,
    with_distinct_names,
)

_SOURCE: TypeAdapter[Any] = TypeAdapter(Source)
_HASH = "0" * 64


def _source(**fields: object) -> Any:
    return _SOURCE.validate_python(fields)


def test_kind_chooses_the_section() -> None:
    text = _source(kind="text", path="a.txt", language="fr")
    assert isinstance(text, TextSource)
    assert (text.usual_markup, text.one_translation) == ((), False)
    wheel = _source(kind="wheel", package="App", version="1.0", sha256=_HASH)
    assert isinstance(wheel, WheelSource)
    assert (wheel.usual_markup, wheel.one_translation) == (ALL_MARKUP, True)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "text", "path": "a", "language": "english"}, "'en'"),
        ({"kind": "text", "path": "a", "language": "en", "colums": 1}, "Extra inputs"),
        ({"kind": "tsv", "path": "a"}, "either columns"),
        ({"kind": "tsv", "path": "a", "text": 0}, "needs either language or language_column"),
        ({"kind": "tsv", "path": "a", "columns": {"en": 0}, "text": 1}, "either columns"),
        ({"kind": "tsv", "path": "a", "columns": {"en": 0}, "language": "en"}, "already says"),
        ({"kind": "tsv", "path": "a", "columns": {"en": "english"}}, "header: true"),
        ({"kind": "tsv", "path": "a", "columns": {"en": -1}}, "numbered from 0"),
        ({"kind": "parallel", "paths": {"en": "a"}}, "at least 2"),
        ({"kind": "wheel", "package": "a", "version": "1", "sha256": "12"}, "pattern"),
        ({"kind": "wheel", "package": "-r x", "version": "1", "sha256": _HASH}, "pattern"),
        ({"kind": "wheel", "package": "a", "version": "1 --pre", "sha256": _HASH}, "pattern"),
        ({"kind": "word"}, "kind"),
    ],
)
def test_mistakes_are_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        _source(**fields)
    assert said in str(caught.value)


def test_titles_leave_out_folder_and_compression() -> None:
    assert _source(kind="text", path="a/b/news.txt.gz", language="en").title == "news.txt"
    assert _source(kind="text", path="a.txt", language="en", name="mine").title == "mine"
    assert _source(kind="hub", dataset="org/set", columns={"en": "x"}).title == "set"


def test_sources_of_one_name_are_told_apart() -> None:
    paths = ["en/a.txt", "fr/a.txt", "b.txt", "b.txt"]
    sources = [TextSource(kind="text", path=path, language="en") for path in paths]
    named = with_distinct_names(sources)
    assert [source.title for source in named] == ["en/a.txt", "fr/a.txt", "b.txt", "b.txt (2)"]
    assert sources[0].name is None  # the recipe's own sections stay as they were


def test_header_allows_named_columns() -> None:
    source = TsvSource(kind="tsv", path="a", header=True, columns={"en": "English"})
    assert source.columns == {"en": "English"}
