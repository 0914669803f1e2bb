from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from xlmkit.model.attention import plain_attention
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel
from xlmkit.model.packing import Packing

LENGTHS = [7, 7, 3, 1, 7]


def inputs() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Tokens, lengths, restarting positions and languages, (5, 7), with rubbish as padding."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(14, 40, (5, 7), generator=generator)
    positions = (torch.arange(7) % 4).expand(5, 7)
    return tokens, torch.tensor(LENGTHS), positions, positions // 2


def model(*, packs: bool, **choices: Any) -> LanguageModel:
    torch.manual_seed(1)
    shape: dict[str, Any] = {"n_words": 40, "n_langs": 2, "n_layers": 2, "emb_dim": 16}
    shape |= {"n_heads": 4, "max_position_embeddings": 8, "embed_init_std": 0.3, **choices}
    made = LanguageModel(Architecture(**shape))
    made.transformer.packs = packs
    return made


def test_what_is_packed_comes_back_to_its_place() -> None:
    tokens, lengths, *_ = inputs()
    packing = Packing(lengths, 7)
    packed = packing.pack(tokens)
    assert packed.shape == (1, sum(LENGTHS))
    back = packing.unpack(packed[..., None].float())[..., 0]
    for row, length in enumerate(LENGTHS):
        assert torch.equal(back[row, :length], tokens[row, :length].float())
        assert not back[row, length:].any()


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")  # torch's own way on a CPU
@pytest.mark.parametrize(
    ("way", "causal"),
    [
        ("_in_groups", False),
        ("_in_groups", True),
        ("_padded", False),
        ("_padded", True),
        ("_unpadded", False),  # causal, torch has it on a GPU alone
    ],
)
def test_each_sequence_attends_to_itself_alone(way: str, causal: bool) -> None:
    torch.manual_seed(0)
    shape = 1, 2, sum(LENGTHS), 4
    alike = [torch.randn(shape).repeat(2, 1, 1, 1).requires_grad_() for _ in range(3)]
    attend = getattr(Packing(torch.tensor(LENGTHS), 7), way)
    made = attend(*(states[:1] for states in alike), 0.0, causal)
    parts = [
        plain_attention(*own, None, dropout=0.0, causal=causal)
        for own in zip(*(states[1:].split(LENGTHS, dim=2) for states in alike), strict=True)
    ]
    expected = torch.cat(parts, dim=2)
    torch.testing.assert_close(made, expected)
    (made + expected).square().sum().backward()
    for states in alike:
        torch.testing.assert_close(states.grad[0], states.grad[1])


@pytest.mark.parametrize("causal", [False, True])
def test_states_are_those_of_padded_sequences(causal: bool) -> None:
    padded, packed = (model(packs=packs, causal=causal).eval().transformer for packs in (0, 1))
    keep = torch.arange(7) < torch.tensor(LENGTHS)[:, None]
    for one, other in zip(padded.states(*inputs()), packed.states(*inputs()), strict=True):
        torch.testing.assert_close(one[keep], other[keep])
    tokens, lengths, *_ = inputs()
    torch.testing.assert_close(padded(tokens, lengths)[keep], packed(tokens, lengths)[keep])


def test_loss_and_gradients_are_those_of_padded_sequences() -> None:
    predict, targets = torch.tensor([2, 8, 15, 21, 30]), torch.tensor([20, 21, 22, 23, 24])
    gradients = []
    for packs in (False, True):
        made = model(packs=packs).eval()
        loss, _ = made(*inputs(), predict, targets)
        loss.sum().backward()
        gradients.append((loss.detach(), {n: p.grad for n, p in made.named_parameters()}))
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-5)


def test_an_empty_sequence_takes_no_part() -> None:
    packing = Packing(torch.tensor([2, 0, 1]), 2)
    query = torch.randn(1, 1, 3, 4)
    assert packing.attend(query, query, query, None, dropout=0.0, causal=False).shape == query.shape


def test_a_compiler_sees_one_graph_and_gives_the_same_gradients() -> None:
    tokens, _, positions, languages = inputs()
    gradients = []
    for compiled in (False, True):
        made = model(packs=False).eval().transformer
        run = made.run
        if compiled:
            run = torch.compile(run, backend="aot_eager", fullgraph=True)
        run(tokens, None, positions, languages).square().sum().backward()
        gradients.append([p.grad for p in made.parameters()])
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("device", "flash", "way"),
    [("cpu", True, "_in_groups"), ("cuda", True, "_unpadded"), ("cuda", False, "_padded")],
)
def test_the_way_follows_from_what_the_device_has(
    monkeypatch: pytest.MonkeyPatch, device: str, flash: bool, way: str
) -> None:
    monkeypatch.setattr("xlmkit.model.packing.has_unpadded_attention", lambda *given: flash)
    packing = Packing(torch.tensor(LENGTHS), 7)
    for name in ("_in_groups", "_padded", "_unpadded"):
        monkeypatch.setattr(packing, name, lambda *given, name=name: name)
    query: Any = SimpleNamespace(
        device=torch.device(device), dtype=torch.bfloat16, shape=[1, 2, 25, 8]
    )
    assert packing.attend(query, query, query, None, dropout=0.0, causal=True) == way


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_unpadded_attention_serves_inference_and_then_training() -> None:
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, 2, sum(LENGTHS), 4, requires_grad=True) for _ in range(3))
    packing = Packing(torch.tensor(LENGTHS), 7)
    with torch.inference_mode():
        before = packing._unpadded(query, key, value, 0.0, False)
    made = packing._unpadded(query, key, value, 0.0, False)
    made.sum().backward()
    torch.testing.assert_close(before, made.detach())
    assert query.grad is not None
