"""What a section says of rare classes, and what its data make of it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional

from xlmkit.core.errors import UserError
from xlmkit.data.sources import TsvSource
from xlmkit.objectives.balance import Balance
from xlmkit.objectives.class_loss import class_loss, several_loss
from xlmkit.tasks.base import TaskInputs
from xlmkit.tasks.classification import ClassificationConfig, ClassificationData
from xlmkit.tasks.multilabel import MultilabelConfig
from xlmkit.tasks.rare_classes import RARE_CLASSES
from xlmkit.tasks.tagging import TaggingConfig


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


def test_tags_and_several_classes_have_weights(tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text("a X\nb Y\nc X\nd X\n", encoding="utf-8")
    source = {"kind": "conll", "path": "a.conll", "language": "en"}
    section = {"kind": "tagging", "train": [source], "test": [source]}
    inputs = TaskInputs(tmp_path, tmp_path, ("en",))
    tagging = TaggingConfig.model_validate({**section, "class_weights": "balanced"})
    weights = tagging.load(inputs).balance(tagging).class_weights
    assert weights is not None
    np.testing.assert_allclose(weights, [4 / 6, 4 / 2])
    assert not RARE_CLASSES & TaggingConfig.model_validate(section).inputs().keys()
    with pytest.raises(UserError, match=r"class_weights names the class Z"):
        TaggingConfig.model_validate({**section, "class_weights": {"Z": 2}}).load(inputs)

    (tmp_path / "a.tsv").write_text("a\tx,y\nb\tx\nc\tx\nd\t\n", encoding="utf-8")
    rows = {"kind": "tsv", "path": "a.tsv", "text": 0, "label_column": 1, "language": "en"}
    section = {"kind": "multilabel", "train": [rows], "test": [rows], "class_weights": "balanced"}
    several = MultilabelConfig.model_validate(section)
    assert RARE_CLASSES & several.inputs().keys() == {"class_weights"}
    weights = several.load(inputs).balance(several).class_weights
    assert weights is not None
    np.testing.assert_allclose(weights, [1 / 3, 3 / 1])


def test_what_was_adapted_before_still_holds(tmp_path: Path) -> None:
    config, _ = load(tmp_path)
    assert config.inputs()["class_alpha"] == 1.0  # a classification always had it among its inputs
    conll = {"kind": "conll", "path": "a.conll", "language": "en"}
    tsv = {"kind": "tsv", "path": "a.tsv", "text": 0, "label_column": 1, "language": "en"}
    for kind, source in ((TaggingConfig, conll), (MultilabelConfig, tsv)):
        name = "tagging" if kind is TaggingConfig else "multilabel"
        section = {"kind": name, "train": [source], "test": [source]}
        assert "class_alpha" not in kind.model_validate(section).inputs()
        asked = kind.model_validate({**section, "class_alpha": 0.5})
        assert asked.inputs()["class_alpha"] == 0.5


def test_tags_of_entities_are_drawn_without_those_outside(tmp_path: Path) -> None:
    inputs = TaskInputs(tmp_path, tmp_path, ("en",))
    (tmp_path / "a.conll").write_text("a O\nb B-X\n", encoding="utf-8")
    source = {"kind": "conll", "path": "a.conll", "language": "en"}
    section = {"kind": "tagging", "train": [source], "test": [source], "class_alpha": 0.5}
    config = TaggingConfig.model_validate(section)
    balance = config.load(inputs).balance(config)
    assert (balance.class_alpha, balance.outside) == (0.5, 1)  # B-X, O
    config = TaggingConfig.model_validate({**section, "entities": "none"})
    assert config.load(inputs).balance(config).outside is None


def test_the_losses_are_those_of_torch() -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(6, 3, generator=generator)
    labels = torch.randint(2, (6, 3), generator=generator).float()
    weights = torch.tensor([2.0, 1.0, 0.5])
    balance = Balance(weights.numpy())
    expected = functional.binary_cross_entropy_with_logits(scores, labels, pos_weight=weights)
    torch.testing.assert_close(several_loss(scores, labels, balance).mean(), expected)
    right = labels.argmax(dim=1)
    expected = functional.cross_entropy(scores, right, weight=weights, reduction="sum")
    torch.testing.assert_close(class_loss(scores, right, balance).sum(), expected)
    # A focal loss counts what is sure hardly at all, and 0.5 a quarter.
    sure = several_loss(torch.tensor([[9.0], [0.0]]), torch.ones(2, 1), Balance(focal_gamma=2.0))
    torch.testing.assert_close(sure[1], torch.tensor(0.25 * 0.6931472))
    assert sure[0] < 1e-10
    smooth = several_loss(torch.zeros(1, 1), torch.ones(1, 1), Balance(label_smoothing=0.1))
    torch.testing.assert_close(smooth, torch.tensor([0.6931472]))
    lower = several_loss(torch.full((1, 1), 9.0), torch.ones(1, 1), Balance(label_smoothing=0.1))
    assert lower > 0.4  # 0.05 of the target says that it is not


def test_a_weight_of_an_unknown_class_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"class_weights names the class c, but .* are a, b"):
        load(tmp_path, class_weights={"c": 1.0})


def test_focal_loss_and_smoothing_exclude_each_other() -> None:
    with pytest.raises(ValidationError, match="together they undo each other"):
        ClassificationConfig(focal_gamma=2.0, label_smoothing=0.1)
