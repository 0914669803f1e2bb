"""Metrics without a value, as the correlation with a constant."""

from types import SimpleNamespace
from typing import Any

import pytest

from xlmkit.tasks.base import figures


def made(**values: float | None) -> dict[str, Any]:
    languages = {code: {"spearman": {"value": value}} for code, value in values.items()}
    config: Any = SimpleNamespace(kind="regression", title=None, few_shot=None)
    return figures(config, ["value"], 1, ["en"], languages, {}, ["spearman"])


def test_an_average_names_the_languages_that_it_is_over() -> None:
    found = made(en=0.9, de=0.2, sw=None, fr=0.4)["average"]
    assert found == {"spearman": pytest.approx(0.3), "over": ["de", "fr"]}
    assert made(en=0.9, sw=None)["average"] == {"over": []}
