"""`xlmkit export`: a folder in, a folder for another engine out, and how well the two agree."""

import sys
from itertools import islice
from pathlib import Path

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.files import open_lines
from xlmkit.export.ctranslate2 import Quantization, export_ctranslate2


def export(
    model: Path,
    target: Path,
    src: str,
    tgt: str,
    quantization: Quantization,
    samples: Path | None,
) -> None:
    """Export a translator to CTranslate2 and say how the result compares.

    Args:
        model: a translator's folder.
        target: a new folder.
        src: the language to read.
        tgt: the language to write.
        quantization: how weights are stored.
        samples: a file with lines to compare with.

    Raises:
        UserError: see `export_ctranslate2`.
    """
    lines: list[str] = []
    if samples is not None:
        lines = [line for _, line in islice(open_lines(samples), 1000)]
    agreement = export_ctranslate2(
        Bundle.load(model), target, src=src, tgt=tgt, quantization=quantization, samples=lines
    )
    sys.stdout.write(
        f"{target}: of {agreement.sentences} sample sentences {agreement.same} are the same as "
        f"xlmkit's by greedy search, {agreement.same_beams} with five beams; log-probabilities "
        f"differ by {agreement.difference:.1e} a token.\n"
    )
