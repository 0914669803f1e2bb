"""A translator's tokens through CTranslate2, from a folder that `xlmkit export` wrote.

CTranslate2 ends a sentence when so many hypotheses have ended, not by a bound on what the others
can still reach. `early_stopping` is its rule exactly, with as many as there are beams; without it
four times as many are waited for, which gave the same tokens as xlmkit's beams by `rules: original`
in all of 200 random sentences through an untrained model up to a length penalty of 0.5, and in 172
with one of 1; xlmkit's went on to better ones in the others, nearly all of which reach their
longest length. Like the original's, its beams keep no hypothesis of greedy search, and may be worse
than that, which xlmkit's own are not.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from xlmkit.core.errors import MissingPackageError, UserError
from xlmkit.core.files import read_json
from xlmkit.generate.config import SearchConfig
from xlmkit.generate.directions import DIRECTIONS
from xlmkit.generate.engine import Hypothesis, Ids, longest_translations
from xlmkit.generate.search import Asked
from xlmkit.text.languages import check_known
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import EOS, SPECIAL_TOKENS, Vocabulary

_PATIENCE = 4
ENGINE_FILE = "engine.json"
"""Tells of the direction; a folder that has it holds such an export."""


def is_export(folder: Path) -> bool:
    """Tell whether a folder holds a translator for CTranslate2."""
    return (folder / ENGINE_FILE).is_file()


def exported(folder: Path) -> dict[str, Any]:
    """Return what such a folder tells of itself, its direction among it.

    Raises:
        UserError: it is damaged.
    """
    path = folder / ENGINE_FILE
    about = read_json(path)
    kinds = {"src": str, "tgt": str, "longest": int, "n_words": int}
    if not isinstance(about, dict) or any(
        not isinstance(about.get(key), kind) for key, kind in kinds.items()
    ):
        raise UserError(f"{path} does not tell {', '.join(kinds)}; export the translator again.")
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
        for code in self._direction:
            check_known(code, tokenizer.lang2id)
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
            threads = torch.get_num_threads()
        try:
            self._translator = library.Translator(
                str(folder), device="auto", compute_type=compute_type, intra_threads=threads
            )
        except (RuntimeError, ValueError) as error:
            raise UserError(f"{folder} does not open in CTranslate2: {error}.") from None

    def search(
        self, rows: Sequence[Ids], source: int, target: int, search: SearchConfig, asked: Asked
    ) -> list[list[Hypothesis]]:
        """Let CTranslate2 search; it has one longest length for a batch, each row its own.

        What comes with a special token, or longer than its row may have, is searched for again.
        """
        self._check(source, target, search, asked)
        limits = longest_translations(rows, search, self.longest, asked.prefixes)
        most = np.maximum(1, np.array(limits) - 2)
        found: list[list[Hypothesis]] = [[] for _ in rows]

        def find(places: Sequence[int], *, specials: bool) -> None:
            part = [rows[i] for i in places]
            prefixes = None if asked.prefixes is None else [asked.prefixes[i] for i in places]
            longest = int(most[list(places)].max())
            made = self._found(part, search, prefixes, longest, specials=specials)
            for place, several in zip(places, made, strict=True):
                found[place] = several

        find(range(len(rows)), specials=True)
        wrong = [i for i, several in enumerate(found) if any(map(self._has_special, several))]
        if wrong:
            find(wrong, specials=False)
        too_long = {
            i for i, several in enumerate(found) if any(len(one.ids) > most[i] for one in several)
        }
        for limit in np.unique(most[list(too_long)]) if too_long else ():
            find([i for i in sorted(too_long) if most[i] == limit], specials=False)
        # Its probabilities are those of the words that are left, or penalised ones, without those
        # of a prefix and of a `</s>` behind the most words.
        constrained = bool(asked.prefixes or search.min_length or search.no_repeat_ngram)
        constrained |= search.repetition_penalty != 1
        inexact = [
            i
            for i, several in enumerate(found)
            if constrained
            or i in wrong
            or i in too_long
            or any(len(one.ids) >= most[i] for one in several)
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
            min_decoding_length=min(search.min_length, most),
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
