"""Language models that write on: prompts in, texts out, in a language that is named."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.device import choose_device
from xlmkit.core.log import say
from xlmkit.data.measures import normalize
from xlmkit.generate.config import SearchConfig
from xlmkit.generate.language_steps import language_steps
from xlmkit.generate.search import Asked, search_sentences
from xlmkit.inference.words import check_predicts_words, language_number, ordinary_tokens
from xlmkit.text.vocabulary import EOS, PAD

NEW_TOKENS = 50


@dataclass(frozen=True, slots=True)
class Generation:
    """A text that was written.

    Attributes:
        text: with its prompt, as the language writes it.
        score: by which texts are ordered, see `xlmkit.generate.found`; the prompt counts.
        log_probability: as the model gives it, in nats; the prompt and `</s>` count.
    """

    text: str
    score: float
    log_probability: float


class TextGenerator:
    """A pretrained language model that writes.

    A causal model writes word after word. Any other is shown a mask behind what is written, as by
    `XLMWithLMHeadModel.generate`; it has not learned to end a text, and needs `max_new`.

    Args:
        bundle: a pretrained model.

    Raises:
        UserError: the model predicts no words.
    """

    def __init__(self, bundle: Bundle) -> None:
        check_predicts_words(bundle)
        self.tokenizer = bundle.tokenizer
        self._longest = bundle.architecture.max_position_embeddings
        self._device = choose_device()
        self._model = bundle.language_model().to(self._device)

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Self:
        """Open a model's folder; errors as for the class."""
        return cls(Bundle.load(Path(folder)))

    def generate(
        self,
        prompts: Sequence[str],
        lang: str,
        search: SearchConfig | None = None,
        *,
        max_new: int = NEW_TOKENS,
        allowed: Tensor | None = None,
    ) -> list[list[Generation]]:
        """Return the `n_best` continuations of every prompt, the best first.

        Args:
            prompts: how texts begin; an empty one leaves the beginning to the model. Of one that
                is too long the model reads the end, which is said.
            lang: the language to write.
            search: how; by default beam search with five beams. `min_length` counts new tokens;
                `length_ratio` has no meaning here.
            max_new: most tokens behind the prompt.
            allowed: tokens that may be written, (V,), see `xlmkit.inference.words`; by default all.

        Raises:
            UserError: the language is unknown.
        """
        search = search or SearchConfig()
        number = language_number(self.tokenizer, lang)
        may_come = ordinary_tokens(self.tokenizer)
        may_come = may_come if allowed is None else may_come & allowed
        begins = list(map(normalize, prompts))
        rows = [ids.tolist() for ids in self.tokenizer.encode_batch(begins, lang)]
        heads = [self._unread(ids, place, max_new) for place, ids in enumerate(rows, start=1)]
        rows = [ids[len(head) :] for ids, head in zip(rows, heads, strict=True)]
        made: list[list[Generation]] = [[] for _ in rows]
        for batch in self._batches(rows, search, max_new):
            found = self._search([rows[i] for i in batch], batch, number, search, max_new, may_come)
            for place, texts in zip(batch, found, strict=True):
                made[place] = [
                    Generation(self.tokenizer.decode(heads[place] + ids, lang), score, total)
                    for ids, score, total in texts
                ]
        return made

    def _unread(self, ids: list[int], number: int, max_new: int) -> list[int]:
        """Return the beginning of a prompt for which the model has no room."""
        room = self._longest - 2
        if len(ids) < room:
            return []
        kept = room - min(max_new, room // 2)
        say(
            f"Prompt {number} has {len(ids)} tokens, of which the model reads the last {kept}, to "
            "have room for what it writes."
        )
        return ids[: len(ids) - kept]

    @torch.inference_mode()
    def _search(
        self,
        prompts: list[list[int]],
        numbers: list[int],
        language: int,
        search: SearchConfig,
        max_new: int,
        allowed: Tensor,
    ) -> Iterator[list[tuple[list[int], float, float]]]:
        """Write on from prompts of one length; yield ids, score and log-probability."""
        n = len(prompts[0])
        limit = min(self._longest, n + max_new + 2)
        limits_B = torch.full((len(prompts),), limit, device=self._device)
        languages_B = torch.full_like(limits_B, language)
        found = search_sentences(
            language_steps(self._model, languages_B),
            limits_B,
            search.model_copy(update={"min_length": search.min_length + n}),
            Asked(allowed, prompts, [[number] for number in numbers]),
        )
        parts = (found.words, found.scores, found.log_probabilities)
        for words, scores, totals in zip(*(part.tolist() for part in parts), strict=True):
            yield [
                ([word for word in ids if word not in (EOS, PAD)], score, total)
                for ids, score, total in zip(words, scores, totals, strict=True)
                if score != -torch.inf
            ]

    @staticmethod
    def _batches(rows: list[list[int]], search: SearchConfig, max_new: int) -> Iterator[list[int]]:
        """Yield the numbers of prompts of one length, as many as a batch holds."""
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        for length, group in groupby(order, key=lambda i: len(rows[i])):
            same = list(group)
            size = max(1, search.batch_tokens // ((length + max_new + 2) * search.rows))
            yield from (same[start : start + size] for start in range(0, len(same), size))
