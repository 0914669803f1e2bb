"""BLEU of translations as sacreBLEU computes it (Papineni et al. 2002; Post 2018)."""

from collections.abc import Sequence

from xlmkit.core.errors import UserError

_TOKENIZERS = {"zh": "zh", "zh_classical": "zh", "zh_yue": "zh"}
_WITHOUT_SPACES = ("ja", "th", "lo", "km", "my")


def check_bleu() -> None:
    """See that sacreBLEU is installed.

    Raises:
        UserError: it is not.
    """
    try:
        import sacrebleu  # noqa: F401 - only whether it is there
    except ImportError:
        raise UserError(
            "BLEU needs the package sacrebleu; do pip install 'xlmkit[translate]'."
        ) from None


def bleu(
    translations: Sequence[str],
    references: Sequence[str],
    language: str,
    *,
    lowercase: bool = False,
) -> tuple[float, str]:
    """Return corpus BLEU from 0 to 100, and sacreBLEU's signature.

    Args:
        translations: detokenised texts.
        references: one for each.
        language: of both; tells how they are cut into words.
        lowercase: ignore case.
    """
    from sacrebleu.metrics.bleu import BLEU

    tokenize = "char" if language in _WITHOUT_SPACES else _TOKENIZERS.get(language, "13a")
    metric = BLEU(lowercase=lowercase, tokenize=tokenize)
    score = metric.corpus_score(list(translations), [list(references)])
    return float(score.score), str(metric.get_signature())
