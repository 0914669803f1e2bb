"""What an adaptation does about classes and languages of unequal size.

Weights:    each example's loss is multiplied by the weight of its class; "balanced" weights are
            n / (C n_c), whose mean over the examples is 1 (King & Zeng 2001).
Focal:      L = - (1 - p)^gamma log p, with p of the right class (Lin et al. 2017, equation 4).
Smoothing:  the target is 1 - epsilon for the right class, and epsilon / C for every one of the C
            classes besides (Szegedy et al. 2016, section 7).
Sampling:   a group of n examples is drawn with probability n^alpha / sum, as in pretraining.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Balance:
    """How much each example counts, and how often it comes; the default changes nothing.

    Attributes:
        class_weights: what each class counts, (C,).
        focal_gamma: how much less the examples count that are already right.
        label_smoothing: share of the target that is spread over all classes.
        class_alpha: exponent of the classes' shares: 1 as they are, 0 all alike.
    """

    class_weights: NDArray[np.float32] | None = None
    focal_gamma: float = 0.0
    label_smoothing: float = 0.0
    class_alpha: float = 1.0


def balanced_weights(labels: NDArray[np.int64], n_classes: int) -> NDArray[np.float32]:
    """Return the weights under which all classes count alike, (n_classes,).

    Args:
        labels: class of each example; every class occurs.
        n_classes: C.
    """
    counts = np.bincount(labels, minlength=n_classes)
    weights: NDArray[np.float32] = (len(labels) / (n_classes * counts)).astype(np.float32)
    return weights
