"""Shards of two cipher languages: the same bytes on every machine."""

import random

import pytest

from xlmkit.data.encode import encode_corpus
from xlmkit.data.records import Record
from xlmkit.data.shards import Shards
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary

LETTERS = {"en": "abcdefghijkl", "el": "αβγδεζηθικλμ"}


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Shards:
    folder = tmp_path_factory.mktemp("corpus")
    rng = random.Random(0)
    for split, n_records in (("train", 200), ("valid", 0), ("test", 0)):
        lines = []
        for number in range(n_records):
            choice = [min(rng.randrange(12), rng.randrange(12)) for _ in range(rng.randrange(2, 9))]
            texts = {
                code: " ".join(letters[i] for i in choice) for code, letters in LETTERS.items()
            }
            lines.append(Record(texts, "cipher", str(number)).to_json() + "\n")
        (folder / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
    symbols = [f"{letter}</w>" for letters in LETTERS.values() for letter in letters]
    tokenizer = Tokenizer(
        Vocabulary([*SPECIAL_TOKENS, *symbols]), Merges(()), {"en": 0, "el": 1}, segmenters={}
    )
    encode_corpus(folder, tokenizer, folder / "shards")
    return Shards(folder / "shards")
