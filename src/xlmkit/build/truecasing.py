"""What a recipe's translators learn of case and accents, where their own text has neither."""

from collections import Counter
from collections.abc import Iterator

from xlmkit.core.progress import progress
from xlmkit.data.corpus import read_corpus
from xlmkit.data.corpus_report import read_report
from xlmkit.data.records import blocks
from xlmkit.plan import RunPlan
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.truecasing import Truecaser

_MOST = 200_000
"""Texts of a language that are counted, spread over the corpus: the forms of the frequent words are
known by then."""


def learn_truecaser(plan: RunPlan, tokenizer: Tokenizer) -> Truecaser | None:
    """Learn from the training texts how words are written; None where the model's text shows it."""
    if not tokenizer.lowercase_and_remove_accent:
        return None
    return Truecaser.learn(_texts(plan), tokenizer.segmenters)


def _texts(plan: RunPlan) -> Iterator[tuple[str, list[str]]]:
    """Yield language and texts, a block at a time."""
    totals = read_report(plan.corpus.folder).splits["train"].texts
    every = {code: -(-total // _MOST) for code, total in totals.items()}
    seen: Counter[str] = Counter()
    with progress("learning case and accents", unit="texts") as bar:
        for block in blocks(read_corpus(plan.corpus.folder, "train")):
            texts: dict[str, list[str]] = {}
            for record in block:
                for code, text in record.texts.items():
                    if seen[code] % every[code] == 0:
                        texts.setdefault(code, []).append(text)
                    seen[code] += 1
            yield from texts.items()
            bar.advance(len(block))
