"""Whether XLMTokenizerFast splits text as transformers.XLMTokenizer does; tokenizing.py times both.

Reads the folder that --text or the environment variable XLMKIT_REAL_TEXT names: it holds a folder
for each language, named by its code, with .txt files of one text a line. A joint vocabulary is
learned from it, with and without case; then the tokens of both are compared, on the text and on
random Unicode. Ends with code 1 if any line differs. Japanese is left out: transformers has only
KyTea for it.
"""

import argparse
import importlib.util
import random
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import transformers
from _arguments import add_text, positive, run, spread, text_folder

from xlmkit import XLMTokenizerFast
from xlmkit.core.machine import describe_machine, package_versions
from xlmkit.core.tables import table
from xlmkit.text.languages import LANGUAGES
from xlmkit.text.tokenizer import HUGGING_FACE_SEGMENTERS, Tokenizer, TokenizerConfig

SPECIALS = "…“”„«»’‘´`'\"—–（），。：５％\u00a0\u200b\u00ad\u3000\t.,!?-()[]{}<>/&@#%$"
WORDS = [
    "Mr.",
    "z.B.",
    "No.",
    "e.g.",
    "DOTMULTI",
    "don't",
    "l'eau",
    "3,000.5",
    "</w>",
    "<s>",
    "a.b.",
]


def read_text(folder: Path, count: int) -> dict[str, list[str]]:
    """Return lines of every language, spread over its files."""
    texts: dict[str, list[str]] = {}
    for place in sorted(folder.iterdir()):
        module = HUGGING_FACE_SEGMENTERS.get(place.name, "json")
        if place.name not in LANGUAGES or place.name == "ja":
            continue
        if importlib.util.find_spec(module) is None:
            print(f"{place.name} is left out: {module} is not installed.")
            continue
        if lines := spread(place, count):
            texts[place.name] = lines
    return texts


def random_lines(language: str, lines: list[str], count: int) -> Iterator[str]:
    """Yield lines of the language's own characters, of punctuation, and of any characters."""
    rng = random.Random(language)
    own = "".join(lines[:200])
    for _ in range(count):
        parts = []
        for _ in range(rng.randint(0, 40)):
            draw = rng.random()
            if draw < 0.5 and own:
                start = rng.randrange(len(own))
                parts.append(own[start : start + rng.randint(1, 6)])
            elif draw < 0.85:
                parts.append(rng.choice(SPECIALS))
            elif draw < 0.93:
                parts.append(rng.choice(WORDS))
            else:
                character = chr(rng.randrange(0x110000))
                parts.append(character if unicodedata.category(character) != "Cs" else " ")
            parts.append(rng.choice(["", "", " "]))
        yield "".join(parts)


def differences(
    ours: XLMTokenizerFast, theirs: transformers.XLMTokenizer, language: str, lines: list[str]
) -> list[tuple[str, list[str], list[str]]]:
    """Return the lines whose tokens or ids differ, with the tokens of both."""
    options = {"lang": language, "add_special_tokens": False, "split_special_tokens": True}
    ids = ours(lines, **options).input_ids
    with_offsets = ours(lines, return_offsets_mapping=True, **options)
    found = []
    for line, row, encoding in zip(lines, ids, with_offsets.encodings, strict=True):
        expected = theirs._tokenize(line, lang=language)
        tokens = ours._tokenize(line, lang=language)
        same = tokens == expected and row == theirs.convert_tokens_to_ids(expected)
        if not same or len(encoding.offsets) != len(row) or encoding.ids != row:
            found.append((line, tokens, expected))
    return found


def compare(texts: dict[str, list[str]], folder: Path, fuzz: int) -> int:
    """Compare both on a folder's tokenizer, print a table, and return how many lines differ."""
    ours = XLMTokenizerFast.from_pretrained(folder)
    theirs = transformers.XLMTokenizer.from_pretrained(folder)
    rows = []
    total = 0
    for language, lines in texts.items():
        invented = list(random_lines(language, lines, fuzz))
        real = differences(ours, theirs, language, lines)
        random_ones = differences(ours, theirs, language, invented)
        for line, mine, expected in (real + random_ones)[:3]:
            print(f"{language}: {line!r}\n  ours   {mine}\n  theirs {expected}")
        known = ours(lines, lang=language, add_special_tokens=False).input_ids
        unknown = sum(row.count(ours.unk_token_id) for row in known) / sum(map(len, known))
        rows.append([language, len(lines), len(real), fuzz, len(random_ones), f"{unknown:.2%}"])
        total += len(real) + len(random_ones)
    rows.append(["all", *(sum(row[i] for row in rows) for i in range(1, 5)), ""])
    case = "lower-cased" if ours.do_lowercase_and_remove_accent else "cased"
    headings = ["language", "real lines", "differ", "random lines", "differ", "unknown tokens"]
    table(f"Tokens of XLMTokenizerFast and transformers.XLMTokenizer, {case}", headings, rows)
    return total


def main() -> int:
    """Compare both tokenizers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--lines", type=positive, default=1500, help="of real text in each language"
    )
    parser.add_argument("--fuzz", type=positive, default=300, help="random lines in each language")
    parser.add_argument("--vocabulary", type=positive, default=12000)
    add_text(parser)
    arguments = parser.parse_args()
    real = text_folder(arguments)
    transformers.logging.set_verbosity(50)  # an unknown language is no error there
    texts = read_text(real, arguments.lines)
    print(describe_machine(), package_versions())
    total = 0
    for lowercase in (True, False):
        config = TokenizerConfig(
            vocabulary_size=arguments.vocabulary, lowercase_and_remove_accent=lowercase
        )
        with tempfile.TemporaryDirectory() as folder:
            Tokenizer.learn(texts.items(), config, list(texts)).save(Path(folder))
            total += compare(texts, Path(folder), arguments.fuzz)
    return int(total > 0)


if __name__ == "__main__":
    run(main)
