"""The search of online back-translation: greedy, or by drawing words."""

from dataclasses import dataclass

import torch
from torch import Tensor

from xlmkit.data.batch import Inputs
from xlmkit.generate.config import SearchConfig
from xlmkit.generate.search import Asked, search_sentences
from xlmkit.generate.steps import TranslationSteps
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.text.vocabulary import ids_of_no_word

_RATIO, _MORE = 1.3, 5  # the original's: so many times the source, and so many more


@dataclass(frozen=True, slots=True)
class BackTranslator:
    """Translates a batch with the model as it is, into real words only.

    Attributes:
        max_length: most tokens of a translation with its `</s>`.
        temperature: 0 takes the best word each time, more draws words.
        n_words: of the tokenizer, where the model has more.
    """

    max_length: int
    temperature: float = 0.0
    n_words: int | None = None

    def __call__(self, model: EncoderDecoder, inputs: Inputs, languages_B: Tensor) -> Tensor:
        """Return the words between `</s>`, padded, (B, L).

        What is drawn depends on the state of torch's random numbers, which a step fixes.
        """
        states_BSE = inputs.fed_to(model.encoder)
        steps = TranslationSteps(model, states_BSE, inputs.lengths, languages_B)
        limits_B = (inputs.lengths * _RATIO + _MORE).long().clamp(max=self.max_length)
        search, numbers = SearchConfig(beam_size=0), None
        if self.temperature:
            search = SearchConfig(sample=True, temperature=self.temperature)
            numbers = torch.randint(2**31, (len(languages_B), 1)).tolist()
        rows = model.decoder.architecture.n_words
        never = ids_of_no_word(rows if self.n_words is None else self.n_words, rows)
        found = search_sentences(steps, limits_B, search, Asked(never=never, numbers=numbers))
        return found.words[:, 0].clone()  # no gradient may enter what inference mode computed
