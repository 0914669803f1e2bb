"""The example of a new task, added as it says: one file and one line, in a copy of the package."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from xlmkit.core.files import read_json

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "new_task.py"


@pytest.mark.slow
def test_one_file_and_one_line_add_a_task(project: Path) -> None:
    package = project / "src" / "xlmkit"
    shutil.copytree(ROOT / "src" / "xlmkit", package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(EXAMPLE, package / "tasks" / "rating.py")
    kinds = package / "tasks" / "kinds.py"
    text = kinds.read_text("utf-8")
    assert text.count("KINDS = (\n") == 1
    line = re.search(r"add the line `(.+?)`", EXAMPLE.read_text("utf-8"))[1]
    kinds.write_text(
        re.sub(r"(KINDS = \(\n(?:    .*\n)*)", rf"\1    {line}\n", text, count=1), encoding="utf-8"
    )

    for code in ("en", "zh", "ar"):
        rows = (f"dog {i} red\t{i % 5 + 1}\n" for i in range(20))
        (project / f"reviews.{code}.tsv").write_text("".join(rows), encoding="utf-8")
    with (project / "reviews.en.tsv").open("a", encoding="utf-8") as reviews:
        reviews.write("dog red\t6\n")
    section = re.search(r"\n    finetune:\n((?:      .*\n)+)", EXAMPLE.read_text("utf-8"))[1]
    recipe = project / "recipe.yaml"
    indented = "".join(line[4:] for line in section.splitlines(keepends=True))
    recipe.write_text(recipe.read_text("utf-8") + indented, encoding="utf-8")
    command = [sys.executable, "-m", "xlmkit", "run", str(recipe), "--output", str(project / "out")]
    environment = {**os.environ, "PYTHONPATH": str(project / "src")}
    done = subprocess.run(command, env=environment, cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = read_json(project / "out" / "results.json")
    found = results["models"]["both"]["tasks"]["stars"]
    assert found["metrics"] == ["within_one", "exact"]
    assert {code: part["n"] for code, part in found["languages"].items()} == {
        "en": 20,
        "zh": 20,
        "ar": 20,
    }
    assert found["bad_input"]["train"] == {"en": {"no rating": 1}}
    assert "Within one" in (project / "out" / "report.html").read_text("utf-8")
