from collections.abc import Iterator

import pytest
import torch

from xlmkit.model import kernels
from xlmkit.model.dropout import _numbers, dropout


@pytest.fixture(autouse=True, params=[True, False], ids=["kernels", "torch"])
def _ways(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.param and not kernels.available():
        pytest.skip("the kernels were not built")
    with kernels.using(request.param):
        yield


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_share_becomes_nought_and_the_rest_is_scaled_up(rate: float, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    made = dropout(torch.ones(100, 1001, dtype=dtype), rate, training=True)
    assert made.dtype == dtype
    assert made.shape == (100, 1001)
    kept = made != 0
    assert 1 - kept.float().mean().item() == pytest.approx(rate, abs=0.006)
    assert made[kept].min() == made[kept].max()
    assert made[kept][0].item() == pytest.approx(1 / (1 - rate), rel=0.005)


@pytest.mark.parametrize("rate", [0.001, 0.1, 0.3])
def test_rates_between_the_levels_are_right_on_average(rate: float) -> None:
    torch.manual_seed(0)
    made = torch.stack([dropout(torch.ones(5000), rate, training=True) for _ in range(2000)])
    assert (made == 0).float().mean().item() == pytest.approx(rate, abs=3e-4)
    assert made.mean().item() == pytest.approx(1.0, abs=1e-3)


def test_the_highest_rates_are_right_on_average() -> None:
    torch.manual_seed(0)
    made = torch.stack([dropout(torch.ones(500), 0.999, training=True) for _ in range(10_000)])
    assert made.mean().item() == pytest.approx(1.0, rel=0.06)


def test_every_byte_of_the_numbers_is_spread_evenly() -> None:
    """Chi-squared of 255 degrees of freedom: 255 with a deviation of 22.6."""
    for key in (0, 1, 12345, 2**62 + 7):
        bytes_N8 = _numbers(1 << 16, key).view(torch.uint8).view(-1, 8)
        for lane in bytes_N8.long().unbind(1):
            found = torch.bincount(lane, minlength=256).double()
            assert ((found - 256) ** 2 / 256).sum() < 255 + 5 * 22.6


def test_no_place_tells_of_another() -> None:
    levels = _numbers(1 << 17, 99).view(torch.int8)
    kept = (levels >= -102).double()  # 230 of 256
    kept = (kept - kept.mean()) / kept.std()
    for distance in (1, 2, 3, 7, 8, 9, 64, 256, 1024, 4096, 65536):
        correlation = (kept[:-distance] * kept[distance:]).mean().item()
        assert abs(correlation) < 5 / len(kept) ** 0.5


def test_nothing_happens_in_evaluation_or_at_rate_nought() -> None:
    hidden = torch.randn(3, 5)
    assert dropout(hidden, 0.9, training=False) is hidden
    assert dropout(hidden, 0.0, training=True) is hidden


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1023])
def test_any_number_of_elements_is_served(size: int) -> None:
    torch.manual_seed(0)
    made = torch.stack([dropout(torch.ones(size), 0.5, training=True) for _ in range(200)])
    assert (made == 0).any(dim=0).all()
    assert (made == 2).any(dim=0).all()


def test_elements_are_dropped_independently() -> None:
    """Neighbours share a random number, but not its bits."""
    torch.manual_seed(0)
    kept = (dropout(torch.ones(40_000, 8), 0.3, training=True) != 0).double()
    correlation = torch.corrcoef(kept.t())
    assert (correlation - torch.eye(8)).abs().max() < 0.03


def test_the_seed_decides_and_every_call_draws_anew() -> None:
    hidden = torch.ones(50)
    torch.manual_seed(3)
    first, second = (dropout(hidden, 0.5, training=True) for _ in range(2))
    torch.manual_seed(3)
    assert torch.equal(dropout(hidden, 0.5, training=True), first)
    assert not torch.equal(first, second)


def test_gradients_pass_where_elements_were_kept() -> None:
    hidden = torch.randn(4, 6).t().requires_grad_()  # not contiguous
    made = dropout(hidden, 0.5, training=True)
    made.sum().backward()  # type: ignore[no-untyped-call]
    assert hidden.grad is not None
    assert torch.equal(hidden.grad, torch.where(made != 0, 2.0, 0.0))
