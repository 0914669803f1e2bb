"""Character-level normalisation, as XLM does it before words are split.

Every function gives exactly what its namesake in Hugging Face's XLM tokenizer gives; the
character tables are those of the Moses scripts `replace-unicode-punctuation.perl` and
`remove-non-printing-char.perl`, of XLM's `lowercase_and_remove_accent.py`, and of Sennrich's WMT16
scripts for Romanian. Most text passes most of them unchanged, so each first asks whether there is
anything to do.
"""

import re
import unicodedata

WIDE_FULL_STOP = re.compile(r"[。．]\s*")
_PUNCTUATION = {
    "，": ",",
    "、": ",",
    "”": '"',
    "“": '"',
    "∶": ":",
    "：": ":",
    "？": "?",
    "《": '"',
    "》": '"',
    "）": ")",
    "！": "!",
    "（": "(",
    "；": ";",
    "」": '"',
    "「": '"',
    "～": "~",
    "’": "'",
    "…": "...",
    "━": "-",
    "〈": "<",
    "〉": ">",
    "【": "[",
    "】": "]",
    "％": "%",
    **{chr(ord("０") + digit): str(digit) for digit in range(10)},
}
_ANY_PUNCTUATION = re.compile(f"[{''.join(_PUNCTUATION)}]")
PUNCTUATION_TABLE = str.maketrans(_PUNCTUATION)

# Cedilla and comma forms of s and t, and the vowels with a breve or a circumflex, become plain.
ROMANIAN_TABLE = str.maketrans(dict(zip("ŞşŢţȘșȚțĂăÂâÎî", "SsTtSsTtAaAaIi", strict=True)))


def replace_unicode_punctuation(text: str) -> str:
    """Turn East Asian and typographic punctuation and full-width digits into their ASCII forms.

    A full-width or ideographic full stop also takes the white space behind it and leaves one space.
    """
    if text.isascii():
        return text
    text = WIDE_FULL_STOP.sub(". ", text)
    return text.translate(PUNCTUATION_TABLE) if _ANY_PUNCTUATION.search(text) else text


def remove_non_printing(text: str) -> str:
    """Remove control, format, surrogate, private-use and unassigned characters (category C)."""
    return text if text.isprintable() else "".join(filter(prints, text))


def prints(character: str) -> bool:
    """Tell whether a character is none that `remove_non_printing` removes."""
    # isprintable() is false exactly for the categories C and Z without the ASCII space.
    return character.isprintable() or unicodedata.category(character)[0] != "C"


def lowercase_and_remove_accent(text: str) -> str:
    """Lower the case and drop every non-spacing mark of the decomposed text.

    The marks are the category Mn, which also takes vowel signs of Indic scripts, Arabic vowel
    points and Thai vowels: a trait of XLM, not a mistake here.
    """
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFD", text.lower())
    kept = [c for c in decomposed if c.isascii() or unicodedata.category(c) != "Mn"]
    # Lowered once more: taking a mark away can uncover a letter that has a lower-case form.
    return "".join(kept).lower()


def remove_romanian_diacritics(text: str) -> str:
    """Replace the Romanian letters with diacritics by their plain forms, as for XLM's en-ro."""
    return text if text.isascii() else text.translate(ROMANIAN_TABLE)
