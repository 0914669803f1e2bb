import json
import math
import re

import numpy as np
import pytest

from xlmkit import __version__
from xlmkit.evaluate import score
from xlmkit.evaluate.score import Score, bootstrap, bootstrap_mean, bootstrap_ratio, signature

pytestmark = pytest.mark.unit


def test_signature_names_everything_needed_to_compute_the_score_again():
    text = signature("accuracy", 1000, resamples=1000, seed=1)
    assert text == f"accuracy|n:1000|bootstrap:1000|seed:1|v:{__version__}"


def test_signature_shows_options_and_the_lack_of_an_interval():
    text = signature("retrieval@1", 7, resamples=0, seed=1, candidates=1000, ties="shared")
    assert text.startswith("retrieval@1|candidates:1000|ties:shared|n:7|bootstrap:none|v:")


def test_score_survives_json():
    made = bootstrap_mean("accuracy", [0, 1, 1, 1])
    assert Score.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_json_has_no_infinity():
    made = Score(value=math.inf, low=None, high=math.nan, n=1, signature="perplexity")
    text = json.dumps(made.to_json(), allow_nan=False)
    assert json.loads(text)["value"] is None
    assert math.isnan(Score.from_json(json.loads(text)).value)


def test_same_seed_same_interval_and_another_seed_another():
    values = np.random.default_rng(0).random(300)
    first = bootstrap_mean("mean", values, seed=1)
    assert first == bootstrap_mean("mean", values, seed=1)
    assert first.value == pytest.approx(values.mean())
    other = bootstrap_mean("mean", values, seed=2)
    assert (other.low, other.high) != (first.low, first.high)


def test_interval_does_not_depend_on_how_many_draws_fit_in_memory(monkeypatch):
    values = np.random.default_rng(0).random(101)
    whole = bootstrap_mean("mean", values)
    monkeypatch.setattr(score, "_DRAWS_AT_ONCE", 7 * 101)
    assert bootstrap_mean("mean", values) == whole


def test_width_of_the_interval_is_that_of_the_binomial_distribution():
    hits = np.arange(2000) < 1400
    made = bootstrap_mean("accuracy", hits)
    half = 1.96 * math.sqrt(0.7 * 0.3 / 2000)
    assert made.low == pytest.approx(0.7 - half, abs=0.1 * half)
    assert made.high == pytest.approx(0.7 + half, abs=0.1 * half)


def test_interval_holds_the_truth_about_95_times_in_100():
    generator = np.random.default_rng(3)
    held = 0
    for number in range(300):
        made = bootstrap_mean(
            "mean", generator.normal(5.0, 2.0, size=60), resamples=400, seed=number
        )
        held += made.low <= 5.0 <= made.high
    assert 0.90 <= held / 300 <= 0.98


def test_ratio_weighs_items_by_their_size():
    made = bootstrap_ratio("token-accuracy", [1, 9], [1, 99])
    assert made.value == pytest.approx(0.1)
    assert made.n == 2


def test_ratio_keeps_the_dependence_within_an_item():
    """Tokens of one text are all right or all wrong: the interval is that of 50 texts."""
    right = np.where(np.arange(50) < 25, 100.0, 0.0)
    by_text = bootstrap_ratio("token-accuracy", right, np.full(50, 100.0))
    by_token = bootstrap_mean("token-accuracy", np.repeat(right / 100, 100))
    assert by_text.high - by_text.low > 5 * (by_token.high - by_token.low)


def test_ratio_without_denominator_is_undefined():
    made = bootstrap_ratio("perplexity", [0.0, 0.0], [0.0, 0.0])
    assert math.isnan(made.value)
    assert made.low is None
    assert made.high is None


def test_resamples_with_an_undefined_value_are_left_out():
    made = bootstrap_ratio("token-accuracy", [1.0, 0.0], [2.0, 0.0], resamples=50)
    assert (made.value, made.low, made.high) == (0.5, 0.5, 0.5)


def test_no_resamples_no_interval():
    made = bootstrap_mean("accuracy", [1, 0], resamples=0)
    assert (made.value, made.low, made.high) == (0.5, None, None)


def test_statistic_sees_all_items_once_for_the_value():
    seen = []

    def statistic(indices):
        seen.append(indices)
        return np.zeros(len(indices))

    bootstrap("anything", statistic, 5, resamples=3)
    assert seen[0].tolist() == [[0, 1, 2, 3, 4]]
    assert sum(len(indices) for indices in seen[1:]) == 3
    assert all(0 <= indices.min() <= indices.max() < 5 for indices in seen)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bootstrap_mean("accuracy", []), "at least one item"),
        (lambda: bootstrap_ratio("perplexity", [1.0], [1.0, 2.0]), "(1,) numerators"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
