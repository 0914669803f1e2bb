"""What tells the best step of translators, and the line that says it after each measurement."""

from typing import Any

import pytest

from xlmkit.build.translation_measure import check_criterion, progress_line
from xlmkit.build.translation_texts import Watched
from xlmkit.core.errors import UserError
from xlmkit.data.sources import TsvSource
from xlmkit.objectives.config import SummaryConfig


def points(step: int, objective: str, key: str, **values: float) -> list[dict[str, Any]]:
    values["average"] = sum(values.values()) / len(values)
    return [
        {"step": step, "objective": objective, "language": name.replace("_", "-"), key: value}
        | {"split": "valid"}
        for name, value in values.items()
    ]


def test_each_direction_is_told_with_the_best_so_far() -> None:
    curve = points(500, "bleu", "bleu", en_de=20.44, de_en=22.0)
    assert progress_line(curve, "bleu") == (
        "Step 500: English to German BLEU 20.4, German to English BLEU 22.0 (best so far)"
    )
    curve += points(1000, "bleu", "bleu", en_de=19.0, de_en=22.0)
    assert progress_line(curve, "bleu").endswith("(best at step 500)")
    assert progress_line([], "bleu") == ""


def test_every_criterion_has_its_words() -> None:
    assert progress_line(points(5, "rouge", "rouge", en_en=12.0), "rouge") == (
        "Step 5: summaries in English ROUGE-L 12.0 (best so far)"
    )
    assert progress_line(points(5, "mt", "loss", de=2.0), "loss") == (
        "Step 5: German loss 2.000 (best so far)"
    )
    line = progress_line(points(5, "round_trip", "bleu", en_de=9.0), "round_trip")
    assert line == "Step 5: English to German round-trip BLEU 9.0 (best so far)"


def test_of_many_directions_it_is_the_mean() -> None:
    many = {
        f"en_{code}": float(n) for n, code in enumerate(["de", "fr", "ar", "zh", "sw", "ru", "es"])
    }
    assert progress_line(points(1, "bleu", "bleu", **many), "bleu") == (
        "Step 1: 7 directions on average BLEU 3.0 (best so far)"
    )


SUMMARY = SummaryConfig(train=(TsvSource(kind="tsv", path="a", text=0, language="en"),))
SINGLE = Watched(["a"])
TEXTS = {
    "nothing": {},
    "single": {"en-de": SINGLE, "de-en": SINGLE},
    "one way": {"en-de": SINGLE},
    "pairs": {"en-de": Watched(["a"], ["b"])},
    "summaries": {"en-en": Watched(["a"], ["b"], SUMMARY)},
}


@pytest.mark.parametrize(
    ("criterion", "texts", "message"),
    [
        ("bleu", "nothing", "no translations to be validated on; name some in translation.valid."),
        ("bleu", "single", "some in translation.valid, or set criterion: round_trip."),
        ("bleu", "one way", "some in translation.valid."),
        ("bleu", "pairs", None),
        ("bleu", "summaries", "or set criterion: rouge or loss."),
        ("loss", "single", "no translations or summaries to be .* or set criterion: round_trip."),
        ("loss", "pairs", None),
        ("loss", "summaries", None),
        ("rouge", "pairs", "no summaries to be validated on; name some in its summary.valid, or"),
        ("rouge", "summaries", None),
        ("round_trip", "single", None),
        ("round_trip", "one way", "no direction that it learns both ways"),
    ],
)
def test_a_criterion_needs_its_texts(criterion: str, texts: str, message: str | None) -> None:
    if message is None:
        check_criterion(criterion, TEXTS[texts], "translation.models.x")
        return
    with pytest.raises(UserError, match=rf"is {criterion}, but .* has .*{message}"):
        check_criterion(criterion, TEXTS[texts], "translation.models.x")
