"""What a model answered to each test example, kept so that models can be compared in pairs.

Neither texts nor names of classes are kept: an example is a hash of both, its label and the answer
are numbers. A task's outcomes are one compressed file of numpy.
"""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.errors import UserError
from xlmkit.core.files import atomic_write
from xlmkit.data.permutation import key_of

FOLDER = "outcomes"
"""Where they lie, in the folder of a measured model."""

Columns = Mapping[str, NDArray[Any]]
"""Arrays whose first axis is examples, by name: what `resampling.statistic` reads."""

_IDS = "ids"


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The outcomes of one language, in the order of its test file.

    Attributes:
        ids: hash of each example with its label, (examples,), uint64.
        columns: what is known of each; by convention `references` and `predictions`.
    """

    ids: NDArray[np.uint64]
    columns: Columns

    def in_order_of(self, other: "Outcomes") -> "Outcomes":
        """Return the same in the order in which `other` has the same examples."""
        places = np.empty(len(self.ids), np.intp)
        places[np.argsort(other.ids, kind="stable")] = np.argsort(self.ids, kind="stable")
        return Outcomes(self.ids[places], {name: v[places] for name, v in self.columns.items()})

    def same_examples(self, other: "Outcomes") -> bool:
        """Tell whether both are about the same examples with the same labels."""
        return np.array_equal(np.sort(self.ids), np.sort(other.ids))


def example_ids(texts: Sequence[str], labels: Sequence[str]) -> NDArray[np.uint64]:
    """Return the hash of each example with its label, (examples,).

    Args:
        texts: each example's text, that of pairs and choices joined.
        labels: the right answers, as people read them.
    """
    keys = [key_of(text, label) for text, label in zip(texts, labels, strict=True)]
    return np.array(keys, np.uint64)


def save_outcomes(path: Path, languages: Mapping[str, Outcomes]) -> None:
    """Write the outcomes of a task, by language.

    Raises:
        UserError: the disk is full, or the place cannot be written.
    """
    arrays: dict[str, Any] = {f"{code}/{_IDS}": one.ids for code, one in languages.items()}
    for code, one in languages.items():
        arrays |= {f"{code}/{name}": _narrow(column) for name, column in one.columns.items()}
    with atomic_write(path, binary=True) as stream:
        np.savez_compressed(stream, **arrays)


def _narrow(column: NDArray[Any]) -> NDArray[Any]:
    """Return whole numbers in as few bytes as hold them, and others in four."""
    if np.issubdtype(column.dtype, np.integer) and column.size:
        return column.astype(np.result_type(*map(np.min_scalar_type, (column.min(), column.max()))))
    return column.astype(np.float32) if np.issubdtype(column.dtype, np.floating) else column


def load_outcomes(path: Path) -> dict[str, Outcomes]:
    """Read the outcomes of a task, by language.

    Raises:
        UserError: the file is damaged.
    """
    parts: dict[str, dict[str, NDArray[Any]]] = {}
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            for name in arrays.files:
                code, _, column = name.partition("/")
                parts.setdefault(code, {})[column] = arrays[name]
        return {
            code: Outcomes(columns.pop(_IDS).astype(np.uint64), columns)
            for code, columns in parts.items()
        }
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path} is damaged ({error}); measure again with xlmkit evaluate --force."
        ) from None
