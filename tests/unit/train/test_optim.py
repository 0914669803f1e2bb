import copy
import math

import pytest
import torch
from torch import Tensor, nn

from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel
from xlmkit.train.config import OptimizerConfig
from xlmkit.train.depth import rate_factors
from xlmkit.train.optim import FlatOptimizer

ARCHITECTURE = Architecture(
    n_words=40,
    n_langs=2,
    n_layers=2,
    emb_dim=16,
    n_heads=2,
    dropout=0.0,
    attention_dropout=0.0,
    max_position_embeddings=10,
)
CONFIG = OptimizerConfig(lr=1e-2, weight_decay=0.1, clip=2.7, betas=(0.9, 0.98), eps=1e-6)


def language_model(seed: int = 0, **choices: object) -> LanguageModel:
    torch.manual_seed(seed)
    shape = {name: getattr(ARCHITECTURE, name) for name in Architecture.__dataclass_fields__}
    return LanguageModel(Architecture(**{**shape, **choices}))


def loss(model: nn.Module, number: int) -> Tensor:
    generator = torch.Generator().manual_seed(number)
    tokens = torch.randint(14, 40, (4, 8), generator=generator)
    lengths = torch.tensor([8, 8, 5, 3])
    languages = torch.randint(2, (4, 8), generator=generator)
    predict = torch.tensor([0, 3, 9, 17, 25])
    losses, _ = model(tokens, lengths, None, languages, predict, tokens.flatten()[predict])
    return torch.as_tensor(losses.mean())


def rate(step: int) -> float:
    return 1e-3 * (1 + step % 3)


def flat_steps(model: nn.Module, optimizer: FlatOptimizer, numbers: range) -> list[float]:
    norms = []
    for number in numbers:
        loss(model, number).backward()  # type: ignore[no-untyped-call]
        optimizer.accumulate()
        norms.append(optimizer.step(rate(number)))
    return norms


def test_twenty_steps_equal_torchs_adamw_with_clipping() -> None:
    ours, theirs = language_model(), language_model()
    optimizer = FlatOptimizer(ours, CONFIG, torch.float32)
    matrices = [p for p in theirs.parameters() if p.dim() > 1]
    vectors = [p for p in theirs.parameters() if p.dim() == 1]
    reference = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
        betas=CONFIG.betas,
        eps=CONFIG.eps,
        foreach=False,
    )
    norms = []
    for number in range(20):
        loss(ours, number).backward()  # type: ignore[no-untyped-call]
        # The same gradients, since Adam makes much of the rounding of those that are nearly nought.
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert mine.grad is not None
            other.grad = mine.grad.clone()
        optimizer.accumulate()
        norms.append(optimizer.step(rate(number)))
        norm = nn.utils.clip_grad_norm_(theirs.parameters(), CONFIG.clip)
        assert norms[number] == pytest.approx(float(norm), rel=1e-5)
        for group in reference.param_groups:
            group["lr"] = rate(number)
        reference.step()
    assert min(norms) < CONFIG.clip < max(norms)  # both clipped and not
    fresh = dict(language_model().named_parameters())
    for (name, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=5e-7)
        assert not torch.equal(mine, fresh[name]) or "k_lin.bias" in name


def test_twenty_steps_with_a_rate_for_each_layer_equal_torchs_adamw() -> None:
    ours, theirs = language_model(), language_model()
    factors = rate_factors([name for name, _ in ours.named_parameters()], 0.5)
    assert sorted(set(factors.values())) == [0.125, 0.25, 0.5, 1.0]
    optimizer = FlatOptimizer(ours, CONFIG, torch.float32, factors)
    reference = torch.optim.AdamW(
        [
            {"params": [p], "weight_decay": 0.1 * (p.dim() > 1), "factor": factors[name]}
            for name, p in theirs.named_parameters()
        ],
        betas=CONFIG.betas,
        eps=CONFIG.eps,
        foreach=False,
    )
    for number in range(20):
        loss(ours, number).backward()  # type: ignore[no-untyped-call]
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert mine.grad is not None
            other.grad = mine.grad.clone()
        optimizer.accumulate()
        optimizer.step(rate(number))
        nn.utils.clip_grad_norm_(theirs.parameters(), CONFIG.clip)
        for group in reference.param_groups:
            group["lr"] = rate(number) * group["factor"]
        reference.step()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=5e-7)


def test_accumulated_batches_are_one_step_with_their_sum() -> None:
    models = [language_model(), language_model()]
    one, two = (FlatOptimizer(model, CONFIG, torch.float32) for model in models)
    (loss(models[0], 1) + loss(models[0], 2)).backward()  # type: ignore[no-untyped-call]
    one.accumulate()
    for number in (1, 2):
        loss(models[1], number).backward()  # type: ignore[no-untyped-call]
        two.accumulate()
    assert not two.gradients.any()
    torch.testing.assert_close(one.total, two.total)
    assert one.step(0.1) == pytest.approx(two.step(0.1))
    torch.testing.assert_close(one.master, two.master)
    assert not one.total.any()


def test_tied_weights_stay_one() -> None:
    model = language_model()
    optimizer = FlatOptimizer(model, CONFIG, torch.float32)
    flat_steps(model, optimizer, range(3))
    assert model.pred_layer.proj.weight is model.transformer.embeddings.weight
    assert optimizer.master.numel() == sum(p.numel() for p in model.parameters())
    weights = optimizer.float32_weights(model)
    tied = weights["pred_layer.proj.weight"], weights["transformer.embeddings.weight"]
    assert torch.equal(*tied)
    assert torch.equal(tied[0], model.transformer.embeddings.weight)


def test_parameters_are_views_of_one_buffer() -> None:
    model = language_model()
    before = copy.deepcopy(model.state_dict())
    optimizer = FlatOptimizer(model, CONFIG, torch.float32)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    storage = optimizer.values.untyped_storage().data_ptr()
    assert {p.untyped_storage().data_ptr() for p in model.parameters()} == {storage}


def test_matrices_decay_but_biases_and_norms_do_not() -> None:
    model = language_model()
    before = copy.deepcopy(model.state_dict())
    optimizer = FlatOptimizer(model, CONFIG, torch.float32)
    optimizer.step(0.5)  # no gradient: decay alone
    for name, parameter in model.named_parameters():
        factor = 1 - 0.5 * 0.1 if parameter.dim() > 1 else 1.0
        torch.testing.assert_close(parameter.data, before[name] * factor)


def test_bfloat16_models_keep_float32_masters() -> None:
    model = language_model()
    exact = copy.deepcopy(model.state_dict())
    optimizer = FlatOptimizer(model, CONFIG, torch.bfloat16)
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    assert optimizer.master.dtype == optimizer.total.dtype == torch.float32
    for name, value in optimizer.float32_weights(model).items():
        assert torch.equal(value, exact[name])  # nothing was rounded away
    config = CONFIG.model_copy(update={"weight_decay": 0.0})
    optimizer = FlatOptimizer(model := language_model(), config, torch.bfloat16)
    small = 1e-6  # far below what bfloat16 can add to a weight of a quarter
    for _ in range(60):
        optimizer.total.fill_(1.0)
        optimizer.step(small)
    moved = (
        exact["pred_layer.proj.weight"] - optimizer.float32_weights(model)["pred_layer.proj.weight"]
    )
    torch.testing.assert_close(moved, torch.full_like(moved, 60 * small), rtol=0.02, atol=1e-7)
    for name, parameter in model.named_parameters():
        rounded = optimizer.float32_weights(model)[name].to(torch.bfloat16)
        assert torch.equal(parameter, rounded)


def test_bfloat16_gradients_are_summed_in_float32() -> None:
    optimizer = FlatOptimizer(language_model(), CONFIG, torch.bfloat16)
    for _ in range(300):
        optimizer.gradients.fill_(1.0)
        optimizer.accumulate()
    assert (optimizer.total == 300).all()  # bfloat16 would stop at 256


def test_bfloat16_training_learns() -> None:
    model = language_model()
    optimizer = FlatOptimizer(model, CONFIG, torch.bfloat16)
    before = float(loss(model, 0).detach())
    for _ in range(5):
        loss(model, 0).backward()  # type: ignore[no-untyped-call]
        optimizer.accumulate()
        optimizer.step(1e-2)
    assert float(loss(model, 0).detach()) < 0.7 * before


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_gradient_that_is_not_finite_changes_nothing(bad: float, dtype: torch.dtype) -> None:
    model = language_model()
    optimizer = FlatOptimizer(model, CONFIG, dtype)
    flat_steps(model, optimizer, range(2))
    before = {name: value.clone() for name, value in optimizer.state_tensors().items()}
    values = optimizer.values.clone()
    loss(model, 3).backward()  # type: ignore[no-untyped-call]
    optimizer.gradients[7] = bad
    optimizer.accumulate()
    assert not math.isfinite(optimizer.step(0.1))
    for name, value in optimizer.state_tensors().items():
        assert torch.equal(value, before[name]), name
    assert torch.equal(optimizer.values, values)
    assert not optimizer.total.any()
    assert math.isfinite(flat_steps(model, optimizer, range(4, 5))[0])


@pytest.mark.parametrize("decay", [1.0, 0.7])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_state_goes_on_exactly_in_another_model(dtype: torch.dtype, decay: float) -> None:
    model = language_model()
    factors = rate_factors([name for name, _ in model.named_parameters()], decay)
    optimizer = FlatOptimizer(model, CONFIG, dtype, factors)
    flat_steps(model, optimizer, range(4))
    saved = {name: value.clone() for name, value in optimizer.state_tensors().items()}
    other = language_model(seed=9)
    second = FlatOptimizer(other, CONFIG, dtype, factors)
    second.load_state_tensors(saved)
    for name, value in model.state_dict().items():
        assert torch.equal(other.state_dict()[name], value)
    assert flat_steps(model, optimizer, range(4, 7)) == flat_steps(other, second, range(4, 7))
    assert torch.equal(optimizer.master, second.master)
    assert torch.equal(optimizer.values, second.values)


def test_a_loaded_state_is_a_copy() -> None:
    model = language_model()
    optimizer = FlatOptimizer(model, CONFIG, torch.float32)
    flat_steps(model, optimizer, range(2))
    saved = {name: value.clone() for name, value in optimizer.state_tensors().items()}
    untouched = {name: value.clone() for name, value in saved.items()}
    optimizer.load_state_tensors(saved)
    flat_steps(model, optimizer, range(2, 4))
    for name, value in saved.items():
        assert torch.equal(value, untouched[name]), name


def test_going_back_forgets_gradients_and_moments_since() -> None:
    model = language_model()
    optimizer = FlatOptimizer(model, CONFIG, torch.float32)
    saved = {name: value.clone() for name, value in optimizer.state_tensors().items()}
    first = flat_steps(model, optimizer, range(3))
    loss(model, 5).backward()  # type: ignore[no-untyped-call]
    optimizer.load_state_tensors(saved)
    assert flat_steps(model, optimizer, range(3)) == first


def test_frozen_parameters_stay_and_are_saved() -> None:
    model = language_model(sinusoidal_embeddings=True)
    table = model.transformer.position_embeddings.weight.detach().clone()
    optimizer = FlatOptimizer(model, CONFIG, torch.bfloat16)
    flat_steps(model, optimizer, range(3))
    assert torch.equal(model.transformer.position_embeddings.weight, table.to(torch.bfloat16))
    weights = optimizer.float32_weights(model)
    assert set(weights) == set(model.state_dict())
    assert {value.dtype for value in weights.values()} == {torch.float32}
    torch.testing.assert_close(
        weights["transformer.position_embeddings.weight"], table, atol=1e-2, rtol=0
    )


def test_frozen_parameters_are_saved_without_rounding() -> None:
    model = language_model(sinusoidal_embeddings=True)
    table = model.transformer.position_embeddings.weight.detach().clone()
    optimizer = FlatOptimizer(model, CONFIG, torch.bfloat16)
    weights = optimizer.float32_weights(model)
    assert torch.equal(weights["transformer.position_embeddings.weight"], table)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_average_forgets_faster_at_first_and_is_lent_to_the_model(dtype: torch.dtype) -> None:
    model = language_model()
    optimizer = FlatOptimizer(model, CONFIG.model_copy(update={"average": 0.6}), dtype)
    expected = optimizer.master.clone()
    for number in range(8):
        flat_steps(model, optimizer, range(number, number + 1))
        kept = min(0.6, (2 + number) / (11 + number))  # steps count from 1
        expected = kept * expected + (1 - kept) * optimizer.master
    master, values = optimizer.master.clone(), optimizer.values.clone()
    with optimizer.averaged():
        lent = optimizer.float32_weights(model)
        for name, value in model.state_dict().items():
            assert torch.equal(value, lent[name].to(dtype)), name
        torch.testing.assert_close(optimizer.master, expected)
        assert not torch.equal(optimizer.master, master)
    assert torch.equal(optimizer.master, master)
    assert torch.equal(optimizer.values, values)


def test_without_an_average_the_model_keeps_its_weights() -> None:
    model = language_model()
    optimizer = FlatOptimizer(model, CONFIG, torch.float32)
    flat_steps(model, optimizer, range(2))
    master = optimizer.master.clone()
    with optimizer.averaged():
        assert torch.equal(optimizer.master, master)
    assert "average" not in optimizer.state_tensors()
