"""`xlmkit compare`: models of one or several runs side by side."""

from collections.abc import Sequence
from pathlib import Path

from xlmkit.core.unfinished import check_output
from xlmkit.evaluate.compare_report import check_form, print_comparison, write_comparison
from xlmkit.evaluate.comparing import compare as compare_models
from xlmkit.evaluate.contenders import read_contenders
from xlmkit.evaluate.results import language_name


def compare(
    runs: Sequence[Path], tasks: Sequence[str], languages: Sequence[str], outputs: Sequence[Path]
) -> None:
    """Print which model is best for some tasks and languages, and write it where asked.

    Args:
        runs: folders of runs, or their results.json.
        tasks: the tasks that matter; by default all that the models share.
        languages: the languages that matter; by default all that the models share.
        outputs: files to write, as .html, .json or .csv.

    Raises:
        UserError: there is nothing to compare, or a file cannot be written.
    """
    read = [*runs, *(run / "results.json" for run in runs)]
    for path in outputs:  # before anything is computed
        check_form(path)
        check_output(read, path)
    contenders = read_contenders(runs, tasks)
    known = {
        code: name
        for one in contenders
        for code, name in (one.results.get("language_names") or {}).items()
    }

    def name(code: str) -> str:
        return language_name({"language_names": known, "languages": list(known)}, code)

    found = compare_models(contenders, tasks, languages)
    print_comparison(found, name)
    for path in outputs:
        write_comparison(found, name, path)
