"""The line that a training of translators says after each measurement."""

from typing import Any

from xlmkit.build.translation_measure import progress_line


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
