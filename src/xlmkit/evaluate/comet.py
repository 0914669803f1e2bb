"""COMET: how good a model that has learned it from people finds a translation (Rei et al. 2020).

`unbabel-comet` needs an older `huggingface-hub` than xlmkit does, so that it lies in an environment
of its own. Its program `comet-score` is run there, and what it writes for each sentence is read:
the mean, its interval and the comparison of two systems are made of that as of any other metric.
"""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.errors import MissingPackageError, UserError
from xlmkit.core.log import say
from xlmkit.evaluate.translation import Counts, MeanOfTexts

COMMAND = "comet-score"
MODEL = "Unbabel/wmt22-comet-da"
"""What `comet-score` of version 2 takes where no model is named; named, so that signatures tell."""


def comet_program(command: str = COMMAND) -> str:
    """Return where the program lies that `command` names, a path or a name on PATH.

    Raises:
        UserError: there is none.
    """
    found = shutil.which(command)
    if found is None:
        raise MissingPackageError(
            f"There is no program {command}, which measures COMET in an environment of its own: "
            "pipx install unbabel-comet, or name it with --comet-command."
        )
    return found


def comet_counts(
    program: str,
    systems: Sequence[Sequence[str]],
    references: Sequence[str],
    sources: Sequence[str],
    model: str = MODEL,
) -> list[Counts]:
    """Measure each translation by itself: for each system 100 times COMET, (sentences, 1).

    All systems are measured in one call, so that the model is loaded once.

    Args:
        program: the path of `comet-score`.
        systems: the translations of every system.
        references: a human translation of each sentence.
        sources: what was translated.
        model: a model of COMET, by its name on the Hugging Face Hub, or a file `.ckpt`.

    Raises:
        UserError: the program fails, or gives no score for each sentence.
    """
    say(f"Measuring COMET with {model}, which {program} fetches where it has not yet.")
    with TemporaryDirectory() as place:
        folder, target = Path(place), Path(place) / "scores.json"
        texts = [_written(folder / f"system{n}", lines) for n, lines in enumerate(systems)]
        words = [program, "-s", _written(folder / "source", sources), "-t", *texts]
        words += ["-r", _written(folder / "reference", references)]
        _run([*words, "--model", model, "--quiet", "--to_json", str(target)])
        scores = _read(target, program)
    for one in scores:
        if len(one) != len(references):
            raise UserError(
                f"{program} gave {len(one):,} scores for {len(references):,} sentences; try its "
                "newest version: pipx upgrade unbabel-comet."
            )
    if len(scores) != len(systems):
        raise _unreadable(program)
    metric = MeanOfTexts("COMET", len(references), {"model": model, "nrefs": 1})
    return [Counts(metric, 100 * one[:, None]) for one in scores]


def _written(path: Path, lines: Sequence[str]) -> str:
    """Write lines as COMET reads them, for which a carriage return ends one."""
    text = "".join(f"{line}\n" for line in lines).replace("\r", " ")
    path.write_text(text, encoding="utf-8", newline="\n")
    return str(path)


def _run(words: list[str]) -> None:
    """Run the program, and say what it said last where it fails."""
    try:
        made = subprocess.run(  # noqa: S603 - no shell, and it is the user who names the program
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
    except OSError as error:
        raise UserError(f"{words[0]} cannot be run: {error.strerror}.") from error
    if made.returncode:
        said = made.stderr.decode("utf-8", errors="replace").splitlines()
        last = [line.strip() for line in said if line.strip()][-1:]
        raise UserError(f"{words[0]} failed: {(last or [f'exit code {made.returncode}'])[0]}")


def _read(path: Path, program: str) -> list[NDArray[np.float64]]:
    """Return the scores of every system, in the order in which they were named.

    The file is `{"system0": [{"src", "mt", "ref", "COMET"}]}`, an entry for each sentence.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        scores = [np.array([float(row["COMET"]) for row in rows]) for rows in found.values()]
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise _unreadable(program) from error
    if not all(np.isfinite(one).all() for one in scores):
        raise _unreadable(program)
    return scores


def _unreadable(program: str) -> UserError:
    return UserError(
        f"{program} wrote no score for each sentence, as comet-score of version 2 does with "
        "--to_json: pipx upgrade unbabel-comet."
    )
