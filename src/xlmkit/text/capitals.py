"""Capitals for text that was written without any: at the beginning of every sentence.

What a model of lower-cased text has lost, such as the capitals of names and of German nouns, no
rule brings back. A mark behind an abbreviation is taken for the end of a sentence. Scripts without
case stay as they are.
"""

from unicodedata import category

from xlmkit.text.sentences import CLOSING, split_sentences

_TURKIC = {"i": "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}"}
_DOTTED = {"tr", "az"}  # where the capital of i keeps its dot


def capitalised(text: str, language: str) -> str:
    """Return a text with a capital at the beginning of each of its sentences.

    Args:
        text: one line, as the language writes it.
        language: its code.
    """
    made, rest, closed = [], text, False
    for sentence in split_sentences(text):
        before, _, rest = rest.partition(sentence)
        # Behind a quotation its sentence may go on: "Where?" he said.
        made += [before, sentence if closed else _begun(sentence, language)]
        closed = sentence[-1] in CLOSING
    return "".join([*made, rest])


def _begun(sentence: str, language: str) -> str:
    """Raise the first letter, unless a number or the end of a quotation comes before it."""
    for place, letter in enumerate(sentence):
        if letter.isalpha():
            capital = letter.title()
            if language in _DOTTED:
                capital = _TURKIC.get(letter, capital)
            return sentence[:place] + capital + sentence[place + 1 :]
        closes = category(letter) in ("Pe", "Pf") and sentence[place + 1 : place + 2].isspace()
        if letter.isalnum() or closes:
            break
    return sentence
