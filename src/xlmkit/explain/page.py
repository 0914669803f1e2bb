"""An explanation as one self-contained page, in the style of the report."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlmkit.core.files import atomic_write
from xlmkit.evaluate.drawing import palette_css
from xlmkit.explain.explanation import OUTPUTS, Explained, Explanation
from xlmkit.explain.grid import small_grid, word_grid

_NAMES = {
    "classes": ("Text", "Second text"),
    "several": ("Text", "Second text"),
    "number": ("Text", "Second text"),
    "tags": ("Text",),
    "answer": ("Question", "Context"),
    "choice": ("Text",),
}
_SHOWN = 12  # words in the table
_SEEN = 0.04  # share of the strongest word's score from which a word is coloured


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text: a word with its score, or what stands between words.

    Attributes:
        text: as it is written.
        score: None between words.
        strength: share of the strongest word's score, from 0 to 1.
        chosen: whether it is the word that was tagged.
    """

    text: str
    score: float | None = None
    strength: float = 0.0
    chosen: bool = False

    @property
    def style(self) -> str:
        """`for`, `against`, or nothing where the word did little."""
        if self.score is None or self.strength < _SEEN:
            return ""
        return "for" if self.score > 0 else "against"

    @property
    def told(self) -> str:
        """The score as people read it."""
        return "" if self.score is None else signed(self.score)


def write_page(explanation: Explanation, path: Path) -> None:
    """Write the page, whole or not at all.

    Raises:
        UserError: it cannot be written.
    """
    with atomic_write(path) as stream:
        stream.write(render(explanation))


def render(explanation: Explanation) -> str:
    """Return the page."""
    first = explanation.explained[0]
    page: str = template("explain.html.j2").render(
        palette=palette_css(),
        title=_title(explanation, first),
        kind=explanation.kind,
        output=OUTPUTS[explanation.kind],
        language=explanation.language,
        baseline=explanation.baseline,
        explained=[_shown(explanation, one) for one in explanation.explained],
        attention=list(_attention(explanation)),
        notes=explanation.notes,
    )
    return page


def template(name: str) -> Any:  # noqa: ANN401 - jinja's type, loaded when it is needed
    """Return a template of this folder; it may include those of the report."""
    import jinja2

    loaders = [
        jinja2.PackageLoader(f"xlmkit.{part}", "templates") for part in ("explain", "evaluate")
    ]
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(loaders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def signed(value: float) -> str:
    """Return a number with its sign and two decimals."""
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def _title(explanation: Explanation, first: Explained) -> str:
    sure = "" if first.probability is None else f" ({first.probability:.1%})"
    if explanation.kind == "tags":
        return f"Why these tags? {len(explanation.explained)} words explained"
    if len(explanation.explained) > 1:
        return "Why " + ", ".join(one.label for one in explanation.explained) + "?"
    return f"Why {first.label}?{sure}"


def _shown(explanation: Explanation, one: Explained) -> dict[str, Any]:
    most = max(map(abs, one.scores), default=0) or 1.0
    order = sorted(range(len(one.scores)), key=lambda number: -abs(one.scores[number]))
    return {
        "label": one.label,
        "probability": "" if one.probability is None else f"{one.probability:.1%}",
        "of": None if one.word is None else explanation.words[one.word].text,
        "output": signed(one.output),
        "without": signed(one.baseline),
        "delta": f"{one.delta:+.1e}",
        "steps": one.steps,
        "texts": [
            (name, list(_pieces(explanation, one, part, most)))
            for part, name in enumerate(_names(explanation))
        ],
        "strongest": [
            {
                "text": explanation.words[number].text,
                "score": signed(one.scores[number]),
                "width": round(100 * abs(one.scores[number]) / most, 1),
                "side": "for" if one.scores[number] > 0 else "against",
            }
            for number in order[:_SHOWN]
        ],
    }


def _names(explanation: Explanation) -> list[str]:
    names = list(_NAMES[explanation.kind])
    names += [f"Choice {number}" for number in range(len(explanation.texts) - 1)]
    return names[: len(explanation.texts)]


def _pieces(explanation: Explanation, one: Explained, part: int, most: float) -> Iterator[Piece]:
    text, at = explanation.texts[part], 0
    for number, word in enumerate(explanation.words):
        if word.part != part or word.end <= at:
            continue
        start = max(at, word.start)
        if start > at:
            yield Piece(text[at:start])
        score = one.scores[number]
        yield Piece(text[start : word.end], score, abs(score) / most, number == one.word)
        at = word.end
    if at < len(text):
        yield Piece(text[at:])


def _attention(explanation: Explanation) -> Iterator[dict[str, Any]]:
    found = explanation.attention
    if found is None:
        return
    for layer, weights_HUU in zip(found.layers, found.weights, strict=True):
        yield {
            "layer": layer,
            "mean": word_grid(
                found.units, found.units, weights_HUU.mean(axis=0), f"Attention of layer {layer}"
            ),
            "heads": [
                (number, small_grid(weights_UU, f"Head {number} of layer {layer}"))
                for number, weights_UU in enumerate(weights_HUU, start=1)
            ],
        }
