"""How many words get back the case and accents that a model of lower-cased text has dropped.

    python benchmarks/truecasing.py --text FOLDER --test de=FILE fr=FILE [--lines 60000]

FOLDER holds a folder for each language, named by its code, with .txt files of one text a line, from
which the forms of words are learned; each FILE has other text of one language, as it is written.
Its words are lower-cased, lose their accents, and are written again, as `xlmkit translate` writes
them: with the capitals of sentences alone, and with the forms that were learned as well. Told is
the share of words, between spaces, that are as before. Nothing is timed, and there is no peer.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

from _arguments import add_text, positive, run, spread, text_folder
from _harness import described, record, set_up

from xlmkit.core.errors import UserError
from xlmkit.core.files import open_lines
from xlmkit.core.tables import table
from xlmkit.text.capitals import capitalised
from xlmkit.text.encoder import split_words
from xlmkit.text.folding import fold_word
from xlmkit.text.truecasing import Truecaser
from xlmkit.text.writing import written


def brought_back(lines: Iterable[str], language: str, truecaser: Truecaser) -> tuple[int, int, int]:
    """Return how many words there are, as before with capitals alone, and with forms as well."""
    total = alone = with_forms = 0
    for line in lines:
        pairs = [(word, fold_word(word)) for word in split_words(line, language, {})]
        words = [word for word, folded in pairs if len(folded) == 1]
        folded = [parts[0] for _, parts in pairs if len(parts) == 1]
        before = written(words, language).split()
        total += len(before)
        alone += _same(before, folded, language)
        with_forms += _same(before, truecaser.cased(folded, language), language)
    return total, alone, with_forms


def _same(before: list[str], words: list[str], language: str) -> int:
    """Return how many words are as before; all of a line count as wrong if it has more or fewer."""
    again = capitalised(written(words, language), language).split()
    if len(again) != len(before):
        return 0
    return sum(one == other for one, other in zip(before, again, strict=True))


def test_file(text: str) -> tuple[str, Path]:
    """Return language and file of `CODE=FILE`, for argparse."""
    code, separator, path = text.partition("=")
    if not (code and separator and path):
        raise argparse.ArgumentTypeError(f"{text!r} is not CODE=FILE, such as de=test.de")
    return code, Path(path)


def main() -> None:
    """Learn the forms of each language and count what they bring back."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_text(parser)
    parser.add_argument("--test", nargs="+", type=test_file, required=True, metavar="CODE=FILE")
    parser.add_argument("--lines", type=positive, default=60_000, help="to learn from")
    arguments = parser.parse_args()
    folder = text_folder(arguments)
    set_up(1)
    texts, rows, results = {}, [], []
    for code, path in arguments.test:
        learned = spread(folder / code, arguments.lines)
        if not learned:
            raise UserError(f"{folder} has no text in {code}, of which --test names a file.")
        test = [line for _, line in open_lines(path)]
        total, alone, with_forms = brought_back(test, code, Truecaser.learn([(code, learned)], {}))
        texts |= {code: learned, f"{code} test": test}
        shares = [100 * alone / total, 100 * with_forms / total]
        rows.append([code, f"{total:,}", *(f"{share:.1f}" for share in shares)])
        results.append({"title": code, "words": total, "capitals": shares[0], "forms": shares[1]})
    columns = ["language", "words", "capitals of sentences, %", "with learned forms, %"]
    table("Case and accents", columns, rows)
    record("truecasing", results, text=described(texts))


if __name__ == "__main__":
    run(main)
