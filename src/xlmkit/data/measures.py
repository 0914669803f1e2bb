"""Normal form of a text, and how many words and letters it has."""

import re
import unicodedata

# Characters of scripts that write no spaces and say more in one character than letters do.
_DENSE = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
UNSPACED = f"{_DENSE}\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # and Thai, Lao, Burmese, Khmer
_DENSE_CHARACTER = re.compile(f"[{_DENSE}]")
_WORD = re.compile(r"\w+(?:[^\w\s]+\w+)*")
_UNSPACED_RUN = re.compile(f"[{UNSPACED}]+")
CONTROL = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\ud800-\uf8ff\ufe00-\ufe0f\ufeff\ufff0-\ufffd\U000e0000-\U000e0fff]"
)
# Joiners change the shape of letters in some scripts and mean nothing elsewhere.
USELESS_JOINER = re.compile("(?<![\u0590-\u1fff])[\u200c\u200d]|[\u200c\u200d](?![\u0590-\u1fff])")


def normalize(text: str) -> str:
    """Return a text in NFC, without control and zero-width characters, single-spaced."""
    if not text.isascii():
        if not unicodedata.is_normalized("NFC", text):
            text = unicodedata.normalize("NFC", text)
        text = CONTROL.sub("", text)
        if "\u200c" in text or "\u200d" in text:
            text = USELESS_JOINER.sub("", text)
    elif not text.isprintable():
        text = CONTROL.sub("", text)
    elif "  " not in text and text == text.strip():
        return text  # as most are, which costs less to see than to do
    return " ".join(text.split())


def is_blank(text: str) -> bool:
    """Tell whether nothing is left of a text when it is normalised."""
    return not (text[:1].isalnum() or normalize(text))  # most begin with a letter


def count_words(text: str) -> int:
    """Return the number of words; two characters make one in scripts without spaces."""
    unspaced = 0
    if not text.isascii():
        for run in _UNSPACED_RUN.findall(text):
            unspaced += (len(run) + 1) // 2
        if unspaced:
            text = _UNSPACED_RUN.sub(" ", text)
    return unspaced + len(_WORD.findall(text))


def weighted_length(text: str) -> int:
    """Return the length in letters without spaces; a Chinese or Japanese character counts three."""
    length = len(text) - text.count(" ")
    return length if text.isascii() else length + 2 * len(_DENSE_CHARACTER.findall(text))


def letter_share(text: str) -> float:
    """Return the share of letters and their marks among the characters that are not spaces."""
    characters = text.replace(" ", "")
    others = [character for character in characters if not character.isalpha()]
    marks = sum(1 for character in others if unicodedata.category(character)[0] == "M")
    return 1 - (len(others) - marks) / len(characters) if characters else 0.0
