"""Shards of two cipher languages, every word a letter: L2 is L1 with other letters."""

import numpy as np
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
    random = np.random.default_rng(0)
    for split, n_records in (("train", 150), ("valid", 30), ("test", 0)):
        lines = []
        for number in range(n_records):
            # Letter 0 is far more frequent than the others.
            choice = random.integers(0, 12, random.integers(2, 9)) * random.integers(0, 2)
            texts = {
                code: " ".join(alphabet[i] for i in choice) for code, alphabet in LETTERS.items()
            }
            lines.append(Record(texts, "cipher", str(number)).to_json() + "\n")
        (folder / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
    symbols = [f"{letter}</w>" for alphabet in LETTERS.values() for letter in alphabet]
    tokenizer = Tokenizer(
        Vocabulary([*SPECIAL_TOKENS, *symbols]), Merges(()), {"en": 0, "el": 1}, segmenters={}
    )
    encode_corpus(folder, tokenizer, folder / "shards")
    return Shards(folder / "shards")
