"""What a section says of rare classes, and what its data make of it."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from xlmkit.core.errors import UserError
from xlmkit.data.sources import TsvSource
from xlmkit.tasks.base import TaskInputs
from xlmkit.tasks.classification import ClassificationConfig, ClassificationData


def load(folder: Path, **settings: object) -> tuple[ClassificationConfig, ClassificationData]:
    rows = [f"text {number}\t{'aaab'[number % 4]}\n" for number in range(12)]
    (folder / "en.tsv").write_text("".join(rows), encoding="utf-8")
    source = TsvSource(kind="tsv", path="en.tsv", text=0, language="en", label_column=1)
    config = ClassificationConfig.model_validate(
        {"train": (source,), "test": (source,), **settings}
    )
    return config, config.load(TaskInputs(folder, folder, ("en",)))


def test_nothing_is_done_unless_asked(tmp_path: Path) -> None:
    config, data = load(tmp_path)
    balance = data.balance(config)
    assert balance.class_weights is None
    assert (balance.class_alpha, balance.focal_gamma, balance.label_smoothing) == (1, 0, 0)


def test_weights_are_balanced_or_by_name(tmp_path: Path) -> None:
    config, data = load(tmp_path, class_weights="balanced", class_alpha=0.5)
    balance = data.balance(config)
    assert balance.class_weights is not None
    np.testing.assert_allclose(balance.class_weights, [12 / 18, 12 / 6])
    assert balance.class_alpha == 0.5
    config, data = load(tmp_path, class_weights={"b": 4.0}, focal_gamma=2.0)
    balance = data.balance(config)
    assert balance.class_weights is not None
    assert balance.class_weights.tolist() == [1.0, 4.0]
    assert balance.focal_gamma == 2.0


def test_a_weight_of_an_unknown_class_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"class_weights names the class c, but .* are a, b"):
        load(tmp_path, class_weights={"c": 1.0})


def test_focal_loss_and_smoothing_exclude_each_other() -> None:
    with pytest.raises(ValidationError, match="together they undo each other"):
        ClassificationConfig(focal_gamma=2.0, label_smoothing=0.1)
