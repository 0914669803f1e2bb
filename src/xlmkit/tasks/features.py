"""From labelled texts to what a model reads."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from xlmkit.data.batch import Segment
from xlmkit.tasks.classification import LabelledTexts
from xlmkit.text.tokenizer import Tokenizer


def encode_rows(
    texts: Mapping[str, LabelledTexts], tokenizer: Tokenizer
) -> tuple[list[tuple[Segment, ...]], NDArray[np.int64]]:
    """Return the sequences of all languages, one sentence each, and their labels."""
    rows: list[tuple[Segment, ...]] = []
    for language, part in texts.items():
        number = tokenizer.lang2id[language]
        rows += [((ids, number),) for ids in tokenizer.encode_batch(part.texts, language)]
    return rows, np.concatenate([part.labels for part in texts.values()])
