from pathlib import Path

import pytest
import torch

from xlmkit.core.errors import UserError
from xlmkit.train.state import STATE_FILE, TrainingState, load_state, save_state

STATE = TrainingState(
    step=7,
    tokens=1234,
    seconds=0.1 + 0.2,
    skipped=2,
    rollbacks=1,
    curve=[{"step": 5, "loss": 1 / 3, "language": None, "objective": "mlm"}],
    sums=[[0.1, 2.0, 1.0], [1e-300, 0.0, 0.0]],
)


def tensors() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "master": torch.randn(10, generator=generator),
        "adam.0.step": torch.tensor(7.0),
        "adam.1.exp_avg": torch.empty(0),
        "view": torch.randn(4, 6, generator=generator).t(),
        "half": torch.randn(5, generator=generator).to(torch.bfloat16),
    }


def test_a_state_comes_back_exactly(tmp_path: Path) -> None:
    save_state(tmp_path / "new", STATE, tensors(), "key")
    found = load_state(tmp_path / "new", "key")
    assert found is not None
    assert found[0] == STATE
    assert set(found[1]) == set(tensors())
    for name, value in tensors().items():
        assert torch.equal(found[1][name], value)
        assert found[1][name].dtype == value.dtype


def test_a_later_state_replaces_the_earlier(tmp_path: Path) -> None:
    save_state(tmp_path, TrainingState(step=1), tensors(), "key")
    save_state(tmp_path, TrainingState(step=2), tensors(), "key")
    found = load_state(tmp_path, "key")
    assert found is not None
    assert found[0].step == 2
    assert [path.name for path in tmp_path.iterdir()] == [STATE_FILE]


def test_no_state_and_that_of_another_recipe_are_none(tmp_path: Path) -> None:
    assert load_state(tmp_path, "key") is None
    save_state(tmp_path, STATE, tensors(), "key")
    assert load_state(tmp_path, "other") is None


def test_damage_is_said_with_the_mend(tmp_path: Path) -> None:
    path = tmp_path / STATE_FILE
    save_state(tmp_path, STATE, tensors(), "key")
    whole = path.read_bytes()
    for damaged in (whole[:-8], whole[:20], b""):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"is damaged .*; delete it to start"):
            load_state(tmp_path, "key")
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(UserError, match=r"wrong checksum; delete it to start"):
        load_state(tmp_path, "key")
