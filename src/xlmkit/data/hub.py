"""Reader of Hugging Face datasets, by name or from a local folder, as streams."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from xlmkit.core.errors import UserError
from xlmkit.data.inputs import Reading
from xlmkit.data.records import Record
from xlmkit.data.sources import HubSource
from xlmkit.data.tables import Table


def read_hub(source: HubSource, reading: Reading) -> Iterator[Record]:
    """Yield the rows of a dataset; nothing is downloaded beyond what is read.

    Raises:
        UserError: the package `datasets` is missing, or the dataset, its subset, its split or a
            column cannot be had.
    """
    rows = open_rows(source.dataset, source.subset, source.split, source.revision, reading.base)
    table = Table(source, reading)
    for number, row in enumerate(rows):
        if number == 0:
            _check_columns(source, table, row)
        place = f"{source.dataset}/{source.split}:{number}"
        if record := table.record(table.pick(row), place):
            yield record


def open_rows(
    dataset: str, subset: str | None, split: str, revision: str | None, base: Path
) -> Iterable[Mapping[str, Any]]:
    """Return the rows of a dataset, as a stream.

    Args:
        dataset: its name, or a local folder.
        subset: its configuration, if it has several.
        split: its part, such as "train".
        revision: a commit, tag or branch.
        base: where a relative folder starts.

    Raises:
        UserError: the package `datasets` is missing, or the dataset cannot be had.
    """
    try:
        import datasets
    except ImportError:
        raise UserError(
            "Reading Hugging Face datasets needs an extra: pip install 'xlmkit[data]'."
        ) from None
    local = base / Path(dataset).expanduser()
    try:
        if (local / "dataset_info.json").is_file() or (local / "dataset_dict.json").is_file():
            saved = datasets.load_from_disk(str(local))
            rows: Iterable[Mapping[str, Any]] = (
                saved[split] if isinstance(saved, datasets.DatasetDict) else saved
            )
            return rows
        rows = datasets.load_dataset(
            str(local) if local.exists() else dataset,
            subset,
            split=split,
            revision=revision,
            streaming=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        said = str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
        raise UserError(
            f"The dataset {dataset!r} (split {split!r}) cannot be read: {said}."
        ) from error
    return rows


def _check_columns(source: HubSource, table: Table, row: Mapping[str, Any]) -> None:
    for column in table.used:
        if str(column).split(".")[0] not in row and str(column) not in row:
            raise UserError(
                f"The dataset {source.dataset!r} has no column {column!r}; it has "
                f"{', '.join(map(str, row))}."
            )
