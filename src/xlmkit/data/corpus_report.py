"""What became of the texts: read, kept, dropped and why, per source and language; the splits."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from xlmkit.core.files import read_json, write_json

Counts = Counter[str]  # language -> texts
REPORT_FILE = "report.json"


@dataclass(slots=True)
class SourceReport:
    """What became of the texts of one source.

    Attributes:
        kind: the kind of source.
        read: language -> texts read.
        kept: language -> texts in a split.
        dropped: reason -> language -> texts.
        ambiguous_labels: records that lost their label, since their text has another one elsewhere.
        bad_lines: reason -> lines that could not be read.
        bad_places: reason -> the first places of such lines.
        classes: label -> its number, where a dataset has names for numbered classes.
    """

    kind: str
    read: Counts = field(default_factory=Counter)
    kept: Counts = field(default_factory=Counter)
    dropped: dict[str, Counts] = field(default_factory=dict)
    ambiguous_labels: int = 0
    bad_lines: Counts = field(default_factory=Counter)
    bad_places: dict[str, list[str]] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)

    def drop(self, reason: str, language: str, count: int = 1) -> None:
        """Count texts that are dropped."""
        self.dropped.setdefault(reason, Counter())[language] += count


@dataclass(slots=True)
class SplitReport:
    """How much one split holds.

    Attributes:
        records: all of them.
        parallel: those with translations.
        texts: language -> texts.
        labels: label -> records.
        pairs: "en-fr" -> records with both languages.
    """

    records: int = 0
    parallel: int = 0
    texts: Counts = field(default_factory=Counter)
    labels: Counts = field(default_factory=Counter)
    pairs: Counts = field(default_factory=Counter)


@dataclass(slots=True)
class CorpusReport:
    """The account of a prepared corpus.

    Attributes:
        languages: in the order of the recipe.
        sources: name -> what became of its texts.
        splits: train, valid, test -> what they hold.
    """

    languages: Sequence[str]
    sources: dict[str, SourceReport] = field(default_factory=dict)
    splits: dict[str, SplitReport] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write the report beside the splits."""
        write_json(folder / REPORT_FILE, _plain(self))

    def source_table(self) -> tuple[list[str], list[list[object]]]:
        """Return (headings, rows): per source and language what was read, kept and dropped."""
        reasons = sorted({reason for source in self.sources.values() for reason in source.dropped})
        rows: list[list[object]] = []
        for name, source in self.sources.items():
            for language in self.languages:
                if read := source.read[language]:
                    drops = [source.dropped.get(reason, Counter())[language] for reason in reasons]
                    rows.append([name, language, read, source.kept[language], *drops])
        if rows:
            totals = [sum(int(str(row[i])) for row in rows) for i in range(2, len(rows[0]))]
            rows.append(["all", "", *totals])
        return ["source", "language", "read", "kept", *reasons], rows

    def split_table(self) -> tuple[list[str], list[list[object]]]:
        """Return (headings, rows): per split its records, and its texts in each language."""
        rows: list[list[object]] = [
            [name, split.records, split.parallel, sum(split.labels.values())]
            + [split.texts[language] for language in self.languages]
            for name, split in self.splits.items()
        ]
        return ["split", "records", "parallel", "labelled", *self.languages], rows

    def bad_line_table(self) -> tuple[list[str], list[list[object]]]:
        """Return (headings, rows): what could not be read, and the first places of it."""
        rows: list[list[object]] = [
            [name, reason, count, ", ".join(source.bad_places.get(reason, ()))]
            for name, source in self.sources.items()
            for reason, count in source.bad_lines.items()
        ]
        return ["source", "bad lines", "count", "first places"], rows


def _plain(value: object) -> object:
    """Return nested dataclasses and counters as dictionaries (`asdict` cannot copy a Counter)."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


def read_report(folder: Path) -> CorpusReport:
    """Read the report of a prepared corpus.

    Raises:
        UserError: there is none.
    """
    value = read_json(folder / REPORT_FILE)
    return CorpusReport(
        tuple(value["languages"]),
        {name: _source(part) for name, part in value["sources"].items()},
        {name: _split(part) for name, part in value["splits"].items()},
    )


def _source(value: Mapping[str, Any]) -> SourceReport:
    return SourceReport(
        kind=value["kind"],
        read=Counter(value["read"]),
        kept=Counter(value["kept"]),
        dropped={reason: Counter(counts) for reason, counts in value["dropped"].items()},
        ambiguous_labels=value["ambiguous_labels"],
        bad_lines=Counter(value["bad_lines"]),
        bad_places=value["bad_places"],
        classes=value.get("classes", {}),  # which came later
    )


def _split(value: Mapping[str, Any]) -> SplitReport:
    return SplitReport(
        records=value["records"],
        parallel=value["parallel"],
        texts=Counter(value["texts"]),
        labels=Counter(value["labels"]),
        pairs=Counter(value["pairs"]),
    )
