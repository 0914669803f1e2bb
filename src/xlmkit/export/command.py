"""`xlmkit export`: a folder in, a folder for another engine out, and how well the two agree."""

import sys
from itertools import islice
from pathlib import Path
from typing import Any

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.errors import UserError
from xlmkit.core.files import open_lines
from xlmkit.export.ctranslate2 import export_ctranslate2
from xlmkit.export.sentence_transformers import export_sentence_transformers

_NEEDED = {"ctranslate2": ("src", "tgt"), "sentence-transformers": ()}
_OPTIONAL = {
    "ctranslate2": ("quantization",),
    "sentence-transformers": ("lang", "pooling", "layer"),
}


def export(
    model: Path,
    target: Path,
    to: str,
    samples: Path | None,
    **options: Any,  # noqa: ANN401 - of the engine
) -> None:
    """Export a model and say how the result compares.

    Args:
        model: a model's folder.
        target: a new folder.
        to: the engine.
        samples: a file with lines to compare with.
        **options: those of the engine's own function; None where one is not given.

    Raises:
        UserError: an option is missing or is another engine's, or see `export_ctranslate2` and
            `export_sentence_transformers`.
    """
    given = {name: value for name, value in options.items() if value is not None}
    missing = [f"--{name}" for name in _NEEDED[to] if name not in given]
    strange = [f"--{name}" for name in given if name not in (*_NEEDED[to], *_OPTIONAL[to])]
    if missing or strange:
        wrong = f"needs {' and '.join(missing)}" if missing else f"takes no {' and '.join(strange)}"
        raise UserError(f"--to {to} {wrong}; see xlmkit export --help.")
    lines: list[str] = []
    if samples is not None:
        lines = [line for _, line in islice(open_lines(samples), 1000)]
    bundle = Bundle.load(model)
    if to == "sentence-transformers":
        difference = export_sentence_transformers(bundle, target, samples=lines, **given)
        sys.stdout.write(f"{target}: vectors differ from xlmkit's by {difference:.1e} at most.\n")
        return
    agreement = export_ctranslate2(bundle, target, samples=lines, **given)
    sys.stdout.write(
        f"{target}: of {agreement.sentences} sample sentences {agreement.same} are the same as "
        f"xlmkit's by greedy search, {agreement.same_beams} with five beams; log-probabilities "
        f"differ by {agreement.difference:.1e} a token.\n"
    )
