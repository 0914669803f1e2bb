"""Pretrained models of every family behind one face: adapted and measured in the same way.

A model that is trained here and a ready checkpoint of XLM take the plain path; any other family
comes through `transformers`. A task of another kind adds its own method to `Backbone`.
"""

from pathlib import Path
from typing import Protocol

from xlmkit.build.plain import PlainBackbone
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.errors import UserError
from xlmkit.evaluate.protocols import Classifier, Encoder
from xlmkit.plan import RunPlan
from xlmkit.tasks.classification import ClassificationConfig, ClassificationData
from xlmkit.train.adaptation import Adaptation

XLM = "xlm"


class Backbone(Encoder, Protocol):
    """A pretrained model."""

    @property
    def n_parameters(self) -> int:
        """Parameters without any head."""
        ...

    def classification(
        self, data: ClassificationData, config: ClassificationConfig, tokens: int, seed: object
    ) -> Adaptation:
        """Return the model with a head for the classes, and what it learns.

        A fresh head is drawn from torch's generator, which the caller has seeded.

        Args:
            data: the task's examples.
            config: the task.
            tokens: tokens of a batch.
            seed: fixes the order of the examples.
        """
        ...

    def classifier(self, folder: Path, config: ClassificationConfig) -> Classifier:
        """Open what `classification` has saved."""
        ...


def open_backbone(plan: RunPlan, name: str) -> Backbone:
    """Open a model of the recipe.

    Raises:
        UserError: it is damaged, of an unknown family, or does not know one of the languages.
    """
    languages, model = plan.recipe.languages, plan.models()[name]
    if not model.ready:
        return PlainBackbone(Bundle.load(plan.pretrained(name).folder), languages)
    checkpoint = plan.checkpoint(name)
    try:
        if checkpoint.model_type == XLM:
            return PlainBackbone.ready(Bundle.load(checkpoint.folder), languages)
        from xlmkit.huggingface.encoders import HuggingFaceBackbone

        return HuggingFaceBackbone.open(checkpoint.folder, checkpoint.model_type, languages)
    except UserError as error:
        raise UserError(f"pretrain.models.{name}.checkpoint: {error}") from None
