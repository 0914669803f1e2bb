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
_TASKS: dict[str, Kind] = {
    "classification": "classes",
    "multilabel": "several",
    "regression": "number",
    "multiple_choice": "choice",
}
_LABELS: dict[tuple[str, ...], Kind] = {("value",): "number", ("choice",): "choice"}


class PlainSubject:
    """One of xlmkit's models with a head, in float32.

    Args:
        bundle: the model.
        kind: what it says, where its head does not tell.
        settings: how a model that answers questions is asked.

    Raises:
        UserError: it has no head that says anything about a text.
    """

    def __init__(
        self, bundle: Bundle, kind: Kind | None = None, settings: Answering | None = None
    ) -> None:
        if bundle.head not in _HEADS:
            raise UserError(
                f"This model is a {bundle.head}, which predicts no labels; name a folder that "
                "xlmkit finetune made."
            )
        self.kind: Kind = _HEADS[bundle.head]
        if self.kind == "classes":
            self.kind = kind or _LABELS.get(tuple(bundle.labels), "classes")
        self.labels = list(bundle.labels)
        self._bundle, self._settings = bundle, settings or Answering()
        self._model = _model_of(bundle).to(choose_device()).requires_grad_(False)
        self._rows: PlainRows | None = None

    @classmethod
    def open(cls, folder: Path) -> "PlainSubject":
        """Open a folder; what the model was finetuned for says how its scores are read."""
        bundle = Bundle.load(folder)
        return cls(bundle, kind_of_task(bundle.provenance, folder.name), Answering.load(folder))

    @property
    def blanks(self) -> Mapping[str, int]:
        """The padding, whose embedding is zero, and the mask."""
        return {"pad": PAD, "mask": MASK}

    @property
    def n_layers(self) -> int:
        """Layers of the Transformer."""
        return self._bundle.architecture.n_layers

    def read(self, asked: Asked) -> Reading:
        """Return what the model reads."""
        tokenizer, language = self._bundle.tokenizer, asked.language
        language_number(tokenizer, language)
        longest = self._bundle.architecture.max_position_embeddings
        if self.kind == "tags":
            spans = word_spans(tokenizer, asked.text, language, spaces=asked.spaces)
            rows = read_words(tokenizer, asked.text, spans, language, longest)
        else:
            if self.kind == "answer":
                longest = self._settings.within(longest).max_length
            rows = read_texts(tokenizer, asked.texts, language, longest, asked.rows)
        self._rows = rows
        return rows.for_model(self._model, self._transformer.embeddings, tokenizer)

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


def kind_of_task(provenance: Mapping[str, Any], name: str) -> Kind | None:
    """Return what a classifier's scores mean by the recipe that made it, None if it says nothing.

    Args:
        provenance: of the model.
        name: of its folder, which is the task's unless it was moved.
    """
    tasks = (provenance.get("recipe") or {}).get("finetune") or {}
    kinds = {key: _TASKS[task["kind"]] for key, task in tasks.items() if task["kind"] in _TASKS}
    if name in kinds:
        return kinds[name]
    return next(iter(kinds.values())) if len(set(kinds.values())) == 1 else None
