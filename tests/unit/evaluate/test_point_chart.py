import pytest

from xlmkit.evaluate.drawing import MUTED, Axis
from xlmkit.evaluate.point_chart import NamedPoint, place_labels, point_chart

pytestmark = pytest.mark.unit


def _point(x, y, label="a"):
    return NamedPoint(x, y, key=label, label=label, text=f"<{label}>", style=MUTED)


def test_labels_that_would_meet_take_other_sides():
    places = [(100.0, 100.0), (110.0, 100.0), (105.0, 101.0)]
    found = place_labels(places, ["de", "es", "fr"], end=300)
    assert [anchor for *_, anchor in found] == ["end", "start", "middle"]


def test_a_label_at_the_edge_stands_before_its_point():
    assert place_labels([(290.0, 50.0)], ["ar"], end=300) == [(282.0, 54.0, "end")]


def test_without_a_free_side_the_label_stands_behind():
    (first, *_) = place_labels([(50.0, 50.0)] * 9, ["xx"] * 9, end=300)
    assert first == (58.0, 54.0, "start")


def test_points_that_the_axes_cannot_show_are_left_out():
    points = [_point(0.0, 1.0), _point(10.0, 2.0, "b"), _point(100.0, float("nan"), "c")]
    drawing = point_chart(points, Axis("x", log=True), Axis("y"), title="both")
    assert drawing.count("<circle") == 1
    assert "&lt;b&gt;" in drawing
    assert 'aria-label="both"' in drawing


def test_no_points_are_an_empty_chart():
    assert "<circle" not in point_chart([], Axis("x"), Axis("y"), title="none")
