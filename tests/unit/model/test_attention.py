import pytest
import torch
from torch import Tensor

from xlmkit.model.attention import (
    MultiHeadAttention,
    attention_mask,
    fused_attention,
    plain_attention,
)

B, H, L, D = 3, 2, 7, 4
LENGTHS = torch.tensor([7, 4, 2])


def states(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    query, key, value = (torch.randn(B, H, L, D, generator=generator) for _ in range(3))
    return query, key, value


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("padded", [False, True])
def test_written_out_attention_equals_the_fused_kernel(causal: bool, padded: bool) -> None:
    mask = attention_mask(LENGTHS if padded else torch.full((B,), L), L, causal=causal)
    results = []
    for attend in (plain_attention, fused_attention):
        query, key, value = leaves = [state.requires_grad_() for state in states()]
        made = attend(query, key, value, mask, dropout=0.0, causal=causal)
        made.square().sum().backward()  # type: ignore[no-untyped-call]
        results.append([made.detach(), *(leaf.grad for leaf in leaves)])
    for plain, fused in zip(*results, strict=True):
        torch.testing.assert_close(plain, fused, rtol=1e-5, atol=1e-5)


def test_attention_is_softmax_of_scaled_products() -> None:
    query, key, value = states()
    expected = torch.softmax(query @ key.transpose(2, 3) / D**0.5, dim=-1) @ value
    made = plain_attention(query, key, value, None, dropout=0.0, causal=False)
    torch.testing.assert_close(made, expected)


@pytest.mark.parametrize("attend", [plain_attention, fused_attention])
@pytest.mark.parametrize("padded", [False, True])
def test_causal_attention_sees_nothing_later(attend: object, padded: bool) -> None:
    query, key, value = states()
    mask = attention_mask(LENGTHS if padded else torch.full((B,), L), L, causal=True)
    assert callable(attend)
    before = attend(query, key, value, mask, dropout=0.0, causal=True)
    key[:, :, 3:], value[:, :, 3:] = 9.0, -9.0
    after = attend(query, key, value, mask, dropout=0.0, causal=True)
    torch.testing.assert_close(before[:, :, :3], after[:, :, :3])
    assert not torch.allclose(before[0, :, 3:], after[0, :, 3:])


def test_no_mask_where_nothing_is_forbidden() -> None:
    assert attention_mask(torch.tensor([4, 4]), 4, causal=False) is None
    assert attention_mask(torch.tensor([4, 4]), 4, causal=True) is None  # told by `causal` instead


def test_a_mask_forbids_padding_and_when_causal_the_future() -> None:
    lengths = torch.tensor([3, 1])
    mask = attention_mask(lengths, 3, causal=False)
    assert mask is not None
    assert mask.tolist() == [[[[True, True, True]]], [[[True, False, False]]]]
    causal = attention_mask(lengths, 3, causal=True)
    assert causal is not None
    assert causal[0, 0].tolist() == [[True, False, False], [True, True, False], [True] * 3]
    assert causal[1, 0].tolist() == [[True, False, False]] * 3


def test_dropout_acts_on_weights_in_training_only() -> None:
    torch.manual_seed(0)
    module = MultiHeadAttention(n_heads=2, emb_dim=8, dropout=0.5)
    hidden = torch.randn(2, 5, 8)
    module.train()
    assert not torch.equal(module(hidden, None, causal=False), module(hidden, None, causal=False))
    module.eval()
    calm = module(hidden, None, causal=False)
    assert calm.shape == (2, 5, 8)
    assert torch.equal(calm, module(hidden, None, causal=False))


@pytest.mark.parametrize("attend", [plain_attention, fused_attention])
def test_dropped_weights_are_scaled_up(attend: object) -> None:
    assert callable(attend)
    torch.manual_seed(0)
    query, key = torch.zeros(2, 1, 1, 200, 4)
    value = torch.ones(1, 1, 200, 4)
    made = attend(query, key, value, None, dropout=0.25, causal=False)
    assert made.mean().item() == pytest.approx(1.0, abs=0.02)
    assert made.std() > 0.01


def test_heads_attend_apart() -> None:
    """A change in one head's query weights changes only what that head contributes."""
    torch.manual_seed(0)
    module = MultiHeadAttention(n_heads=2, emb_dim=8, dropout=0.0).eval()
    torch.nn.init.eye_(module.out_lin.weight)
    hidden = torch.randn(2, 5, 8)
    before = module(hidden, None, causal=False)
    with torch.no_grad():
        module.q_lin.weight[:4] += 1.0
    after = module(hidden, None, causal=False)
    assert not torch.allclose(before[..., :4], after[..., :4])
    torch.testing.assert_close(before[..., 4:], after[..., 4:])
