"""What `xlmkit align` does: sentences or files in, pairs of words out, with a page on demand."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from xlmkit.core.errors import UserError
from xlmkit.core.files import atomic_write
from xlmkit.core.log import say
from xlmkit.core.streams import input_lines, output_lines
from xlmkit.core.unfinished import check_output
from xlmkit.evaluate.drawing import palette_css
from xlmkit.evaluate.word_alignment import alignment_quality, read_gold, to_pharaoh
from xlmkit.explain.grid import word_grid
from xlmkit.explain.page import template
from xlmkit.inference.aligner import WordAligner, WordAlignment

_AT_ONCE = 256  # pairs of sentences
_ON_A_PAGE = 100

Sentences = tuple[Sequence[str], Sequence[str]]


def align(
    model: Path,
    src: str,
    tgt: str,
    given: Sentences | tuple[Path, Path],
    target: Path | None,
    *,
    gold: Path | None = None,
    first: int = 0,
    page: Path | None = None,
    **options: Any,  # noqa: ANN401 - those of `WordAligner`
) -> None:
    """Align words of sentences that are translations.

    Args:
        model: a model's folder.
        src: language of the first sentences.
        tgt: language of the others.
        given: sentences, or two files of them, line by line.
        target: a line for each pair: `0-0 1-2`, or with words in a .jsonl; None writes to standard
            output.
        gold: alignments by people, to compare with.
        first: the number of the first word in `gold`, 0 or 1.
        page: an HTML file of the first hundred pairs.
        options: see `WordAligner`.

    Raises:
        UserError: see `WordAligner`; or the files have different numbers of lines.
    """
    if page is not None and page.suffix not in (".html", ".htm"):
        raise UserError(f"{page} should end in .html, since --page writes no other form.")
    read = [part for part in (*given, gold) if isinstance(part, Path)]
    check_output(read, target)
    check_output(read, page, "--page")
    known = None if gold is None else read_gold(gold, first=first)
    aligner = WordAligner.from_pretrained(model, **options)
    whole = target is not None and ".jsonl" in target.suffixes
    shown: list[WordAlignment] = []
    pairs = []
    with ExitStack() as stack:
        lines = _lines(given, stack)
        output, _ = stack.enter_context(output_lines(target))
        while part := list(islice(lines, _AT_ONCE)):
            sources, targets = zip(*part, strict=True)
            for made in aligner.align(sources, targets, src, tgt):
                output.write(f"{_json(made) if whole else to_pharaoh(made.pairs)}\n")
                if page is not None and len(shown) < _ON_A_PAGE:
                    shown.append(made)
                if known is not None:
                    pairs.append(made.pairs)
    if page is not None:
        with atomic_write(page) as stream:
            stream.write(render(shown, src, tgt))
    if known is not None:
        found = alignment_quality(pairs, known)
        say(
            f"Alignment error rate {found.error_rate:.1%}, precision {found.precision:.1%}, "
            f"recall {found.recall:.1%}, over {len(known):,} pairs of sentences."
        )


def _lines(given: Sentences | tuple[Path, Path], stack: ExitStack) -> Iterator[tuple[str, str]]:
    """Yield pairs of sentences."""
    one, other = (
        stack.enter_context(input_lines(part)) if isinstance(part, Path) else iter(part)
        for part in given
    )
    for number, (source, target) in enumerate(zip_longest(one, other), start=1):
        if source is None or target is None:
            raise UserError(
                f"{given[source is None]} has more than the {number - 1:,} lines of the other "
                "file; line by line they must be translations."
            )
        yield source, target


def _json(made: WordAlignment) -> str:
    row = {"source": made.source, "target": made.target, "pairs": made.pairs}
    return json.dumps(row, ensure_ascii=False)


def render(alignments: Sequence[WordAlignment], src: str, tgt: str) -> str:
    """Return a page of alignments."""
    page: str = template("align.html.j2").render(
        palette=palette_css(),
        src=src,
        tgt=tgt,
        sentences=[
            {
                "words": [(one.source[i], one.target[j]) for i, j in one.pairs],
                "grid": word_grid(
                    one.source,
                    one.target,
                    one.similarity.clip(min=0),
                    f"Similarity of {' '.join(one.source)} and {' '.join(one.target)}",
                    one.pairs,
                ),
            }
            for one in alignments
        ],
    )
    return page
