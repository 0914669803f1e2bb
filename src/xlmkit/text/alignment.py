r"""A text that knows, through every change, where each of its characters came from.

What a substitution writes comes from what it matched: a group (`\1`) from itself, any other
character from an equal one outside the groups, and where there is none, from all of them together.
Spans always stand in the order of the text. So where a rule of Moses exchanges a quotation mark
and the comma or the full stops beside it, each gets the place at which it stands now.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, groupby, pairwise

from xlmkit.text.bpe import END_OF_WORD

Span = tuple[int, int]
"""First character of the original, and the one behind the last."""

Replacement = str | Callable[[re.Match[str]], str]

_WORD = re.compile(r"\S+")
_GROUP = re.compile(r"\\g<(\d+)>|\\(\d)")
_NEAR = 8  # characters that a segmenter may have left out in one place


@dataclass(frozen=True, slots=True)
class Aligned:
    """A text made from another one.

    Attributes:
        text: what it is now.
        spans: for each character the part of the original that it came from.
    """

    text: str
    spans: list[Span]

    @classmethod
    def of(cls, text: "str | Aligned") -> "Aligned":
        """Take the original; what was made from one already stays as it is."""
        if isinstance(text, Aligned):
            return text
        return cls(text, list(pairwise(range(len(text) + 1))))

    @property
    def span(self) -> Span:
        """The part of the original that the whole of it came from; it may not be empty."""
        return _union(self.spans)

    def part(self, start: int, end: int) -> "Aligned":
        """Return the characters from `start` up to `end`."""
        return Aligned(self.text[start:end], self.spans[start:end])

    def words(self) -> "list[Aligned]":
        """Split at white space."""
        return [self.part(*match.span()) for match in _WORD.finditer(self.text)]

    def strip(self) -> "Aligned":
        """Leave out white space at both ends."""
        start = len(self.text) - len(self.text.lstrip())
        return self.part(start, max(start, len(self.text.rstrip())))

    def keep(self, wanted: Callable[[str], bool]) -> "Aligned":
        """Leave out every character that is not wanted."""
        kept = [(c, span) for c, span in zip(self.text, self.spans, strict=True) if wanted(c)]
        return Aligned("".join(c for c, _ in kept), [span for _, span in kept])

    def translate(self, table: Mapping[int, str]) -> "Aligned":
        """Replace single characters, as `str.translate` does."""
        if table.keys().isdisjoint(map(ord, self.text)):
            return self
        texts = [table.get(ord(character), character) for character in self.text]
        spans = [s for t, s in zip(texts, self.spans, strict=True) for _ in t]
        return Aligned("".join(texts), spans)

    def substitute(self, pattern: re.Pattern[str], replacement: Replacement) -> "Aligned":
        """Replace what a pattern matches (never nothing), as `re.sub` does."""
        texts: list[str] = []
        spans: list[Span] = []
        end = 0
        for match in pattern.finditer(self.text):
            new = self._written(match, replacement)
            texts += self.text[end : match.start()], new.text
            spans += self.spans[end : match.start()] + new.spans
            end = match.end()
        if not texts:
            return self
        return Aligned("".join(texts) + self.text[end:], spans + self.spans[end:])

    def _written(self, match: re.Match[str], replacement: Replacement) -> "Aligned":
        """Return what is written in the place of one match."""
        parts = _template(replacement) if isinstance(replacement, str) else (replacement(match),)
        texts: list[str] = []
        spans: list[Span] = []
        source: Aligned | None = None
        for part in parts:
            if isinstance(part, int):
                new = self.part(*match.span(part))
            elif part.isspace() and not match[0].isspace():  # it is put in, and comes from nowhere
                edge = spans[-1][1] if spans else self.spans[match.start()][0]
                new = Aligned(part, [(edge, edge)] * len(part))
            else:
                source = source or self._outside_groups(match, parts)
                new = source.rewritten(part)
            texts.append(new.text)
            spans += new.spans
        return Aligned("".join(texts), _in_order(spans))

    def _outside_groups(self, match: re.Match[str], parts: Sequence[str | int]) -> "Aligned":
        """Return the characters of a match in none of the groups that are written again."""
        matched = range(*match.span())
        grouped = {i for part in parts if isinstance(part, int) for i in range(*match.span(part))}
        rest = [i for i in matched if i not in grouped]
        rest = [i for i in rest if not self.text[i].isspace()] or rest or list(matched)
        return Aligned("".join(self.text[i] for i in rest), [self.spans[i] for i in rest])

    def rewritten(self, text: str) -> "Aligned":
        """Return a text that was written for all of this one, see the head of this file."""
        start, end = self.span
        if len(text) == len(self.text):
            return Aligned(text, self.spans)
        if len(text) == end - start:  # several dots, back from their marker
            return Aligned(text, [(i, i + 1) for i in range(start, end)])
        spans = []
        at, edge = 0, start
        for character in text:
            found = self.text.find(character, at)
            if found >= 0:
                spans.append(self.spans[found])
                at = found + 1
            else:  # white space that is put in comes from nowhere
                spans.append((edge, edge) if character.isspace() else (start, end))
            edge = spans[-1][1]
        return Aligned(text, spans)

    def locate(self, words: Sequence[str]) -> "list[Aligned]":
        """Find the words that a segmenter made of this text, in their order.

        White space and a few characters may be missing, and characters may be replaced by others,
        one by one; where more is changed, the spans are near the truth.
        """
        found = []
        at = 0
        for word in filter(None, words):
            while self.text[at : at + 1].isspace() and not word[0].isspace():
                at += 1
            if self.text.startswith(word, at):
                found.append(self.part(at, at + len(word)))
                at += len(word)
            else:
                spans, at = self._nearest(word, at)
                found.append(Aligned(word, spans))
        return found

    def _nearest(self, word: str, at: int) -> tuple[list[Span], int]:
        """Align a word that does not stand at `at` as it is; return where to go on."""
        spans = []
        end = self.spans[-1][1] if self.spans else 0
        for character in word:
            at = max(at, self.text.find(character, at, at + _NEAR))
            spans.append(self.spans[at] if at < len(self.spans) else (end, end))
            at += 1
        return spans, at


@dataclass(frozen=True, slots=True)
class AlignedTokens:
    """The tokens of a text.

    Attributes:
        ids: the id of each.
        spans: the part of the text that each came from.
        words: the number of the word that each is part of, from 0.
    """

    ids: list[int]
    spans: list[Span]
    words: list[int]


def align_pieces(word: Aligned, pieces: Sequence[str]) -> list[Span]:
    """Return the part of the original that each sub-word of a word came from."""
    ends = list(accumulate(map(len, pieces)))
    ends[-1] -= len(END_OF_WORD)
    bounds = list(pairwise([0, *ends]))
    if ends[-1] != len(word.text) or any(start == end for start, end in bounds):
        return [word.span] * len(pieces)  # a word with white space: the pieces lack it
    return [_union(word.spans[start:end]) for start, end in bounds]


def _union(spans: Sequence[Span]) -> Span:
    return spans[0][0], spans[-1][1]


def _in_order(spans: list[Span]) -> list[Span]:
    """Exchange spans so that they ascend; what came from one character stays together."""
    if all(left <= right for left, right in pairwise(spans)):
        return spans
    groups = [(span, len(list(same))) for span, same in groupby(spans)]
    places = sorted(span for span, _ in groups)
    return [place for place, (_, n) in zip(places, groups, strict=True) for _ in range(n)]


@cache
def _template(replacement: str) -> tuple[str | int, ...]:
    """Part a replacement into literal text and the numbers of groups."""
    parts: list[str | int] = []
    end = 0
    for match in _GROUP.finditer(replacement):
        parts += replacement[end : match.start()], int(match[1] or match[2])
        end = match.end()
    return tuple(part for part in (*parts, replacement[end:]) if part != "")
