"""The loss curves of a report, drawn from results.json."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from xlmkit.evaluate.drawing import MUTED, Axis, Style
from xlmkit.evaluate.figures import Series, line_chart
from xlmkit.evaluate.report_figures import Panel, language_styles, model_styles
from xlmkit.evaluate.results import (
    Results,
    language_name,
    model_title,
    models_on,
    models_with,
    split_pair,
)

_POINTS_OF_A_LINE = 120


def loss_panels(results: Results) -> list[Panel]:
    """Return loss curves, one panel for each model and objective, all on the same axes."""
    curves = {
        (key, objective): [p for p in curve if p.get("objective") == objective]
        for key, curve in _curves(results).items()
        for objective in dict.fromkeys(p.get("objective") for p in curve)
    }
    drawn = {where: _loss_series(results, curve) for where, curve in curves.items()}
    drawn = {where: series for where, series in drawn.items() if series}
    values = [p for series in drawn.values() for one in series for p in one.points]
    if not values:
        return []
    x = Axis(_time_title(results), 0.0, max(p[0] for p in values))
    y = Axis("Loss, nats per token", *with_room([p[1] for p in values]))
    panels = []
    for (key, objective), series in drawn.items():
        title, loss = model_title(results, key), f"{str(objective).upper()} loss"
        drawing = line_chart(series, x, y, title=f"{loss} of {title}")
        panels.append(Panel(title, drawing, loss))
    return panels


def _curves(results: Results) -> dict[str, list[Mapping[str, Any]]]:
    found = models_with(results, "pretraining")
    curves = {key: list(model["pretraining"].get("curve") or ()) for key, model in found.items()}
    return {
        key: [p for p in curve if p.get("loss") is not None and math.isfinite(p["loss"])]
        for key, curve in curves.items()
    }


def _timed(results: Results) -> bool:
    return all(p.get("seconds") is not None for curve in _curves(results).values() for p in curve)


def _time_title(results: Results) -> str:
    return "minutes" if _timed(results) else "steps"


def with_room(values: Sequence[float]) -> tuple[float, float]:
    """Return a range with a little room around the data."""
    low, high = min(values), max(values)
    room = (high - low) * 0.04 or 0.5
    return max(0.0, low - room) if low >= 0 else low - room, high + room


def _loss_series(results: Results, curve: Sequence[Mapping[str, Any]]) -> list[Series]:
    """Return the lines of one panel: training in grey, validation by language over it.

    Training loss by language is shown only where there is no validation.
    """
    timed, styles = _timed(results), language_styles(results)
    lines: dict[tuple[str, str | None], list[tuple[float, float]]] = {}
    for point in sorted(curve, key=lambda p: (p.get("seconds") or 0.0, p.get("step") or 0)):
        x = point["seconds"] / 60 if timed else float(point.get("step") or 0)
        where = (str(point.get("split") or "train"), point.get("language"))
        lines.setdefault(where, []).append((x, float(point["loss"])))
    validated = any(split != "train" for split, _ in lines)
    kept = {k: v for k, v in lines.items() if k[0] != "train" or not k[1] or not validated}
    known = results.get("languages") or ()
    order = sorted(kept, key=lambda k: (k[1] is not None, _rank(results, k[1], known)))
    return [
        _loss_line(results, split, code, styles, thinned(kept[split, code]))
        for split, code in order
    ]


def _rank(results: Results, code: str | None, known: Sequence[str]) -> int:
    language = _own_language(results, code or "")
    return known.index(language) if language in known else len(known)


def _own_language(results: Results, code: str) -> str:
    """Return the language that a curve belongs to: of a pair, the one that is not the source."""
    first, second = split_pair(results, code)
    return second if second and first == results.get("source_language") else first


def _loss_line(
    results: Results,
    split: str,
    code: str | None,
    styles: Mapping[str, Style],
    points: Sequence[tuple[float, float]],
) -> Series:
    if code is None:
        name = "training" if split == "train" else "all languages"
        return Series("", name, points, MUTED if split == "train" else Style("var(--ink-text)"))
    own = _own_language(results, code)
    look = styles.get(own, MUTED)
    return Series(own, language_name(results, code), points, look, label=own)


def thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return at most 120 points, means over blocks of them, which is also smoother."""
    if len(points) <= _POINTS_OF_A_LINE:
        return list(points)
    edges = [len(points) * i // _POINTS_OF_A_LINE for i in range(_POINTS_OF_A_LINE + 1)]
    blocks = [points[a:b] for a, b in pairwise(edges)]
    return [
        (math.fsum(p[0] for p in b) / len(b), math.fsum(p[1] for p in b) / len(b)) for b in blocks
    ]


def adaptation_chart(results: Results, task: str) -> str:
    """Return the loss curves of learning a task, one line for each model; empty without any."""
    styles, series = model_styles(results), []
    for key, one in models_on(results, task).items():
        curve = [p for p in one.get("curve") or () if p.get("loss") is not None]
        points = thinned([(float(p["step"]), float(p["loss"])) for p in curve])
        if points:
            series.append(Series("", model_title(results, key), points, styles[key]))
    if not series:
        return ""
    values = [p[1] for one in series for p in one.points]
    y = Axis("Loss, nats per example", *with_room(values))
    return line_chart(series, Axis("steps"), y, title=f"Loss while learning {task}")


def curve_languages(results: Results) -> list[str]:
    """Return the languages that the loss curves show."""
    return [
        _own_language(results, p["language"])
        for curve in _curves(results).values()
        for p in curve
        if p.get("language")
    ]
