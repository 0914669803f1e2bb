"""How much memory `xlmkit prepare` takes as the corpus grows: the peak over all its processes.

Reads the folder that --text or the environment variable XLMKIT_REAL_TEXT names, see preparation.py.
A corpus that is larger than the text is made of it, see _larger.py.
Prints, and writes, the highest sum over all processes of resident memory, and of what of it does
not lie in files (which the system may take back at any time). Fails if a corpus takes more than
4 GiB, or if what is not in files grows by half or more from the smallest to the largest corpus.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from _arguments import add_text, positive, run, text_folder
from _harness import described, record
from _larger import MEGABYTE, larger
from preparation import LANGUAGES, write_recipe
from tokenizer_agreement import read_text

from xlmkit.core.tables import table

MOST_MEGABYTES, MOST_GROWTH = (4 << 30) / MEGABYTE, 1.5
_INTERVAL = 0.2  # seconds between two looks
_FIELDS = re.compile(r"^(VmRSS|RssAnon):\s+(\d+) kB$", re.MULTILINE)


def write_text(texts: dict[str, list[str]], megabytes: int, folder: Path) -> int:
    """Write so much text, spread over the languages as it is; return the number of lines."""
    count = 0
    with ExitStack() as closing:
        files = {
            code: closing.enter_context((folder / f"{code}.txt").open("w", encoding="utf-8"))
            for code in texts
        }
        for language, line in larger(texts, megabytes):
            files[language].write(line + "\n")
            count += 1
    return count


def memory_of(root: int) -> tuple[int, int]:
    """Return resident and anonymous kilobytes of a process and all that it started."""
    parents: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended
            continue
        parents.setdefault(parent, []).append(int(place.name))
    resident = anonymous = 0
    waiting = [root]
    while waiting:
        number = waiting.pop()
        waiting += parents.get(number, [])
        try:
            found = dict(_FIELDS.findall(Path(f"/proc/{number}/status").read_text()))
        except OSError:
            continue
        resident += int(found.get("VmRSS", 0))
        anonymous += int(found.get("RssAnon", 0))
    return resident, anonymous


def measure(recipe: Path) -> tuple[float, float, float]:
    """Prepare; return seconds, and the peaks in megabytes: resident and anonymous."""
    resident = anonymous = 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=recipe.parent) as output:
        command = [sys.executable, "-m", "xlmkit", "prepare", str(recipe), "--output", output]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603
            while process.poll() is None:
                now = memory_of(process.pid)
                resident, anonymous = max(resident, now[0]), max(anonymous, now[1])
                time.sleep(_INTERVAL)
        if process.returncode:
            raise SystemExit("Preparing failed.")
    return time.monotonic() - began, resident * 1024 / MEGABYTE, anonymous * 1024 / MEGABYTE


def main() -> int:
    """Measure corpora of several sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_text(parser)
    parser.add_argument("--megabytes", type=positive, nargs="+", default=[100, 1000])
    parser.add_argument("--vocabulary", type=positive, default=16_000)
    arguments = parser.parse_args()
    if not Path("/proc/self/status").is_file():
        print("Skipped: it needs Linux, which tells how much memory a process takes.")
        return 0
    found = read_text(text_folder(arguments), sys.maxsize)
    texts = {code: lines for code, lines in found.items() if code in LANGUAGES}
    rows: list[list[object]] = []
    results: list[dict[str, float]] = []
    for megabytes in arguments.megabytes:
        with tempfile.TemporaryDirectory() as name:
            recipe = write_recipe(Path(name), {code: [""] for code in texts}, arguments.vocabulary)
            count = write_text(texts, megabytes, Path(name))
            seconds, resident, anonymous = measure(recipe)
        rows.append(
            [megabytes, f"{count:,}", f"{seconds:.0f}", f"{resident:.0f}", f"{anonymous:.0f}"]
        )
        results.append(
            {
                "megabytes": megabytes,
                "lines": count,
                "seconds": seconds,
                "resident_megabytes": resident,
                "anonymous_megabytes": anonymous,
            }
        )
    table("Preparing", ["MB of text", "lines", "seconds", "peak MB", "of it not in files"], rows)
    record("prepare-memory", results, text=described(texts))
    return 0 if is_flat(results) else 1


def is_flat(results: Sequence[Mapping[str, float]]) -> bool:
    """Tell, and print, whether memory keeps its bounds."""
    most = max(result["resident_megabytes"] for result in results)
    ordered = sorted(results, key=lambda result: result["megabytes"])
    growth = ordered[-1]["anonymous_megabytes"] / ordered[0]["anonymous_megabytes"]
    kept = most <= MOST_MEGABYTES and growth < MOST_GROWTH
    print(
        f"At most {most:,.0f} MB, {growth:.2f} times as much not in files for the largest corpus: "
        f"{'' if kept else 'not '}within {MOST_MEGABYTES:,.0f} MB and {MOST_GROWTH} times."
    )
    return kept


if __name__ == "__main__":
    run(main)
