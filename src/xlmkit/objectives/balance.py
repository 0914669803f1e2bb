"""What an adaptation does about classes and languages of unequal size.

Weights:    each example's loss is multiplied by the weight of its class; "balanced" weights are
            n / (C n_c), whose mean over the examples is 1 (King & Zeng 2001).
Focal:      L = - (1 - p)^gamma log p, with p of the right class (Lin et al. 2017, equation 4).
Smoothing:  the target is 1 - epsilon for the right class, and epsilon / C for every one of the C
            classes besides (Szegedy et al. 2016, section 7).
Sampling:   a group of n examples is drawn with probability n^alpha / sum, as in pretraining. Groups
            are the classes; an example of several is in that of the rarest, and those of none are
            a group as well.
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
        outside: number of the tag of words that are of no class, by which none is drawn.
    """

    class_weights: NDArray[np.float32] | None = None
    focal_gamma: float = 0.0
    label_smoothing: float = 0.0
    class_alpha: float = 1.0
    outside: int | None = None


def balanced_weights(labels: NDArray[np.int64], n_classes: int) -> NDArray[np.float32]:
    """Return the weights under which all classes count alike, (n_classes,).

    Args:
        labels: class of each example; every class occurs.
        n_classes: C.
    """
    counts = np.bincount(labels, minlength=n_classes)
    weights: NDArray[np.float32] = (len(labels) / (n_classes * counts)).astype(np.float32)
    return weights


def rarest_classes(
    examples: NDArray[np.int64], classes: NDArray[np.int64], n_examples: int
) -> NDArray[np.int64]:
    """Return of each example that class of its own which the fewest have, (n_examples,).

    It is -1 where an example has no class.

    Args:
        examples: number of an example, once for each of its classes, (pairs,).
        classes: number of that class, (pairs,); it counts once in an example, however often it is.
        n_examples: how many there are.
    """
    n_classes = int(classes.max(initial=0)) + 1
    owners, numbers = np.divmod(np.unique(examples * n_classes + classes), n_classes)
    by_rarity = np.argsort(np.bincount(numbers, minlength=n_classes), kind="stable")
    ranks = np.argsort(by_rarity)
    first = np.full(n_examples, n_classes)
    np.minimum.at(first, owners, ranks[numbers])
    rarest: NDArray[np.int64] = np.append(by_rarity, -1)[first]
    return rarest
