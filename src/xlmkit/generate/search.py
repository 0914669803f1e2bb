"""Greedy and beam search with exactly the original project's rules.

The original compares finished hypotheses by the sum of log-probabilities over `length **
length_penalty`, where the length counts `</s>` at the start and not the one at the end; it looks at
twice as many continuations as there are beams; and it ends a sentence when the best that its beams
could still reach is no better than the worst of its finished hypotheses, or with `early_stopping`
as soon as there are as many of these as beams. Greedy search is not its beam of one, which goes on
behind a first `</s>` until that rule holds.

Shapes: B sentences, K beams, R = B * K rows, L words, V words of the vocabulary.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from xlmkit.generate.steps import Steps
from xlmkit.text.vocabulary import EOS, PAD

_IMPOSSIBLE = -1e9
_Choice = tuple[float, int, int]
"""Log-probability, word, and the row that it extends."""


@torch.inference_mode()
def greedy_search(steps: Steps, n_sentences: int, max_length: int, device: torch.device) -> Tensor:
    """Follow the best next word until every sentence has ended.

    Args:
        steps: the decoding, a row for each sentence.
        n_sentences: B.
        max_length: most words with `</s>` at both ends; a sentence that reaches it ends there.
        device: of the model.

    Returns:
        Words with `</s>` at both ends, padded, (B, L).
    """
    words_B = torch.full((n_sentences,), EOS, device=device)
    written = [words_B]
    open_B = torch.ones(n_sentences, dtype=torch.bool, device=device)
    while len(written) < max_length and bool(open_B.any()):
        best_B = steps.log_probabilities(words_B).argmax(dim=1)
        words_B = torch.where(open_B, best_B, PAD)
        written.append(words_B)
        open_B = open_B & (best_B != EOS)
    result_BL = torch.stack(written, dim=1)
    result_BL[:, -1].masked_fill_(open_B, EOS)
    return result_BL


@dataclass(slots=True)
class _Finished:
    """The best finished hypotheses of a sentence: score and words, `</s>` at the start only."""

    most: int
    length_penalty: float
    found: list[tuple[float, list[int]]] = field(default_factory=list)
    done: bool = False

    def add(self, words: list[int], log_probability: float) -> None:
        """Keep a hypothesis if it is among the best."""
        score = log_probability / len(words) ** self.length_penalty
        if len(self.found) == self.most:
            worst = min(self.found, key=lambda entry: entry[0])
            if score <= worst[0]:
                return
            self.found.remove(worst)
        self.found.append((score, words))

    def close_if_done(self, best_open: float, longest: int, *, early_stopping: bool) -> None:
        """Be done if nothing better can come: `best_open` is the best open log-probability."""
        if not self.done and len(self.found) == self.most:
            worst = min(score for score, _ in self.found)
            self.done = early_stopping or worst >= best_open / longest**self.length_penalty

    def take(
        self, choices: list[_Choice], written: list[list[int]], *, last: bool
    ) -> list[_Choice]:
        """Finish what ends among the choices, best first, and return the first beams that go on."""
        beams: list[_Choice] = []
        for score, word, row in choices if not self.done else ():
            if word == EOS or last:
                self.add(written[row], score)
            else:
                beams.append((score, word, row))
            if len(beams) == self.most:
                break
        return beams

    def best(self) -> list[int]:
        """Return the words of the best hypothesis."""
        return max(self.found, key=lambda entry: entry[0])[1]


@torch.inference_mode()
def beam_search(
    steps: Steps,
    n_sentences: int,
    max_length: int,
    device: torch.device,
    *,
    beam_size: int,
    length_penalty: float = 1.0,
    early_stopping: bool = False,
) -> Tensor:
    """Follow the best `beam_size` beginnings of every sentence.

    Args:
        steps: the decoding, a row for each sentence; its rows become those of the beams.
        n_sentences: B.
        max_length: most words with `</s>` at both ends.
        device: of the model.
        beam_size: K.
        length_penalty: exponent of the length by which sums of log-probabilities are divided;
            0 prefers short sentences, more prefers longer ones.
        early_stopping: end a sentence with its first `beam_size` hypotheses.

    Returns:
        The best hypothesis of every sentence with `</s>` at both ends, padded, (B, L).
    """
    B, K = n_sentences, beam_size
    finished = [_Finished(K, length_penalty) for _ in range(B)]
    written = [[EOS] for _ in range(B * K)]
    words_R = torch.full((B * K,), EOS, device=device)
    total_BK = torch.full((B, K), _IMPOSSIBLE, device=device)
    total_BK[:, 0] = 0.0  # all beams begin alike: one of them is enough
    steps.select(torch.arange(B, device=device).repeat_interleave(K))
    for length in range(1, max_length):
        scores_RV = steps.log_probabilities(words_R) + total_BK.view(-1, 1)
        n_words = scores_RV.shape[1]
        best = scores_RV.view(B, K * n_words).topk(2 * K, dim=1)
        chosen: list[_Choice] = []
        for number, (scores, places) in enumerate(
            zip(best.values.tolist(), best.indices.tolist(), strict=True)
        ):
            sentence = finished[number]
            sentence.close_if_done(scores[0], max_length - 1, early_stopping=early_stopping)
            choices = [
                (score, place % n_words, number * K + place // n_words)
                for score, place in zip(scores, places, strict=True)
            ]
            beams = sentence.take(choices, written, last=length + 1 == max_length)
            # A sentence that is done goes on idly, so that rows keep their places.
            chosen += beams or [(0.0, PAD, number * K)] * K
        if all(sentence.done for sentence in finished) or length + 1 == max_length:
            break
        written = [[*written[row], word] for _, word, row in chosen]
        words_R = torch.tensor([word for _, word, _ in chosen], device=device)
        total_BK = torch.tensor([score for score, _, _ in chosen], device=device).view(B, K)
        steps.select(torch.tensor([row for _, _, row in chosen], device=device))
    return _padded([[*hypotheses.best(), EOS] for hypotheses in finished], device)


def _padded(rows: list[list[int]], device: torch.device) -> Tensor:
    longest = max(map(len, rows))
    padded = [row + [PAD] * (longest - len(row)) for row in rows]
    return torch.tensor(padded, device=device)
