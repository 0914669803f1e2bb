"""Models that find answers at work: windows in, the best spans of each out, then answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from xlmkit.data.questions import Question
from xlmkit.data.window_batches import WindowInputs, Windows, encode_questions
from xlmkit.evaluate.answers import Answering, Answers, join_windows
from xlmkit.evaluate.inference import run_batches
from xlmkit.model.question_answering import Answerer, BeamAnswerer
from xlmkit.model.span_heads import Spans
from xlmkit.text.tokenizer import Tokenizer


def simple_candidates(
    scores_BLS: Tensor, inputs: WindowInputs, n_best: int, max_answer: int
) -> Tensor:
    """Return the best of all spans of a simple head.

    Args:
        scores_BLS: of every token as start and as end, (B, L, 2).
        inputs: the windows.
        n_best: spans of each.
        max_answer: most tokens of a span.

    Returns:
        (B, 1 + n_best, 3), see `xlmkit.evaluate.answers.join_windows`.
    """
    scores_BLS = scores_BLS.float().masked_fill(~inputs.open[..., None], -torch.inf)
    start_BL, end_BL = scores_BLS.log_softmax(dim=1).unbind(dim=-1)
    nothing_B = start_BL[:, 0] + end_BL[:, 0]
    start_BL, end_BL = (
        part.masked_fill(~inputs.context, -torch.inf) for part in (start_BL, end_BL)
    )
    # ends_BLA[b, l, a] is the score of ending a tokens behind l.
    ends_BLA = functional.pad(end_BL, (0, max_answer - 1), value=-torch.inf).unfold(
        1, max_answer, 1
    )
    spans_BN = (start_BL[..., None] + ends_BLA).flatten(1)
    best = spans_BN.topk(min(n_best, spans_BN.shape[1]), dim=1)
    start_BN = best.indices // max_answer
    end_BN = start_BN + best.indices % max_answer
    return _rows(nothing_B - best.values[:, 0], best.values, start_BN, end_BN, n_best)


def beam_candidates(spans: Spans, inputs: WindowInputs, size: int, max_answer: int) -> Tensor:
    """Return the spans of a beam head; those that are too long, or no spans, score infinitely low.

    Args:
        spans: what the head found.
        inputs: the windows.
        size: spans of each, at least as many as the head finds.
        max_answer: most tokens of a span.

    Returns:
        (B, 1 + size, 3), see `xlmkit.evaluate.answers.join_windows`.
    """
    B, S = spans.start.shape
    end_BN = spans.end
    start_BN = spans.start[:, None].expand(-1, end_BN.shape[1] // S, -1).reshape(B, -1)
    start_score_BS = spans.start_probability.float().log()
    start_score_BN = start_score_BS[:, None].expand(-1, end_BN.shape[1] // S, -1).reshape(B, -1)
    score_BN = start_score_BN + spans.end_probability.float().log()
    possible_BN = inputs.context.gather(1, start_BN) & inputs.context.gather(1, end_BN)
    possible_BN &= (start_BN <= end_BN) & (end_BN - start_BN < max_answer)
    score_BN = score_BN.masked_fill(~possible_BN, -torch.inf)
    return _rows(spans.answerable.float(), score_BN, start_BN, end_BN, size)


def _rows(
    no_answer_B: Tensor, score_BN: Tensor, start_BN: Tensor, end_BN: Tensor, size: int
) -> Tensor:
    """Lay out what was found; where it is less, what is missing scores infinitely low."""
    rows = torch.stack([score_BN, start_BN.float(), end_BN.float()], dim=2)
    rows = functional.pad(rows, (0, 0, 1, size - rows.shape[1]), value=-torch.inf)
    rows[:, 0] = no_answer_B[:, None]
    return rows


def find_answers(
    model: nn.Module,
    windows: Windows,
    questions: Sequence[Question],
    candidates: Callable[[WindowInputs], Tensor],
    n_best: int,
    batch_tokens: int | None = None,
) -> list[Answers]:
    """Return the answers to questions.

    Args:
        model: is put into evaluation mode.
        windows: of the questions.
        questions: what is asked.
        candidates: the best spans of a batch of windows, (B, 1 + spans, 3).
        n_best: spans that are kept of each question.
        batch_tokens: tokens of a batch, padding included.
    """
    rows = run_batches(model, windows, candidates, batch_tokens)
    return join_windows(windows.parts, rows, questions, n_best)


@dataclass(frozen=True, slots=True)
class PlainAnswerer:
    """One of xlmkit's models that find answers, as a `QuestionAnswerer`.

    Attributes:
        model: with either head.
        tokenizer: of the model.
        languages: that it is asked about.
        settings: how it is asked.
        batch_tokens: tokens of a batch, padding included.
    """

    model: Answerer
    tokenizer: Tokenizer
    languages: Sequence[str]
    settings: Answering
    batch_tokens: int | None = None

    def answers(self, questions: Sequence[Question]) -> list[Answers]:
        """Return the answers to questions, in their order."""
        positions = self.model.transformer.architecture.max_position_embeddings
        settings = self.settings.within(positions)
        windows = encode_questions(self.tokenizer, questions, settings.shape)

        def candidates(inputs: WindowInputs) -> Tensor:
            found = inputs.fed_to(self.model)
            if not isinstance(self.model, BeamAnswerer):
                return simple_candidates(found, inputs, settings.n_best, settings.max_answer)
            head = self.model.qa_outputs
            first_B = torch.zeros(len(found), dtype=torch.int64, device=found.device)
            spans = head(found, cls_index_B=first_B, p_mask_BL=~inputs.open)
            size = head.start_n_top * head.end_n_top
            return beam_candidates(spans, inputs, size, settings.max_answer)

        return find_answers(
            self.model, windows, questions, candidates, settings.n_best, self.batch_tokens
        )
