"""Learning byte-pair encoding: the alphabet, the merges, and what they make of the words.

The compiled part learns the merges where it was built, otherwise the Rust library `tokenizers`,
which takes several times as long; both give the same. The same words and counts give the same
merges in every run.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer as RustTokenizer
from tokenizers import models, pre_tokenizers, trainers

from xlmkit.core.errors import UserError
from xlmkit.text import compiled
from xlmkit.text.bpe import END_OF_WORD, BytePairEncoder, Merges
from xlmkit.text.compiled import CompiledPairs
from xlmkit.text.counted_words import CountedWords
from xlmkit.text.vocabulary import SPECIAL_TOKENS

_MAXIMUM_OCCURRENCES = 8_000_000  # fed to the learner; more would cost time and change nothing much
_WORDS_PER_LINE = 1_000
_MINIMUM_FREQUENCY = 2
_COUNTING_BATCH = 50_000  # words encoded at once when symbols are counted

_CODES = sys.maxunicode + 1
_SPACES = np.array([chr(code).isspace() for code in range(0x3002)])  # there is none beyond

WordCounts = CountedWords | Mapping[str, int | float] | Iterable[tuple[str, int | float]]
Encode = Callable[[CountedWords], tuple[NDArray[np.int32], NDArray[np.int32]]]


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
    words = SpelledWords.of(word_counts)
    if not len(words.counted):
        raise UserError("There are no words to learn a vocabulary from.")
    alphabet = learn_alphabet(words, character_coverage)
    merges = _learn_merges(words, vocabulary_size, alphabet)
    return merges, _count_symbols(words, merges, alphabet)


@dataclass(frozen=True, slots=True)
class SpelledWords:
    """The words that teach, W of them, sorted, and the S symbols that they begin as.

    Attributes:
        counted: the words; each has as many symbols as characters.
        keys: (S,) numbers of the symbols of all words, end to end: twice the code of `c`, and one
            more for `c</w>`.
    """

    counted: CountedWords
    keys: NDArray[np.int32]

    @classmethod
    def of(cls, word_counts: WordCounts) -> "SpelledWords":
        """Sort and spell those words that occur and that symbols can be made of."""
        if not isinstance(word_counts, CountedWords):
            word_counts = CountedWords.of(dict(word_counts))
        words = word_counts.where(_teaches(word_counts)).sorted()
        keys = 2 * words.codes.astype(np.int32)
        keys[np.cumsum(words.lengths) - 1] += 1
        return cls(words, keys)


def _learn_merges(words: SpelledWords, vocabulary_size: int, alphabet: list[str]) -> Merges:
    if len(alphabet) >= vocabulary_size:
        raise UserError(
            f"A vocabulary of {vocabulary_size} symbols has no room for merges: the characters "
            f"alone are {len(alphabet)}; raise vocabulary_size or lower character_coverage."
        )
    number = np.full(2 * _CODES, -1, np.int32)
    number[[_key(symbol) for symbol in alphabet]] = np.arange(len(alphabet))
    counted, symbols = words.counted, number[words.keys]
    whole = np.minimum.reduceat(symbols, counted.starts()) >= 0
    repetitions = np.zeros(len(counted), np.int64)
    repetitions[whole] = _repetitions(counted.counts[whole])
    taught = repetitions > 0
    if compiled.in_use():
        pairs = compiled.learn_merges(
            alphabet, symbols[np.repeat(taught, counted.lengths)], counted.lengths[taught],
            repetitions[taught], vocabulary_size, _MINIMUM_FREQUENCY,
        )  # fmt: skip
    else:
        repeated = dict(
            zip(counted.where(taught).words(), repetitions[taught].tolist(), strict=True)
        )
        pairs = _learn_with_rust(repeated, vocabulary_size, alphabet)
    return Merges(tuple(pairs))


def _learn_with_rust(
    words: Mapping[str, int], vocabulary_size: int, alphabet: list[str]
) -> list[tuple[str, str]]:
    # The library counts every character of the words as a symbol, also those that only end words.
    never_used = {character for word in words for character in word} - set(alphabet)
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
    learner.train_from_iterator(_repeated(words), trainer)
    return [(a, b) for a, b in json.loads(learner.to_str())["model"]["merges"]]


def _teaches(words: CountedWords) -> NDArray[np.bool_]:
    """(W,) whether a word occurs, and holds no white space and no special token."""
    teaches = (words.counts > 0) & (words.lengths > 0)
    owner = np.repeat(np.arange(len(words)), words.lengths)
    teaches[owner[_SPACES[np.minimum(words.codes, len(_SPACES) - 1)]]] = False
    brackets = np.unique(owner[words.codes == ord("<")])
    chosen = np.zeros(len(words), np.bool_)
    chosen[brackets] = True
    for number, word in zip(brackets.tolist(), words.where(chosen).words(), strict=True):
        if any(token in word for token in SPECIAL_TOKENS):
            teaches[number] = False
    return teaches


def learn_alphabet(words: SpelledWords, coverage: float) -> list[str]:
    """Return the most frequent characters (`c` and `c</w>`) that cover this share of all, sorted.

    Raises:
        UserError: the coverage is not above 0 and at most 1.
    """
    if not 0.0 < coverage <= 1.0:
        raise UserError(f"character_coverage is {coverage}; give a number above 0, at most 1.")
    counted = words.counted
    totals = np.bincount(words.keys, weights=np.repeat(counted.counts, counted.lengths))
    counts = {_symbol(key): float(totals[key]) for key in np.flatnonzero(totals).tolist()}
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


def _key(symbol: str) -> int:
    """Return the number that stands for `c`, or, odd, for `c</w>`."""
    return 2 * ord(symbol[0]) + (len(symbol) > 1)


def _symbol(key: int) -> str:
    return chr(key // 2) + END_OF_WORD * (key % 2)


def _repetitions(counts: NDArray[np.float64]) -> NDArray[np.int64]:
    """Make counts whole, and scale them down where they are too many.

    The remainder is carried on to the next word, which keeps every sum right to one.
    """
    if not len(counts):
        return np.zeros(0, np.int64)
    scale = min(1.0, _MAXIMUM_OCCURRENCES / float(counts.sum()))
    whole = np.floor(np.cumsum([0.5, *(counts * scale)])).astype(np.int64)
    repetitions: NDArray[np.int64] = np.diff(whole)
    return repetitions


def _repeated(words: Mapping[str, int]) -> Iterator[str]:
    """Yield lines in which each word stands as often as its count says."""
    for word, repetitions in words.items():
        for done in range(0, repetitions, _WORDS_PER_LINE):
            yield " ".join([word] * min(repetitions - done, _WORDS_PER_LINE))


def _count_symbols(words: SpelledWords, merges: Merges, alphabet: list[str]) -> dict[str, float]:
    symbols = list(dict.fromkeys([*alphabet, *(left + right for left, right in merges.pairs)]))
    unknown = len(symbols)
    numbers = {s: i for i, s in enumerate(symbols)}
    encode = _encoder(merges, numbers, unknown)
    totals = np.zeros(len(symbols) + 1)
    for batch in _batches(words.counted):
        ids, lengths = encode(batch)
        weights = np.repeat(batch.counts, lengths)
        totals += np.bincount(ids, weights=weights, minlength=len(totals))
    return {s: float(n) for s, n in zip(symbols, totals[:unknown], strict=True) if n > 0}


def _batches(words: CountedWords) -> Iterator[CountedWords]:
    ends = np.append(0, np.cumsum(words.lengths))
    for start in range(0, len(words), _COUNTING_BATCH):
        end = min(start + _COUNTING_BATCH, len(words))
        yield CountedWords(
            words.codes[ends[start] : ends[end]], words.lengths[start:end], words.counts[start:end]
        )


def _encoder(merges: Merges, ids: Mapping[str, int], unknown: int) -> Encode:
    """Return what gives the ids of words, end to end, and how many each has."""
    if compiled.in_use():
        pairs = CompiledPairs(merges, ids, unknown)
        return lambda words: pairs.encode(words.codes, words.lengths)
    encoder = BytePairEncoder(merges, ids, unknown)

    def encode(words: CountedWords) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        rows = encoder.encode(words.words())
        flat = np.fromiter(chain.from_iterable(rows), np.int32)
        return flat, np.fromiter(map(len, rows), np.int32)

    return encode
