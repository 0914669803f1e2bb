"""The marks of Chinese and Japanese, which are ASCII ones between words and models.

Cleaning makes one mark of several: ideographic commas and others, all kinds of quotation marks.
What comes back is the most frequent one.
"""

import re

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff々〆〇"
_ANY_CJK = re.compile(f"[{_CJK}]")
_WIDE = str.maketrans(",.?!:;", "，。？！：；")
_JAPANESE = str.maketrans(",.?!:;", "、。？！：；")
# Behind a character or a closing mark; behind other letters where a character follows.
_MARK = re.compile(
    f"(?<=[{_CJK}”」）)])(?:[,?!:;]|\\.(?!\\.)) ?"
    f"|(?<=[A-Za-z0-9%])[,?!:;] ?(?=[{_CJK}“「（])"
    f"|(?<=[A-Za-z])\\. ?(?=[{_CJK}“「（])"
    r"|(?<=[A-Za-z0-9%])[.?!]$"
)
_QUOTED = re.compile(r' ?"([^"]*)" ?')
_BRACKETED = re.compile(r" ?\(([^()]*)\) ?")


def with_wide_marks(text: str, language: str) -> str:
    """Return a text with its full-width marks, and no spaces beside them.

    Args:
        text: with ASCII marks; without any character of the language it stays.
        language: a Chinese one, or ja.
    """
    if not _ANY_CJK.search(text):
        return text
    japanese = language == "ja"
    if '"' in text and text.count('"') % 2 == 0:
        opening, closing = "「」" if japanese else "“”"
        text = _QUOTED.sub(lambda m: f"{opening}{m[1].strip()}{closing}", text)
    if "(" in text:
        text = _BRACKETED.sub(
            lambda m: f"（{m[1]}）" if japanese or _ANY_CJK.search(m[1]) else m[0], text
        )
    table = _JAPANESE if japanese else _WIDE
    return _MARK.sub(lambda m: m[0].strip().translate(table), text)
