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
from xlmkit.generate.ctranslate2_engine import is_export
from xlmkit.generate.directions import learned_to_write, the_direction

_TAKEN = {
    "ctranslate2": ("src", "tgt", "quantization"),
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
        UserError: languages are missing, an option is another engine's, the samples have no text,
            or see `export_ctranslate2` and `export_sentence_transformers`.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if strange := [f"--{name}" for name in given if name not in _TAKEN[to]]:
        raise UserError(f"--to {to} takes no {' and '.join(strange)}; see xlmkit export --help.")
    lines: list[str] = []
    if samples is not None:
        with_text = (line for _, line in open_lines(samples) if line.strip())
        lines = list(islice(with_text, 1000))
        if not lines:
            raise UserError(f"{samples} has no text to compare with; name a file with sentences.")
    if is_export(model):
        raise UserError(f"{model} is an export already; name the folder that it was made from.")
    bundle = Bundle.load(model)
    if to == "sentence-transformers":
        difference = export_sentence_transformers(bundle, target, samples=lines, **given)
        sys.stdout.write(f"{target}: vectors differ from xlmkit's by {difference:.1e} at most.\n")
        return
    src, tgt = the_direction(
        learned_to_write(bundle.provenance), given.pop("src", None), given.pop("tgt", None)
    )
    agreement = export_ctranslate2(bundle, target, samples=lines, src=src, tgt=tgt, **given)
    sys.stdout.write(
        f"{target}: of {agreement.sentences} sample sentences {agreement.same} are the same as "
        f"xlmkit's by greedy search, {agreement.same_beams} with five beams by rules: original; "
        f"log-probabilities differ by {agreement.difference:.1e} a token.\n"
    )
    if given.get("quantization", "float32") != "float32":
        sys.stdout.write(
            f"What rounding to {given['quantization']} costs, xlmkit score tells: translate your "
            "text with both folders, and give one of the two with --against.\n"
        )
