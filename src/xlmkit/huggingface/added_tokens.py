"""Finding added and special tokens in a text."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from tokenizers import AddedToken


class Chunk(NamedTuple):
    """A part of a text: an added token with its id, or anything else (`id` None)."""

    start: int
    end: int
    id: int | None


class AddedTokenSplitter:
    """Parts a text into added tokens and what stands between them, the longest token first."""

    def __init__(self, tokens: Mapping[int, AddedToken], *, ignore_case: bool) -> None:
        """Prepare for the tokens.

        Args:
            tokens: id -> token, with its rules about white space beside it.
            ignore_case: whether tokens that are normalised are found in upper case too.
        """
        self._tokens = {token.content: (index, token) for index, token in tokens.items()}
        folded = {t.content for t in tokens.values() if t.normalized and not t.special}
        patterns = [
            f"(?i:{re.escape(content)})"
            if ignore_case and content in folded
            else re.escape(content)
            for content in sorted(self._tokens, key=len, reverse=True)
            if content
        ]
        self._pattern = re.compile("|".join(patterns) or r"(?!)")

    def split(self, text: str) -> list[Chunk]:
        """Return the parts of a text; white space that a token asks to strip is in none."""
        chunks = []
        end = 0
        for match in self._pattern.finditer(text):
            found = self._tokens.get(match[0]) or self._tokens.get(match[0].lower())
            if found is None:  # a letter such as İ, which is no i when it is lowered
                continue
            index, token = found
            if token.single_word and not _stands_alone(match):
                continue
            before = text[end : match.start()]
            if token.lstrip:
                before = before.rstrip()
            if before:
                chunks.append(Chunk(end, end + len(before), None))
            chunks.append(Chunk(*match.span(), index))
            end = match.end()
            if token.rstrip:
                end = len(text) - len(text[end:].lstrip())
        if end < len(text):
            chunks.append(Chunk(end, len(text), None))
        return chunks


def _stands_alone(match: re.Match[str]) -> bool:
    text = match.string
    before, behind = text[: match.start()][-1:], text[match.end() :][:1]
    return before in ("", " ") and behind in ("", " ")
