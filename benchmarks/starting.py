"""How long it takes to start: imports and the program's help, each in a fresh process.

    python benchmarks/starting.py [--turns 9]

The peer is `transformers`, whose XLM tokenizer is imported beside ours. Ours for `transformers`
imports that library, which takes most of its time; the tokenizer of a corpus does not. Each command
starts Python anew, with its files in memory already; the start of Python alone is told, too. Fails
where `import xlmkit` or `xlmkit --help` take half a second, or a tokenizer imports torch.
"""

import argparse
import statistics
import subprocess
import sys
import time

from _arguments import positive, run
from _harness import record, set_up

from xlmkit.core.tables import table

GOAL = 0.5  # seconds
TOKENIZERS = (
    "from xlmkit.text.tokenizer import Tokenizer",
    "from xlmkit import XLMTokenizerFast",
)
STARTS = {"import xlmkit": ["-c", "import xlmkit"], "xlmkit --help": ["-m", "xlmkit", "--help"]}
COMMANDS = {
    "Python alone": ["-c", "pass"],
    **STARTS,
    **{
        line: ["-c", line]
        for line in (
            *TOKENIZERS,
            "from transformers import XLMTokenizer",
            "from transformers import XLMModel",
        )
    },
}


def seconds_of(arguments: list[str]) -> float:
    """Return how long Python takes for some arguments."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    return time.perf_counter() - began


def main() -> int:
    """Time all commands in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=positive, default=9)
    arguments = parser.parse_args()
    set_up(1)
    for line in TOKENIZERS:
        seconds_of(["-c", f"{line}; import sys; sys.exit('torch' in sys.modules)"])
    for command in COMMANDS.values():
        seconds_of(command)  # from now on its files are in memory
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(arguments.turns):
        for name, command in COMMANDS.items():
            seconds[name].append(seconds_of(command))
    rows, results = [], []
    for name, values in seconds.items():
        median = statistics.median(values)
        told = [f"{median:.3f}", f"{min(values):.3f} to {max(values):.3f}"]
        goal = {"goal": GOAL, "reached": median < GOAL} if name in STARTS else {}
        rows.append([name, *told, {True: "yes", False: "no"}.get(goal.get("reached"), "")])
        results.append({"title": name, "seconds": values, "median": median, **goal})
    table("Starting", ["command", "s", "least to most", f"under {GOAL} s"], rows)
    record("starting", results)
    return 0 if all(result.get("reached", True) for result in results) else 1


if __name__ == "__main__":
    run(main)
