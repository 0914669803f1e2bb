"""The languages of a tokenizer, and which one each text of a call is in."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from xlmkit.core.errors import MissingPackageError, UserError
from xlmkit.text.languages import likely_code
from xlmkit.text.segment import check_segmenter_name, segmenter

ENGLISH = "en"
"""The language of a text where nothing else is said, as in `transformers`."""

RowLanguages = tuple[str | None, str | None]
"""Of the first and the second text; None asks for the tokenizer's default."""

CallLanguage = str | RowLanguages | list[str | RowLanguages | None]
"""One for all texts, a tuple for the two of a pair, a list with one item for each row."""


def languages_of_rows(
    lang: CallLanguage | None,
    text_pair_lang: str | list[str | None] | None,
    pairs: Sequence[bool],
    *,
    batched: bool,
) -> list[RowLanguages]:
    """Return the languages of each row.

    Args:
        lang: see `CallLanguage`.
        text_pair_lang: of the second texts, where it is another; one for all, or a list.
        pairs: for each row, whether it has a second text.
        batched: whether the call was given a batch.

    Raises:
        ValueError: the languages do not fit the rows.
    """
    firsts = _for_rows(lang, "lang", len(pairs), batched)
    seconds = _for_rows(text_pair_lang, "text_pair_lang", len(pairs), batched)
    return [_of_row(*row) for row in zip(firsts, seconds, pairs, strict=True)]


def _for_rows(languages: object, name: str, rows: int, batched: bool) -> list[object]:
    if not isinstance(languages, list):
        return [languages] * rows
    if not batched:
        raise ValueError(f"{name} is a list, but one text was given; give {name} as a string.")
    if len(languages) != rows:
        raise ValueError(f"{name} has {len(languages)} languages for {rows} texts; give as many.")
    return languages


def _of_row(first: object, second: object, pair: bool) -> RowLanguages:
    match first, second:
        case (str() | None, str() | None) if pair:
            return first, second or first
        case (str() | None, None):
            return first, None
        case (str() | None, str()):
            raise ValueError("text_pair_lang is given, but there is no second text.")
        case ((str() | None) as left, (str() | None) as right), None if isinstance(first, tuple):
            if pair:
                return left, right
            raise ValueError(
                f"lang={first} names the two languages of a pair, but there is no second text; "
                "the languages of several texts are a list."
            )
    raise ValueError(
        f"lang={first!r} and text_pair_lang={second!r} are no languages: give a string such as "
        "'fr', a tuple of two for a pair, or a list with one for each text."
    )


class TokenizerLanguages:
    """What a tokenizer knows of languages.

    Attributes:
        lang2id: language -> id, None if the tokenizer knows no languages.
        id2lang: the reverse.
        lang: the language of texts where a call names none.
        segmenters: language -> segmenter, see `xlmkit.text.segment`.
    """

    lang2id: dict[str, int] | None
    id2lang: dict[int, str] | None
    lang: str | None
    segmenters: dict[str, str]

    def _set_languages(
        self,
        lang2id: Mapping[str, int] | None,
        id2lang: Mapping[int, str] | None,
        lang: str | None,
        segmenters: Mapping[str, str],
    ) -> None:
        """Take the languages, and see that they fit together.

        Raises:
            ValueError: they do not, or there is no such segmenter.
        """
        self.lang2id = None if lang2id is None else dict(lang2id)
        self.id2lang = {index: code for code, index in lang2id.items()} if lang2id else None
        # A JSON file has its ids as strings.
        given = {int(index): code for index, code in (id2lang or {}).items()}
        if id2lang is not None and given != (self.id2lang or {}):
            raise ValueError("id2lang is not the reverse of lang2id; leave it out.")
        self.segmenters = dict(segmenters)
        for name in self.segmenters.values():
            try:
                check_segmenter_name(name)
            except UserError as error:
                raise ValueError(str(error)) from None
        self.lang = lang
        if lang is not None:
            self.known_language(lang)

    def known_language(self, lang: str | None) -> str:
        """Return the language of a text, the default if none is named.

        Raises:
            ValueError: the tokenizer has no such language, or the text's is not known.
        """
        lang = lang or self.lang
        known = list(self.lang2id or ())
        if lang is None:
            if known and ENGLISH not in known and len(known) > 1:
                raise ValueError(f"Say which language the text is in: lang= one of {_list(known)}.")
            return known[0] if known and ENGLISH not in known else ENGLISH
        if known and lang not in known:
            meant = likely_code(lang)
            near = [meant] if meant in known else get_close_matches(lang.lower(), known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise ValueError(f"This tokenizer has no language {lang!r}, only {_list(known)}{hint}")
        return lang

    def language_id(self, lang: str) -> int:
        """Return the id of a language.

        Raises:
            ValueError: the tokenizer knows no languages.
        """
        if not self.lang2id:
            raise ValueError("This tokenizer has no lang2id, so it cannot return langs.")
        return self.lang2id[lang]

    def check_segmenter(self, lang: str) -> None:
        """See that a language's segmenter can be used.

        Raises:
            ImportError: its package is not installed.
            ValueError: its model is missing.
        """
        try:
            segmenter(self.segmenters.get(lang, "none"))
        except MissingPackageError:
            raise
        except UserError as error:
            raise ValueError(str(error)) from None


def _list(languages: Sequence[str]) -> str:
    return ", ".join(languages)
