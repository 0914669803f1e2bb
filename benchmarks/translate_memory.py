"""A file of any length through `xlmkit translate`: memory, and going on after being killed.

A tiny translator with random weights writes a file of --lines lines, once after a hundredth of
them, to see whether memory grows; half-way it is killed (SIGKILL) and started again with
`--resume`. Checks that as many lines come out as went in, and that the first are those of the short
file; prints, and writes, seconds and the peak of resident memory.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import torch
from _arguments import positive, run
from _harness import record
from prepare_memory import memory_of

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import TRANSLATOR
from xlmkit.core.tables import table
from xlmkit.model.config import Architecture
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import EOS, SPECIAL_TOKENS, Vocabulary

_LETTERS = "abcdefghijkl"
_INTERVAL = 0.5  # seconds between two looks
_LONGEST = 8  # words of a line


def make_translator(folder: Path) -> None:
    """Save a translator whose words are letters, and whose sentences end."""
    vocabulary = Vocabulary([*SPECIAL_TOKENS, *(f"{letter}</w>" for letter in _LETTERS)])
    tokenizer = Tokenizer(vocabulary, Merges(()), {"en": 0, "fr": 1}, segmenters={})
    torch.manual_seed(0)
    shape = Architecture(
        n_words=len(vocabulary), n_langs=2, n_layers=1, emb_dim=16, n_heads=2,
        max_position_embeddings=32, embed_init_std=0.5,
    )  # fmt: skip
    weights = EncoderDecoder(shape).state_dict()
    weights["pred_layer.proj.bias"][: len(SPECIAL_TOKENS)] = -5.0
    weights["pred_layer.proj.bias"][EOS] = 1.0
    Bundle(shape, tokenizer, weights, head=TRANSLATOR).save(folder)


def write_lines(path: Path, count: int) -> None:
    """Write lines of up to `_LONGEST` words, the same for every count."""
    rng = random.Random(1)
    with path.open("w", encoding="utf-8") as stream:
        for _ in range(count):
            stream.write(" ".join(rng.choices(_LETTERS, k=rng.randint(0, _LONGEST))) + "\n")


def translate(folder: Path, source: str, *, kill_at: int = 0, resume: bool = False) -> float:
    """Translate greedily, and return the peak of memory in megabytes.

    Args:
        folder: has the model and the text, and gets the output.
        source: name of the text.
        kill_at: lines written after which it is killed; 0 never.
        resume: go on with what was killed.
    """
    command = [sys.executable, "-m", "xlmkit", "translate", "model", source, "-s", "en", "-t", "fr"]
    command += ["-o", f"{source}.out", "--beam-size", "0", *(["--resume"] if resume else [])]
    part, peak = folder / f"{source}.out.part", 0
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        while process.poll() is None:
            peak = max(peak, memory_of(process.pid)[0])
            if kill_at and part.is_file() and count_lines(part) >= kill_at:
                process.kill()
            time.sleep(_INTERVAL)
    if process.returncode and not kill_at:
        raise SystemExit("Translating failed.")
    return peak * 1024 / 1e6


def count_lines(path: Path) -> int:
    """Return how many whole lines a file has."""
    with path.open("rb") as stream:
        return sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))


def main() -> int:
    """Measure a short and a long file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=positive, default=1_000_000)
    lines = parser.parse_args().lines
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_translator(folder / "model")
        sizes = {"short": max(1, lines // 100), "long": lines}
        rows, results = [], {}
        for source, count in sizes.items():
            write_lines(folder / source, count)
            began = time.monotonic()
            peaks = [translate(folder, source, kill_at=count // 2 if source == "long" else 0)]
            if source == "long":
                done = count_lines(folder / "long.out.part")
                peaks.append(translate(folder, source, resume=True))
            seconds = time.monotonic() - began
            if count_lines(folder / f"{source}.out") != count:
                raise SystemExit(f"{count:,} lines went in, and not as many came out.")
            results[source] = {"lines": count, "seconds": seconds, "peak_megabytes": max(peaks)}
            rows.append([f"{count:,}", f"{seconds:.0f}", f"{max(peaks):.0f}"])
        with (folder / "short.out").open() as short, (folder / "long.out").open() as long:
            if list(short) != list(islice(long, sizes["short"])):
                raise SystemExit("The same lines were translated otherwise.")
    results["long"]["killed_at"] = done
    table(f"Translating; killed after {done:,} lines", ["lines", "seconds", "peak MB"], rows)
    record("translate-memory", [results])
    return 0


if __name__ == "__main__":
    run(main)
