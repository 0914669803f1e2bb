"""Writing on, word by word: the most probable word, or one drawn by its probability.

A masked model reads the scores of a mask that stands after the text, as Hugging Face's classes do;
a causal one those of the last word. Hugging Face appends a mask for both, forgets padding, and
takes one language for all.

Shapes: B texts, L words of a text with its padding, T words in the end, V vocabulary.
"""

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from xlmkit.huggingface.configuration import XLMConfig

Tensor = Any


class Generation:
    """`generate` of a language model."""

    config: XLMConfig
    transformer: Any
    pred_layer: Any

    def generate(
        self,
        input_ids: Tensor = None,
        attention_mask: Tensor = None,
        langs: Tensor = None,
        *,
        max_length: int = 20,
        max_new_tokens: int | None = None,
        do_sample: bool = False,
        temperature: float = 1.0,
        top_k: int = 50,
        top_p: float = 1.0,
        seed: int | None = None,
        num_beams: int = 1,
    ) -> Tensor:
        """Return the texts with what was written after them.

        A text ends with the configuration's `eos_token_id`; padding stands behind it.

        Args:
            input_ids: texts, (B, L), shorter ones padded on the left; by default one with only the
                configuration's `bos_token_id`.
            attention_mask: which of their tokens are real, (B, L); by default all but padding.
            langs: a language id for each text, (B,), or for each token, (B, L), whose last one is
                that of the words to come; by default the configuration's `lang_id`.
            max_length: T, the text included.
            max_new_tokens: words to write at most, instead of `max_length`.
            do_sample: draw words by their probability.
            temperature: below 1, probable words are drawn even more often.
            top_k: draw from this many most probable words only; 0 for all.
            top_p: draw only from the most probable words that have this probability together.
            seed: makes drawing repeatable, as `keras.utils.set_random_seed` does too.
            num_beams: 1; there is no beam search here.

        Returns:
            (B, at most T), int32.

        Raises:
            ValueError: a text is padded on the right or too long, or beams are asked for.
        """
        if num_beams != 1:
            raise ValueError(
                "The Keras classes search without beams; use the PyTorch class "
                "xlmkit.XLMWithLMHeadModel."
            )
        texts = self._texts(input_ids, attention_mask, langs, max_length, max_new_tokens)
        draw = None
        if do_sample:
            rng = np.random.default_rng(random.getrandbits(63) if seed is None else seed)
            draw = Draw(temperature, top_k, top_p, rng)
        is_open_B = np.ones(len(texts.ids), dtype=bool)
        while texts.length < texts.end and is_open_B.any():
            scores_BV = self._scores(texts)
            words_B = draw(scores_BV) if draw else scores_BV.argmax(axis=-1)
            words_B[~is_open_B] = self.transformer.pad_index
            texts.append(words_B)
            if self.config.eos_token_id is not None:
                is_open_B &= ~np.isin(words_B, self.config.eos_token_id)
        return ops.convert_to_tensor(texts.ids[:, : texts.length], dtype="int32")

    def _texts(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        langs: Tensor,
        max_length: int,
        max_new_tokens: int | None,
    ) -> "Texts":
        c = self.config
        ids_BL = _integers([[c.bos_token_id]] if input_ids is None else input_ids)
        rows, length = ids_BL.shape
        pad = self.transformer.pad_index
        real_BL = _integers(ids_BL != pad if attention_mask is None else attention_mask)
        if not real_BL[:, -1].all():
            raise ValueError("A text ends with padding; pad shorter texts on the left.")
        end = max_length if max_new_tokens is None else length + max_new_tokens
        if not length < end < c.max_position_embeddings:
            raise ValueError(
                f"Texts of {length} words cannot become {end} words long: max_length has to be "
                f"above that and below the model's {c.max_position_embeddings} positions."
            )
        langs_BL = _integers(c.lang_id if langs is None else langs)
        if langs_BL.ndim < 2:
            langs_BL = np.broadcast_to(np.atleast_1d(langs_BL)[:, None], (rows, length))
        after = ((0, 0), (0, end + 1 - length))  # one more for the mask of a masked model
        return Texts(
            ids=np.pad(ids_BL, after, constant_values=pad),
            real=np.pad(real_BL, after),
            langs=np.pad(langs_BL, after, mode="edge"),
            length=length,
            end=end,
        )

    def _scores(self, texts: "Texts") -> np.ndarray:
        """Return the scores of the next word, (B, V)."""
        ids, real, last = texts.ids, texts.real, texts.length - 1
        if not self.config.causal:
            last += 1
            ids, real = ids.copy(), real.copy()
            ids[:, last], real[:, last] = self.config.mask_token_id, 1
        states_BTE = self.transformer(
            input_ids=ids, attention_mask=real, langs=texts.langs, return_dict=True
        ).last_hidden_state
        return np.asarray(ops.convert_to_numpy(self.pred_layer(states_BTE[:, last])), np.float32)


@dataclass(slots=True)
class Texts:
    """Texts in arrays as long as they will be, so that a backend compiles for one shape only.

    Attributes:
        ids: (B, T + 1), padding behind what is written.
        real: 1 for tokens of the text, (B, T + 1).
        langs: language ids, (B, T + 1).
        length: words that are written, the padding on the left included.
        end: T.
    """

    ids: np.ndarray
    real: np.ndarray
    langs: np.ndarray
    length: int
    end: int

    def append(self, words_B: np.ndarray) -> None:
        """Write one more word to each text."""
        self.ids[:, self.length] = words_B
        self.real[:, self.length] = 1
        self.length += 1


@dataclass(frozen=True, slots=True)
class Draw:
    """Draws words by their probability, from the most probable ones only."""

    temperature: float
    top_k: int
    top_p: float
    rng: np.random.Generator

    def __call__(self, scores_BV: np.ndarray) -> np.ndarray:
        """Return a word for each row of scores, (B,)."""
        scores_BV = scores_BV / self.temperature
        order_BV = np.argsort(-scores_BV, axis=-1, kind="stable")
        sorted_BV = np.take_along_axis(scores_BV, order_BV, axis=-1)
        if self.top_k:
            sorted_BV[:, self.top_k :] = -np.inf
        odds_BV = np.exp(sorted_BV - sorted_BV[:, :1])
        share_BV = odds_BV / odds_BV.sum(axis=-1, keepdims=True)
        before_BV = np.cumsum(share_BV, axis=-1) - share_BV
        sorted_BV = np.where(before_BV < self.top_p, sorted_BV, -np.inf)
        # The largest of scores plus Gumbel noise is a draw by the scores' softmax.
        best_B = (sorted_BV + self.rng.gumbel(size=sorted_BV.shape)).argmax(axis=-1)
        return np.take_along_axis(order_BV, best_B[:, None], axis=-1)[:, 0]


def _integers(values: Tensor) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(values), dtype=np.int32)
