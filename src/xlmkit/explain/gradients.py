r"""Integrated gradients: what each token did for an output, in shares that add up.

Sundararajan, Taly & Yan 2017, "Axiomatic attribution for deep networks": with x the embeddings of
the words and x' those of a text without any (the baseline), a token's attribution is

    sum over its dimensions of (x - x') * integral from 0 to 1 of dF/dx (x' + a (x - x')) da,

so that all of them add up to F(x) - F(x') (completeness). captum computes the integral, by
Gauss-Legendre quadrature. Positions, languages and special tokens are the same in both, so that
they get nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from xlmkit.core.errors import MissingPackageError
from xlmkit.explain.reading import Head, Reading

_BATCH_TOKENS = 8192  # computed at once, with their gradients


def attribute(
    reading: Reading, head: Head, blank: Tensor, steps: int
) -> tuple[Tensor, float, float]:
    """Return what the tokens did for an output, (R, L), and the output with and without words.

    Args:
        reading: what the model reads.
        head: what is explained.
        blank: the ids of the baseline, (R, L).
        steps: points of the integral.

    Raises:
        MissingPackageError: captum is not installed.
    """
    try:
        from captum.attr import LayerIntegratedGradients
    except ImportError:
        raise MissingPackageError(
            "Explaining a prediction needs captum: pip install 'xlmkit[explain]'."
        ) from None
    R, L = reading.ids.shape

    def output(ids_NRL: Tensor) -> Tensor:
        scores = reading.scores(ids_NRL.flatten(0, 1))
        return head(scores.float().view(len(ids_NRL), R, *scores.shape[1:]))

    with torch.no_grad():
        found = float(output(reading.ids[None]))
        with _replaced(reading.embedding, reading.embedding(blank)):
            without = float(output(reading.ids[None]))
    integral = LayerIntegratedGradients(output, reading.embedding).attribute(
        reading.ids[None],
        baselines=blank[None],
        n_steps=steps,
        internal_batch_size=max(1, _BATCH_TOKENS // (R * L)),
    )
    return integral.detach().sum(dim=-1).view(R, L), found, without


@contextmanager
def _replaced(module: nn.Module, value: Tensor) -> Iterator[None]:
    """Let a module return this value."""
    handle = module.register_forward_hook(lambda *_: value)
    try:
        yield
    finally:
        handle.remove()
