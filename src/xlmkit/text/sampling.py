"""How often each language is drawn, between its natural share and an even one."""

from collections.abc import Mapping

from xlmkit.core.errors import UserError


def sampling_probabilities(counts: Mapping[str, int | float], alpha: float) -> dict[str, float]:
    """Return each language's probability q_i = n_i^alpha / sum_j n_j^alpha.

    With alpha 1 languages are drawn by their size, with 0 evenly; between them the small ones
    are drawn more often than their size says (Lample & Conneau 2019, equation 1).

    Args:
        counts: how much there is of each language, in any one unit; none may be negative.
        alpha: the exponent, from 0 to 1.

    Returns:
        Probabilities in the order of `counts`, adding up to 1; a language with nothing has 0.

    Raises:
        UserError: every language is empty, a count is negative, or alpha lies outside 0 to 1.
    """
    if not 0.0 <= alpha <= 1.0:
        raise UserError(f"The sampling exponent alpha is {alpha}; give a number from 0 to 1.")
    negative = [language for language, count in counts.items() if count < 0]
    if negative:
        raise UserError(f"The count of language {negative[0]} is negative.")
    weights = {language: float(n) ** alpha if n > 0 else 0.0 for language, n in counts.items()}
    total = sum(weights.values())
    if total == 0.0:
        raise UserError("There is no text in any language to sample from.")
    return {language: weight / total for language, weight in weights.items()}
