"""From labelled texts to what a model reads."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlmkit.data.batch import Segment
from xlmkit.tasks.sequences import LabelledTexts
from xlmkit.text.tokenizer import Tokenizer


def encode_rows(
    texts: Mapping[str, LabelledTexts], tokenizer: Tokenizer
) -> tuple[list[tuple[Segment, ...]], NDArray[Any]]:
    """Return the sequences of all languages, of one sentence or two, and their labels."""
    rows: list[tuple[Segment, ...]] = []
    for language, part in texts.items():
        number = tokenizer.lang2id[language]
        first = tokenizer.encode_batch(part.texts, language)
        if part.seconds is None:
            rows += [((ids, number),) for ids in first]
        else:
            second = tokenizer.encode_batch(part.seconds, language)
            rows += [((a, number), (b, number)) for a, b in zip(first, second, strict=True)]
    return rows, np.concatenate([part.labels for part in texts.values()])
