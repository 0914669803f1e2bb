"""Which words of two sentences are translations, by the states of a model for each of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.errors import UserError
from xlmkit.data.batch import Inputs, Segment, SegmentRows
from xlmkit.data.measures import normalize
from xlmkit.evaluate.inference import run_batches
from xlmkit.evaluate.word_alignment import AlignmentMethod, Pairs, aligned_tokens, aligned_words
from xlmkit.inference.model import BATCH_TOKENS, InferencePrecision, prepare
from xlmkit.inference.words import language_number, word_spans
from xlmkit.model.transformer import Transformer

_LAYER = 2 / 3  # of all layers: the eighth of twelve, which both papers found best


@dataclass(frozen=True, slots=True)
class WordAlignment:
    """Two sentences and which of their words are translations.

    Attributes:
        source: words.
        target: words.
        pairs: numbers of a source word and a target word, from 0.
        similarity: the highest cosine of their tokens, (source words, target words).
    """

    source: list[str]
    target: list[str]
    pairs: Pairs
    similarity: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Side:
    """Sentences of one language: words, and of each token the state and the word's number."""

    words: list[list[str]]
    states: list[NDArray[np.float32]]
    owners: list[NDArray[np.int64]]


class WordAligner:
    """Aligns words by contextual embeddings; nothing is trained.

    Args:
        bundle: any model; its head is not used.
        layer: the layer whose states are compared, 0 for the embeddings; by default two thirds of
            the way up.
        method: see `xlmkit.evaluate.word_alignment`.
        spaces: that spaces alone stand between words; else they are found by the rules of each
            language, as the tokenizer does.
        precision: see `xlmkit.inference.model.prepare`.

    Raises:
        UserError: there is no such layer, or int8 cannot be computed here.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        layer: int | None = None,
        method: AlignmentMethod = "argmax",
        spaces: bool = False,
        precision: InferencePrecision = "auto",
    ) -> None:
        shape = bundle.architecture
        self.layer = round(_LAYER * shape.n_layers) if layer is None else layer
        if not 0 <= self.layer <= shape.n_layers:
            raise UserError(f"The model has the layers 0 to {shape.n_layers}, but not {layer}.")
        self.method, self.spaces = method, spaces
        self._tokenizer, self._longest = bundle.tokenizer, shape.max_position_embeddings
        self._width = shape.emb_dim
        self._transformer: Transformer = prepare(bundle.transformer(), precision)

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path,
        *,
        layer: int | None = None,
        method: AlignmentMethod = "argmax",
        spaces: bool = False,
        precision: InferencePrecision = "auto",
    ) -> Self:
        """Open a model's folder; arguments and errors as for the class."""
        bundle = Bundle.load(Path(folder))
        return cls(bundle, layer=layer, method=method, spaces=spaces, precision=precision)

    def align(
        self,
        sources: Sequence[str],
        targets: Sequence[str],
        src: str,
        tgt: str,
        *,
        batch_tokens: int = BATCH_TOKENS,
    ) -> list[WordAlignment]:
        """Align each sentence with the one of the same number.

        Words behind the most tokens that the model reads are aligned with nothing.

        Args:
            sources: sentences.
            targets: their translations.
            src: language of the sources.
            tgt: language of the targets.
            batch_tokens: tokens of a batch.

        Raises:
            UserError: there are not as many, or the model does not know a language.
        """
        if len(sources) != len(targets):
            raise UserError(
                f"There are {len(sources)} sentences but {len(targets)} translations of them; "
                "line by line they must be as many."
            )
        one, other = (
            self._side(texts, code, batch_tokens)
            for texts, code in ((sources, src), (targets, tgt))
        )
        return [self._aligned(one, other, number) for number in range(len(sources))]

    def _aligned(self, one: _Side, other: _Side, number: int) -> WordAlignment:
        source_SE, target_TE = one.states[number], other.states[number]
        dots_ST = source_SE @ target_TE.T
        lengths_ST = np.outer(np.linalg.norm(source_SE, axis=1), np.linalg.norm(target_TE, axis=1))
        cosines_ST = dots_ST / np.maximum(lengths_ST, 1e-12)
        tokens = aligned_tokens(dots_ST if self.method == "softmax" else cosines_ST, self.method)
        owners = one.owners[number], other.owners[number]
        words = one.words[number], other.words[number]
        similarity = np.full((len(words[0]), len(words[1])), -1, np.float32)
        np.maximum.at(similarity, (owners[0][:, None], owners[1][None, :]), cosines_ST)
        pairs = aligned_words(tokens, owners[0].tolist(), owners[1].tolist())
        return WordAlignment(*words, pairs, similarity)

    def _side(self, texts: Sequence[str], language: str, batch_tokens: int) -> _Side:
        code = language_number(self._tokenizer, language)
        words = [self._words(text, language) for text in texts]
        room = self._longest - 2
        owners, rows = [], list[tuple[Segment, ...]]()
        for sentence in words:
            encoded = self._tokenizer.encode_batch([normalize(w) for w in sentence], language)
            ids = np.concatenate([np.empty(0, np.int32), *encoded])[:room]
            numbers = np.repeat(np.arange(len(encoded)), [len(part) for part in encoded])
            owners.append(numbers[:room].astype(np.int64))
            rows.append(((ids, code),))
        states = self._states(SegmentRows(rows, self._longest), batch_tokens)
        kept = [state[1 : 1 + len(own)] for state, own in zip(states, owners, strict=True)]
        return _Side(words, kept, owners)

    def _words(self, text: str, language: str) -> list[str]:
        spans = word_spans(self._tokenizer, text, language, spaces=self.spaces)
        return [text[start:end] for start, end in spans]

    def _states(self, rows: SegmentRows, batch_tokens: int) -> Iterator[NDArray[np.float32]]:
        """Yield the states of each sentence, special tokens among them, (L, E)."""
        longest = int(rows.lengths.max(initial=0))

        def compute(inputs: Inputs) -> Tensor:
            states = inputs.fed_to(self._transformer.each_state)
            state_BLE: Tensor = next(s for layer, s in enumerate(states) if layer == self.layer)
            padding = (0, 0, 0, longest - state_BLE.shape[1])
            return nn.functional.pad(state_BLE, padding)

        yield from run_batches(self._transformer, rows, compute, batch_tokens)
