import numpy as np

from xlmkit.tasks.features import encode_rows
from xlmkit.tasks.sequences import LabelledTexts
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary


def test_texts_become_rows_with_their_languages_and_labels() -> None:
    symbols = [f"{letter}</w>" for letter in "abжд"]
    tokenizer = Tokenizer(
        Vocabulary([*SPECIAL_TOKENS, *symbols]), Merges(()), {"en": 0, "ru": 1}, segmenters={}
    )
    texts = {
        "ru": LabelledTexts(["ж д", "д"], np.array([2, 0])),
        "en": LabelledTexts(["a b a"], np.array([1])),
    }
    rows, labels = encode_rows(texts, tokenizer)
    assert [[(ids.tolist(), code) for ids, code in row] for row in rows] == [
        [([16, 17], 1)],
        [([17], 1)],
        [([14, 15, 14], 0)],
    ]
    assert labels.tolist() == [2, 0, 1]
