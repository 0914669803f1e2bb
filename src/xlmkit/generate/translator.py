"""Text in one language to text in another, with a translator's folder.

Texts are sorted by length, translated in batches of so many tokens, and come back in their order.
Each sentence of a text is translated by itself, one that is longer than the model has learned is
cut, and the translations are joined.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.arguments import check_as_many, checked_texts
from xlmkit.core.errors import UserError
from xlmkit.core.log import say_once
from xlmkit.data.measures import normalize
from xlmkit.generate.arguments import check_how
from xlmkit.generate.config import SearchConfig
from xlmkit.generate.ctranslate2_engine import CTranslate2Engine, exported, is_export
from xlmkit.generate.cutting import cut
from xlmkit.generate.directions import check_learned, learned, learned_length, splits
from xlmkit.generate.engine import (
    Engine,
    Hypothesis,
    Ids,
    Precision,
    TorchEngine,
    longest_translations,
)
from xlmkit.generate.search import Asked
from xlmkit.text.capitals import capitalised
from xlmkit.text.languages import WITHOUT_SPACES, check_known
from xlmkit.text.tokenizer import Tokenizer

__all__ = ["SearchConfig", "Translation", "Translator"]


@dataclass(frozen=True, slots=True)
class Translation:
    """One translation of a text.

    Attributes:
        text: as the language writes it.
        score: by which translations are ordered: log-probability over the length to the power of
            the length penalty; the parts of a long text are added.
        log_probability: as the model gives it, in nats; `Translator.score` gives the same where
            the model wrote the pieces into which the tokenizer cuts the text.
    """

    text: str
    score: float
    log_probability: float


class Translator:
    """A trained encoder-decoder that reads and writes text.

    Attributes:
        tokenizer: text to tokens and back.
        engine: tokens to tokens.
        capitals: whether words are given the case and accents that the tokenizer's truecaser
            knows, and sentences begin with a capital.
        longest: most tokens that it reads or writes at once, `</s>` at both ends counted: as many
            as it learned, or has positions for.
        splits: whether the sentences of a text are translated one by one, if nothing else is said.
        directions: what it has learned to translate, such as `en-fr`; others are refused. None
            where its folder does not say.
    """

    tokenizer: Tokenizer
    engine: Engine
    capitals: bool
    longest: int
    splits: bool
    directions: tuple[str, ...] | None

    def __init__(
        self, bundle: Bundle, precision: Precision = "float32", *, capitals: bool | None = None
    ) -> None:
        """Take a translator's bundle; for the arguments see `from_pretrained`.

        Raises:
            UserError: it holds no translator, or the precision cannot be computed here.
        """
        engine = TorchEngine(bundle, precision)
        self._join(bundle.tokenizer, engine, bundle.provenance, capitals)

    def _join(
        self,
        tokenizer: Tokenizer,
        engine: Engine,
        about: Mapping[str, Any],
        capitals: bool | None,
    ) -> None:
        self.tokenizer, self.engine = tokenizer, engine
        self.directions, self.splits = learned(about), splits(about)
        self.longest = learned_length(about, engine.longest)
        folded = tokenizer.lowercase_and_remove_accent
        self.capitals = folded if capitals is None else capitals

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path,
        precision: Precision | None = None,
        *,
        capitals: bool | None = None,
    ) -> Self:
        """Open a translator's folder, or an export for CTranslate2.

        Args:
            folder: where it is.
            precision: what it computes in, by default float32; see `TorchEngine`. That of an
                export was chosen when it was made.
            capitals: whether the text is given its usual case and accents, see `Translator`; by
                default where the model's own text has neither.

        Raises:
            UserError: it is neither, or is damaged, or the precision cannot be had.
        """
        folder = Path(folder)
        if not is_export(folder):
            return cls(Bundle.load(folder), precision or "float32", capitals=capitals)
        if precision is not None:
            raise UserError(
                f"{folder} is an export, whose precision was chosen with --quantization when it "
                f"was made; leave out the precision {precision}, or export again."
            )
        made = cls.__new__(cls)
        tokenizer = Tokenizer.load(folder)
        made._join(tokenizer, CTranslate2Engine(folder, tokenizer), exported(folder), capitals)
        return made

    def translate(
        self,
        texts: Sequence[str],
        src: str,
        tgt: str,
        search: SearchConfig | None = None,
        *,
        prefixes: Sequence[str] | None = None,
        allowed: Tensor | None = None,
        split: bool | None = None,
        first: int = 0,
    ) -> list[str]:
        """Return the translation of every text; an empty text stays empty.

        Args:
            texts: in the language `src`.
            src: the language of the texts.
            tgt: the language to write.
            search: how; by default beam search with five beams.
            prefixes: how each translation is to begin, in whole words.
            allowed: which tokens may be written, from `allowed_words`; by default all.
            split: translate the sentences of a text one by one, and join what comes; else only
                texts that are too long are cut, for models that have learned from longer ones. By
                default as the model was measured.
            first: number of the first text, by which the draws of `sample` differ.

        Raises:
            UserError: the model does not know a language, has not learned the direction, or
                something is not of the right form.
        """
        found = self.translations(
            texts, src, tgt, search, prefixes=prefixes, allowed=allowed, split=split, first=first
        )
        return [best.text for best, *_ in found]

    def translations(
        self,
        texts: Sequence[str],
        src: str,
        tgt: str,
        search: SearchConfig | None = None,
        *,
        prefixes: Sequence[str] | None = None,
        allowed: Tensor | None = None,
        split: bool | None = None,
        first: int = 0,
    ) -> list[list[Translation]]:
        """Return the `n_best` translations of every text, the best first; see `translate`.

        There are fewer where a search found fewer. An empty text has one, which is empty. Of a text
        in several parts the best of all are joined, then the second best, and so on.
        """
        self._check_direction(src, tgt)
        texts = checked_texts(texts)
        check_how(search, first, allowed, len(self.tokenizer))
        room, split = self.longest - 2, self.splits if split is None else split
        parts = [cut(text, src, self.tokenizer, room, split=split) for text in texts]
        search = search or SearchConfig()
        most = min(room, search.max_length or room)
        search = search.model_copy(update={"max_length": most})
        return self.translations_of_parts(
            parts, src, tgt, search, prefixes=prefixes, allowed=allowed, first=first
        )

    def translations_of_parts(
        self,
        parts: Sequence[Sequence[Ids]],
        src: str,
        tgt: str,
        search: SearchConfig | None = None,
        *,
        prefixes: Sequence[str] | None = None,
        allowed: Tensor | None = None,
        first: int = 0,
    ) -> list[list[Translation]]:
        """Do the same with texts that are cut into parts of tokens already, none if empty."""
        search = search or SearchConfig()
        source, target = self._language(src), self._language(tgt)
        flat = [part for pieces in parts for part in pieces]
        names = [[first + i, j] for i, pieces in enumerate(parts) for j in range(len(pieces))]
        begins = self._prefixes(prefixes, parts, tgt, search)
        if search.min_length:
            limits = longest_translations(flat, search, self.engine.longest, begins)
            if any(limit - 2 < search.min_length for limit in limits):
                say_once(
                    f"Not every text leaves room for {search.min_length} tokens (min_length): "
                    "where its length (length_ratio) or what the model learned allows fewer, it "
                    "gets fewer."
                )
        found: list[list[Hypothesis]] = [[] for _ in flat]
        for batch in self._batches(flat, search):
            asked = Asked(
                allowed,
                None if begins is None else [begins[i] for i in batch],
                [names[i] for i in batch],
            )
            rows = [flat[i] for i in batch]
            for place, made in zip(
                batch, self.engine.search(rows, source, target, search, asked), strict=True
            ):
                found[place] = made
        rest = iter(found)
        return [self._joined([next(rest) for _ in pieces], tgt) for pieces in parts]

    def score(
        self, sources: Sequence[str], targets: Sequence[str], src: str, tgt: str
    ) -> list[float]:
        """Return the log-probability of each target given its source, `</s>` counted, in nats.

        Raises:
            UserError: the model does not know a language, has not learned the direction, a text is
                longer than it reads, or there are not as many targets as sources.
        """
        source, target = self._check_direction(src, tgt)
        sources, targets = checked_texts(sources, "sources"), checked_texts(targets, "targets")
        check_as_many(targets, "targets", sources)
        rows = self.tokenizer.encode_batch(list(map(normalize, sources)), src)
        written = self.tokenizer.encode_batch(list(map(normalize, targets)), tgt)
        for number, pair in enumerate(zip(rows, written, strict=True), start=1):
            if max(map(len, pair)) > self.longest - 2:
                raise UserError(
                    f"Pair {number} has {max(map(len, pair))} tokens on one side, but the model "
                    f"reads at most {self.longest - 2}; score its sentences one by one."
                )
        scores = [0.0] * len(rows)
        for batch in self._batches(rows, SearchConfig(beam_size=1)):
            made = self.engine.score(
                [rows[i] for i in batch], [written[i] for i in batch], source, target
            )
            for place, score in zip(batch, made, strict=True):
                scores[place] = score
        return scores

    def allowed_words(self, texts: Sequence[str], language: str) -> Tensor:
        """Return True at the tokens of some texts, for the argument `allowed`, (V,)."""
        texts = checked_texts(texts)
        allowed = torch.zeros(len(self.tokenizer), dtype=torch.bool)
        for ids in self.tokenizer.encode_batch(list(map(normalize, texts)), language):
            allowed[torch.from_numpy(ids).long()] = True
        return allowed

    def _check_direction(self, src: str, tgt: str) -> tuple[int, int]:
        """Return the ids of two languages between which the model translates."""
        ids = self._language(src), self._language(tgt)
        check_learned(self.directions, src, tgt)
        return ids

    def _language(self, code: str) -> int:
        known = self.tokenizer.lang2id
        check_known(code, known)
        return known[code]

    def _prefixes(
        self,
        prefixes: Sequence[str] | None,
        parts: Sequence[Sequence[Ids]],
        language: str,
        search: SearchConfig,
    ) -> list[list[int]] | None:
        """Return what every part begins with: of a text that was cut, only the first."""
        if prefixes is None:
            return None
        prefixes = checked_texts(prefixes, "prefixes")
        check_as_many(prefixes, "prefixes", parts)
        ids = self.tokenizer.encode_batch(list(map(normalize, prefixes)), language)
        for prefix, begin in zip(prefixes, ids, strict=True):
            if self.tokenizer.unk in begin:
                raise UserError(
                    f"The prefix {prefix!r} has a letter that the model does not know, which it "
                    "cannot write; leave that word out."
                )
        room = min(self.engine.longest - 2, search.max_length or self.engine.longest)
        for number, begin in enumerate(ids, start=1):
            if len(begin) > room:
                raise UserError(
                    f"Prefix {number} has {len(begin)} tokens, but a translation has at most "
                    f"{room}; shorten it, or raise max_length where that is the limit."
                )
        return [
            begin.tolist() if number == 0 else []
            for begin, pieces in zip(ids, parts, strict=True)
            for number in range(len(pieces))
        ]

    def _joined(self, parts: Sequence[Sequence[Hypothesis]], language: str) -> list[Translation]:
        """Join the best translations of all parts, then the second ones, and so on."""
        if not parts:
            return [Translation("", 0.0, 0.0)]
        between = "" if language in WITHOUT_SPACES else " "
        made = []
        for rank in range(max(map(len, parts))):
            chosen = [found[min(rank, len(found) - 1)] for found in parts]
            texts = [self.tokenizer.decode(x.ids, language, cased=self.capitals) for x in chosen]
            text = between.join(texts)
            if self.capitals:
                text = capitalised(text, language)
            score = sum(part.score for part in chosen)
            made.append(Translation(text, score, sum(part.log_probability for part in chosen)))
        return made

    @staticmethod
    def _batches(rows: Sequence[Ids], search: SearchConfig) -> Iterator[list[int]]:
        """Yield the numbers of rows of similar length, the longest first."""
        order = sorted(range(len(rows)), key=lambda i: -len(rows[i]))
        start = 0
        while start < len(order):
            width = (len(rows[order[start]]) + 2) * search.rows
            end = start + max(1, search.batch_tokens // width)
            yield order[start:end]
            start = end
