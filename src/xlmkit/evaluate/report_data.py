"""The tables that say what the numbers stand on: data, tokenizer, training, machine, signatures."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from xlmkit.evaluate import formats
from xlmkit.evaluate.report_tables import Cell, Row, Table
from xlmkit.evaluate.results import (
    Results,
    is_pretrained,
    language_name,
    model_title,
    ordered_languages,
)


def _counted(value: float | None) -> Cell:
    return Cell(formats.MISSING if value is None else formats.count(value))


def sources_table(results: Results) -> Table | None:
    """Return what was read, kept and dropped of each source, None without data."""
    sources = (results.get("data") or {}).get("sources") or []
    if not sources:
        return None
    rows = [_source_row(one["name"], str(one.get("kind", "")), one) for one in sources]
    if len(sources) > 1:
        total: dict[str, Any] = {
            name: sum(one.get(name) or 0 for one in sources) for name in ("read", "kept")
        }
        total["dropped"] = {"": sum(_dropped(one) for one in sources)}
        total["bad_lines"] = sum(one.get("bad_lines") or 0 for one in sources)
        rows.append(_source_row("All", "", total, kind="summary"))
    return Table(
        corner="Source",
        columns=("Kind", "Read", "Kept", "Kept, %", "Dropped", "Unreadable lines"),
        rows=tuple(rows),
        text_columns=frozenset({0}),
    )


def _dropped(source: Mapping[str, Any]) -> int:
    return sum((source.get("dropped") or {}).values())


def _source_row(label: str, sort: str, source: Mapping[str, Any], kind: str = "") -> Row:
    read, kept = source.get("read"), source.get("kept")
    share = formats.hundredths(kept / read) if read and kept is not None else formats.MISSING
    cells = (
        Cell(sort),
        _counted(read),
        _counted(kept),
        Cell(share),
        _counted(_dropped(source)),
        _counted(source.get("bad_lines", 0)),
    )
    return Row(label=label, cells=cells, kind=kind)


def dropped_table(results: Results) -> Table | None:
    """Return why records were dropped, by reason and source, the commonest first."""
    sources = (results.get("data") or {}).get("sources") or []
    totals: Counter[str] = Counter()
    for one in sources:
        totals.update(one.get("dropped") or {})
    reasons = [reason for reason, number in totals.most_common() if number]
    if not reasons:
        return None
    rows = [
        Row(
            label=reason[:1].upper() + reason[1:],
            cells=(
                Cell(formats.count(totals[reason])),
                *(_counted((one.get("dropped") or {}).get(reason, 0)) for one in sources),
            ),
        )
        for reason in reasons
    ]
    names = tuple(str(one["name"]) for one in sources)
    return Table(corner="Reason", columns=("All", *names), rows=tuple(rows))


def splits_table(results: Results) -> Table | None:
    """Return the records and texts of each split, by language."""
    splits = (results.get("data") or {}).get("splits") or {}
    if not splits:
        return None
    found = {code for split in splits.values() for code in split.get("texts") or ()}
    languages = ordered_languages(results, found)
    rows = tuple(
        Row(
            label=name,
            cells=(
                _counted(split.get("records")),
                *(_counted((split.get("texts") or {}).get(code, 0)) for code in languages),
            ),
        )
        for name, split in splits.items()
    )
    names = tuple(language_name(results, code) for code in languages)
    return Table(corner="Split", columns=("Records", *names), rows=rows)


def pair_counts(results: Results) -> list[tuple[str, str]]:
    """Return (pair of languages, number of pairs), the most first."""
    pairs = (results.get("data") or {}).get("pairs") or {}
    return [
        (language_name(results, code), formats.count(number))
        for code, number in sorted(pairs.items(), key=lambda item: -item[1])
    ]


def tokenizer_table(results: Results) -> Table | None:
    """Return how the tokenizer cuts each language, and how often each is drawn."""
    parts = (results.get("tokenizer") or {}).get("languages") or {}
    if not parts:
        return None
    columns = (
        ("texts", "Texts", formats.count),
        ("words", "Words", formats.count),
        ("tokens", "Tokens", formats.count),
        ("tokens_per_word", "Tokens per word", formats.number),
        ("unknown_share", "Unknown, %", lambda share: f"{share * 100:.2f}"),
        ("sampling_probability", "Drawn, %", formats.hundredths),
    )
    used = [column for column in columns if any(column[0] in one for one in parts.values())]
    rows = tuple(
        Row(
            label=language_name(results, code),
            key=code,
            cells=tuple(
                Cell(
                    show(parts[code][key]) if parts[code].get(key) is not None else formats.MISSING
                )
                for key, _, show in used
            ),
        )
        for code in ordered_languages(results, parts)
    )
    return Table(corner="Language", columns=tuple(head for _, head, _ in used), rows=rows)


def pretraining_table(results: Results) -> Table | None:
    """Return what each model's pretraining consisted of."""
    models = results.get("models") or {}
    if not any(map(is_pretrained, models.values())):
        return None
    rows = []
    for key, model in models.items():
        training = model.get("pretraining") or {}
        shares = (training.get("objectives") or {}).items()
        seconds, checkpoint = training.get("seconds"), model.get("checkpoint")
        source = f"ready: {checkpoint['name']}" if checkpoint else "none"
        cells = (
            Cell(", ".join(f"{name.upper()} {share:.0%}" for name, share in shares) or source),
            Cell(
                formats.large(model["parameters"]) if model.get("parameters") else formats.MISSING
            ),
            _counted(training.get("steps")),
            Cell(formats.large(training["tokens"]) if "tokens" in training else formats.MISSING),
            Cell(formats.duration(seconds) if seconds else formats.MISSING),
            _counted(training.get("tokens_per_second")),
        )
        rows.append(Row(label=model_title(results, key), cells=cells))
    return Table(
        corner="Model",
        columns=("Objectives", "Parameters", "Steps", "Tokens", "Time", "Tokens per second"),
        rows=tuple(rows),
        text_columns=frozenset({0}),
    )


def facts(results: Results) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return lists of (name, value) for the machine, the versions and the durations."""
    lists = []
    machine = [(_spaced(name), _value(v)) for name, v in (results.get("machine") or {}).items()]
    if results.get("seed") is not None:
        machine.append(("seed", str(results["seed"])))
    lists.append(("Machine and seed", machine))
    versions = [(name, str(v)) for name, v in (results.get("versions") or {}).items()]
    lists.append(("Versions", versions))
    times: Mapping[str, float] = results.get("durations") or {}
    spent = [(name, formats.duration(seconds)) for name, seconds in times.items()]
    if len(spent) > 1:
        spent.append(("all stages", formats.duration(sum(times.values()))))
    lists.append(("Durations", spent))
    return [(title, entries) for title, entries in lists if entries]


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _value(value: object) -> str:
    if isinstance(value, float) and not value.is_integer():
        return formats.number(value)
    return str(value)


def signatures(results: Results) -> list[str]:
    """Return the signatures of all scores; those that differ in `n` alone are one, with a range."""
    sizes: dict[str, set[int]] = {}
    for text in _signatures_in(results.get("models") or {}):
        number = re.search(r"\|n:(\d+)", text)
        pattern = text.replace(number.group(0), "|n:{}", 1) if number else text
        sizes.setdefault(pattern, set()).update({int(number.group(1))} if number else set())
    return [
        pattern.replace("{}", _range(found)) if found else pattern
        for pattern, found in sizes.items()
    ]


def _range(sizes: set[int]) -> str:
    low, high = min(sizes), max(sizes)
    return str(low) if low == high else f"{low}\N{EN DASH}{high}"


def _signatures_in(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("signature"), str):
            yield value["signature"]
        for inner in value.values():
            yield from _signatures_in(inner)
