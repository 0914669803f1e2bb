"""The mean-pooled states of any number of texts, and what must be told of their tokens."""

from collections.abc import Iterator, Sequence

import numpy as np

from xlmkit.evaluate.inference import tell_of_cut, tell_of_unknown
from xlmkit.evaluate.protocols import Encoder
from xlmkit.evaluate.spaces import Vectors

_AT_ONCE = 1024  # texts whose states of all layers are held together


class TextStates:
    """An encoder that is asked for the states of texts.

    It is told of each set of texts in one layer how many lose their ends, equal counts of a
    language once, and once for each language where the model does not know the tokens of the first
    thousand.

    Args:
        encoder: the model.
        stride: longer texts are read in windows, see `Encoder.pooled_states`; None cuts them.
        place: the section of the recipe that asks.
        mend: the setting that asks for windows, by default the section's `stride`.
    """

    def __init__(
        self, encoder: Encoder, stride: int | None, place: str, mend: str | None = None
    ) -> None:
        self.encoder, self.stride, self.place = encoder, stride, place
        self._mend = mend or f"{place}.stride"
        self._seen: set[str] = set()
        self._cut: set[tuple[str, int, int]] = set()

    def of_all_layers(self, texts: Sequence[str], language: str) -> Vectors:
        """Return the states in all layers, (texts, n_layers + 1, E).

        Lost ends are not told: these texts choose a layer or are shown, and are not measured.
        """
        self._look_at(texts, language)
        return self.encoder.pooled_states(texts, language, self.stride).states

    def of_layer(self, texts: Sequence[str], language: str, layer: int) -> Vectors:
        """Return the states in one layer, (texts, E); at least one text."""
        return np.concatenate(list(self.parts(texts, language, layer)))

    def parts(self, texts: Sequence[str], language: str, layer: int) -> Iterator[Vectors]:
        """Yield the states in one layer of some of the texts after others, (part, E)."""
        self._look_at(texts, language)
        n_cut = longest = 0
        for start in range(0, len(texts), _AT_ONCE):
            part = texts[start : start + _AT_ONCE]
            states, cut, longest = self.encoder.pooled_states(part, language, self.stride)
            n_cut += cut
            yield states[:, layer].copy()  # a view would keep all layers
        self._tell(n_cut, len(texts), longest, language)

    def _look_at(self, texts: Sequence[str], language: str) -> None:
        if language not in self._seen:
            self._seen.add(language)
            cut = self.encoder.cut(texts[:_AT_ONCE], language)
            tell_of_unknown(cut.unknown_share, language, self.place)

    def _tell(self, n_cut: int, n: int, longest: int, language: str) -> None:
        if (language, n_cut, n) not in self._cut:
            self._cut.add((language, n_cut, n))
            tell_of_cut(n_cut, n, longest, f"sentences in {language}", self._mend)
