"""Search over a table of probabilities whose best sentences are known."""

from itertools import pairwise, product

import pytest
import torch
from torch import Tensor

from xlmkit.generate.search import beam_search, greedy_search
from xlmkit.text.vocabulary import EOS, PAD

CPU = torch.device("cpu")
N_WORDS = 6
LONGEST = 6
WORDS = [word for word in range(N_WORDS) if word not in (EOS, PAD)]


class TableSteps:
    """Next words depend on the sentence, the place and the last word."""

    def __init__(self, n_sentences: int, end: float = 0.0) -> None:
        generator = torch.Generator().manual_seed(0)
        scores = 2 * torch.randn(n_sentences, LONGEST, N_WORDS, N_WORDS, generator=generator)
        scores[..., EOS] += end
        scores[..., PAD] = -100.0
        self.table = torch.log_softmax(scores, dim=-1)
        self.rows, self.place = torch.arange(n_sentences), 0

    def log_probabilities(self, words_R: Tensor) -> Tensor:
        self.place += 1
        return self.table[self.rows, self.place - 1, words_R]

    def select(self, rows: Tensor) -> None:
        self.rows = self.rows[rows]


def best_by_hand(table: Tensor, length_penalty: float) -> list[int]:
    """Try every sentence; one that is as long as allowed ends with whatever word is likeliest."""
    found = []
    for length in range(LONGEST - 1):
        for middle in product(WORDS, repeat=length):
            words = [EOS, *middle]
            score = sum(float(table[i, a, b]) for i, (a, b) in enumerate(pairwise(words)))
            last = table[length, words[-1]]
            score += float(last.max() if length == LONGEST - 2 else last[EOS])
            found.append((score / len(words) ** length_penalty, [*words, EOS]))
    return max(found)[1]


def rows(found: Tensor) -> list[list[int]]:
    return [[word for word in row if word != PAD] for row in found.tolist()]


@pytest.mark.parametrize("length_penalty", [0.0, 1.0, 2.0])
def test_a_beam_that_holds_everything_finds_the_best(length_penalty: float) -> None:
    steps = TableSteps(4)
    expected = [best_by_hand(table, length_penalty) for table in steps.table]
    found = beam_search(steps, 4, LONGEST, CPU, beam_size=256, length_penalty=length_penalty)
    assert rows(found) == expected
    assert len({len(row) for row in expected}) > 1 or length_penalty != 1.0


def test_greedy_follows_the_best_word_and_pads_what_has_ended() -> None:
    steps = TableSteps(6, end=1.0)
    found = greedy_search(steps, 6, LONGEST, CPU)
    for table, row in zip(steps.table, rows(found), strict=True):
        words = [EOS]
        while len(words) < LONGEST:
            words.append(int(table[len(words) - 1, words[-1]].argmax()))
            if words[-1] == EOS:
                break
        words[-1] = EOS
        assert row == words
    assert len({len(row) for row in rows(found)}) > 1


def test_early_stopping_ends_with_the_first_hypotheses() -> None:
    patient, hasty = TableSteps(1, end=4.0), TableSteps(1, end=4.0)
    beam_search(patient, 1, LONGEST, CPU, beam_size=2, length_penalty=2.0)
    beam_search(hasty, 1, LONGEST, CPU, beam_size=2, length_penalty=2.0, early_stopping=True)
    assert hasty.place < patient.place


def test_sentences_do_not_see_one_another() -> None:
    together = rows(beam_search(TableSteps(5), 5, LONGEST, CPU, beam_size=3))
    for number in range(5):
        steps = TableSteps(5)
        steps.table = steps.table[number : number + 1]
        steps.rows = torch.arange(1)
        assert rows(beam_search(steps, 1, LONGEST, CPU, beam_size=3)) == [together[number]]
