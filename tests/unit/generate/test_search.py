"""Search over a table of probabilities whose best sentences are known."""

from itertools import pairwise, product
from typing import Any

import pytest
import torch
from torch import Tensor

from xlmkit.core.errors import UserError
from xlmkit.generate.config import SearchConfig
from xlmkit.generate.found import Found
from xlmkit.generate.search import Asked, search_sentences
from xlmkit.generate.steps import best_words
from xlmkit.text.vocabulary import EOS, PAD

N_WORDS = 6
LONGEST = 6
WORDS = [word for word in range(N_WORDS) if word not in (EOS, PAD)]
HOWS = [{"beam_size": 0}, {"beam_size": 3}, {"sample": True}]


class TableSteps:
    """Next words depend on the sentence, the place and the last word."""

    def __init__(self, n_sentences: int, end: float = 0.0, words: int = N_WORDS) -> None:
        generator = torch.Generator().manual_seed(0)
        self.raw = 2 * torch.randn(n_sentences, LONGEST, words, words, generator=generator)
        self.raw[..., EOS] += end
        self.raw[..., PAD] = -100.0
        self.table = torch.log_softmax(self.raw, dim=-1)
        self.sentences, self.place = torch.arange(n_sentences), 0
        self.computed: list[int] = []  # sentences at each step

    def scores(self, words_BK: Tensor) -> Tensor:
        self.place += 1
        self.computed.append(len(words_BK))
        return self.raw[self.sentences[:, None], self.place - 1, words_BK]

    def follow(self, parents_BK: Tensor) -> None:
        """The last word is all that counts."""

    def keep(self, sentences: Tensor) -> None:
        self.sentences = self.sentences[sentences]


def find(steps: TableSteps, asked: Asked | None = None, limit: int = LONGEST, **how: Any) -> Found:
    limits = torch.full((len(steps.sentences),), limit)
    return search_sentences(steps, limits, SearchConfig(**how), asked)


def rows(found: Found) -> list[list[list[int]]]:
    """Return the hypotheses of each sentence."""
    return [
        [[word for word in row if word != PAD] for row in of_one] for of_one in found.words.tolist()
    ]


def best(found: Found) -> list[list[int]]:
    return [hypotheses[0] for hypotheses in rows(found)]


def probability(table: Tensor, words: list[int]) -> float:
    return sum(float(table[i, a, b]) for i, (a, b) in enumerate(pairwise(words)))


def all_by_hand(
    table: Tensor, length_penalty: float, *, original: bool = False
) -> list[tuple[float, list[int]]]:
    """Try every sentence; the original ends one at the limit with the score of another word."""
    found = []
    for length in range(LONGEST - 1):
        for middle in product(WORDS, repeat=length):
            words = [EOS, *middle, EOS]
            score = probability(table, words)
            if original and length == LONGEST - 2:
                last = table[length, words[-2]]
                score += float(last.max() - last[EOS])
            found.append((score / (length + 1) ** length_penalty, words))
    return sorted(found, reverse=True)


@pytest.mark.parametrize("rules", ["sound", "original"])
@pytest.mark.parametrize("length_penalty", [0.0, 1.0, 2.0])
def test_beams_that_hold_everything_find_the_best(length_penalty: float, rules: str) -> None:
    steps = TableSteps(4)
    found = find(steps, beam_size=300, length_penalty=length_penalty, rules=rules, n_best=3)
    for number, table in enumerate(steps.table):
        expected = all_by_hand(table, length_penalty, original=rules == "original")
        assert rows(found)[number][0] == expected[0][1]
        if rules == "sound":
            assert rows(found)[number] == [words for _, words in expected[:3]]
            given = [score for score, _ in expected[:3]]
            assert found.scores[number].tolist() == pytest.approx(given, abs=1e-5)


@pytest.mark.parametrize(
    "how",
    [
        {"beam_size": 0},
        {"beam_size": 3, "n_best": 3},
        {"beam_size": 3, "repetition_penalty": 3.0},
        {"sample": True, "n_best": 4},
        {"beam_size": 2, "min_length": 3, "no_repeat_ngram": 1},
    ],
)
def test_log_probabilities_are_those_of_the_words(how: dict[str, Any]) -> None:
    steps = TableSteps(8)
    found = find(steps, **how)
    for table, hypotheses, given in zip(
        steps.table, rows(found), found.log_probabilities.tolist(), strict=True
    ):
        for words, log_probability in zip(hypotheses, given, strict=True):
            if words:
                assert log_probability == pytest.approx(probability(table, words), abs=1e-5)
    assert (found.scores.diff(dim=1) <= 0).all()


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
def test_beams_are_never_worse_than_greedy_search_nor_than_beams_alone(
    length_penalty: float, size: int
) -> None:
    def steps() -> TableSteps:
        return TableSteps(300, words=30)

    greedy = find(steps(), beam_size=0, length_penalty=length_penalty).scores[:, 0]
    sound = find(steps(), beam_size=size, length_penalty=length_penalty).scores[:, 0]
    told = best(find(steps(), beam_size=size, length_penalty=length_penalty, rules="original"))
    alone = torch.tensor(
        [
            probability(table, words) / (len(words) - 1) ** length_penalty
            for table, words in zip(steps().table, told, strict=True)
        ]
    )
    assert (sound - greedy).min() > -1e-5
    assert (sound - alone).min() > -1e-5
    if size > 1:
        assert (alone < greedy - 1e-5).any()  # it is the sound rules that see to it


def _row(**chances: float) -> Tensor:
    """Return the scores of words named `w7` and of `</s>`; others share what is left."""
    chance_V = torch.full((60,), (1 - sum(chances.values())) / (59 - len(chances)))
    chance_V[PAD] = 1e-30
    for name, chance in chances.items():
        chance_V[EOS if name == "end" else int(name[1:])] = chance
    return chance_V.log()


def test_greedy_search_is_followed_where_all_beams_have_lost_hope() -> None:
    """A word drops out of the beams, and is the only one that leads to something."""
    begun = range(11, 16)
    steps = TableSteps(1, words=60)
    steps.raw = _row(end=1e-6).expand(1, LONGEST, 60, 60).clone()
    steps.raw[0, 0, EOS] = _row(w10=0.2, **{f"w{word}": 0.15 for word in begun}, end=1e-6)
    steps.raw[0, 1, 10] = _row(w20=0.1, end=1e-6)
    for word in begun:
        steps.raw[0, 1, word] = _row(end=0.35, **{f"w{word - 8}": 0.3, f"w{word + 10}": 0.3})
    steps.raw[0, 2] = _row(end=0.05, w27=1e-9)
    steps.raw[0, 2, 20] = _row(w27=0.999, end=1e-6)
    steps.raw[0, 3, 27] = _row(end=0.999)
    assert best(find(steps, beam_size=5)) == [[EOS, 10, 20, 27, EOS]]


def test_greedy_follows_the_best_word_and_pads_what_has_ended() -> None:
    steps = TableSteps(6, end=1.0)
    found = best(find(steps, beam_size=0))
    for table, row in zip(steps.table, found, strict=True):
        words = [EOS]
        while len(words) < LONGEST:
            words.append(int(table[len(words) - 1, words[-1]].argmax()))
            if words[-1] == EOS:
                break
        words[-1] = EOS
        assert row == words
    assert len({len(row) for row in found}) > 1


def test_early_stopping_ends_with_the_first_hypotheses() -> None:
    patient, hasty = TableSteps(1, end=4.0), TableSteps(1, end=4.0)
    find(patient, beam_size=2, length_penalty=2.0)
    find(hasty, beam_size=2, length_penalty=2.0, early_stopping=True)
    assert hasty.place < patient.place


@pytest.mark.parametrize("how", [{"beam_size": 0}, {"beam_size": 2}, {"sample": True}])
def test_sentences_that_have_ended_leave_the_batch(how: dict[str, Any]) -> None:
    steps = TableSteps(64, end=2.0)
    find(steps, **how)
    assert steps.computed[0] == 64
    assert steps.computed[-1] < 48


@pytest.mark.parametrize("how", [{"beam_size": 3}, {"sample": True, "n_best": 3}])
def test_sentences_do_not_see_one_another(how: dict[str, Any]) -> None:
    numbers = [[7, number] for number in range(5)]
    together = rows(find(TableSteps(5), Asked(numbers=numbers), **how))
    for number in range(5):
        steps = TableSteps(5)
        steps.raw = steps.raw[number : number + 1]
        steps.sentences = torch.arange(1)
        alone = rows(find(steps, Asked(numbers=numbers[number : number + 1]), **how))
        assert alone == [together[number]]


def test_limits_are_each_sentences_own() -> None:
    limits = torch.tensor([2, 3, 4, 6, 6])
    for how in ({"beam_size": 0}, {"beam_size": 3}, {"sample": True}):
        found = search_sentences(TableSteps(5, end=-9.0), limits, SearchConfig(**how))
        assert [len(row) for row in best(found)] == limits.tolist()


@pytest.mark.parametrize("how", [*HOWS, {"sample": True, "n_best": 2}])
def test_what_is_found_is_as_wide_as_its_longest_sentence(how: dict[str, Any]) -> None:
    found = find(TableSteps(5, end=6.0), **how)
    longest = max(len(row) for of_one in rows(found) for row in of_one)
    assert found.words.shape[2] == longest < LONGEST


def test_samples_follow_the_probabilities() -> None:
    steps = TableSteps(1)
    found = find(steps, sample=True, n_best=4000, seed=3)
    first = torch.tensor([row[1] for row in rows(found)[0]])
    share = torch.bincount(first, minlength=N_WORDS) / 4000
    expected = steps.table[0, 0, EOS].exp()
    assert (share - expected).abs().max() < 4 * (0.25 / 4000) ** 0.5
    assert rows(find(TableSteps(1), sample=True, n_best=4000, seed=3)) == rows(found)
    assert rows(find(TableSteps(1), sample=True, n_best=4000, seed=4)) != rows(found)


def test_top_k_and_top_p_leave_the_best_words() -> None:
    steps = TableSteps(1)
    first = steps.table[0, 0, EOS].exp().sort(descending=True)
    for how, n in (({"top_k": 2}, 2), ({"top_p": float(first.values[:2].sum()) + 0.01}, 3)):
        found = find(TableSteps(1), sample=True, n_best=500, **how)
        assert {row[1] for row in rows(found)[0]} == set(first.indices[:n].tolist())
    cold = find(TableSteps(4), sample=True, temperature=1e-3)
    assert best(cold) == best(find(TableSteps(4), beam_size=0))


@pytest.mark.parametrize("how", HOWS)
def test_prefixes_come_first_and_are_scored(how: dict[str, Any]) -> None:
    prefixes = [[3], [4, 5], [], [0, 3, 4, 5, 0, 3]]
    steps = TableSteps(4, end=1.0)
    found = find(steps, Asked(prefixes=prefixes), **how)
    for number, (row, prefix) in enumerate(zip(best(found), prefixes, strict=True)):
        kept = prefix[: LONGEST - 2]
        assert row[1 : 1 + len(kept)] == kept
        given = float(found.log_probabilities[number, 0])
        assert given == pytest.approx(probability(steps.table[number], row), abs=1e-5)
    assert best(found)[2] == best(find(TableSteps(4, end=1.0), **how))[2]


@pytest.mark.parametrize("how", HOWS)
def test_only_allowed_words_are_written(how: dict[str, Any]) -> None:
    allowed = torch.zeros(N_WORDS - 1, dtype=torch.bool)  # the model may know more words
    allowed[[0, 4]] = True
    words = {word for row in best(find(TableSteps(9), Asked(allowed), **how)) for word in row}
    assert words == {EOS, 0, 4}


@pytest.mark.parametrize("how", HOWS)
def test_short_sentences_and_repetition_can_be_forbidden(how: dict[str, Any]) -> None:
    def inside(**more: Any) -> list[list[int]]:
        return [row[1:-1] for row in best(find(TableSteps(40, end=1.0), **how, **more))]

    assert min(map(len, inside())) < 3
    assert min(map(len, inside(min_length=3))) == 3
    pairs = [list(pairwise(row)) for row in inside(min_length=4, no_repeat_ngram=2)]
    assert all(len(set(row)) == len(row) for row in pairs)
    assert any(len(set(row)) < len(row) for row in map(list, map(pairwise, inside(min_length=4))))
    before, after = inside(min_length=4), inside(min_length=4, repetition_penalty=5.0)
    assert sum(map(len, map(set, after))) > sum(map(len, map(set, before)))


def test_more_translations_than_beams_are_refused() -> None:
    with pytest.raises(UserError, match="need as many beams"):
        SearchConfig(beam_size=2, n_best=3)


@pytest.mark.parametrize("n_words", [1000, 7 * 128 + 5, 2560])
def test_the_best_words_are_those_of_a_whole_sort(n_words: int) -> None:
    random = torch.Generator().manual_seed(0)
    scores = torch.randn(3, 4, n_words, generator=random)
    scores[1, :, 3:] = -torch.inf  # as where little is allowed
    scores[2, 0, -1] = 9.0
    for n in (2, 3, 10):
        found, words = best_words(scores, n)
        expected = scores.topk(n, dim=2)
        assert torch.equal(found, expected.values)
        finite = expected.values.isfinite()
        assert torch.equal(words[finite], expected.indices[finite])
        assert words.max() < n_words
