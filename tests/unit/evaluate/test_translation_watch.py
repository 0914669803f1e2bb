"""What a curve says of health: told once, when confirmed; hopeless only while all are ill."""

from typing import Any

import pytest

from xlmkit.evaluate.translation_watch import hopeless_measurements, new_findings

pytestmark = pytest.mark.unit

WELL = {
    "n": 100, "sources": 100, "copied": 0.02, "overlap": 0.1, "length_ratio": 1.0, "empty": 0.0,
    "repeated": 0.0, "commonest": 0.01, "distinct": 1.0,
}  # fmt: skip
COPIES = {**WELL, "copied": 0.8}
SILENT = {**WELL, "empty": 0.9, "in_language": None}
COLLAPSED = {**WELL, "commonest": 0.9, "distinct": 0.1}


def curve(**directions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"step": step, "objective": "health", "language": name.replace("_", "-"), **measured}
        for name, several in directions.items()
        for step, measured in enumerate(several)
    ]


def test_a_finding_is_told_once_when_a_second_measurement_confirms_it() -> None:
    copying = [COPIES, COPIES, COPIES, COPIES]
    told = [new_findings(curve(en_fr=copying[:n], fr_en=[WELL] * n)) for n in range(1, 5)]
    assert [len(sentences) for sentences in told] == [0, 1, 0, 0]
    assert told[1][0].startswith("English to French copies: 80.0%")


def test_what_passes_is_not_told() -> None:
    assert new_findings(curve(en_fr=[COPIES, WELL, COPIES])) == []
    assert new_findings([]) == []


def test_another_finding_is_told_too() -> None:
    (sentence,) = new_findings(curve(en_fr=[COPIES, COPIES, COLLAPSED, COLLAPSED]))
    assert sentence.startswith("English to French collapses")


def test_hopeless_is_what_no_direction_escapes() -> None:
    assert hopeless_measurements([]) == 0
    assert hopeless_measurements(curve(en_fr=[WELL, COPIES, COLLAPSED])) == 2
    assert hopeless_measurements(curve(en_fr=[WELL, COPIES, SILENT, SILENT])) == 3
    assert hopeless_measurements(curve(en_fr=[COPIES] * 3, fr_en=[COPIES] * 3)) == 3
    assert hopeless_measurements(curve(en_fr=[COPIES] * 3, fr_en=[COPIES, WELL, COPIES])) == 1
    assert hopeless_measurements(curve(en_fr=[COPIES] * 3, fr_en=[WELL] * 3)) == 0
