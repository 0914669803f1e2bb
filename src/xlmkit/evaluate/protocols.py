"""What measurement asks of a model, whichever library it is of.

xlmkit's own models answer through `inference`, those of other families through
`xlmkit.huggingface.encoders`. A task of another kind adds its own question here.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Encoder(Protocol):
    """A model that gives every text a vector in each layer."""

    @property
    def languages(self) -> Sequence[str]:
        """The languages that it is asked about, in the order of the recipe."""
        ...

    @property
    def n_layers(self) -> int:
        """Layers, the embeddings not counted."""
        ...

    def pooled_states(self, texts: Sequence[str], language: str) -> NDArray[np.float32]:
        """Return the mean of the tokens' states, (texts, n_layers + 1, E)."""
        ...


class Classifier(Protocol):
    """A model that gives every text a probability for each class."""

    @property
    def languages(self) -> Sequence[str]:
        """The languages that it is asked about, in the order of the recipe."""
        ...

    def probabilities(self, texts: Sequence[str], language: str) -> NDArray[np.float32]:
        """Return the probability of every class, (texts, C)."""
        ...
