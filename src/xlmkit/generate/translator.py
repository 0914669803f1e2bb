"""Text in one language to text in another, with a translator's folder.

Texts are sorted by length, translated in batches of so many tokens, and come back in their order.
One that is longer than the model can read is cut at the ends of sentences, or where a sentence
alone is too long, between its tokens; the translations of the parts are joined.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.config import Config
from xlmkit.core.device import choose_device
from xlmkit.core.errors import UserError
from xlmkit.data.batch import assemble
from xlmkit.generate.search import beam_search, greedy_search
from xlmkit.generate.steps import TranslationSteps
from xlmkit.text.languages import WITHOUT_SPACES
from xlmkit.text.sentences import split_sentences
from xlmkit.text.vocabulary import EOS, PAD

Ids = NDArray[np.int32]


class SearchConfig(Config):
    """How translations are searched for."""

    beam_size: int = Field(5, ge=0)
    """Beginnings that are followed at once; 0 takes the best word each time (greedy search)."""
    length_penalty: float = 1.0
    """Exponent of the length by which scores are divided; more prefers longer translations."""
    early_stopping: bool = False
    """End a sentence as soon as there are as many translations as beams."""
    length_ratio: float = Field(1.5, gt=0)
    """A translation has at most this many times the tokens of its source, and ten more."""
    batch_tokens: int = Field(2048, ge=16)
    """Tokens of a batch, padding and beams counted."""


class Translator:
    """A trained encoder-decoder that reads and writes text."""

    def __init__(self, bundle: Bundle) -> None:
        """Take a translator's bundle.

        Raises:
            UserError: it holds no translator.
        """
        self.device = choose_device()
        self.tokenizer = bundle.tokenizer
        self.model = bundle.encoder_decoder().to(self.device)
        self.longest = bundle.architecture.max_position_embeddings

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Self:
        """Open a translator's folder.

        Raises:
            UserError: it is none, or is damaged.
        """
        return cls(Bundle.load(Path(folder)))

    def translate(
        self, texts: Sequence[str], src: str, tgt: str, search: SearchConfig | None = None
    ) -> list[str]:
        """Return the translation of every text; an empty text stays empty.

        Args:
            texts: in the language `src`.
            src: the language of the texts.
            tgt: the language to write.
            search: how; by default beam search with five beams.

        Raises:
            UserError: the model does not know a language.
        """
        search = search or SearchConfig()
        source, target = self._language(src), self._language(tgt)
        parts = [self._parts(text, src) for text in texts]
        flat = [part for pieces in parts for part in pieces]
        written: list[str] = [""] * len(flat)
        for batch in self._batches(flat, search):
            made = self._search([flat[i] for i in batch], source, target, search)
            for place, ids in zip(batch, made, strict=True):
                written[place] = self.tokenizer.decode(ids, tgt)
        joined, rest = "" if tgt in WITHOUT_SPACES else " ", iter(written)
        return [joined.join(next(rest) for _ in pieces) for pieces in parts]

    def _language(self, code: str) -> int:
        known = self.tokenizer.lang2id
        if code not in known:
            raise UserError(
                f"The translator does not know the language {code}, only {', '.join(known)}."
            )
        return known[code]

    def _parts(self, text: str, language: str) -> list[Ids]:
        """Return the tokens of a text, in as many parts as the model needs to read it."""
        room = self.longest - 2  # for `</s>` at both ends
        (whole,) = self.tokenizer.encode_batch([text], language)
        if len(whole) <= room:
            return [whole] if len(whole) else []
        sentences = split_sentences(text)
        parts: list[Ids] = []
        for ids in self.tokenizer.encode_batch(sentences, language):
            if parts and len(parts[-1]) + len(ids) <= room:
                parts[-1] = np.concatenate([parts[-1], ids])
            else:
                parts += [ids[start : start + room] for start in range(0, len(ids), room)]
        return parts

    @staticmethod
    def _batches(rows: Sequence[Ids], search: SearchConfig) -> Iterator[list[int]]:
        """Yield the numbers of rows of similar length, the longest first."""
        order = sorted(range(len(rows)), key=lambda i: -len(rows[i]))
        start = 0
        while start < len(order):
            width = (len(rows[order[start]]) + 2) * max(1, search.beam_size)
            end = start + max(1, search.batch_tokens // width)
            yield order[start:end]
            start = end

    @torch.inference_mode()
    def _search(
        self, rows: Sequence[Ids], source: int, target: int, search: SearchConfig
    ) -> list[list[int]]:
        """Return the tokens of the translations of a batch."""
        inputs = assemble([((ids, source),) for ids in rows], self.longest).tensors()
        inputs = inputs.to(self.device)
        states_BSE = inputs.fed_to(self.model.encoder)
        language_B = torch.full((len(rows),), target, device=self.device)
        steps = TranslationSteps(self.model, states_BSE, inputs.lengths, language_B)
        most = min(self.longest, int(search.length_ratio * states_BSE.shape[1]) + 10)
        if search.beam_size == 0:
            found_BL = greedy_search(steps, len(rows), most, self.device)
        else:
            found_BL = beam_search(
                steps,
                len(rows),
                most,
                self.device,
                beam_size=search.beam_size,
                length_penalty=search.length_penalty,
                early_stopping=search.early_stopping,
            )
        return [[word for word in row if word not in (EOS, PAD)] for row in found_BL.tolist()]
