"""Tokenizing real text: xlmkit's tokenizer beside transformers' XLMTokenizer.

Beside them stands sentencepiece, whose pieces are others (XLM-R's kind of vocabulary).

Reads the folder that --text or the environment variable XLMKIT_REAL_TEXT names: it holds a folder
for each language, named by its code, with .txt files of one text a line. A joint vocabulary is
learned from it. In each language the ids of both are compared first, then lines per second in one
process. All sides are warm: each saw its lines before; "cold" is xlmkit with nothing remembered.
The compiled part of xlmkit is measured where it is installed.
"""

import argparse
import io
import statistics
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import transformers
from _arguments import add_text, positive, run, text_folder
from _harness import Goal, Limit, Work, compare, described, record, set_up, text_limit
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from tokenizer_agreement import read_text

from xlmkit.core.tables import table
from xlmkit.text import compiled
from xlmkit.text.tokenizer import Tokenizer, TokenizerConfig

PEER = "XLMTokenizer"
GOALS = {"xlmkit, pure": 10.0, "xlmkit, compiled": 40.0, "xlmkit, compiled, cold": 12.0}
SEGMENTED = {"zh", "th"}  # whose words a library of the language finds, for both sides alike
SEGMENTED_GOALS = {"xlmkit, pure": 3.0, "xlmkit, compiled": 5.0}


def rows_of(theirs: transformers.XLMTokenizer, lines: list[str], language: str) -> list[list[int]]:
    """Return the ids that transformers gives; its own call would lose the language."""
    return [theirs.convert_tokens_to_ids(theirs._tokenize(line, lang=language)) for line in lines]


def kinds() -> dict[str, bool]:
    """Return which ways of xlmkit can be measured: name -> whether it is compiled."""
    return {"pure": False, "compiled": True} if compiled.available() else {"pure": False}


def learn_pieces(texts: dict[str, list[str]], vocabulary: int) -> SentencePieceProcessor:
    """Learn a unigram vocabulary as XLM-R has one, from the same text."""
    model = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=(line for lines in texts.values() for line in lines),
        model_writer=model,
        vocab_size=vocabulary,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return SentencePieceProcessor(model_proto=model.getvalue())


def measure(
    folder: Path, language: str, lines: list[str], pieces: SentencePieceProcessor, turns: int
) -> dict[str, Any]:
    """Compare ids, then speed, in one language."""
    theirs = transformers.XLMTokenizer.from_pretrained(folder)
    expected = rows_of(theirs, lines, language)
    sides: dict[str, Work] = {PEER: work(partial(rows_of, theirs, lines, language), lines)}
    for name, native in kinds().items():
        with compiled.using(native):
            warm, cold = Tokenizer.load(folder), Tokenizer.load(folder)
            ids = [row.tolist() for row in warm.encode_batch(lines, language)]
            cold.encode_batch(lines, language)
        if ids != expected:
            sys.exit(f"{language}, {name}: the ids of both sides differ.")

        def forgetful(tokenizer: Tokenizer = cold) -> object:
            tokenizer.forget()
            return tokenizer.encode_batch(lines, language)

        sides[f"xlmkit, {name}"] = work(partial(warm.encode_batch, lines, language), lines)
        sides[f"xlmkit, {name}, cold"] = work(forgetful, lines)
    sides["sentencepiece"] = work(partial(pieces.encode, lines, num_threads=1), lines)
    megabytes = sum(len(line.encode()) for line in lines) / 1e6

    def limits() -> dict[str, float]:
        return dict.fromkeys(sides, text_limit(lines))

    goals = SEGMENTED_GOALS if language in SEGMENTED else GOALS
    return compare(
        f"{language}: {len(lines)} lines",
        "lines",
        sides,
        turns=turns,
        limit=Limit(limits, megabytes / len(lines), "MB/s"),
        goals=[Goal(side, PEER, least) for side, least in goals.items() if side in sides],
    )


def show_summary(comparisons: list[dict[str, Any]]) -> None:
    """Print the ratios of all languages together, one table for those that are segmented."""
    for title, segmented in (("Languages with spaces", False), ("Chinese and Thai", True)):
        kind = [c for c in comparisons if (c["title"].split(":")[0] in SEGMENTED) is segmented]
        rows = []
        for side in kind[0]["sides"] if kind else ():
            ratios = [c["sides"][side]["ratio"] for c in kind]
            told = [statistics.median(ratios), min(ratios), max(ratios)]
            rows.append([side, *(f"{value:.2f}" for value in told)])
        if rows:
            headings = ["side", f"median ratio to {PEER}", "least", "most"]
            table(f"{title}, {len(kind)} of them", headings, rows)


def work(side: Callable[[], object], lines: list[str]) -> Work:
    """Return what does a turn of a side and says how many lines it took."""

    def turn() -> int:
        side()
        return len(lines)

    return turn


def main() -> int:
    """Compare both sides in every language of the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_text(parser)
    parser.add_argument("--lines", type=positive, default=600, help="in each language")
    parser.add_argument("--turns", type=positive, default=5)
    parser.add_argument("--vocabulary", type=positive, default=30000)
    arguments = parser.parse_args()
    folder = text_folder(arguments)
    transformers.logging.set_verbosity(50)  # an unknown language is no error there
    set_up(1)
    texts = read_text(folder, arguments.lines)
    config = TokenizerConfig(vocabulary_size=arguments.vocabulary)
    with tempfile.TemporaryDirectory() as name:
        model = Path(name)
        Tokenizer.learn(texts.items(), config, list(texts)).save(model)
        pieces = learn_pieces(texts, arguments.vocabulary)
        comparisons = [
            measure(model, language, lines, pieces, arguments.turns)
            for language, lines in texts.items()
        ]
    show_summary(comparisons)
    record("tokenizing", comparisons, text=described(texts))
    return 0


if __name__ == "__main__":
    run(main)
