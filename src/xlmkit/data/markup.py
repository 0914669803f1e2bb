"""Removing what is not language from the messages of programs and from web text.

What a program puts between the words (tags, placeholders, accelerator marks, code) is the same in
every language, so that a model would learn from it what it should learn from the words.
"""

import html
import re
from collections.abc import Collection

from xlmkit.data.source_base import Markup


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_INLINE_TAGS = _names(
    "a abbr acronym b bdi bdo big blink cite code del dfn em font i img ins kbd mark nobr q s samp "
    "small span strike strong sub sup svg time tt u var wbr"
)
_BLOCK_TAGS = _names(
    "address article aside blockquote body br button caption center dd details div dl dt fieldset "
    "figure footer form h1 h2 h3 h4 h5 h6 head header hr html iframe input label legend li link "
    "main meta nav ol optgroup option p param picture pre script section select source style "
    "summary table tbody td textarea tfoot th thead title tr ul video"
)
_TAG = re.compile(r"<!--.*?-->|<(/?)([^\W\d_][\w:.-]*)([^<>]*)>", re.DOTALL)

_PRINTF = r"""
    %\([^()\s]*\)[-+#0\ ]*\d*(?:\.\d+)?[diouxXeEfFgGcrsaA]?  # %(name)s
    | %(?:\d+\$)?[-+#0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|j|z|t|q|L)?
      (?:[sd] | [iouxXeEfFgGcr@](?![A-Za-z]))                 # %s, %1$d
    | %[-+#0]*\d*\.\d+[eEfFgG]                                # %.2f
    | (?<!\w)%[A-Za-z](?![A-Za-z])                            # %Y and other dates
    | %%(?=%)
"""
_TEMPLATE = r"""
    \{%.*?%\} | \{\$.*?\$\} | \{\{.*?\}\} | \[\[.*?\]\]       # {% tag %}, {$ x $}, {{ x }}, [[x]]
    | [%$\#]\{[^{}]*\} | \{[^{}]*\}                           # %{x}, ${x}, #{x}, {x}
    | \$\([^()\s]+\)                                          # $(x)
"""
_PLACEHOLDER = re.compile(f"{_PRINTF}|{_TEMPLATE}", re.DOTALL | re.VERBOSE)
_BRACKETED_ACCELERATOR = re.compile(r"\s*[(（][&_]\w[)）]")
_ACCELERATOR = re.compile(r"(?<!\w)(?:_|&(?!\w+;))(?=[^\W\d_])")
_INNER_ACCELERATOR = re.compile(r"(?<=[^\W\d_])(?:_|&(?!\w+;))(?=[^\W\d_])")
_MARKDOWN_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_LINK = re.compile(
    r"\b(?:https?|ftp|ssh|git|file|mailto)://?[^\s<>\"'（），。；：、“”«»]*"
    r"|\bwww\.[^\s<>\"'（），。；：、“”«»]+"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    re.ASCII,
)
_CODE = re.compile(
    r"`{1,3}[^`]*`{1,3}"
    r"|(?<![\w-])--?[A-Za-z][\w-]*(?:=\S*)?(?=[\s,.;)]|$)"  # --option=value
    r"|\\(?:u[0-9a-fA-F]{4}|[nrt]\b)"  # escapes of programming languages
    r"|(?:(?<=[\s\"'(])|^)(?:~|\.{1,2})?/(?:[\w.*-]+/)*[\w*-]+(?:\.\w+)*/?"  # /a/path.txt
    r"|\w+(?:::\w+)+"
    r"|(?<![\w-])[\w-]*\w_\w[\w-]*(?:\([^()]*\))?",  # an_identifier
)
_OPTION_OR_PATH = re.compile(r"[`\\/_]|::|(?:^|\s)-")

_CHINESE = "\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef"  # with its punctuation
_EMPTY_QUOTES = re.compile(
    r"\"\s*\"|(?<![A-Za-z])'\s*'(?![A-Za-z])|``|“\s*”|„\s*[“”]|‘\s*’|«\s*»|‹\s*›|「\s*」|『\s*』|《\s*》|`\s*'"
)
_EMPTY_BRACKETS = re.compile(r"[(\[（【{<][^\w()\[\]（）【】{}<>]*[)\]）】}>]")
_LONE_SYMBOLS = re.compile(r"(?<!\S)[#@*|%\\~^_§№]+(?=[.,;:!?]?(?:\s|$))")
_LONE_ENDING = re.compile(r"(?<!\S)['’][^\W\d_]{1,6}(?![\w'’])")  # of a word that was removed
_LONE_ARTICLE = re.compile(r"(?<!\w)([^\W\d_]{1,2}['’])\s+(?=[^\W\d_])")
_SPACE_BEFORE_STOP = re.compile(r"\s+(?=[.,](?:\s|$)|[，。、）)])")
_SPACE_IN_CHINESE = re.compile(f"(?<=[{_CHINESE}])\\s+(?=[{_CHINESE}])")
_REPEATED_STOPS = re.compile(r"[,;:，；：、](?=\s*[,;:.!?，；：、。！？])\s*|(?<=[(（\[])[\s,;:=]+")
_FIRST_STOPS = re.compile(r"^[\s.,;:!?)\]}*#=|/\\~%+•·，。、；：！？）】»”…–—-]+")
_LAST_STOPS = re.compile(r"[\s,;:=*#|/\\~+(\[{•·，、；：（【«“–—-]+$")


def remove_markup(text: str, kinds: Collection[Markup]) -> tuple[str, int]:
    """Return a text without the named kinds of mark-up, and how many placeholders it had.

    `tags` are those of HTML and XML; `entities` (`&nbsp;`) become the characters they stand for;
    `placeholders` are those of printf and of template languages; `accelerators` mark the key of a
    menu entry (`_File`, `&File`, `文件(&F)`); `links` are web and mail addresses; `code` is what
    stands in back-ticks, options, paths and identifiers. Where placeholders are removed, so is the
    punctuation that belonged to them: empty quotes and brackets, a colon at the end.
    """
    original, placeholders = text, 0
    if "tags" in kinds and "<" in text:
        text = _TAG.sub(_without_tag, text)
    if "entities" in kinds and "&" in text:
        text = html.unescape(text)
        if "tags" in kinds and "<" in text:
            text = _TAG.sub(_without_tag, text)
    if "links" in kinds:
        text = _without_links(text)
    if "placeholders" in kinds and ("%" in text or "{" in text or "[[" in text or "$(" in text):
        text, placeholders = _without_placeholders(text)
    if "accelerators" in kinds and ("_" in text or "&" in text):
        text = _without_accelerators(text)
    if "code" in kinds and _OPTION_OR_PATH.search(text):
        text = _CODE.sub("", text)
    if "placeholders" in kinds:
        text = tidy(text) if text != original else _LAST_STOPS.sub("", _FIRST_STOPS.sub("", text))
    return text, placeholders


def _without_tag(match: re.Match[str]) -> str:
    """Drop a tag; what only looks like one, as in "choose a <name>", loses its brackets."""
    slash, name, rest = match.groups()
    if name is None or (lowered := name.lower()) in _BLOCK_TAGS:
        return " "
    if lowered in _INLINE_TAGS or slash or "=" in rest or rest.endswith("/"):
        return ""
    return f"{name}{rest}"


def _without_links(text: str) -> str:
    if "](" in text:
        text = _MARKDOWN_LINK.sub(r"\1", text)
    if "://" in text or "@" in text or "www." in text or "mailto:" in text:
        text = _LINK.sub("", text)
    return text


def _without_placeholders(text: str) -> tuple[str, int]:
    text, count = _PLACEHOLDER.subn("", text)
    more = count
    while more and "{" in text:  # what was nested
        text, more = _PLACEHOLDER.subn("", text)
        count += more
    return text.replace("%%", "%"), count


def _without_accelerators(text: str) -> str:
    text = _BRACKETED_ACCELERATOR.sub("", text)
    text = _ACCELERATOR.sub("", text)
    if text.count("_") == 1 or (text.count("&") == 1 and "_" not in text):
        text = _INNER_ACCELERATOR.sub(_joined, text)
    return text


def _joined(match: re.Match[str]) -> str:
    """Join a word with an accelerator inside; "AT&T" is none, since a small letter must follow."""
    follows = match.string[match.end()]
    return "" if match[0] == "_" or follows.islower() else match[0]


def tidy(text: str) -> str:
    """Return a text without the punctuation that removed words left behind."""
    for pattern in (_EMPTY_QUOTES, _EMPTY_BRACKETS, _EMPTY_QUOTES, _LONE_SYMBOLS, _LONE_ENDING):
        text = pattern.sub(" ", text)
    text = _LONE_ARTICLE.sub(r"\1", text)
    text = _REPEATED_STOPS.sub("", text)
    text = _SPACE_IN_CHINESE.sub("", text)
    text = _SPACE_BEFORE_STOP.sub("", " ".join(text.split()))
    return _LAST_STOPS.sub("", _FIRST_STOPS.sub("", text))
