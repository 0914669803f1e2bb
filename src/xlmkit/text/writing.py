"""Words to a text as its language writes it: Moses' rules for joining words, and what they lack.

Moses' detokeniser knows the ASCII marks and the apostrophes of a few languages. Here come the marks
of other scripts, apostrophes inside words, and signs between letters or digits. Where both ways of
writing exist, the one that texts have more often is written.
"""

import re
from collections.abc import Sequence

from xlmkit.text.apostrophes import with_apostrophes, with_gershayim
from xlmkit.text.languages import CHINESE
from xlmkit.text.moses import Apostrophes, moses_rules
from xlmkit.text.wide_marks import with_wide_marks

# Marks that follow a word without a space: Arabic, Indic, Ethiopic, Armenian, Khmer, Burmese and
# full-width ones, small figures, and accents that no letter has by itself.
_SPACE_BEFORE_MARK = re.compile(
    " +(?=[،؛؟۔।॥።፣፤፥፦፧፨፡։՝՛՜՞។៕၊။。、，．！？：；）」』】》〉²³\u0300-\u036f])"
)
_SPACES_WITHIN = re.compile(
    r"(?<=\w) ([/_\u2010\u2011\u05be]) (?=\w)"  # and/or, km/h, a non-breaking hyphen, a maqaf
    r"|(?<=\d)(:) (?=\d\d(?!\d))"  # 12:30
    r"|(?<=\w) (@) (?=\w[\w-]*\.\w)"  # somebody@example.org
    r"|(?<=\w)(:) / / (?=\w)"  # https://
)
_MIDDLE_DOT = re.compile(r"(?<=\w) · (?=\w)")  # col·lecció, 乔治·沃克
_DEGREE = re.compile(r"(?<=\d) °(?: (?=[CFС]\b))?")
_ENDING_BEHIND_COLON = {  # EU:s, EU:n
    "sv": re.compile(r"(?<=\w): (?=(?:s|n|t|a|e)\b)"),
    "fi": re.compile(r"(?<=\w): (?=(?:n|t|a|ä|ta|tä|ssa|ssä|sta|stä|lla|llä|lle|iin|een)\b)"),
}
_ODD = re.compile(r"[^A-Za-z0-9 .,?!()'\"-]")  # what none of the rules needs is told at once


def written(words: Sequence[str], language: str) -> str:
    """Return a text for reading.

    Args:
        words: as `moses_words` splits them.
        language: its code.
    """
    rules = moses_rules(language)
    if "'" in words and rules.apostrophes is Apostrophes.NOTHING:
        words = with_apostrophes(words, language)
    if '"' in words and language in ("he", "yi"):
        words = with_gershayim(words)
    text = rules.detokenize(list(words))
    if language in CHINESE or language == "ja":
        text = with_wide_marks(text, language)
    if not _ODD.search(text):
        return text
    text = _SPACE_BEFORE_MARK.sub("", text)
    text = _SPACES_WITHIN.sub(_without_spaces, text)
    if "·" in text:
        # In Greek it ends a clause.
        text = text.replace(" ·", "·") if language == "el" else _MIDDLE_DOT.sub("·", text)
    if "°" in text:
        text = _DEGREE.sub("°", text)
    if language in _ENDING_BEHIND_COLON:
        text = _ENDING_BEHIND_COLON[language].sub(":", text)
    return text


def _without_spaces(match: re.Match[str]) -> str:
    return match[0].replace(" ", "")
