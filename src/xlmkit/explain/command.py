"""What `xlmkit explain` does: a prediction explained, as a page, as JSON, or in the terminal."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xlmkit.core.errors import UserError
from xlmkit.core.files import atomic_write
from xlmkit.core.log import say
from xlmkit.core.tables import table
from xlmkit.explain.explainer import Explainer
from xlmkit.explain.explanation import Explanation
from xlmkit.explain.page import signed, write_page


def explain(
    model: Path,
    text: str,
    lang: str,
    page: Path | None,
    data: Path | None,
    **options: Any,  # noqa: ANN401 - those of `Explainer.explain`
) -> None:
    """Explain what a model says about a text.

    Args:
        model: a finetuned model's folder.
        text: the text.
        lang: its language.
        page: an HTML file; without it and `data` a table is printed.
        data: a JSON file.
        options: see `Explainer.explain`.

    Raises:
        UserError: see `Explainer`; or a file's name has another ending.
    """
    _check_ending(page, (".html", ".htm"), "--output")
    _check_ending(data, (".json",), "--json")
    made = Explainer.from_pretrained(model).explain(text, lang, **options)
    if page is not None:
        write_page(made, page)
    if data is not None:
        with atomic_write(data) as stream:
            stream.write(json.dumps(made.to_json(), ensure_ascii=False, indent=1) + "\n")
    if page is None and data is None:
        _print(made)
    for note in made.notes:
        say(note)


def _check_ending(path: Path | None, endings: Sequence[str], option: str) -> None:
    if path is not None and path.suffix not in endings:
        raise UserError(f"{path} should end in {endings[0]}, since {option} writes no other form.")


def _print(made: Explanation) -> None:
    for one in made.explained:
        sure = "" if one.probability is None else f", probability {one.probability:.3f}"
        of = "" if one.word is None else f" of {made.words[one.word].text}"
        rows = [
            [word.text, signed(score)] for word, score in zip(made.words, one.scores, strict=True)
        ]
        table(
            f"{one.label}{of}{sure} (convergence delta {one.delta:+.1e}, {one.steps} steps)",
            ["word", "score"],
            rows,
        )
