"""The search of online back-translation: greedy, or by drawing words."""

from dataclasses import dataclass

import torch
from torch import Tensor

from xlmkit.data.batch import Inputs
from xlmkit.generate.search import greedy_search
from xlmkit.generate.steps import TranslationSteps
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.text.vocabulary import EOS, SPECIAL_TOKENS

_RATIO, _MORE = 1.3, 5  # the original's: so many times the longest source, and so many more


class _RealWords(TranslationSteps):
    """Writes only words and `</s>`, and with a temperature draws them.

    The best of log-probabilities with independent Gumbel noise is a draw from their distribution
    (Gumbel 1954), so that greedy search serves for both.
    """

    temperature = 0.0

    def log_probabilities(self, words_R: Tensor) -> Tensor:
        """Decode one position, (R, V)."""
        scores_RV = super().log_probabilities(words_R)
        if self.temperature:
            uniform_RV = torch.rand_like(scores_RV).clamp_(min=torch.finfo(scores_RV.dtype).tiny)
            scores_RV = scores_RV / self.temperature - (-uniform_RV.log()).log()
        scores_RV[:, :EOS] = -torch.inf
        scores_RV[:, EOS + 1 : len(SPECIAL_TOKENS)] = -torch.inf
        return scores_RV


@dataclass(frozen=True, slots=True)
class BackTranslator:
    """Translates a batch with the model as it is.

    Attributes:
        max_length: most tokens of a translation with its `</s>`.
        temperature: 0 takes the best word each time, more draws words.
    """

    max_length: int
    temperature: float = 0.0

    def __call__(self, model: EncoderDecoder, inputs: Inputs, languages_B: Tensor) -> Tensor:
        """Return the words between `</s>`, padded, (B, L)."""
        states_BSE = inputs.fed_to(model.encoder)
        steps = _RealWords(model, states_BSE, inputs.lengths, languages_B)
        steps.temperature = self.temperature
        most = min(self.max_length, int(_RATIO * states_BSE.shape[1]) + _MORE)
        found_BL = greedy_search(steps, len(languages_B), most, languages_B.device)
        return found_BL.clone()  # search computes in inference mode, which no gradient may enter
