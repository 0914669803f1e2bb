"""Finetuned models of other families that `transformers` knows, as a `Subject`."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from xlmkit.checkpoint.provenance import read_provenance
from xlmkit.core.device import choose_device
from xlmkit.core.errors import UserError
from xlmkit.evaluate.answers import Answering
from xlmkit.evaluate.scoring import Decision, Scoring
from xlmkit.explain.explanation import Kind
from xlmkit.explain.family_reading import FamilyRows, read_question, read_texts, read_words
from xlmkit.explain.plain_subject import open_scores, scoring_of
from xlmkit.explain.reading import Reading
from xlmkit.explain.subject import Asked
from xlmkit.huggingface.limits import position_limit, reads_types
from xlmkit.huggingface.loading import open_config, open_model, open_tokenizer
from xlmkit.huggingface.sequences import TextEncoder

_HEADS: dict[str, tuple[str, Kind]] = {
    "ForSequenceClassification": ("AutoModelForSequenceClassification", "classes"),
    "ForTokenClassification": ("AutoModelForTokenClassification", "tags"),
    "ForQuestionAnswering": ("AutoModelForQuestionAnswering", "answer"),
}
_PROBLEMS: dict[str | None, Decision] = {
    "multi_label_classification": "several",
    "regression": "number",
}


class FamilySubject:
    """A model of another family with one of its own heads, in float32.

    Args:
        model: theirs.
        tokenizer: theirs, a fast one.
        kind: what the model says.
        scoring: how a classifier is asked, and what its scores mean.
        settings: how a model that answers questions is asked.

    Raises:
        UserError: the tokenizer does not tell where its tokens come from.
    """

    def __init__(
        self,
        model: Any,  # noqa: ANN401 - theirs
        tokenizer: Any,  # noqa: ANN401 - theirs
        kind: Kind,
        scoring: Scoring | None = None,
        settings: Answering | None = None,
    ) -> None:
        if not tokenizer.is_fast:
            raise UserError(
                "Explaining needs a fast tokenizer, which tells where its tokens come from; save "
                "the model with one (tokenizer.json)."
            )
        self.kind: Kind = kind
        self.scoring, self.settings = scoring or Scoring(), settings or Answering()
        names = model.config.id2label
        self.labels = [names[number] for number in range(len(names))]
        self._model = model.to(choose_device()).eval().requires_grad_(False)
        self._tokenizer = tokenizer
        self._given: Mapping[str, Tensor] = {}

    @classmethod
    def open(cls, folder: Path, family: str) -> "FamilySubject":
        """Open a finetuned model's folder.

        Raises:
            UserError: it has no head that says anything about a text, or has a decoder.
        """
        config = open_config(folder, family)
        if config.is_encoder_decoder:
            raise UserError(
                f"{folder} is a {family}, which reads a text twice; only encoders are explained."
            )
        provenance = read_provenance(folder)
        name = next(iter(config.architectures or ()), "")
        head = next((end for end in _HEADS if name.endswith(end)), None)
        if head is None:
            raise UserError(
                f"{folder} is a {name}, which says nothing about a text; name a finetuned model."
            )
        auto_class, kind = _HEADS[head]
        scoring = scoring_of(folder, provenance) or Scoring(
            decides=_PROBLEMS.get(config.problem_type, "classes")
        )
        if kind == "classes":
            kind = scoring.decides
        tokenizer = open_tokenizer(folder, config)
        model = open_model(auto_class, folder, config)
        return cls(model, tokenizer, kind, scoring, Answering.load(folder))

    @property
    def blanks(self) -> Mapping[str, int]:
        """The mask where there is one, and the token for padding.

        The padding's vector is often zero, and where nothing is added to it before the first norm,
        as in DeBERTa and ModernBERT, the model is not smooth there.
        """
        named = {"mask": self._tokenizer.mask_token_id, "pad": self._tokenizer.pad_token_id}
        return {name: token for name, token in named.items() if token is not None}

    @property
    def starts(self) -> int | None:
        """All, as when it predicts."""
        return None

    @property
    def n_layers(self) -> int:
        """Layers of the Transformer."""
        return int(self._model.config.num_hidden_layers)

    def read(self, asked: Asked) -> Reading:
        """Return what the model reads."""
        encoder = TextEncoder(self._tokenizer, [asked.language])
        encoder.tell_language(asked.language)
        rows = self._rows(encoder, asked)
        encoded = rows.encoded if reads_types(self._model) else replace(rows.encoded, types=None)
        device = next(self._model.parameters()).device
        self._given = given = encoded.batch(range(len(encoded.ids))).to(device).tensors

        def scores(ids: Tensor) -> Tensor:
            n = len(ids) // len(encoded.ids)
            others = {k: v.repeat(n, 1) for k, v in given.items() if k != "input_ids"}
            return self._scores(self._model(input_ids=ids, **others))

        ids = given["input_ids"]
        return Reading(
            words=rows.words,
            owners=rows.owners,
            spans=rows.spans,
            symbols=[self._tokenizer.convert_ids_to_tokens(row.tolist()) for row in ids],
            ids=ids,
            lengths=encoded.lengths.tolist(),
            embedding=self._model.get_input_embeddings(),
            scores=scores,
            cut=rows.cut,
            joins=rows.joins,
            judged=rows.judged,
        )

    def _rows(self, encoder: TextEncoder, asked: Asked) -> FamilyRows:
        limit = position_limit(self._model, self._tokenizer)
        if self.kind == "answer":
            return read_question(encoder, asked, self.settings.within(limit))
        longest = min(self.scoring.max_length or limit, limit)
        if self.kind == "tags":
            return read_words(encoder, asked, longest)
        return read_texts(encoder, asked, longest, self.scoring.long_texts)

    def _scores(self, output: Any) -> Tensor:  # noqa: ANN401 - their class
        if self.kind == "answer":
            return torch.stack([output.start_logits, output.end_logits], dim=-1)
        scores: Tensor = output.logits
        return scores

    def start_scores(self, given: Tensor, reading: Reading) -> Tensor:
        """Return log-probabilities of all tokens as the start of an answer, (N, L)."""
        return open_scores(given[:, 0, :, 0], reading)

    def end_scores(self, given: Tensor, reading: Reading, start: int) -> Tensor:
        """Return log-probabilities of all tokens as the end of an answer, (N, L)."""
        del start  # ends do not depend on it
        return open_scores(given[:, 0, :, 1], reading)

    @torch.no_grad()
    def attention(self, reading: Reading, row: int) -> Tensor:
        """Return the weights for one of the sequences last read, (layers, H, L, L)."""
        del reading
        one = {name: tensor[row : row + 1] for name, tensor in self._given.items()}
        before = self._model.config._attn_implementation
        self._model.set_attn_implementation("eager")
        try:
            weights = self._model(**one, output_attentions=True).attentions
        finally:
            self._model.set_attn_implementation(before)
        return torch.stack([layer[0] for layer in weights])
