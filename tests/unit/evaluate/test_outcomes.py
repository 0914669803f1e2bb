import numpy as np
import pytest

from xlmkit.core.errors import UserError
from xlmkit.evaluate.correlation import spearman
from xlmkit.evaluate.metrics import confusion_matrix, macro_f1
from xlmkit.evaluate.multilabel import multilabel_f1
from xlmkit.evaluate.outcomes import Outcomes, example_ids, load_outcomes, save_outcomes
from xlmkit.evaluate.resampling import per_example, statistic

pytestmark = pytest.mark.unit

EVERYTHING = np.arange(40)[None, :]
DRAW = np.random.default_rng(5)
REFERENCES, PREDICTIONS = DRAW.integers(4, size=40), DRAW.integers(4, size=40)


def _value(metric, **columns):
    made = statistic(metric, columns)
    assert made is not None
    return float(made(EVERYTHING)[0])


def test_what_is_saved_is_read_again(tmp_path):
    path = tmp_path / "task.npz"
    ids = example_ids(["one", "two", "one"], ["a", "a", "b"])
    assert len(set(ids.tolist())) == 3
    columns = {"references": np.array([0, 300, 1]), "predictions": np.array([0.5, 1.0, 2.0])}
    save_outcomes(path, {"pt-br": Outcomes(ids, columns)})
    again = load_outcomes(path)["pt-br"]
    assert again.ids.tolist() == ids.tolist()
    assert again.columns["references"].dtype == np.uint16
    for name, column in columns.items():
        assert again.columns[name].tolist() == column.tolist()


def test_a_file_says_nothing_of_the_texts(tmp_path):
    path = tmp_path / "task.npz"
    ids = example_ids(["a secret sentence"], ["label of it"])
    save_outcomes(path, {"en": Outcomes(ids, {"references": np.array([1])})})
    assert b"secret" not in path.read_bytes()
    assert set(load_outcomes(path)["en"].columns) == {"references"}


def test_a_damaged_file_is_one_sentence(tmp_path):
    path = tmp_path / "task.npz"
    path.write_bytes(b"PK\x03\x04 not an archive")
    with pytest.raises(UserError, match="xlmkit evaluate --force"):
        load_outcomes(path)


def test_examples_are_brought_to_the_order_of_another_file():
    ids = example_ids(["x", "y", "z", "y"], ["a", "a", "a", "a"])
    one = Outcomes(ids, {"references": np.array([1, 2, 3, 4])})
    turned = [2, 0, 3, 1]
    other = Outcomes(ids[turned], {"references": np.array([3, 1, 2, 4])})
    assert one.same_examples(other)
    again = other.in_order_of(one)
    assert again.ids.tolist() == ids.tolist()
    assert again.columns["references"].tolist() == [1, 2, 3, 4]  # equal examples in their order
    assert not one.same_examples(Outcomes(ids[:2], {}))


def test_metrics_of_resamples_are_those_that_were_reported():
    found = _value("macro_f1", references=REFERENCES, predictions=PREDICTIONS)
    expected = macro_f1(confusion_matrix(REFERENCES, PREDICTIONS, 9), resamples=0).value
    assert found == pytest.approx(expected)
    numbers = {"references": DRAW.normal(size=40), "predictions": DRAW.normal(size=40)}
    assert _value("spearman", **numbers) == pytest.approx(
        spearman(numbers["references"], numbers["predictions"], resamples=0).value
    )
    flags = {"references": DRAW.random((40, 3)) > 0.5, "predictions": DRAW.random((40, 3)) > 0.5}
    for name, average in (("macro_f1", "macro"), ("micro_f1", "micro")):
        expected = multilabel_f1(*flags.values(), average, resamples=0).value
        assert _value(name, **flags) == pytest.approx(expected)
    assert _value("exact_match", **flags) == np.mean(
        (flags["references"] == flags["predictions"]).all(axis=1)
    )


def test_many_classes_are_counted_in_parts():
    many = np.arange(40) * 30
    made = statistic("macro_f1", {"references": many, "predictions": many})
    assert made(np.tile(EVERYTHING, (5, 1))).tolist() == [1.0] * 5


def test_a_column_of_the_metrics_name_is_enough():
    assert _value("f1", f1=np.linspace(0, 1, 40)) == pytest.approx(0.5)
    spans = np.tile([[1, 2, 3]], (40, 1))
    assert _value("span_f1", span_f1=spans) == pytest.approx(2 * 1 / (2 + 3))
    assert _value("span_f1", span_f1=0 * spans) == 0.0


def test_a_metric_that_cannot_be_had_again_is_none():
    assert statistic("perplexity", {"references": REFERENCES, "predictions": PREDICTIONS}) is None
    assert statistic("accuracy", {}) is None
    assert per_example("macro_f1", {"references": REFERENCES, "predictions": PREDICTIONS}) is None
