"""What the compiled kernels of training give, against the same by torch's operations."""

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from xlmkit.model import kernels
from xlmkit.model.config import Architecture
from xlmkit.model.dropout import dropout, dropped_softmax, normed_sum
from xlmkit.model.transformer import Transformer

pytestmark = [
    pytest.mark.equivalence,
    pytest.mark.skipif(not kernels.available(), reason="the kernels were not built"),
]
PRECISIONS = [torch.float32, torch.bfloat16]
SHAPES = [(1,), (7,), (3, 5), (4, 33, 57), (2, 3, 64), (3, 2500), (701, 100)]
"""With rows of several parts, which are what threads share, and one that is no whole part."""

_processor = kernels.WIDE


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def _threads(request: pytest.FixtureRequest) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True, params=[kernels.MIDDLE, kernels.WIDE], ids=["AVX2", "AVX-512"])
def _processors(request: pytest.FixtureRequest) -> Iterator[None]:
    global _processor
    _processor = request.param
    with kernels.using(True, request.param):
        yield


def of_both(make: Callable[..., Tensor], *tensors: Tensor) -> Iterator[list[Tensor]]:
    """Yield what is made and the gradients of the tensors, with the kernels and without."""
    weights = torch.randn_like(make(*tensors))
    for wanted in (True, False):
        with kernels.using(wanted, _processor):
            given = [tensor.detach().clone().requires_grad_() for tensor in tensors]
            torch.manual_seed(7)
            made = make(*given)
            (made * weights).sum().backward()  # type: ignore[no-untyped-call]
            yield [made.detach(), *(tensor.grad for tensor in given if tensor.grad is not None)]


def assert_near(mine: list[Tensor], theirs: list[Tensor], dtype: torch.dtype) -> None:
    rtol, atol = (1e-5, 1e-5) if dtype == torch.float32 else (0.02, 0.03)
    assert len(mine) == len(theirs)
    for one, other in zip(mine, theirs, strict=True):
        assert one.dtype == other.dtype == dtype
        torch.testing.assert_close(one, other, rtol=rtol, atol=atol)


@pytest.mark.usefixtures("_threads")
@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("shape", [*SHAPES, (70, 1000)])
def test_dropout_is_the_same_to_the_bit(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    hidden = torch.randn(shape, dtype=dtype)
    mine, theirs = of_both(lambda x: dropout(x, 0.3, training=True), hidden)
    for one, other in zip(mine, theirs, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_dropout_of_what_is_not_contiguous_is_the_same(dtype: torch.dtype) -> None:
    hidden = torch.randn(40, 30, dtype=dtype)
    mine, theirs = of_both(lambda x: dropout(x.t(), 0.5, training=True), hidden)
    for one, other in zip(mine, theirs, strict=True):
        assert torch.equal(one, other)


@pytest.mark.usefixtures("_threads")
@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_softmax_and_dropout(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    scores = 5 * torch.randn(shape, dtype=dtype)
    mine, theirs = of_both(lambda x: dropped_softmax(x, 0.1, training=True), scores)
    assert torch.equal(mine[0] == 0, theirs[0] == 0)
    assert_near(mine, theirs, dtype)


def test_softmax_of_scores_that_stand_for_nothing_and_of_far_ones() -> None:
    lowest = torch.finfo(torch.float32).min / 2
    scores = torch.tensor(
        [
            [lowest] * 4,
            [0.0, lowest, 1.0, lowest],
            [-200.0, 0.0, 80.0, 90.0],
            [1e30, 0.0, 5.0, 1e30],
        ]
    )
    mine, theirs = of_both(lambda x: dropped_softmax(x, 0.2, training=True), scores)
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other)
        assert torch.equal(one[1] == 0, other[1] == 0)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_what_is_no_number_stays_none(dtype: torch.dtype, wrong: float) -> None:
    """So that a step that has gone wrong is seen, and left out."""
    scores = torch.zeros(2, 40, dtype=dtype)
    scores[0, 3] = wrong
    torch.manual_seed(0)
    made = dropped_softmax(scores, 0.1, training=True)
    assert made[0].isnan().sum() > 20
    assert made[1].isfinite().all()
    norm = nn.LayerNorm(40).to(dtype)
    normed = normed_sum(norm, scores, torch.zeros_like(scores), 0.1, training=True)
    assert normed[0].isnan().all()
    assert normed[1].isfinite().all()


@pytest.mark.usefixtures("_threads")
@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("shape", [(5, 16), (3, 33, 57), (700, 256), (2, 2500)])
def test_norm_of_a_sum(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    norm = nn.LayerNorm(shape[-1], eps=1e-6)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    norm = norm.to(dtype)
    state, added = torch.randn(2, *shape, dtype=dtype)
    results = []
    for result in of_both(lambda x, y: normed_sum(norm, x, y, 0.1, training=True), state, added):
        assert norm.weight.grad is not None
        assert norm.bias.grad is not None
        # Sums over all rows are rounded once here and differently there.
        count = state.numel() ** 0.5
        results.append([*result, norm.weight.grad / count, norm.bias.grad / count])
        norm.zero_grad()
    assert_near(*results, dtype)


@pytest.mark.usefixtures("_threads")  # which sets them back
def test_the_number_of_threads_changes_nothing() -> None:
    norm = nn.LayerNorm(96)
    state, added = torch.randn(2, 4000, 96)
    results = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        torch.manual_seed(1)
        made = normed_sum(norm, state, added, 0.1, training=True)
        made.square().sum().backward()  # type: ignore[no-untyped-call]
        assert norm.weight.grad is not None
        results.append((made.detach(), norm.weight.grad.clone()))
        norm.zero_grad()
    (one, of_one), (other, of_other) = results
    assert torch.equal(one, other)
    assert torch.equal(of_one, of_other)


class Doubled(nn.LayerNorm):
    def forward(self, given: Tensor) -> Tensor:
        return 2 * super().forward(given)


def hooked(norm: nn.LayerNorm) -> nn.LayerNorm:
    norm.register_forward_hook(lambda module, given, made: 2 * made)
    return norm


def hooked_before(norm: nn.LayerNorm) -> nn.LayerNorm:
    norm.register_forward_pre_hook(lambda module, given: (given[0] - 1,))
    return norm


def patched(norm: nn.LayerNorm) -> nn.LayerNorm:
    norm.forward = lambda given: given.abs()  # type: ignore[method-assign]
    return norm


def strided(norm: nn.LayerNorm) -> nn.LayerNorm:
    norm.weight = nn.Parameter(torch.randn(16)[::2])
    norm.bias = nn.Parameter(torch.randn(1).expand(8))
    return norm


@pytest.mark.parametrize(
    "norm",
    [
        Doubled(8),
        hooked(nn.LayerNorm(8)),
        hooked_before(nn.LayerNorm(8)),
        patched(nn.LayerNorm(8)),
        strided(nn.LayerNorm(8)),
        nn.LayerNorm(8, bias=False),
        nn.LayerNorm(8, elementwise_affine=False),
        nn.LayerNorm((3, 8)),
        nn.Identity(),
    ],
)
def test_norms_of_every_kind_do_what_they_do(norm: nn.Module) -> None:
    state, added = torch.randn(2, 5, 3, 8)
    mine, theirs = of_both(lambda x, y: normed_sum(norm, x, y, 0.5, training=True), state, added)
    assert_near(mine, theirs, torch.float32)


def test_what_is_added_may_be_spread_over_the_state() -> None:
    norm = nn.LayerNorm(8)
    state, added = torch.randn(5, 8), torch.randn(8)
    mine, theirs = of_both(lambda x, y: normed_sum(norm, x, y, 0.5, training=True), state, added)
    assert_near(mine, theirs, torch.float32)


def test_hooks_on_the_way_back_are_called() -> None:
    norm, called = nn.LayerNorm(8), []
    norm.register_full_backward_hook(lambda module, *gradients: called.append(module))
    state = torch.randn(3, 8, requires_grad=True)
    normed_sum(norm, state, torch.randn(3, 8), 0.5, training=True).sum().backward()
    assert called == [norm]


@pytest.mark.parametrize("default", [torch.float64, torch.bfloat16])
@pytest.mark.parametrize("dtype", PRECISIONS)
def test_the_default_precision_does_not_matter(dtype: torch.dtype, default: torch.dtype) -> None:
    norm = nn.LayerNorm(64).to(dtype)
    state, added = torch.randn(2, 300, 64).to(dtype)
    torch.set_default_dtype(default)
    try:
        results = []
        for made in of_both(lambda x, y: normed_sum(norm, x, y, 0.1, training=True), state, added):
            assert norm.weight.grad is not None
            results.append([*made, norm.weight.grad / state.numel() ** 0.5])
            norm.zero_grad()
    finally:
        torch.set_default_dtype(torch.float32)
    assert_near(*results, dtype)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # by torch's forward mode
def test_transforms_of_functions_go_through_torch() -> None:
    hidden = torch.randn(6, 8)
    gradient = torch.func.grad(lambda x: dropped_softmax(x, 0.5, training=True).square().sum())
    assert gradient(hidden).shape == hidden.shape
    _, tangent = torch.func.jvp(lambda x: dropout(x, 0.5, training=True), (hidden,), (hidden,))
    assert tangent.shape == hidden.shape


def test_other_precisions_and_nothing_at_all_go_through_torch() -> None:
    assert not kernels.serve(torch.zeros(3, dtype=torch.float64))
    assert not kernels.serve(torch.zeros(0))
    assert not kernels.serve(torch.tensor(1.0))
    assert not kernels.serve(torch.zeros(3), torch.zeros(3, dtype=torch.bfloat16))
    assert dropout(torch.ones(100, dtype=torch.float64), 0.5, training=True).sum() > 0
    assert dropout(torch.zeros(0, 3), 0.5, training=True).shape == (0, 3)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_model_learns_the_same_from_both(checkpointing: bool) -> None:
    torch.manual_seed(0)
    shape = Architecture(n_words=50, n_langs=2, n_layers=2, emb_dim=32, n_heads=4)
    model = Transformer(shape).train()
    model.gradient_checkpointing = checkpointing
    tokens = torch.randint(5, 50, (3, 21))
    lengths = torch.tensor([21, 21, 21])
    gradients = []
    for wanted in (True, False):
        with kernels.using(wanted, _processor):
            torch.manual_seed(3)
            model.zero_grad()
            model(tokens, lengths).square().mean().backward()
            gradients.append({name: p.grad for name, p in model.named_parameters()})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], rtol=1e-3, atol=1e-6)
