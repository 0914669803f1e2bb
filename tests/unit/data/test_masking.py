from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from xlmkit.data.masking import MASK, N_SPECIAL, MaskingConfig, mask_tokens
from xlmkit.text import vocabulary

N_WORDS = 500


def tokens(rows: int = 40, columns: int = 50, seed: int = 0) -> NDArray[np.int64]:
    """Rows of words between `</s>`, padded on the right, an unknown word here and there."""
    random = np.random.default_rng(seed)
    made = random.integers(N_SPECIAL, N_WORDS, (rows, columns))
    made[random.random(made.shape) < 0.02] = vocabulary.UNK
    lengths = random.integers(3, columns + 1, rows)
    made[:, 0] = vocabulary.EOS
    made[np.arange(rows), lengths - 1] = vocabulary.EOS
    made[np.arange(columns) >= lengths[:, None]] = vocabulary.PAD
    return made


def mask(batch: NDArray[np.int64], seed: int = 1, **settings: Any) -> Any:
    config = MaskingConfig.model_validate(settings.pop("config", {}))
    return mask_tokens(batch, config, N_WORDS, np.random.default_rng(seed), **settings)


def test_the_special_tokens_are_those_of_the_vocabulary() -> None:
    assert len(vocabulary.SPECIAL_TOKENS) == N_SPECIAL
    assert vocabulary.MASK == MASK


@settings(max_examples=60, deadline=None)
@given(
    share=st.floats(0.01, 0.9),
    rows=st.integers(1, 8),
    columns=st.integers(3, 40),
    seed=st.integers(0, 1000),
)
def test_putting_the_targets_back_restores_the_text(
    share: float, rows: int, columns: int, seed: int
) -> None:
    batch = tokens(rows, columns, seed)
    before = batch.copy()
    made = mask(batch, seed, config={"share": share})
    assert np.array_equal(batch, before)  # the argument is left alone
    assert made.tokens.shape == batch.shape
    assert made.tokens.dtype == made.predict.dtype == made.targets.dtype == np.int64
    eligible = int((batch >= N_SPECIAL).sum())
    assert len(made.predict) == min(eligible, max(1, round(share * eligible)))
    assert (np.diff(made.predict) > 0).all()
    assert (made.targets >= N_SPECIAL).all()
    elsewhere = np.ones(batch.size, bool)
    elsewhere[made.predict] = False
    assert np.array_equal(made.tokens.ravel()[elsewhere], batch.ravel()[elsewhere])
    restored = made.tokens.ravel().copy()
    restored[made.predict] = made.targets
    assert np.array_equal(restored.reshape(batch.shape), batch)


def test_of_the_hidden_tokens_80_percent_are_masks_10_random_10_unchanged() -> None:
    batch = np.full((100, 400), 20)
    made = mask(batch, config={"share": 0.5})
    now = made.tokens.ravel()[made.predict]
    assert len(now) == 20_000
    masks, same = (now == MASK).mean(), (now == 20).mean()
    assert masks == pytest.approx(0.8, abs=0.015)
    assert same == pytest.approx(0.1 + 0.1 / (N_WORDS - N_SPECIAL), abs=0.01)
    swapped = now[(now != MASK) & (now != 20)]
    assert swapped.min() >= N_SPECIAL
    assert swapped.max() < N_WORDS
    assert len(np.unique(swapped)) > 400  # all over the vocabulary


@pytest.mark.parametrize(
    ("rates", "allowed"),
    [({"mask": 1.0, "random": 0.0}, {MASK}), ({"mask": 0.0, "random": 0.0}, {20})],
)
def test_rates_of_none_and_all(rates: dict[str, float], allowed: set[int]) -> None:
    made = mask(np.full((10, 50), 20), config=rates)
    assert set(made.tokens.ravel()[made.predict].tolist()) == allowed


def test_all_places_are_equally_likely() -> None:
    batch = np.full((1, 40), 30)
    counts = np.zeros(40)
    for seed in range(1000):
        counts[mask(batch, seed, config={"share": 0.25}).predict] += 1
    assert counts.sum() == 10_000
    assert counts.min() > 180
    assert counts.max() < 320


def test_weights_prefer_rare_words() -> None:
    batch = np.tile(np.array([[50, 60]]), (1, 5000))  # equally many of a common and a rare word
    counts = np.ones(N_WORDS)
    counts[50] = 10_000
    made = mask(batch, scores=counts**-0.5)
    common, rare = ((made.targets == word).sum() for word in (50, 60))
    assert len(made.targets) == 1500
    assert rare > 30 * common
    even = mask(batch)
    assert (even.targets == 50).mean() == pytest.approx(0.5, abs=0.05)


def test_weights_are_those_of_a_choice_without_replacement() -> None:
    """With one place to choose, the chance of each is its weight over the sum."""
    batch = np.array([[20, 21, 22]])
    scores = np.zeros(N_WORDS)
    scores[20:23] = 1, 2, 5
    chosen = [int(mask(batch, seed, scores=scores).targets[0]) for seed in range(4000)]
    shares = np.bincount(chosen, minlength=23)[20:] / 4000
    assert shares == pytest.approx([1 / 8, 2 / 8, 5 / 8], abs=0.03)


def test_visible_tokens_stay_and_do_not_count() -> None:
    batch = tokens()
    visible = np.zeros(batch.shape, bool)
    visible[:, 20:] = True
    made = mask(batch, config={"share": 0.5}, visible=visible)
    eligible = int(((batch >= N_SPECIAL) & ~visible).sum())
    assert len(made.predict) == round(0.5 * eligible)
    assert not visible.ravel()[made.predict].any()


def test_text_without_words_hides_nothing() -> None:
    batch = np.array([[1, 3, 1, 2]])
    made = mask(batch)
    assert made.tokens.tolist() == batch.tolist()
    assert len(made.predict) == len(made.targets) == 0


def test_the_generator_decides_everything() -> None:
    batch = tokens()
    first, again, other = mask(batch, 5), mask(batch, 5), mask(batch, 6)
    assert np.array_equal(first.tokens, again.tokens)
    assert not np.array_equal(first.predict, other.predict)


@pytest.mark.parametrize("bad", [{"share": 0.0}, {"share": 1.0}, {"mask": 1.2}, {"rate": 0.1}])
def test_impossible_rates_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        MaskingConfig.model_validate(bad)


def test_rates_that_exceed_the_whole_are_refused() -> None:
    with pytest.raises(ValidationError, match="mask and random"):
        MaskingConfig(mask=0.8, random=0.3)
