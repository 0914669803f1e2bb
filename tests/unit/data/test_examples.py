from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xlmkit.core.errors import UserError
from xlmkit.core.files import write_json
from xlmkit.data.examples import (
    Examples,
    PairExamples,
    Pieces,
    SentenceExamples,
    StreamExamples,
)
from xlmkit.data.sampler import Draw, Sampler
from xlmkit.data.shards import MANIFEST, Shards
from xlmkit.text.sampling import sampling_probabilities

LANGUAGES = ["en", "ru", "zh"]


def sentence(language: int, number: int, length: int) -> list[int]:
    """Tokens that tell where they come from."""
    return [1000 * (language + 1) + 10 * number + place for place in range(length)]


TEXTS = {
    "en": [sentence(0, n, 3 + n % 5) for n in range(40)],
    "ru": [sentence(1, n, 6) for n in range(10)],
    "zh": [],
}
PAIRS = {("en", "ru"): [[n, n] for n in range(10)], ("en", "zh"): []}


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    files: dict[str, Any] = {}

    def write(name: str, array: np.ndarray[Any, Any]) -> None:
        array.tofile(tmp_path / name)
        files[name] = {"dtype": array.dtype.str, "bytes": array.nbytes}

    for code, rows in TEXTS.items():
        if rows:
            write(f"train.{code}.tokens", np.array([i for r in rows for i in [*r, 1]], "<u2"))
            write(f"train.{code}.starts", np.cumsum([0, *(len(r) + 1 for r in rows)]))
    for (a, b), numbers in PAIRS.items():
        if numbers:
            write(f"train.{a}-{b}.pairs", np.array(numbers, "<i4"))
    pairs = {"train": [list(names) for names, numbers in PAIRS.items() if numbers]}
    write_json(tmp_path / MANIFEST, {"languages": LANGUAGES, "pairs": pairs, "files": files})
    return Shards(tmp_path)


def every(examples: Examples, group: int) -> Draw:
    n_items = len(examples.groups[group].lengths)
    return Draw(np.full(n_items, group), np.arange(n_items))


def test_streams_are_the_text_end_to_end(shards: Shards) -> None:
    examples = StreamExamples(shards, "train", 16, alpha=0.5)
    assert [group.name for group in examples.groups] == ["en", "ru"]
    text = [i for row in TEXTS["en"] for i in [*row, 1]]
    made = examples.arrays(every(examples, 0))
    assert made.tokens.ravel().tolist() == text[: made.tokens.size]
    assert len(text) - made.tokens.size < 16
    assert (made.lengths == 16).all()
    assert made.positions.tolist() == [list(range(16))] * len(made.tokens)
    assert (made.languages == 0).all()
    assert (examples.arrays(every(examples, 1)).languages == 1).all()
    assert {a.dtype.str for a in (made.tokens, made.lengths, made.positions)} == {"<i8"}


def test_streams_mix_languages_in_one_batch(shards: Shards) -> None:
    examples = StreamExamples(shards, "train", 16, alpha=0.5)
    made = examples.arrays(Draw(np.array([1, 0]), np.array([1, 3])))
    russian = [i for row in TEXTS["ru"] for i in [*row, 1]]
    assert made.tokens[0].tolist() == russian[16:32]
    assert made.languages[:, 0].tolist() == [1, 0]


def test_languages_are_drawn_by_their_tokens_to_the_power_alpha(shards: Shards) -> None:
    counts = {code: sum(len(r) + 1 for r in TEXTS[code]) for code in ("en", "ru")}
    for alpha in (0.0, 0.5, 1.0):
        examples = StreamExamples(shards, "train", 16, alpha)
        found = {group.name: group.probability for group in examples.groups}
        assert found == pytest.approx(sampling_probabilities(counts, alpha))


def test_shares_of_single_sentences_are_shares_of_tokens(shards: Shards) -> None:
    examples = SentenceExamples(shards, "train", 100, alpha=0.0)
    tokens = [group.probability * float(group.lengths.mean()) for group in examples.groups]
    assert tokens[0] == pytest.approx(tokens[1])


@pytest.mark.parametrize("longest", [9, 7])
def test_sentences_stand_alone_and_lengths_are_as_announced(shards: Shards, longest: int) -> None:
    examples = SentenceExamples(shards, "train", longest, alpha=1.0)
    for number, group in enumerate(examples.groups):
        made = examples.arrays(every(examples, number))
        assert made.lengths.tolist() == group.lengths.tolist()
        for row, tokens in enumerate(TEXTS[group.name]):
            inside = made.tokens[row, : made.lengths[row]].tolist()
            assert inside == [1, *tokens[: longest - 2], 1]
            assert (made.languages[row, : made.lengths[row]] == number).all()


def test_long_texts_are_cut_into_pieces_of_like_length_and_nothing_is_lost(shards: Shards) -> None:
    examples = SentenceExamples(shards, "train", 5, alpha=0.5, whole=True)
    for number, group in enumerate(examples.groups):
        made = examples.arrays(every(examples, number))
        assert made.lengths.tolist() == group.lengths.tolist()
        texts: list[list[list[int]]] = []
        for row, length in zip(made.tokens.tolist(), made.lengths.tolist(), strict=True):
            assert row[0] == row[length - 1] == 1
            piece = row[1 : length - 1]
            if piece[0] % 10 == 0:
                texts.append([])
            texts[-1].append(piece)
        assert [[i for piece in pieces for i in piece] for pieces in texts] == TEXTS[group.name]
        for pieces in texts:
            sizes = [len(piece) for piece in pieces]
            assert max(sizes) <= 3
            assert max(sizes) - min(sizes) <= 1
    tokens = [group.probability * float(group.lengths.mean()) for group in examples.groups]
    shares = sampling_probabilities(
        {code: sum(map(len, TEXTS[code])) for code in ("en", "ru")}, alpha=0.5
    )
    assert tokens[0] / sum(tokens) == pytest.approx(shares["en"], abs=0.02)


def test_an_empty_language_has_no_pieces(shards: Shards) -> None:
    assert len(Pieces(shards.sentences("train", "en"), 3)) > len(TEXTS["en"])
    with pytest.raises(UserError, match="no text in any language"):
        Sampler(SentenceExamples(shards, "train", 5, 1.0, ["zh"], whole=True).groups, 100, "seed")


def test_languages_may_be_chosen_and_keep_their_ids(shards: Shards) -> None:
    for kind in (SentenceExamples, StreamExamples):
        examples = kind(shards, "train", 12, 1.0, ["ru"])
        assert [group.name for group in examples.groups] == ["ru"]
        assert (examples.arrays(Draw(np.array([0]), np.array([2]))).languages == 1).all()


def test_pairs_stand_side_by_side_each_language_first_in_half(shards: Shards) -> None:
    examples = PairExamples(shards, "train", 100, alpha=0.5)
    assert [group.name for group in examples.groups] == ["en-ru"]
    made = examples.arrays(every(examples, 0))
    assert made.lengths.tolist() == examples.groups[0].lengths.tolist()
    firsts = []
    for row, (a, b) in enumerate(PAIRS["en", "ru"]):
        length = int(made.lengths[row])
        parts = [(0, TEXTS["en"][a]), (1, TEXTS["ru"][b])]
        firsts.append(int(made.languages[row, 0]))
        if firsts[-1] == 1:
            parts.reverse()
        tokens = [i for _, part in parts for i in [1, *part, 1]]
        languages = [code for code, part in parts for _ in range(len(part) + 2)]
        places = [place for _, part in parts for place in range(len(part) + 2)]
        assert made.tokens[row, :length].tolist() == tokens
        assert made.languages[row, :length].tolist() == languages
        assert made.positions[row, :length].tolist() == places
    assert sum(firsts) == 5  # though both sentences have the same number in every pair


def test_long_pairs_are_cut_to_the_longest(shards: Shards) -> None:
    examples = PairExamples(shards, "train", 10, alpha=0.5)
    made = examples.arrays(every(examples, 0))
    assert made.tokens.shape[1] == 10
    assert examples.groups[0].lengths.max() == 10
    assert ((made.tokens == 1).sum(axis=1) == 4).all()


def test_only_pairs_with_the_pivot_are_used(shards: Shards) -> None:
    assert len(PairExamples(shards, "train", 50, 0.5, pivot="ru").groups) == 1
    with pytest.raises(UserError, match="no text"):
        PairExamples(shards, "train", 50, 0.5, pivot="zh")


def test_text_too_short_for_a_stream_is_said(shards: Shards) -> None:
    with pytest.raises(UserError, match="no text"):
        StreamExamples(shards, "train", 5000, 0.5)
