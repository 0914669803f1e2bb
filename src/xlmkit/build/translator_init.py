"""What a translator starts from: nothing, a pretrained model, or another translator."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import TRANSLATOR
from xlmkit.core.errors import UserError
from xlmkit.model.config import Architecture
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.plan import RunPlan
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.train.translation import TranslatorConfig


def initial_translator(plan: RunPlan, name: str, tokenizer: Tokenizer) -> EncoderDecoder:
    """Return a translator as its training begins.

    Encoder and decoder both take the weights of a pretrained model, as Conneau & Lample 2019 do;
    attention to the source, and its layer norm, are fresh. What is fresh is drawn from torch's
    generator, which the caller has seeded.

    Raises:
        UserError: the initial model is of another vocabulary, does not know a language, or reads
            fewer tokens than an objective.
    """
    config = plan.translator(name)
    found = _initial_bundle(plan, name, tokenizer)
    if found is None:
        recipe = plan.recipe
        architecture = Architecture.build(
            recipe.model, n_words=len(tokenizer), n_langs=len(recipe.languages)
        )
    else:
        architecture = replace(found.architecture, causal=False, is_decoder=False)
    if config.dropout is not None:
        architecture = replace(
            architecture, dropout=config.dropout, attention_dropout=config.dropout
        )
    if config.attention_dropout is not None:
        architecture = replace(architecture, attention_dropout=config.attention_dropout)
    model = EncoderDecoder(
        architecture,
        share_embeddings=config.share_embeddings,
        encoder_prediction=bool(config.mlm or config.tlm),
    )
    if found is not None:
        _fill(model, found, f"translation.models.{name}.share_embeddings")
    return model


def _initial_bundle(plan: RunPlan, name: str, tokenizer: Tokenizer) -> Bundle | None:
    folder = plan.initial_folder(name)
    if folder is None:
        return None
    bundle = Bundle.load(folder)
    place = f"translation.models.{name}.init"
    if bundle.tokenizer.signature != tokenizer.signature:
        raise UserError(
            f"{place}: {folder} has another vocabulary than the recipe's texts were cut with; "
            f"set tokenizer.checkpoint to {folder}, or pretrain a model in this recipe and name it."
        )
    if dict(bundle.tokenizer.lang2id) != dict(tokenizer.lang2id):
        known = ", ".join(bundle.tokenizer.lang2id)
        raise UserError(
            f"{place}: {folder} has the languages {known}; the recipe needs the same, in this "
            "order."
        )
    _check_lengths(plan.translator(name), bundle, folder, f"translation.models.{name}")
    return bundle


def _check_lengths(config: TranslatorConfig, bundle: Bundle, folder: Path, place: str) -> None:
    """See that the initial model has a position for every token that an objective may read."""
    longest = bundle.architecture.max_position_embeddings
    for objective, section in config.objectives.items():
        if section.length > longest:
            raise UserError(
                f"{place}.{objective}.length ({section.length}) is more than the {longest} "
                f"positions of {folder}, which {place}.init names; set it to at most {longest}, or "
                "give the model more with xlmkit extend-positions."
            )


def _fill(model: EncoderDecoder, bundle: Bundle, place: str) -> None:
    """Load what the bundle has.

    Raises:
        UserError: it is a translator with two tables of words, and the model has but one.
    """
    if bundle.head == TRANSLATOR:
        given = bundle.encoder_decoder()
        tables = [part.embeddings.weight for part in (given.encoder, given.decoder)]
        shared = model.encoder.embeddings.weight is model.decoder.embeddings.weight
        if shared and not torch.equal(*tables):
            raise UserError(
                f"{place}: the translator that init names has one table of words to read by and "
                "another to write by; set this to false."
            )
        model.load_state_dict(given.state_dict(), strict=False)
        return
    weights = bundle.transformer().state_dict()
    model.encoder.load_state_dict(weights)
    # Not strictly: a pretrained model has no attention to a source.
    model.decoder.load_state_dict(weights, strict=False)
    prediction = _part(bundle.weights, "pred_layer.")
    if prediction:
        model.pred_layer.load_state_dict(prediction, strict=False)
        if hasattr(model, "encoder_pred_layer"):
            model.encoder_pred_layer.load_state_dict(prediction, strict=False)


def _part(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in weights.items()
        if name.startswith(prefix)
    }
