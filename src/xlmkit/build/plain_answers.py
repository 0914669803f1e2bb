"""xlmkit's own models with a head that finds answers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import BEAM_ANSWERER, BEAM_SIZES, SIMPLE_ANSWERER
from xlmkit.core.device import choose_device
from xlmkit.data.questions import Question
from xlmkit.data.window_batches import encode_questions
from xlmkit.evaluate.answering import PlainAnswerer
from xlmkit.evaluate.answers import Answering
from xlmkit.model.question_answering import Answerer, BeamAnswerer, SimpleAnswerer
from xlmkit.objectives.answer import QuestionAnswering, beam_loss, simple_loss
from xlmkit.objectives.pool import Parts
from xlmkit.tasks.answer_places import answer_places, question_languages
from xlmkit.tasks.question_answering import QuestionAnsweringConfig
from xlmkit.train.adaptation import Adaptation


def learn_answers(
    bundle: Bundle, questions: Sequence[Question], config: QuestionAnsweringConfig, seed: object
) -> Adaptation:
    """Return a bundle's Transformer with a fresh head, and what it learns."""
    shape = replace(bundle.architecture, dropout=config.dropout, attention_dropout=config.dropout)
    beam = config.head == "beam"
    sizes = {name: getattr(config, name) for name in BEAM_SIZES} if beam else {}
    model: Answerer = BeamAnswerer(shape, **sizes) if beam else SimpleAnswerer(shape)
    model.transformer.load_state_dict(bundle.transformer().state_dict())
    settings = config.answering.within(shape.max_position_embeddings)
    windows = encode_questions(bundle.tokenizer, questions, settings.shape)
    objective = QuestionAnswering(
        windows,
        answer_places(windows.parts, questions),
        tokens=config.tokens_per_batch,
        seed=seed,
        loss=beam_loss if beam else simple_loss,
        languages=Parts(question_languages(windows.parts, questions), config.language_alpha),
    )

    def save(folder: Path, weights: Mapping[str, Tensor], provenance: Mapping[str, Any]) -> None:
        replace(
            bundle,
            weights=weights,
            head=BEAM_ANSWERER if beam else SIMPLE_ANSWERER,
            labels=(),
            beam_sizes=sizes,
            provenance=provenance,
        ).save(folder)

    return Adaptation(model, objective, save)


def open_answerer(folder: Path, languages: Sequence[str], settings: Answering) -> PlainAnswerer:
    """Open what `learn_answers` has saved."""
    bundle = Bundle.load(folder)
    model = bundle.answerer().to(choose_device())
    return PlainAnswerer(model, bundle.tokenizer, languages, settings)
