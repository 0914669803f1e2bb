"""xlmkit's own finetuned models as a `Subject`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import (
    BEAM_ANSWERER,
    SEQUENCE_CLASSIFIER,
    SIMPLE_ANSWERER,
    TOKEN_CLASSIFIER,
)
from xlmkit.core.device import choose_device
from xlmkit.core.errors import UserError
from xlmkit.data.batch import Inputs
from xlmkit.evaluate.answers import Answering
from xlmkit.evaluate.scoring import Decision, Scoring
from xlmkit.explain.attention import attention_weights
from xlmkit.explain.explanation import Kind
from xlmkit.explain.reading import PlainRows, Reading, read_texts, read_words
from xlmkit.explain.subject import Asked
from xlmkit.inference.words import language_number, word_spans
from xlmkit.model.question_answering import BeamAnswerer
from xlmkit.model.transformer import Transformer
from xlmkit.text.vocabulary import MASK, PAD

_HEADS: dict[str, Kind] = {
    SEQUENCE_CLASSIFIER: "classes",
    TOKEN_CLASSIFIER: "tags",
    SIMPLE_ANSWERER: "answer",
    BEAM_ANSWERER: "answer",
}
_TASKS: dict[str, Decision] = {
    "classification": "classes",
    "multilabel": "several",
    "regression": "number",
    "multiple_choice": "choice",
}
_LABELS: dict[tuple[str, ...], Decision] = {("value",): "number", ("choice",): "choice"}


class PlainSubject:
    """One of xlmkit's models with a head, in float32.

    Args:
        bundle: the model.
        scoring: how a classifier is asked, and what its scores mean; None asks its labels.
        settings: how a model that answers questions is asked.

    Raises:
        UserError: it has no head that says anything about a text.
    """

    def __init__(
        self, bundle: Bundle, scoring: Scoring | None = None, settings: Answering | None = None
    ) -> None:
        if bundle.head not in _HEADS:
            raise UserError(
                f"This model is a {bundle.head}, which predicts no labels; name a folder that "
                "xlmkit finetune made."
            )
        self.kind: Kind = _HEADS[bundle.head]
        self.scoring = scoring or Scoring(decides=_LABELS.get(tuple(bundle.labels), "classes"))
        if self.kind == "classes":
            self.kind = self.scoring.decides
        self.labels = list(bundle.labels)
        self._bundle, self.settings = bundle, settings or Answering()
        self._model = _model_of(bundle).to(choose_device()).requires_grad_(False)
        self._rows: PlainRows | None = None

    @classmethod
    def open(cls, folder: Path) -> "PlainSubject":
        """Open a folder; what lies beside the model says how it is asked, as for predictions."""
        bundle = Bundle.load(folder)
        return cls(bundle, scoring_of(folder, bundle.provenance), Answering.load(folder))

    @property
    def blanks(self) -> Mapping[str, int]:
        """The padding, whose embedding is zero, and the mask."""
        return {"pad": PAD, "mask": MASK}

    @property
    def starts(self) -> int | None:
        """Those of a beam head; a simple one judges every span."""
        beam = self._bundle.head == BEAM_ANSWERER
        return self._bundle.all_beam_sizes["start_n_top"] if beam else None

    @property
    def n_layers(self) -> int:
        """Layers of the Transformer."""
        return self._bundle.architecture.n_layers

    def read(self, asked: Asked) -> Reading:
        """Return what the model reads."""
        tokenizer, language = self._bundle.tokenizer, asked.language
        for code in filter(None, (language, asked.question_language)):
            language_number(tokenizer, code)
        longest = self._bundle.architecture.max_position_embeddings
        if self.kind == "tags":
            spans = word_spans(tokenizer, asked.text, language, spaces=asked.spaces)
            longest = min(self.scoring.max_length or longest, longest)
            rows = read_words(tokenizer, asked.text, spans, language, longest)
        else:
            rows = self._texts(asked, longest)
        self._rows = rows
        return rows.for_model(self._model, self._transformer.embeddings, tokenizer)

    def _texts(self, asked: Asked, longest: int) -> PlainRows:
        given = self._bundle.tokenizer, asked.texts, asked.language
        if self.kind == "answer":
            settings = self.settings.within(longest)
            return read_texts(
                *given, settings.max_length, asked.rows, form=settings.pair_form,
                longest_first=settings.max_question, first_language=asked.question_language,
            )  # fmt: skip
        scoring = self.scoring
        longest = min(scoring.max_length or longest, longest)
        return read_texts(
            *given, longest, asked.rows, form=scoring.pair_form, long_texts=scoring.long_texts
        )

    def start_scores(self, given: Tensor, reading: Reading) -> Tensor:
        """Return log-probabilities of all tokens as the start of an answer, (N, L)."""
        found = given[:, 0]
        if isinstance(self._model, BeamAnswerer):
            return open_scores(self._model.qa_outputs.start_logits(found), reading)
        return open_scores(found[..., 0], reading)

    def end_scores(self, given: Tensor, reading: Reading, start: int) -> Tensor:
        """Return log-probabilities of all tokens as the end of an answer that starts so, (N, L)."""
        found = given[:, 0]
        if isinstance(self._model, BeamAnswerer):
            ends_NLS = self._model.qa_outputs.end_logits(found, found[:, start, None])
            return open_scores(ends_NLS[..., 0], reading)
        return open_scores(found[..., 1], reading)

    def attention(self, reading: Reading, row: int) -> Tensor:
        """Return the weights for one of the sequences last read, (layers, H, L, L)."""
        assert self._rows is not None  # noqa: S101 - a reading was made by `read`
        inputs, device = self._rows.inputs, reading.ids.device
        one = Inputs(*(part[row : row + 1] for part in _parts(inputs)))
        return attention_weights(self._transformer, one.to(device))

    @property
    def _transformer(self) -> Transformer:
        transformer: Transformer = self._model.transformer  # type: ignore[assignment]
        return transformer


def open_scores(scores_NL: Tensor, reading: Reading) -> Tensor:
    """Return log-probabilities over the context and the first token, which means no answer."""
    closed_L = torch.ones(scores_NL.shape[1], dtype=torch.bool, device=scores_NL.device)
    closed_L[[0, *reading.places(1)]] = False
    return scores_NL.masked_fill(closed_L, -torch.inf).log_softmax(dim=1)


def _parts(inputs: Inputs) -> tuple[Tensor, ...]:
    return inputs.tokens, inputs.lengths, inputs.positions, inputs.languages


def _model_of(bundle: Bundle) -> nn.Module:
    if bundle.head == SEQUENCE_CLASSIFIER:
        return bundle.classifier()
    if bundle.head == TOKEN_CLASSIFIER:
        return bundle.token_classifier()
    return bundle.answerer()


def scoring_of(folder: Path, provenance: Mapping[str, Any]) -> Scoring | None:
    """Return how a folder's model is asked; of one from before that was kept, the recipe tells.

    None where neither does.
    """
    if (kept := Scoring.load(folder)) is not None:
        return kept
    kind = kind_of_task(provenance, folder.name)
    return None if kind is None else Scoring(decides=kind)


def kind_of_task(provenance: Mapping[str, Any], name: str) -> Decision | None:
    """Return what a classifier's scores mean by the recipe that made it, None if it says nothing.

    Args:
        provenance: of the model.
        name: of its folder, which is the task's, with `@` and the number of a seed or without,
            unless it was moved.
    """
    tasks = (provenance.get("recipe") or {}).get("finetune") or {}
    kinds = {key: _TASKS[task["kind"]] for key, task in tasks.items() if task["kind"] in _TASKS}
    if (kind := kinds.get(name.partition("@")[0])) is not None:
        return kind
    return next(iter(kinds.values())) if len(set(kinds.values())) == 1 else None
