"""Finetuned models of every family, as their folders are."""

from pathlib import Path

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.ready import model_type_of
from xlmkit.huggingface.finetuned import FinetunedModel

XLM = "xlm"

AnyModel = Bundle | FinetunedModel
"""A model of XLM, or of another family."""


def open_finetuned(folder: Path) -> AnyModel:
    """Open a model's folder.

    Raises:
        UserError: it is none, is damaged, or of a family that nobody here knows.
    """
    model_type = model_type_of(folder)
    return Bundle.load(folder) if model_type == XLM else FinetunedModel.open(folder, model_type)
