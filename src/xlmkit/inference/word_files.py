"""`xlmkit fill-mask` and `xlmkit generate`: lines in, what the model writes out."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from xlmkit.core.config import config_of_settings
from xlmkit.core.streams import input_lines, output_lines
from xlmkit.core.unfinished import check_output
from xlmkit.generate.config import SearchConfig
from xlmkit.inference.fill_mask import FillMask
from xlmkit.inference.generator import TextGenerator
from xlmkit.inference.words import allowed_tokens

_CHUNK = 512  # lines


def fill_mask(
    model: Path,
    source: Path | None,
    target: Path | None,
    *,
    lang: str,
    top: int,
    mask: str,
    only_language: bool,
    allowed: Path | None,
) -> None:
    """Write a line of JSON for every text: the text, and for each mask its tokens.

    Raises:
        UserError: see `FillMask` and `allowed_tokens`; or a file cannot be read or written.
    """
    check_output([source, allowed], target)
    filler = FillMask.from_pretrained(model, mask=mask)
    tokens = allowed_tokens(filler.tokenizer, lang, only_language=only_language, path=allowed)
    with input_lines(source) as lines, output_lines(target) as (stream, _):
        done = 0
        while chunk := list(islice(lines, _CHUNK)):
            filled = filler.fill(chunk, lang, top=top, allowed=tokens, first=done + 1)
            done += len(chunk)
            for text, masks in zip(chunk, filled, strict=True):
                row = {"text": text, "masks": [[asdict(one) for one in best] for best in masks]}
                stream.write(f"{json.dumps(row, ensure_ascii=False)}\n")
            stream.flush()


def generate(
    model: Path,
    prompts: Sequence[str],
    source: Path | None,
    target: Path | None,
    *,
    lang: str,
    settings: Sequence[str],
    max_new: int,
    only_language: bool,
    allowed: Path | None,
) -> None:
    """Write a text for every prompt; with `n_best` above 1, number, score and text by tabs.

    Args:
        model: a pretrained model's folder.
        prompts: without any, the lines of `source` are taken.
        source: a file; None reads standard input.
        target: a file; None writes to standard output.
        lang: the language to write.
        settings: `key=value` of `SearchConfig`.
        max_new: most tokens behind a prompt.
        only_language: only tokens in the language's scripts.
        allowed: a text whose tokens are allowed.

    Raises:
        UserError: see `TextGenerator` and `allowed_tokens`; or a file cannot be read or written.
    """
    check_output([source, allowed], target)
    search = config_of_settings(SearchConfig, settings, "the search")
    generator = TextGenerator.from_pretrained(model)
    tokens = allowed_tokens(generator.tokenizer, lang, only_language=only_language, path=allowed)
    lines = list(prompts)
    if not lines:
        with input_lines(source) as stream:
            lines = list(stream)
    made = generator.generate(lines, lang, search, max_new=max_new, allowed=tokens)
    with output_lines(target) as (out, _):
        for number, texts in enumerate(made, start=1):
            for one in texts:
                before = f"{number}\t{one.score:.4f}\t" if search.n_best > 1 else ""
                out.write(f"{before}{one.text}\n")
