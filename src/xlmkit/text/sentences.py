"""Sentences of a text, told by the marks that end them."""

import re

from xlmkit.text.moses import MosesRules, moses_rules

# What closes a quotation or a bracket belongs to the sentence that it closes.
CLOSING = "\"'”’“»«)]』」》）】〉"
# Marks of the scripts that put a space behind them, then those of scripts that need none, and where
# a line ends. Several marks end one sentence; looking behind keeps long rows of dots linear.
_END = re.compile(
    rf"(?P<spaced>(?<![.!?…۔։])[.!?…۔։]+[{re.escape(CLOSING)}]*(?P<far>[ \u00a0\u202f]»)?)\s+"
    r"|(?P<close>(?:[。！？｡।॥؟።፧။]|．(?!\d))[。！？｡।॥؟።፧။．.!?…]*"
    r"(?:[”’』」》）】〉»)\]]|[\"'](?=\s|$))*)\s*"
    r"|\n"
)


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text, without the white space between them.

    It knows no abbreviations, and so cuts "Dr. Who" in two: right where parts need only be
    shorter, wrong where they are counted.
    """
    made, start = [], 0
    for end in _END.finditer(text):
        behind = max(end.end("spaced"), end.end("close"), end.start())
        if end["far"] and "«" not in text[start:behind]:  # it opens what comes: » Komm «
            made.append(text[start : behind - 2])
            start = behind - 1
        else:
            made.append(text[start:behind])
            start = end.end()
    return [part for part in (*made, text[start:]) if part]


def whole_sentences(text: str, language: str) -> list[str]:
    """Return the sentences of a text, each to stand for itself.

    Unlike those of `split_sentences` they go on behind Moses' abbreviations of the language, before
    a small letter, where the text has capitals, and behind the number of an item.
    """
    pieces = split_sentences(text)
    if len(pieces) == 1:
        return pieces
    rules, has_capitals = moses_rules(language), text != text.lower()
    made: list[str] = []
    for piece in pieces:
        if made and _goes_on(made[-1], piece, rules, has_capitals=has_capitals):
            made[-1] += f" {piece}"
        else:
            made.append(piece)
    return made


def _goes_on(before: str, behind: str, rules: MosesRules, *, has_capitals: bool) -> bool:
    """Tell whether a mark did not end a sentence; line ends and marks of other scripts do."""
    before = before.rstrip(CLOSING + " \u00a0\u202f")
    if before[-1:] not in (".", "!", "?", "…"):
        return False
    if not any(letter.isalpha() for letter in before) or (has_capitals and behind[0].islower()):
        return True
    word = before.split()[-1].lstrip("([{\"'„“«‘").removesuffix(".")
    if before[-1] != "." or not word:
        return False
    if word in rules.numeric_prefixes:
        return behind[0].isdigit()
    return word in rules.prefixes or ("." in word.rstrip(".") and word[0].isalpha())
