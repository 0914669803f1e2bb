"""Texts in the parts that a model reads one by one, cut where it hurts least."""

import numpy as np

from xlmkit.data.measures import normalize
from xlmkit.generate.engine import Ids
from xlmkit.text.sentences import split_sentences, whole_sentences
from xlmkit.text.tokenizer import Tokenizer


def cut(
    text: str, language: str, tokenizer: Tokenizer, room: int, *, split: bool = False
) -> list[Ids]:
    """Return the tokens of a text's normal form in parts of at most `room`, none if it is empty.

    Only what is too long is cut: at the ends of sentences, as many to a part as fit; a sentence
    that is too long by itself is cut between its tokens. With `split` every sentence is a part of
    its own.
    """
    if split:
        sentences = whole_sentences(text, language)
        if len(sentences) > 1:
            return [part for one in sentences for part in cut(one, language, tokenizer, room)]
    (whole,) = tokenizer.encode_batch([normalize(text)], language)
    if len(whole) <= room:
        return [whole] if len(whole) else []
    parts: list[Ids] = []
    sentences = list(map(normalize, split_sentences(text)))  # while lines still have their ends
    for ids in tokenizer.encode_batch(sentences, language):
        if parts and len(parts[-1]) + len(ids) <= room:
            parts[-1] = np.concatenate([parts[-1], ids])
        else:
            parts += [ids[start : start + room] for start in range(0, len(ids), room)]
    return parts
