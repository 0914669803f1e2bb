"""A translator's tokens through CTranslate2, from a folder that `xlmkit export` wrote.

CTranslate2 ends a sentence when so many hypotheses have ended, not by a bound on what the others
can still reach. `early_stopping` is its rule exactly, with as many as there are beams; without it
four times as many are waited for, which gave the same tokens as xlmkit's own beams in all of 200
random sentences up to a length penalty of 1.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xlmkit.core.errors import MissingPackageError, UserError
from xlmkit.core.files import read_json
from xlmkit.generate.config import SearchConfig
from xlmkit.generate.directions import DIRECTIONS
from xlmkit.generate.engine import Hypothesis, Ids, longest_translations
from xlmkit.generate.search import Asked
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import EOS, SPECIAL_TOKENS, Vocabulary

_PATIENCE = 4
ENGINE_FILE = "engine.json"
"""Tells of the direction; a folder that has it holds such an export."""


def is_export(folder: Path) -> bool:
    """Tell whether a folder holds a translator for CTranslate2."""
    return (folder / ENGINE_FILE).is_file()


def exported(folder: Path) -> dict[str, Any]:
    """Return what such a folder tells of itself, its direction among it."""
    about: dict[str, Any] = read_json(folder / ENGINE_FILE)
    return {DIRECTIONS: [f"{about['src']}-{about['tgt']}"], **about}


def symbols(vocabulary: Vocabulary, n_words: int) -> list[str]:
    """Return a name for every word of a model, which may have more than its tokenizer."""
    return [*vocabulary, *(f"<unused{number}>" for number in range(len(vocabulary), n_words))]


def import_ctranslate2() -> Any:  # noqa: ANN401 - an untyped module
    """Return the package.

    Raises:
        MissingPackageError: it is not installed.
    """
    try:
        import ctranslate2
    except ImportError:
        raise MissingPackageError(
            "CTranslate2 is not installed: pip install 'xlmkit[export]'."
        ) from None
    return ctranslate2


class CTranslate2Engine:
    """An exported translator of one direction."""

    def __init__(
        self,
        folder: Path,
        tokenizer: Tokenizer,
        *,
        compute_type: str = "default",
        threads: int = 0,
    ) -> None:
        """Open an export.

        Args:
            folder: what `xlmkit export` wrote.
            tokenizer: its tokenizer.
            compute_type: CTranslate2's, by default that of the stored weights.
            threads: of a batch; 0 takes as many as torch would.

        Raises:
            UserError: the folder is none, or damaged.
        """
        about = exported(folder)
        self.longest: int = about["longest"]
        self._direction: tuple[str, str] = (about["src"], about["tgt"])
        self._ids = tuple(tokenizer.lang2id[code] for code in self._direction)
        self._symbols = symbols(tokenizer.vocabulary, about["n_words"])
        self._words_known = range(len(SPECIAL_TOKENS), len(tokenizer.vocabulary))
        self._specials = [
            [symbol]
            for number, symbol in enumerate(self._symbols)
            if number != EOS and number not in self._words_known
        ]
        self._id_of = {symbol: number for number, symbol in enumerate(self._symbols)}
        library = import_ctranslate2()
        if not threads:
            threads = int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1))
        try:
            self._translator = library.Translator(
                str(folder), device="auto", compute_type=compute_type, intra_threads=threads
            )
        except (RuntimeError, ValueError) as error:
            raise UserError(f"{folder} does not open in CTranslate2: {error}.") from None

    def search(
        self, rows: Sequence[Ids], source: int, target: int, search: SearchConfig, asked: Asked
    ) -> list[list[Hypothesis]]:
        """Let CTranslate2 search; the longest translation of a batch is that of its longest row."""
        self._check(source, target, search, asked)
        limits = longest_translations(rows, search, self.longest, asked.prefixes)
        most = max(1, max(limits) - 2)
        found = self._found(rows, search, asked.prefixes, most)
        wrong = [i for i, several in enumerate(found) if any(map(self._has_special, several))]
        if wrong:
            prefixes = None if asked.prefixes is None else [asked.prefixes[i] for i in wrong]
            without = self._found([rows[i] for i in wrong], search, prefixes, most, specials=False)
            for place, several in zip(wrong, without, strict=True):
                found[place] = several
        # Its probabilities are those of the words that are left, or penalised ones, without those
        # of a prefix and of a `</s>` behind the most words.
        constrained = bool(asked.prefixes or search.min_length or search.no_repeat_ngram)
        constrained |= search.repetition_penalty != 1
        inexact = [
            i
            for i, several in enumerate(found)
            if constrained or i in wrong or any(len(one.ids) >= most for one in several)
        ]
        exact = self._scored([rows[i] for i in inexact], [found[i] for i in inexact], search)
        for place, several in zip(inexact, exact, strict=True):
            found[place] = several
        return found

    def _found(
        self,
        rows: Sequence[Ids],
        search: SearchConfig,
        prefixes: Sequence[Sequence[int]] | None,
        most: int,
        *,
        specials: bool = True,
    ) -> list[list[Hypothesis]]:
        """Return what it finds, with its own scores; special tokens may be forbidden.

        They cost a pass over the vocabulary at every step, and are hardly ever the best words.
        """
        found = self._translator.translate_batch(
            [self._tokens(ids) for ids in rows],
            target_prefix=None if prefixes is None else [self._words(one) for one in prefixes],
            beam_size=max(1, search.beam_size),
            num_hypotheses=search.n_best,
            patience=1 if search.early_stopping else _PATIENCE,
            length_penalty=search.length_penalty,
            repetition_penalty=search.repetition_penalty,
            no_repeat_ngram_size=search.no_repeat_ngram,
            min_decoding_length=search.min_length,
            max_decoding_length=most,
            max_input_length=0,
            suppress_sequences=None if specials else self._specials,
            return_scores=True,
        )
        return [
            [
                self._hypothesis(tokens, score, search)
                for tokens, score in zip(one.hypotheses, one.scores, strict=True)
            ]
            for one in found
        ]

    def _has_special(self, one: Hypothesis) -> bool:
        return any(index not in self._words_known for index in one.ids)

    def _scored(
        self, rows: Sequence[Ids], found: Sequence[list[Hypothesis]], search: SearchConfig
    ) -> list[list[Hypothesis]]:
        """Return the same with the probabilities of the model, and in the order that they give.

        With a penalty the order and the scores stay, since that is what it is for.
        """
        flat = [(ids, one) for ids, several in zip(rows, found, strict=True) for one in several]
        totals = iter(self._log_probabilities([r for r, _ in flat], [one.ids for _, one in flat]))
        made = []
        for several in found:
            exact = []
            for one in several:
                total, score = next(totals), one.score
                if search.repetition_penalty == 1:
                    score = total / (len(one.ids) + 1) ** search.length_penalty
                exact.append(Hypothesis(one.ids, score, total))
            made.append(sorted(exact, key=lambda one: -one.score))
        return made

    def score(
        self, rows: Sequence[Ids], written: Sequence[Ids], source: int, target: int
    ) -> list[float]:
        """Let CTranslate2 score."""
        self._check(source, target, SearchConfig(), Asked())
        return self._log_probabilities(rows, written)

    def _log_probabilities(
        self, rows: Sequence[Ids], written: Sequence[Sequence[int] | Ids]
    ) -> list[float]:
        if not rows:
            return []
        results = self._translator.score_batch(
            [self._tokens(ids) for ids in rows],
            [self._words(ids) for ids in written],
            max_input_length=0,
        )
        return [sum(result.log_probs) for result in results]

    def _check(self, source: int, target: int, search: SearchConfig, asked: Asked) -> None:
        if (source, target) != self._ids:
            raise UserError(
                f"This export translates from {self._direction[0]} to {self._direction[1]} only; "
                "export the other direction as well."
            )
        wrong = {
            "sample": search.sample,
            "rules=original": search.rules == "original",
            "allowed words": asked.allowed is not None,
        }
        if any(wrong.values()):
            names = ", ".join(name for name, asked_for in wrong.items() if asked_for)
            raise UserError(f"CTranslate2 does not do {names}; use the model's own folder.")

    def _hypothesis(self, tokens: list[str], score: float, search: SearchConfig) -> Hypothesis:
        ids = [self._id_of[token] for token in tokens]
        # It divides by the tokens with `</s>` at the end; xlmkit counts the one at the start.
        penalty = (len(ids) + 1) ** search.length_penalty
        return Hypothesis([i for i in ids if i != EOS], score, score * penalty)

    def _tokens(self, ids: Sequence[int] | Ids) -> list[str]:
        end = SPECIAL_TOKENS[EOS]
        return [end, *self._words(ids), end]

    def _words(self, ids: Sequence[int] | Ids) -> list[str]:
        return [self._symbols[index] for index in ids]
