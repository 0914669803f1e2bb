import pytest

from xlmkit.core.errors import UserError
from xlmkit.text.sampling import sampling_probabilities


def test_the_exponent_moves_from_even_to_natural_shares() -> None:
    counts = {"en": 900, "sw": 100, "ur": 0}
    assert sampling_probabilities(counts, 1.0) == pytest.approx({"en": 0.9, "sw": 0.1, "ur": 0.0})
    assert sampling_probabilities(counts, 0.5) == pytest.approx({"en": 0.75, "sw": 0.25, "ur": 0.0})
    assert sampling_probabilities(counts, 0.0) == pytest.approx({"en": 0.5, "sw": 0.5, "ur": 0.0})


def test_the_order_of_languages_is_kept() -> None:
    assert list(sampling_probabilities({"zh": 1, "ar": 2, "en": 3}, 0.7)) == ["zh", "ar", "en"]


@pytest.mark.parametrize(
    ("counts", "alpha", "message"),
    [
        ({"en": 1}, 1.5, "alpha"),
        ({"en": 1}, -0.1, "alpha"),
        ({"en": 0}, 0.5, "no text"),
        ({}, 0.5, "no text"),
        ({"en": 3, "fr": -1}, 0.5, "fr"),
    ],
)
def test_senseless_input_is_refused(counts: dict[str, int], alpha: float, message: str) -> None:
    with pytest.raises(UserError, match=message):
        sampling_probabilities(counts, alpha)
