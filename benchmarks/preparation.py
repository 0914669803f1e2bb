"""Preparing real text: `xlmkit prepare` beside the same work with sacremoses and `tokenizers`.

Reads the folder that --text or the environment variable XLMKIT_REAL_TEXT names: it holds a folder
for each language, named by its code, with .txt files of one text a line. Both sides go from text to
the ids of all lines on disk, with a vocabulary learned from them.

The peer works as a person would write it, in one process, with the lines in memory: NFC and single
spaces, no empty or long lines, none whose letters stood before, no near-duplicates among those of
20 words and more (MinHash over pairs of words by the compiled library rensa, in the shape that
xlmkit uses); then sacremoses' punctuation and words, case and accents away; then byte-pair
encoding, learned and applied by `tokenizers`, which uses all cores; then the ids in one file.

xlmkit reads files, also counts words, letters and scripts (it drops no line for the latter two
here, as the peer has no such rules), splits, keeps the texts with their sources, writes checksums,
and notes how far it has come. Each turn is a command of its own, with its start, on one core and on
all that the benchmark may use (taskset chooses them). A further side prepares the text once on each
core at the same time: so much is the most that sharing the work can gain, and it is little where
cores are two threads of one. Checked first: lines that are kept and tokens of both.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import unicodedata
from array import array
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import regex
import sacremoses
import yaml
from _arguments import add_text, positive, run, text_folder
from _harness import Goal, Limit, compare, described, record, set_up, text_limit
from _larger import larger
from rensa import RMinHash, RMinHashLSH
from tokenizer_agreement import read_text
from tokenizers import Encoding, Tokenizer, models, pre_tokenizers, trainers

from xlmkit.core.machine import usable_cores
from xlmkit.data.shards import Shards
from xlmkit.data.split import SPLITS
from xlmkit.text.normalize import (
    lowercase_and_remove_accent,
    remove_non_printing,
    replace_unicode_punctuation,
)

LONGEST, MOST_WORDS = 2000, 250  # characters and words, as in xlmkit's defaults
NO_LETTERS = regex.compile(r"[^\p{L}\p{M}]+")  # marks are of letters: Arabic has texts in both ways
BANDS, ROWS, LONG, SIMILAR = 20, 12, 20, 0.8  # of near-duplicates, as in xlmkit
ALIKE = 0.01  # share by which lines and tokens of both sides may differ
PEER = "sacremoses and tokenizers"
EACH = "xlmkit prepare, one process, on each core at once"
LANGUAGES = ("en", "fr", "de", "es", "ru", "ar", "vi", "tr")


def split_lines(texts: dict[str, list[str]]) -> Iterator[str]:
    """Yield every line as words between spaces, as XLM's scripts prepare it."""
    for language, lines in texts.items():
        normalizer = sacremoses.MosesPunctNormalizer(lang=language)
        tokenizer = sacremoses.MosesTokenizer(lang=language)
        seen = set()
        similar = RMinHashLSH(SIMILAR, BANDS * ROWS, BANDS)
        for raw in lines:
            line = " ".join(unicodedata.normalize("NFC", raw).split())
            letters = NO_LETTERS.sub("", line.casefold())
            if not line or len(line) > LONGEST or len(line.split()) > MOST_WORDS or letters in seen:
                continue
            if is_similar(line, len(seen), similar):
                continue
            seen.add(letters)
            text = normalizer.normalize(replace_unicode_punctuation(line))
            words = tokenizer.tokenize(remove_non_printing(text), return_str=True, escape=False)
            yield lowercase_and_remove_accent(words)


def is_similar(line: str, number: int, similar: RMinHashLSH) -> bool:
    """Tell whether a long line is nearly an earlier one; else enter it."""
    words = line.lower().split()
    if len(words) < LONG:
        return False
    signature = RMinHash(BANDS * ROWS, 1)
    signature.update([f"{one} {two}" for one, two in pairwise(words)])
    if similar.query(signature):
        return True
    similar.insert(number, signature)
    return False


def encode_by_libraries(texts: dict[str, list[str]], vocabulary: int) -> list[Encoding]:
    """Do the peer's work, and return its lines in tokens."""
    lines = list(split_lines(texts))
    bpe = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))  # noqa: S106
    bpe.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<unk>"],
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    bpe.train_from_iterator(lines, trainer)
    encoded: list[Encoding] = bpe.encode_batch_fast(lines)
    with tempfile.TemporaryFile() as stream:
        for encoding in encoded:
            array("i", encoding.ids).tofile(stream)
    return encoded


def prepare(recipe: Path, outputs: Sequence[str], cores: Sequence[set[int]]) -> None:
    """Run our command at the same time for each output, each on its cores."""
    before = os.sched_getaffinity(0)
    running = []
    for output, own in zip(outputs, cores, strict=True):
        command = [sys.executable, "-m", "xlmkit", "prepare", str(recipe), "--output", output]
        os.sched_setaffinity(0, own)  # which the command inherits
        try:
            running.append(
                subprocess.Popen(  # noqa: S603 - our own program
                    command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
                )
            )
        finally:
            os.sched_setaffinity(0, before)
    for process, told in [(process, process.communicate()[1]) for process in running]:
        if process.returncode:
            sys.exit(f"xlmkit prepare has failed: {told}")


def with_libraries(texts: dict[str, list[str]], vocabulary: int, lines: int) -> int:
    """Do a turn of the peer; return the number of lines."""
    encode_by_libraries(texts, vocabulary)
    return lines


def with_xlmkit(recipe: Path, lines: int, cores: Sequence[set[int]]) -> int:
    """Do a turn of ours for each set of cores, in new folders; return the number of lines."""
    with tempfile.TemporaryDirectory() as output:
        prepare(recipe, [f"{output}/{number}" for number in range(len(cores))], cores)
    return lines * len(cores)


def check_alike(recipe: Path, texts: dict[str, list[str]], vocabulary: int) -> None:
    """See that about as much comes out on both sides.

    They learn ties of the vocabulary in other orders, and look for near-duplicates differently.
    """
    theirs = [len(encoding.ids) for encoding in encode_by_libraries(texts, vocabulary)]
    with tempfile.TemporaryDirectory() as output:
        prepare(recipe, [output], [os.sched_getaffinity(0)])
        shards = Shards(Path(output) / "shards")
        parts = [shards.sentences(split, code) for split in SPLITS for code in shards.languages]
        ours = np.concatenate([part.lengths for part in parts])
    for what, mine, other in (
        ("lines", len(ours), len(theirs)),
        ("tokens", int(ours.sum()), sum(theirs)),
    ):
        apart = mine / other - 1
        print(f"{what}: {mine:,} of xlmkit, {other:,} of the peer, {apart:+.2%}")
        if abs(apart) > ALIKE:
            sys.exit(f"Both sides make different work: their {what} are too far apart.")


def enlarged(texts: dict[str, list[str]], megabytes: int) -> dict[str, list[str]]:
    """Return so much text of the same words, by language."""
    made: dict[str, list[str]] = {code: [] for code in texts}
    for language, line in larger(texts, megabytes):
        made[language].append(line)
    return made


def write_recipe(folder: Path, texts: dict[str, list[str]], vocabulary: int) -> Path:
    """Write the texts and a recipe for them."""
    for language, lines in texts.items():
        (folder / f"{language}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    recipe: dict[str, Any] = {
        "name": "preparation",
        "languages": list(texts),
        "data": {
            "sources": [
                {"kind": "text", "path": f"{code}.txt", "language": code} for code in texts
            ],
            # Without the rules that the peer lacks.
            "clean": {"min_letters": 0, "min_script": 0, "min_characters": 1},
        },
        # The peer takes all characters, and languages as large as they are.
        "tokenizer": {"vocabulary_size": vocabulary, "alpha": 1.0, "character_coverage": 1.0},
        "pretrain": {"steps": 1, "models": {"m": {"title": "MLM", "mlm": {}}}},
    }
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe, sort_keys=False), encoding="utf-8")
    return path


def main() -> int:
    """Compare both sides."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_text(parser)
    parser.add_argument("--lines", type=positive, default=200_000, help="in each language")
    parser.add_argument("--megabytes", type=positive, help="make the text so large, see _larger.py")
    parser.add_argument("--turns", type=positive, default=3)
    parser.add_argument("--vocabulary", type=positive, default=32_000)
    arguments = parser.parse_args()
    folder = text_folder(arguments)
    set_up(usable_cores())
    found = read_text(folder, arguments.lines)
    texts = {code: lines for code, lines in found.items() if code in LANGUAGES}
    digests = described(texts)
    if arguments.megabytes:
        texts = enlarged(texts, arguments.megabytes)
    count = sum(map(len, texts.values()))
    with tempfile.TemporaryDirectory() as place:
        recipe = write_recipe(Path(place), texts, arguments.vocabulary)
        check_alike(recipe, texts, arguments.vocabulary)
        # As many as `prepare` takes, which a quota may make fewer than there are.
        cores = sorted(os.sched_getaffinity(0))[: usable_cores()]
        ours = {
            f"xlmkit prepare, {n} processes": n for n in sorted({1, min(2, len(cores)), len(cores)})
        }
        work = {
            name: partial(with_xlmkit, recipe, count, [set(cores[:n])]) for name, n in ours.items()
        }
        if len(cores) > 1:
            ours[EACH] = len(cores)
            work[EACH] = partial(with_xlmkit, recipe, count, [{core} for core in cores])
        peer = partial(with_libraries, texts, arguments.vocabulary, count)
        sides = {PEER: peer, **work}
        lines = [line for language in texts.values() for line in language]
        megabytes = sum(len(line.encode()) for line in lines) / 1e6

        def limits() -> dict[str, float]:
            reading = text_limit(lines, repeats=2)  # of one core
            return {PEER: reading * len(cores)} | {name: reading * n for name, n in ours.items()}

        result = compare(
            f"{count} lines in {len(texts)} languages, from text to ids on disk",
            "lines",
            sides,
            turns=arguments.turns,
            warm_up=0,
            limit=Limit(limits, megabytes / count, "MB/s"),
            goals=[Goal(name, PEER, 20.0) for name, n in ours.items() if n == 2 and name != EACH],
        )
    record("preparation", [result], text=digests)
    return 0


if __name__ == "__main__":
    run(main)
