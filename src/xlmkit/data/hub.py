"""Reader of Hugging Face datasets, by name or from a local folder, as streams."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from xlmkit.core.errors import UserError
from xlmkit.data.inputs import Reading
from xlmkit.data.records import Record
from xlmkit.data.sources import HubSource
from xlmkit.data.tables import Table

_ALONE = "train"  # what a saved dataset that names no split is, as in `datasets`
_NO_CLASS = -1


def read_hub(source: HubSource, reading: Reading) -> Iterator[Record]:
    """Yield the rows of a dataset; nothing is downloaded beyond what is read.

    Raises:
        UserError: the package `datasets` is missing, or the dataset, its subset, its split or a
            column cannot be had.
    """
    rows = open_dataset(source.dataset, source.subset, source.split, source.revision, reading.base)
    table = Table(source, reading)
    label, names = source.label_column, _class_names(rows, source)
    reading.classes.update({name: str(number) for number, name in names.items()})
    for number, row in enumerate(rows):
        if number == 0:
            _check_columns(source, table, row)
        place = f"{source.dataset}/{source.split}:{number}"
        picked = table.pick(row)
        if label is not None and names:
            picked[label] = _named(picked[label], names, reading)
        if record := table.record(picked, place):
            yield record


def _class_names(rows: object, source: HubSource) -> dict[object, str]:
    """Return number -> name of the classes in the column of labels, where the dataset has names."""
    feature = (getattr(rows, "features", None) or {}).get(source.label_column)
    return dict(enumerate(getattr(getattr(feature, "feature", feature), "names", None) or ()))


def _named(given: object, names: Mapping[object, str], reading: Reading) -> object:
    """Return a class, or several, by name; -1 is none, as in `datasets`."""
    if isinstance(given, list):
        return [names.get(one, one) for one in given]
    if given == _NO_CLASS:
        return None
    return given if reading.numbers else names.get(given, given)


def open_dataset(
    dataset: str, subset: str | None, split: str, revision: str | None, base: Path
) -> Iterable[Mapping[str, Any]]:
    """Return the rows of a dataset, which may have their `features`; see `HubSource`.

    Args:
        dataset: a name on the hub, or a folder.
        subset: its configuration, where it has several.
        split: the part to read.
        revision: the commit or tag to read.
        base: where relative paths start.

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
            if isinstance(saved, datasets.DatasetDict):
                return _Rows(saved[split], dataset, split)
            if split != (alone := str(saved.split or _ALONE)):
                raise ValueError(f"the folder holds the split {alone!r} alone")
            return _Rows(saved, dataset, split)
        rows = datasets.load_dataset(
            str(local) if local.exists() else dataset,
            subset,
            split=split,
            revision=revision,
            streaming=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise _unreadable(dataset, split, error) from error
    return _Rows(rows, dataset, split)


class _Rows:
    """Rows of a dataset that are fetched, and may turn out damaged, as they are read."""

    def __init__(self, rows: Any, dataset: str, split: str) -> None:  # noqa: ANN401 - datasets
        self._rows, self._dataset, self._split = rows, dataset, split
        self.features = getattr(rows, "features", None)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        rows = iter(self._rows)
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except Exception as error:  # of the network, of the format: each library has its own
                raise _unreadable(self._dataset, self._split, error) from error
            yield row


def _unreadable(dataset: str, split: str, error: Exception) -> UserError:
    said = str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
    return UserError(f"The dataset {dataset!r} (split {split!r}) cannot be read: {said}.")


def _check_columns(source: HubSource, table: Table, row: Mapping[str, Any]) -> None:
    for column in table.used:
        if str(column).split(".")[0] not in row and str(column) not in row:
            raise UserError(
                f"The dataset {source.dataset!r} has no column {column!r}; it has "
                f"{', '.join(map(str, row))}."
            )
