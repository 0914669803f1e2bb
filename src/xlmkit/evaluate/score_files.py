"""`xlmkit score`: a file of translations against files of references, a line for each sentence."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xlmkit.core.errors import UserError
from xlmkit.core.files import open_lines, write_json
from xlmkit.core.tables import table
from xlmkit.evaluate import comet, formats
from xlmkit.evaluate.language_identifier import LanguageIdentifier
from xlmkit.evaluate.rouge import rouge_counts
from xlmkit.evaluate.score import Score
from xlmkit.evaluate.translation import (
    DEFAULT_METRICS,
    Comparison,
    Counts,
    check_lengths,
    compare_translations,
    translation_counts,
)
from xlmkit.evaluate.translation_diagnosis import diagnosis
from xlmkit.evaluate.translation_health import translation_health
from xlmkit.evaluate.translation_metrics import METRICS, TITLES
from xlmkit.text.languages import language

_ROUGE = "rouge"
_COMET = "comet"
_SIGNIFICANT = 0.05


def score_files(
    hypothesis: Path,
    references: Sequence[Path],
    *,
    tgt: str,
    metrics: Sequence[str] = (),
    against: Path | None = None,
    source: Path | None = None,
    src: str | None = None,
    lowercase: bool = False,
    tokenizer: str | None = None,
    output: Path | None = None,
    comet_command: str = comet.COMMAND,
    comet_model: str = comet.MODEL,
) -> None:
    """Measure a file of translations, print the tables, and write them as JSON if asked.

    Args:
        hypothesis: the translations, UTF-8, detokenised.
        references: one or more files of human translations.
        tgt: code of the language that was written.
        metrics: names among `METRICS`, "rouge" and "comet"; by default BLEU, chrF and TER.
        against: another system's translations, to be compared by paired bootstrap resampling.
        source: what was translated, which COMET reads; with `src`, copies, repetitions and other
            languages are counted.
        src: code of the source's language, needed with `source` but for COMET.
        lowercase: whether upper and lower case count as the same.
        tokenizer: sacreBLEU's tokenizer for BLEU, in place of the one that suits the language.
        output: a file for the numbers.
        comet_command: the program that measures COMET, a path or a name on PATH.
        comet_model: of COMET.

    Raises:
        UserError: a file cannot be read, the numbers of lines differ, a name is unknown, a package
            or program is missing, or the program fails.
    """
    names = list(dict.fromkeys(metrics)) or list(DEFAULT_METRICS)
    _check(names, references, source, src)
    program = comet.comet_program(comet_command) if _COMET in names else None
    targets = [_lines(path) for path in references]
    systems = [hypothesis] if against is None else [hypothesis, against]
    lines = [_same_length(path, targets, references) for path in systems]
    sources = None if source is None else _same_length(source, targets, references)
    counts = [
        _counts(one, targets, tgt, names, lowercase=lowercase, tokenizer=tokenizer) for one in lines
    ]
    if program is not None and sources is not None:
        measured = comet.comet_counts(program, lines, targets[0], sources, comet_model)
        counts = [{**one, _COMET: more} for one, more in zip(counts, measured, strict=True)]
    scores = {name: one.score() for name, one in counts[0].items()}
    found: dict[str, Any] = {"scores": {name: one.to_json() for name, one in scores.items()}}
    _print_scores(f"{hypothesis} in {language(tgt).name}, {len(lines[0]):,} sentences", scores)
    if against is not None:
        compared = compare_translations(*counts)
        found["against"] = {name: one.to_json() for name, one in compared.items()}
        _print_comparison(f"{hypothesis} against {against}", compared)
    if sources is not None and src is not None:
        found |= _look(lines[0], sources, targets[0], src, tgt)
    if output is not None:
        write_json(output, found)


def _check(
    names: Sequence[str], references: Sequence[Path], source: Path | None, src: str | None
) -> None:
    """See that the metrics are known, and have what they need."""
    known = (*METRICS, _ROUGE, _COMET)
    for name in names:
        if name not in known:
            raise UserError(f"There is no metric {name!r}; the names are {', '.join(known)}.")
    if _COMET not in names:
        if source is not None and src is None:
            raise UserError("--src-file needs --src: name the language of the source.")
        return
    if source is None:
        raise UserError("COMET reads what was translated, too: name it with --src-file.")
    if len(references) > 1:
        raise UserError(
            "COMET compares with one reference; name one alone, and measure the other metrics in a "
            "call of their own."
        )


def _counts(
    lines: list[str],
    targets: Sequence[list[str]],
    tgt: str,
    names: Sequence[str],
    **options: Any,  # noqa: ANN401 - those of `translation_metric`
) -> dict[str, Counts]:
    """Count what the metrics but COMET need in each line; ROUGE stands last."""
    counted = [name for name in names if name not in (_ROUGE, _COMET)]
    counts = translation_counts(lines, targets, tgt, counted, **options)
    return counts | (rouge_counts(lines, targets, tgt) if _ROUGE in names else {})


def _lines(path: Path) -> list[str]:
    return [line for _, line in open_lines(path)]


def _same_length(path: Path, targets: Sequence[list[str]], names: Sequence[Path]) -> list[str]:
    """Read a file, which must have as many lines as every reference."""
    lines = _lines(path)
    for target, name in zip(targets, names, strict=True):
        if len(target) != len(lines):
            raise UserError(
                f"{path} has {len(lines):,} lines but {name} has {len(target):,}; "
                "give the same sentences in the same order."
            )
    check_lengths(lines, targets)
    return lines


def _print_scores(title: str, scores: Mapping[str, Score]) -> None:
    rows = [
        [TITLES[name], f"{one.value:.1f}", f"{one.low:.1f}\N{EN DASH}{one.high:.1f}", one.signature]
        for name, one in scores.items()
    ]
    table(title, ["Metric", "Score", "95% interval", "Signature"], rows)


def _print_comparison(title: str, compared: Mapping[str, Comparison]) -> None:
    rows = [
        [
            TITLES[name],
            f"{one.value:.1f}",
            f"{one.other:.1f}",
            f"{one.difference:+.1f}",
            f"{one.low:+.1f} to {one.high:+.1f}",
            f"{one.p_value:.3f}",
            "yes" if one.p_value < _SIGNIFICANT else "no",
        ]
        for name, one in compared.items()
    ]
    heads = ["Metric", "This", "Other", "Difference", "95% interval", "p", "Significant"]
    table(title, heads, rows)


def _look(
    outputs: list[str], sources: list[str], references: list[str], src: str, tgt: str
) -> dict[str, Any]:
    """Print and return what can be seen beside the references, and what to try about it."""
    identifier = None
    if src != tgt:
        identifier = LanguageIdentifier.learn({src: sources, tgt: references})
    health = translation_health(
        sources, outputs, src, tgt, references=references, identifier=identifier
    )
    told = diagnosis(health, language(src).name, language(tgt).name)
    shares = {
        "Copies of the source, %": health.copied,
        "Words from the source, %": health.overlap,
        f"In {language(tgt).name}, %": health.in_language,
        "Empty, %": health.empty,
        "Repeat themselves, %": health.repeated,
        "Different outputs for different sources, %": health.distinct,
    }
    rows = [[n, None if v is None else formats.hundredths(v)] for n, v in shares.items()]
    rows.append(["Length over the references", f"{health.length_ratio:.2f}"])
    table("\n".join(["What the translations look like", *told]), ["Outputs", "Value"], rows)
    return {"health": health.to_json(), "diagnosis": told}
