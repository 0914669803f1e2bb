"""Finetuned models of other families that `transformers` knows, as a `Subject`."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xlmkit.checkpoint.provenance import read_provenance
from xlmkit.core.device import choose_device
from xlmkit.core.errors import UserError
from xlmkit.data.normal_spans import aligned_normal
from xlmkit.evaluate.answers import Answering
from xlmkit.evaluate.scoring import Decision, Scoring
from xlmkit.explain.explanation import Kind, Word
from xlmkit.explain.plain_subject import open_scores, scoring_of
from xlmkit.explain.reading import SPECIAL, Reading
from xlmkit.explain.subject import Asked
from xlmkit.huggingface.limits import position_limit, reads_types
from xlmkit.huggingface.loading import open_config, open_model, open_tokenizer
from xlmkit.huggingface.sequences import TextEncoder
from xlmkit.text.aligned_words import aligned_words
from xlmkit.text.alignment import Aligned, Span
from xlmkit.text.languages import WITHOUT_SPACES

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
        tokenizer.padding_side = "right"
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
        TextEncoder(self._tokenizer, [asked.language]).tell_language(asked.language)
        sources = [aligned_normal(text) for text in asked.texts]
        longest, texts = self._longest, [source.text for source in sources]
        firsts = [texts[row[0]] for row in asked.rows]
        seconds = [texts[row[1]] for row in asked.rows] if len(asked.rows[0]) > 1 else None
        made = self._tokenizer(
            firsts,
            seconds,
            truncation=True,
            max_length=longest,
            padding=True,
            return_offsets_mapping=True,
            return_token_type_ids=reads_types(self._model),
            split_special_tokens=True,
            return_tensors="pt",
        )
        offsets = made.pop("offset_mapping").numpy()
        device = next(self._model.parameters()).device
        self._given = {name: tensor.to(device) for name, tensor in made.items()}
        words, owners, spans = _owned(asked, sources, made, offsets)
        given = self._given

        def scores(ids: Tensor) -> Tensor:
            n = len(ids) // len(firsts)
            others = {k: v.repeat(n, 1) for k, v in given.items() if k != "input_ids"}
            return self._scores(self._model(input_ids=ids, **others))

        ids, long_texts = given["input_ids"], self.scoring.long_texts
        cut = _is_cut(self._tokenizer, firsts, seconds, longest)
        symbols = [self._tokenizer.convert_ids_to_tokens(row.tolist()) for row in ids]
        return Reading(
            words=words,
            owners=owners,
            spans=spans,
            symbols=symbols,
            ids=ids,
            lengths=given["attention_mask"].sum(dim=1).tolist(),
            embedding=self._model.get_input_embeddings(),
            scores=scores,
            cut=cut,
            joins=cut and long_texts is not None and long_texts.joins,
        )

    @property
    def _longest(self) -> int:
        """Tokens that it reads at once, as when it predicts."""
        longest = position_limit(self._model, self._tokenizer)
        if self.kind == "answer":
            return self.settings.within(longest).max_length
        return min(self.scoring.max_length or longest, longest)

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


def _is_cut(
    tokenizer: Any,  # noqa: ANN401 - theirs
    firsts: Sequence[str],
    seconds: Sequence[str] | None,
    longest: int,
) -> bool:
    whole = tokenizer(firsts, seconds, verbose=False, split_special_tokens=True)["input_ids"]
    return any(len(row) > longest for row in whole)


def _owned(
    asked: Asked,
    sources: Sequence[Aligned],
    made: Any,  # noqa: ANN401 - their class
    offsets: NDArray[np.int64],
) -> tuple[list[Word], NDArray[np.int64], NDArray[np.int64]]:
    """Return the words of all texts, and of each token its word and its place in the text.

    Args:
        asked: what is explained.
        sources: its texts in the form in which they are read.
        made: what the tokenizer gave for them.
        offsets: where in that form each token stands, (R, L, 2).
    """
    spans = offsets.astype(np.int64)
    parts = np.full(offsets.shape[:2], SPECIAL)
    for number, row in enumerate(asked.rows):
        for place, which in enumerate(made.sequence_ids(number)):
            if which is not None:
                parts[number, place] = row[which]
                start, end = spans[number, place]
                while start < end and sources[row[which]].text[start].isspace():
                    start += 1  # white space that some count to the token behind it
                spans[number, place] = start, end
    words: list[Word] = []
    owners = np.full_like(parts, SPECIAL)
    for part, (text, source) in enumerate(zip(asked.texts, sources, strict=True)):
        own = parts == part
        found = _word_spans(source.text, asked, spans[own])
        if not found:
            continue
        starts = np.array([start for start, _ in found])
        before = np.searchsorted(starts, spans[own][:, 0], side="right") - 1
        owners[own] = len(words) + before.clip(min=0)
        spans[own] = [_written(source, start, end) for start, end in spans[own].tolist()]
        placed = [_written(source, start, end) for start, end in found]
        words += [Word(text[start:end], part, start, end) for start, end in placed]
    return words, owners, spans


def _written(source: Aligned, start: int, end: int) -> Span:
    """Return where a part of what is read stands in the text as it was written."""
    return source.part(start, end).span if start < end else (start, start)


def _word_spans(text: str, asked: Asked, tokens: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return where words stand; a language without spaces has its tokens for words."""
    if asked.spaces:
        return [match.span() for match in re.finditer(r"\S+", text)]
    if asked.language in WITHOUT_SPACES:
        return sorted({(start, end) for start, end in tokens.tolist() if start < end})
    return [word.span for word in aligned_words(text, asked.language)]
