"""Learning byte-pair encoding: the alphabet, the merges, and what they make of the words.

The Rust library `tokenizers` learns the merges; the same words and counts give the same merges in
every run.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

import numpy as np
from tokenizers import Tokenizer as RustTokenizer
from tokenizers import models, pre_tokenizers, trainers

from xlmkit.core.errors import UserError
from xlmkit.text.bpe import END_OF_WORD, BytePairEncoder, Merges, initial_symbols
from xlmkit.text.vocabulary import SPECIAL_TOKENS

_MAXIMUM_OCCURRENCES = 8_000_000  # fed to the learner; more would cost time and change nothing much
_WORDS_PER_LINE = 1_000
_MINIMUM_FREQUENCY = 2
_COUNTING_BATCH = 50_000  # words encoded at once when symbols are counted

WordCounts = Mapping[str, int | float] | Iterable[tuple[str, int | float]]


def learn_bpe(
    word_counts: WordCounts,
    vocabulary_size: int,
    character_coverage: float = 1.0,
) -> Merges:
    """Learn merges from words and how often they occur; the same input gives the same merges.

    Args:
        word_counts: word -> occurrences; fractions are welcome (languages that are re-weighted).
        vocabulary_size: the most symbols there may be, characters and merge results together.
        character_coverage: share of all character occurrences that the alphabet must cover. A
            character inside and at the end of a word are two symbols, `c` and `c</w>`; the rarest
            ones are left out, and the words that hold them teach nothing.

    Returns:
        Merges, at most `vocabulary_size` less the alphabet (unless merges share a result).

    Raises:
        UserError: there are no words, or the alphabet alone fills the vocabulary.
    """
    return learn_merges_and_symbols(word_counts, vocabulary_size, character_coverage)[0]


def learn_merges_and_symbols(
    word_counts: WordCounts, vocabulary_size: int, character_coverage: float = 1.0
) -> tuple[Merges, dict[str, float]]:
    """Learn merges and count the symbols that they leave of the words, see `learn_bpe`.

    Returns:
        Merges, and symbol -> occurrences: at most `vocabulary_size` symbols, those of the alphabet
        and of the merges that occur in the end. A merge result that is always merged on is absent.
    """
    pairs = word_counts.items() if isinstance(word_counts, Mapping) else word_counts
    counts = {word: count for word, count in sorted(pairs) if count > 0 and _can_teach(word)}
    if not counts:
        raise UserError("There are no words to learn a vocabulary from.")
    alphabet = learn_alphabet(counts, character_coverage)
    merges = _learn_merges(counts, vocabulary_size, alphabet)
    return merges, _count_symbols(counts, merges, alphabet)


def _learn_merges(
    counts: Mapping[str, int | float], vocabulary_size: int, alphabet: list[str]
) -> Merges:
    if len(alphabet) >= vocabulary_size:
        raise UserError(
            f"A vocabulary of {vocabulary_size} symbols has no room for merges: the characters "
            f"alone are {len(alphabet)}; raise vocabulary_size or lower character_coverage."
        )
    known = set(alphabet)
    whole = {
        word: count for word, count in counts.items() if known.issuperset(initial_symbols(word))
    }
    # The library counts every character of the words as a symbol, also those that only end words.
    never_used = {character for word in whole for character in word} - known
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size + len(never_used),
        min_frequency=_MINIMUM_FREQUENCY,
        end_of_word_suffix=END_OF_WORD,
        show_progress=False,
        # Given here, symbols get their ids in this order; otherwise in the random order of a hash
        # table, and ties between pairs, which ids decide, would fall differently in every run.
        special_tokens=alphabet,
    )
    learner = RustTokenizer(models.BPE(unk_token=None, end_of_word_suffix=END_OF_WORD))
    learner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    learner.train_from_iterator(_repeated(whole), trainer)
    return Merges(tuple((a, b) for a, b in json.loads(learner.to_str())["model"]["merges"]))


def _can_teach(word: str) -> bool:
    """Tell whether no symbol of a word can hold white space or spell a special token."""
    if word.split() != [word]:
        return False
    return "<" not in word or not any(token in word for token in SPECIAL_TOKENS)


def learn_alphabet(word_counts: Mapping[str, int | float], coverage: float) -> list[str]:
    """Return the most frequent characters (`c` and `c</w>`) that cover this share of all, sorted.

    Raises:
        UserError: the coverage is not above 0 and at most 1.
    """
    if not 0.0 < coverage <= 1.0:
        raise UserError(f"character_coverage is {coverage}; give a number above 0, at most 1.")
    counts: dict[str, float] = {}
    for word, count in word_counts.items():
        for symbol in initial_symbols(word):
            counts[symbol] = counts.get(symbol, 0.0) + count
    if coverage == 1.0:
        return sorted(counts)
    needed = coverage * sum(counts.values())
    kept: list[str] = []
    for symbol in sorted(counts, key=lambda symbol: (-counts[symbol], symbol)):
        if needed <= 0.0:
            break
        needed -= counts[symbol]
        kept.append(symbol)
    return sorted(kept)


def _repeated(word_counts: Mapping[str, int | float]) -> Iterator[str]:
    """Yield lines in which each word stands as often as its count says.

    Counts are made whole by carrying the remainder on to the next word, which keeps every sum right
    to one, also where large counts are scaled down.
    """
    total = sum(word_counts.values())
    scale = min(1.0, _MAXIMUM_OCCURRENCES / total)
    exact = 0.5
    given = 0
    for word, count in word_counts.items():
        exact += count * scale
        repetitions = int(exact) - given
        given += repetitions
        while repetitions > 0:
            here = min(repetitions, _WORDS_PER_LINE)
            yield " ".join([word] * here)
            repetitions -= here


def _count_symbols(
    word_counts: Mapping[str, int | float], merges: Merges, alphabet: list[str]
) -> dict[str, float]:
    symbols = list(dict.fromkeys([*alphabet, *(left + right for left, right in merges.pairs)]))
    unknown = len(symbols)
    encoder = BytePairEncoder(merges, {s: i for i, s in enumerate(symbols)}, unknown)
    words = list(word_counts)
    totals = np.zeros(len(symbols) + 1)
    for start in range(0, len(words), _COUNTING_BATCH):
        batch = words[start : start + _COUNTING_BATCH]
        ids = encoder.encode(batch)
        weights = np.repeat([word_counts[word] for word in batch], [len(row) for row in ids])
        flat = np.fromiter(chain.from_iterable(ids), dtype=np.int64)
        totals += np.bincount(flat, weights=weights, minlength=len(totals))
    return {s: float(n) for s, n in zip(symbols, totals[:unknown], strict=True) if n > 0}
