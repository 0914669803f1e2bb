"""Case and accents for words that were written without: the form that the corpus has most often.

Truecasing as in Lita et al., "tRuEcasIng", 2003, by the counts of Moses' truecaser: a word takes
the form that is most frequent inside sentences, since the capital of a first word says nothing, and
of sentences in capitals throughout no word counts. Moses brings back case alone; here accents come
back as well, because a tokenizer that lowers the case drops them too. A word that was never seen
inside a sentence stays as it is, and context plays no part: of two words that differ in case or
accents only, the more frequent one wins.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xlmkit.core.errors import UserError
from xlmkit.core.files import read_json, write_json
from xlmkit.core.parallel import map_in_order
from xlmkit.text.encoder import split_words
from xlmkit.text.folding import fold_word
from xlmkit.text.sentences import split_sentences
from xlmkit.text.word_counts import WordCounter

TRUECASE_FILE = "truecase.json"


@dataclass(frozen=True, slots=True)
class Truecaser:
    """How words are written.

    Attributes:
        forms: language -> word without case and accents -> its form, where that is another.
    """

    forms: Mapping[str, Mapping[str, str]]

    @classmethod
    def learn(
        cls, batches: Iterable[tuple[str, list[str]]], segmenters: Mapping[str, str]
    ) -> "Truecaser":
        """Count the words of texts.

        Args:
            batches: (language, texts), as they are written, read once and not kept.
            segmenters: language -> segmenter, those of the tokenizer.
        """
        counter = WordCounter()
        for language, counts in map_in_order(_InnerWords(segmenters), batches):
            counter.update(language, counts)
        return cls({code: _commonest(counter.counts(code)) for code in counter.totals})

    def cased(self, words: Sequence[str], language: str) -> list[str]:
        """Return words, written without case and accents, as the language writes them."""
        forms = self.forms.get(language, {})
        return [forms.get(word, word) for word in words]

    def save(self, folder: Path) -> None:
        """Write the forms beside a tokenizer."""
        write_json(folder / TRUECASE_FILE, self.forms)

    @classmethod
    def load(cls, folder: Path) -> "Truecaser | None":
        """Read what `save` wrote, None where there is nothing.

        Raises:
            UserError: the file is damaged.
        """
        path = folder / TRUECASE_FILE
        if not path.is_file():
            return None
        forms = read_json(path)
        if not (isinstance(forms, dict) and all(isinstance(f, dict) for f in forms.values())):
            raise UserError(f"{path} is no table of forms by language; delete it to do without.")
        return cls(forms)


class _InnerWords:
    """Counts the words of texts that do not begin a sentence; may be sent to other processes."""

    def __init__(self, segmenters: Mapping[str, str]) -> None:
        self._segmenters = segmenters

    def __call__(self, batch: tuple[str, list[str]]) -> tuple[str, Counter[str]]:
        language, texts = batch
        counts: Counter[str] = Counter()
        for text in texts:
            for sentence in split_sentences(text):
                if not sentence.isupper():
                    words = split_words(sentence, language, self._segmenters)
                    counts.update(words[_beginning(words) :])
        return language, counts


def _beginning(words: Sequence[str]) -> int:
    """Return how many words, the first with a letter or digit the last, begin a sentence."""
    found = (n for n, word in enumerate(words, start=1) if any(map(str.isalnum, word)))
    return next(found, len(words))


def _commonest(counts: Mapping[str, int]) -> dict[str, str]:
    """Return the commonest form of every word that has another than itself.

    Of equally frequent ones it is the word itself, or else the first by the alphabet.
    """
    by_word: dict[str, tuple[int, bool, str]] = {}
    for form, count in sorted(counts.items()):
        parts = fold_word(form)
        if len(parts) != 1:
            continue
        rank = (count, form == parts[0], form)
        if parts[0] not in by_word or rank[:2] > by_word[parts[0]][:2]:
            by_word[parts[0]] = rank
    return {word: form for word, (*_, form) in by_word.items() if form != word}
