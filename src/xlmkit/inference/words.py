"""Words and models: where a text's words stand, and which a model that predicts words may take."""

import re
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import LANGUAGE_MODEL, TRANSLATOR
from xlmkit.core.errors import UserError
from xlmkit.core.streams import input_lines
from xlmkit.data.measures import normalize
from xlmkit.data.normal_spans import aligned_normal
from xlmkit.text.aligned_words import aligned_words
from xlmkit.text.alignment import Span
from xlmkit.text.bpe import END_OF_WORD
from xlmkit.text.languages import check_known, script_share
from xlmkit.text.segment import DEFAULT_SEGMENTERS, NONE, segmenter
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import SPECIAL_TOKENS


def check_predicts_words(bundle: Bundle) -> None:
    """See that a model has its word prediction.

    Raises:
        UserError: it has another head.
    """
    if bundle.head == TRANSLATOR:
        raise UserError(
            "This model is an encoder-decoder; let it write with xlmkit translate or summarize."
        )
    if bundle.head != LANGUAGE_MODEL:
        raise UserError(
            f"This model is a {bundle.head}, which predicts no words; take a pretrained one, such "
            "as a folder below pretrain/."
        )


def language_number(tokenizer: Tokenizer, lang: str) -> int:
    """Return the id of a language.

    Raises:
        UserError: the model does not know it.
    """
    check_known(lang, tokenizer.lang2id)
    return tokenizer.lang2id[lang]


def word_spans(
    tokenizer: Tokenizer, text: str, language: str, *, spaces: bool = False
) -> list[Span]:
    """Return where the words of a text stand in it.

    Args:
        tokenizer: of the model.
        text: the text.
        language: its language, by whose rules words are found, as the tokenizer does.
        spaces: that spaces alone stand between words.
    """
    if spaces:
        return _between_spaces(text)
    tokens = tokenizer.align(aligned_normal(text), language)
    found: dict[int, Span] = {}
    for word, (start, end) in zip(tokens.words, tokens.spans, strict=True):
        found[word] = (found.get(word, (start, end))[0], end)
    return list(found.values())


def spans_by_rules(text: str, language: str, *, spaces: bool = False) -> list[Span]:
    """Return where the words of a text stand in it, for models that know no words by themselves.

    Args:
        text: the text.
        language: its language, by whose rules words are found, as the tokenizer of XLM does.
        spaces: that spaces alone stand between words.
    """
    if spaces:
        return _between_spaces(text)
    cut = segmenter(DEFAULT_SEGMENTERS.get(language, NONE))
    return [word.span for word in aligned_words(aligned_normal(text), language, cut)]


def _between_spaces(text: str) -> list[Span]:
    return [match.span() for match in re.finditer(r"\S+", text)]


def ordinary_tokens(tokenizer: Tokenizer) -> Tensor:
    """Return True at all tokens of text, False at special ones, (V,)."""
    return torch.arange(len(tokenizer)) >= len(SPECIAL_TOKENS)


def script_tokens(tokenizer: Tokenizer, lang: str) -> Tensor:
    """Return True at tokens whose letters all are of a language's scripts, (V,).

    Digits and punctuation belong to every language.
    """
    symbols = tokenizer.vocabulary.symbols
    fits = [script_share(symbol.replace(END_OF_WORD, ""), lang) == 1 for symbol in symbols]
    return torch.tensor(fits) & ordinary_tokens(tokenizer)


def tokens_of_texts(tokenizer: Tokenizer, texts: Iterable[str], lang: str) -> Tensor:
    """Return True at the tokens that some texts have, (V,)."""
    allowed = torch.zeros(len(tokenizer), dtype=torch.bool)
    for ids in tokenizer.encode_batch(list(map(normalize, texts)), lang):
        allowed[torch.from_numpy(ids).long()] = True
    return allowed & ordinary_tokens(tokenizer)


def allowed_tokens(
    tokenizer: Tokenizer, lang: str, *, only_language: bool, path: Path | None
) -> Tensor | None:
    """Return what the options of the command line allow, None for all.

    Args:
        tokenizer: of the model.
        lang: the language.
        only_language: only tokens in the language's scripts.
        path: a text whose tokens are allowed.

    Raises:
        UserError: the language is unknown, or the text cannot be read or allows nothing.
    """
    language_number(tokenizer, lang)
    allowed = script_tokens(tokenizer, lang) if only_language else None
    if path is not None:
        with input_lines(path) as lines:
            of_text = tokens_of_texts(tokenizer, lines, lang)
        allowed = of_text if allowed is None else allowed & of_text
    if allowed is not None and not bool(allowed.any()):
        raise UserError(f"No token of the vocabulary is allowed in {lang}; allow others.")
    return allowed
