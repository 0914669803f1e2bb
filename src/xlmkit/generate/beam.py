"""Beam search, by the original project's rules or soundly.

The original compares finished hypotheses by the sum of log-probabilities over `length **
length_penalty`, where the length counts `</s>` at the start and not the one at the end; it looks at
twice as many continuations as there are beams; and it ends a sentence when the best that its beams
could still reach is no better than the worst of its finished hypotheses, or with `early_stopping`
as soon as there are as many of these as beams. At the longest length it ends hypotheses with a
`</s>` in place of a word whose score they keep. Greedy search is not its beam of one, which goes on
behind a first `</s>` until that rule holds.

The sound rules score that last `</s>`, and let the hypothesis of greedy search go along beside the
beams where these drop it. So without early stopping the result is never worse than greedy search's,
nor than that of the beams alone.

Shapes: B sentences, K beams (one more where greedy search's goes along), C candidates, L words,
V words of the vocabulary.
"""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from xlmkit.generate.config import SearchConfig
from xlmkit.generate.constraints import Constraints
from xlmkit.generate.found import LEAVE_TOGETHER, Found
from xlmkit.generate.steps import Steps, best_words, log_normalizers
from xlmkit.text.vocabulary import EOS, PAD


@dataclass(slots=True)
class _Candidates:
    """Continuations of the beams, the best first.

    Attributes:
        rank: log-probability with penalties, by which they are compared, (B, C).
        total: the model's log-probability, (B, C).
        parent: the beam that each continues, (B, C).
        word: the word it adds, (B, C).
        greedy: whether it is greedy search's, (B, C); with sound rules its last column is that of
            greedy search once more, impossible where it stands among the others.
    """

    rank: Tensor
    total: Tensor
    parent: Tensor
    word: Tensor
    greedy: Tensor

    def gather(self, place_BK: Tensor) -> "_Candidates":
        """Return those at these places."""
        return _Candidates(*(getattr(self, f.name).gather(1, place_BK) for f in fields(self)))


@dataclass(slots=True)
class _Beams:
    """The sentences of a batch that are not done.

    Attributes:
        number: of each sentence, (B,).
        written: words of each beam, (B, K, L).
        rank: log-probability with penalties, minus infinity for a beam that is none, (B, K).
        total: the model's log-probability, (B, K).
        greedy: True at the beam of greedy search, (B, K).
        finished: the best K hypotheses that have ended.
        done: sentences for which nothing better can come, (B,).
    """

    number: Tensor
    written: Tensor
    rank: Tensor
    total: Tensor
    greedy: Tensor
    finished: Found
    done: Tensor

    @classmethod
    def begun(cls, constraints: Constraints, n_beams: int, *, sound: bool) -> "_Beams":
        """Return one beam for each sentence, since all would begin alike."""
        B, device = len(constraints.limits), constraints.limits.device
        zeros_B1 = torch.zeros(B, 1, device=device)
        return cls(
            torch.arange(B, device=device),
            torch.full((B, 1, 1), EOS, device=device),
            zeros_B1,
            zeros_B1,
            torch.full((B, 1), sound, device=device),
            Found.nothing(B, n_beams, int(constraints.limits.max()), device),
            torch.zeros(B, dtype=torch.bool, device=device),
        )

    def keep(self, sentences: Tensor) -> None:
        """Go on with these sentences."""
        self.finished = self.finished.select(sentences)
        for name in ("number", "written", "rank", "total", "greedy", "done"):
            setattr(self, name, getattr(self, name).index_select(0, sentences))


@torch.inference_mode()
def beam_search(steps: Steps, constraints: Constraints, search: SearchConfig) -> Found:
    """Follow the best `beam_size` beginnings of every sentence; those that are done leave.

    Args:
        steps: the decoding, before its first step.
        constraints: what the sentences must obey.
        search: the number of beams and how hypotheses are compared.

    Returns:
        As many hypotheses of each sentence as there are beams.
    """
    state = _Beams.begun(constraints, search.beam_size, sound=search.rules == "sound")
    found = state.finished.select(state.number)
    for place in range(1, int(constraints.limits.max())):
        scores_BKV = steps.scores(state.written[:, :, -1])
        candidates = _candidates(scores_BKV, state, constraints, search)
        _close(state, candidates.rank.amax(dim=1), constraints, search)  # greedy search's is last
        parents_BK = _take(state, candidates, constraints, search)
        best_open_B = state.rank.max(dim=1).values
        _close(state, best_open_B, constraints, search)
        state.done |= (constraints.limits <= place + 1) | best_open_B.isinf()
        if int(state.done.sum()) * LEAVE_TOGETHER < len(state.done):
            steps.follow(parents_BK)
            continue
        gone, rest = state.done.nonzero()[:, 0], (~state.done).nonzero()[:, 0]
        found.put(state.number[gone], state.finished.select(gone))
        if not len(rest):
            break
        steps.follow(parents_BK)
        steps.keep(rest)
        state.keep(rest)
        constraints = constraints.keep(rest)
    return found


def _candidates(
    scores_BKV: Tensor, state: _Beams, constraints: Constraints, search: SearchConfig
) -> _Candidates:
    """Find the best `2 * beam_size` continuations: first of each beam, then of all together.

    Only their log-probabilities are computed, from the scores and one sum over the vocabulary.
    """
    norm_BK = log_normalizers(scores_BKV)
    ranked_BKV = constraints.ranked(scores_BKV, norm_BK, state.written)
    n = min(2 * search.beam_size, scores_BKV.shape[2])
    ranked_BKn, words_BKn = best_words(ranked_BKV, n)
    own_BKn = scores_BKV.gather(2, words_BKn)
    base_BK1, total_BK1 = (
        sums[..., None] - norm_BK[..., None] for sums in (state.rank, state.total)
    )
    greedy_BKn = torch.zeros_like(words_BKn, dtype=torch.bool)
    greedy_BKn[:, :, 0] = state.greedy
    parent_BKn = torch.arange(len(norm_BK[0]), device=norm_BK.device)[:, None].expand_as(own_BKn)
    everything = _Candidates(
        *(
            part.flatten(1)
            for part in (
                base_BK1 + ranked_BKn,
                total_BK1 + own_BKn,
                parent_BKn,
                words_BKn,
                greedy_BKn,
            )
        )
    )
    n_best = min(2 * search.beam_size, everything.rank.shape[1])
    goes_along_BC = everything.parent >= search.beam_size
    rank_BC = everything.rank.masked_fill(goes_along_BC, -torch.inf)
    best = everything.gather(rank_BC.topk(n_best, dim=1).indices)
    if search.rules == "original":
        return best
    return _with_greedy(best, everything, search.beam_size)


def _with_greedy(best: _Candidates, everything: _Candidates, n_beams: int) -> _Candidates:
    """Add greedy search's continuation as a last candidate, impossible where it is taken anyhow."""
    once_more = everything.gather(everything.greedy.int().argmax(dim=1, keepdim=True))
    taken_B1 = (best.greedy & _within(best, n_beams)).any(dim=1, keepdim=True)
    needless_B1 = taken_B1 | ~once_more.greedy
    once_more.rank = once_more.rank.masked_fill(needless_B1, -torch.inf)
    return _Candidates(
        *(
            torch.cat([getattr(best, field.name), getattr(once_more, field.name)], dim=1)
            for field in fields(best)
        )
    )


def _within(candidates: _Candidates, n_beams: int) -> Tensor:
    """Return True until as many candidates that go on as there are beams were seen, (B, C)."""
    goes_on_BC = (candidates.word != EOS).int()
    return goes_on_BC.cumsum(dim=1) - goes_on_BC < n_beams


def _close(
    state: _Beams, best_open_B: Tensor, constraints: Constraints, search: SearchConfig
) -> None:
    """Be done where nothing better can come: `best_open` is the best rank that is still open."""
    worst_B = state.finished.scores[:, -1]
    could_reach_B = best_open_B / (constraints.limits - 1) ** search.length_penalty
    enough_B = (worst_B >= could_reach_B) | search.early_stopping
    state.done = state.done | (~worst_B.isinf() & enough_B)


def _take(
    state: _Beams, candidates: _Candidates, constraints: Constraints, search: SearchConfig
) -> Tensor:
    """Finish the candidates that end and go on with the best others; return their parents."""
    place, K = state.written.shape[2], search.beam_size
    ends_BC = candidates.word == EOS
    within_BC = _within(candidates, K)
    if search.rules == "original":
        at_limit_B1 = (constraints.limits <= place + 1)[:, None]
        ends_BC, within_BC = ends_BC | at_limit_B1, within_BC | at_limit_B1
    else:
        within_BC[:, -1] = True  # greedy search's
    possible_BC = within_BC & ~candidates.rank.isinf() & ~state.done[:, None]
    _finish(state, candidates, possible_BC & ends_BC, search.length_penalty)
    goes_on_BC = possible_BC & ~ends_BC
    order_BC = goes_on_BC.int().cumsum(dim=1).double()
    n_rows = K
    if search.rules == "sound" and bool(goes_on_BC[:, -1].any()):
        order_BC[:, -1], n_rows = K + 1, K + 1  # behind all beams
    order_BC = order_BC.masked_fill(~goes_on_BC, torch.inf)
    chosen = order_BC.topk(min(n_rows, order_BC.shape[1]), dim=1, largest=False, sorted=True)
    beams = candidates.gather(chosen.indices)
    state.rank = beams.rank.masked_fill(chosen.values.isinf(), -torch.inf)
    state.total, state.greedy = beams.total, beams.greedy & ~chosen.values.isinf()
    words_BKL = _rows(state.written, beams.parent)
    state.written = torch.cat([words_BKL, beams.word[..., None]], dim=2)
    return beams.parent


def _finish(state: _Beams, candidates: _Candidates, ends_BC: Tensor, length_penalty: float) -> None:
    """Keep the best of those that were finished before and of those that end now."""
    if not bool(ends_BC.any()):
        return
    finished, place = state.finished, state.written.shape[2]
    scores_BC = (candidates.rank / place**length_penalty).masked_fill(~ends_BC, -torch.inf)
    best = torch.cat([finished.scores, scores_BC], dim=1).topk(finished.scores.shape[1], dim=1)
    words_BCL = torch.full(
        (*scores_BC.shape, finished.words.shape[2]), PAD, device=scores_BC.device
    )
    words_BCL[..., :place] = _rows(state.written, candidates.parent)
    words_BCL[..., place] = EOS
    totals = torch.cat([finished.log_probabilities, candidates.total], dim=1)
    state.finished = Found(
        _rows(torch.cat([finished.words, words_BCL], dim=1), best.indices),
        best.values,
        totals.gather(1, best.indices),
    )


def _rows(words_BKL: Tensor, rows_BC: Tensor) -> Tensor:
    """Return these rows of each sentence, (B, C, L)."""
    return words_BKL.gather(1, rows_BC[..., None].expand(-1, -1, words_BKL.shape[2]))
