"""Which letters belong to which script: the blocks of Unicode that each script occupies."""

import re
from functools import cache

SCRIPTS: dict[str, str] = {
    "Latin": "A-Za-z\u00aa\u00ba\u00c0-\u024f\u0250-\u02af\u1d00-\u1d7f\u1d80-\u1dbf\u1e00-\u1eff"
    "\u212a\u212b\u2c60-\u2c7f\ua722-\ua7ff\uab30-\uab6f\ufb00-\ufb06\uff21-\uff3a\uff41-\uff5a",
    "Greek": "\u0370-\u03ff\u1f00-\u1fff",
    "Cyrillic": "\u0400-\u052f\u1c80-\u1c8f\u2de0-\u2dff\ua640-\ua69f",
    "Armenian": "\u0530-\u058f\ufb13-\ufb17",
    "Hebrew": "\u0590-\u05ff\ufb1d-\ufb4f",
    "Arabic": "\u0600-\u06ff\u0750-\u077f\u0870-\u08ff\ufb50-\ufdff\ufe70-\ufeff",
    "Syriac": "\u0700-\u074f\u0860-\u086f",
    "Thaana": "\u0780-\u07bf",
    "Devanagari": "\u0900-\u097f\ua8e0-\ua8ff",
    "Bengali": "\u0980-\u09ff",
    "Gurmukhi": "\u0a00-\u0a7f",
    "Gujarati": "\u0a80-\u0aff",
    "Oriya": "\u0b00-\u0b7f",
    "Tamil": "\u0b80-\u0bff",
    "Telugu": "\u0c00-\u0c7f",
    "Kannada": "\u0c80-\u0cff",
    "Malayalam": "\u0d00-\u0d7f",
    "Sinhala": "\u0d80-\u0dff",
    "Thai": "\u0e00-\u0e7f",
    "Lao": "\u0e80-\u0eff",
    "Tibetan": "\u0f00-\u0fff",
    "Myanmar": "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f",
    "Georgian": "\u10a0-\u10ff\u1c90-\u1cbf\u2d00-\u2d2f",
    "Hangul": "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff\uffa0-\uffdc",
    "Ethiopic": "\u1200-\u139f\u2d80-\u2ddf\uab00-\uab2f",
    "Khmer": "\u1780-\u17ff\u19e0-\u19ff",
    "Mongolian": "\u1800-\u18af",
    "Javanese": "\ua980-\ua9df",
    "Tifinagh": "\u2d30-\u2d7f",
    "Kana": "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f\U0001b000-\U0001b16f",
    "Bopomofo": "\u3100-\u312f\u31a0-\u31bf",
    "Han": "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff",
}
"""Script -> its blocks, in the notation of a regular expression's character class."""

# Letters and letter-like numbers that no script owns: modifiers, superscripts, circled numbers.
_COMMON = (
    "\u00b2\u00b3\u00b5\u00b9\u00bc-\u00be\u02b0-\u02ff\u2070-\u209f\u2100-\u2129\u212c-\u218f"
    "\u2460-\u24ff\u2776-\u2793\u3192-\u319f\u3220-\u33ff\U0001d400-\U0001d7ff\U0001f100-\U0001f1ff"
)
_LETTER = re.compile(rf"[^\W\d_{_COMMON}]")


@cache
def _foreign_letter(scripts: tuple[str, ...]) -> re.Pattern[str]:
    own = "".join(SCRIPTS[script] for script in scripts)
    return re.compile(rf"[^\W\d_{_COMMON}{own}]")


def is_letter(character: str) -> bool:
    """Tell whether a character is a letter that some script owns."""
    return _LETTER.match(character) is not None


def is_foreign_letter(character: str, scripts: tuple[str, ...]) -> bool:
    """Tell whether a character is a letter of none of these scripts."""
    return _foreign_letter(scripts).match(character) is not None


def letter_share(text: str, scripts: tuple[str, ...]) -> float:
    """Return the share of a text's letters that belong to these scripts, 1.0 if it has no letters.

    Vowel signs, digits and punctuation are no letters.
    """
    if "Latin" in scripts and text.isascii():
        return 1.0
    letters = len(_LETTER.findall(text))
    if not letters:
        return 1.0
    return 1.0 - len(_foreign_letter(scripts).findall(text)) / letters
