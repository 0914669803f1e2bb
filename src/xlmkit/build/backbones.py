"""Pretrained models of every family behind one face: adapted and measured in the same way.

A model that is trained here and a ready checkpoint of XLM take the plain path; any other family
comes through `transformers`. What a task may ask is in
`xlmkit.tasks.base`.
"""

from xlmkit.build.plain import PlainBackbone
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.errors import UserError
from xlmkit.plan import RunPlan
from xlmkit.tasks.base import Backbone

XLM = "xlm"


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
