import pytest
import torch
from torch import Tensor, nn

from xlmkit.objectives.base import LossOutput
from xlmkit.train.state import TrainingState
from xlmkit.train.validation import Validation


class Sums:
    """Two languages with text and one without."""

    name = "mlm"

    def __init__(self) -> None:
        self.groups = ["en", "中文", "none"]

    def batch(self, number: int) -> Tensor:
        return torch.full((2,), float(number))

    def tokens(self, batch: Tensor) -> int:
        return len(batch)

    def loss(self, model: nn.Module, batch: Tensor) -> LossOutput:
        assert not model.training
        assert not torch.is_grad_enabled()
        parts = torch.zeros(3, 3, dtype=torch.float64)
        parts[0] = torch.tensor([float(batch[0]), 2, 1])
        parts[1] = torch.tensor([10.0, 1, 1])
        return LossOutput(batch.sum(), 2, parts)


def test_every_language_with_text_gets_a_point() -> None:
    state, model = TrainingState(step=9, tokens=5), nn.Linear(1, 1).train()
    validation = Validation([Sums()], batches=4)
    validation(model, state)
    assert [(p["language"], p["loss"], p["accuracy"]) for p in state.curve] == [
        ("en", pytest.approx(6 / 8), 0.5),
        ("中文", 10.0, 1.0),
    ]
    assert {(p["split"], p["step"], p["objective"]) for p in state.curve} == {("valid", 9, "mlm")}
    validation(model, state)
    assert state.curve[2:] == state.curve[:2]  # the same batches every time
