"""Translation metrics agree with sacrebleu's public functions, and ROUGE with rouge-score's own."""

import random

import pytest

from xlmkit.evaluate.rouge import ROUGE, rouge_scores
from xlmkit.evaluate.translation import (
    compare_translations,
    translation_counts,
    translation_scores,
)
from xlmkit.text.moses import moses_words

sacrebleu = pytest.importorskip("sacrebleu")
PairedTest = pytest.importorskip("sacrebleu.significance").PairedTest
pytestmark = pytest.mark.reference

WORDS = [
    "the",
    "a",
    "dog",
    "cat",
    "Runs",
    ",",
    ".",
    "fast",
    "isn't",
    "(old)",
    "e.g.",
    "3.5",
    "“so”",
]
CHINESE = [*"我你他在家吃饭看书，。好不很大小", "word"]


def _system(draw, references, right, words, space):
    """Return references in which some words are replaced, dropped or doubled."""
    made = []
    for text in references:
        parts = text.split(" ") if space else list(text)
        kept = [part if draw.random() < right else draw.choice(words) for part in parts]
        kept = [part for part in kept for _ in range(draw.choice((0, 1, 1, 1, 1, 2)))]
        made.append(space.join(kept))
    return made


def _corpus(seed, words=WORDS, space=" "):
    draw = random.Random(seed)
    first = [space.join(draw.choices(words, k=draw.randint(1, 15))) for _ in range(120)]
    second = _system(draw, first, 0.9, words, space)
    return [first, second], [_system(draw, first, right, words, space) for right in (0.8, 0.7)]


@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("references", [1, 2])
@pytest.mark.parametrize("seed", range(3))
def test_scores_are_those_of_sacrebleu(seed, references, lowercase):
    texts, (system, _) = _corpus(seed)
    texts = texts[:references]
    names = ("bleu", "chrf", "chrf++", "ter")
    made = translation_scores(system, texts, "de", names, lowercase=lowercase, resamples=0)
    expected = {
        "bleu": sacrebleu.BLEU(lowercase=lowercase),
        "chrf": sacrebleu.CHRF(lowercase=lowercase),
        "chrf++": sacrebleu.CHRF(lowercase=lowercase, word_order=2),
        "ter": sacrebleu.TER(),
    }
    for name, metric in expected.items():
        score = metric.corpus_score(system, texts)
        assert made[name].value == score.score
        assert made[name].signature == f"{score.name}|{metric.get_signature()}"


def test_chinese_is_split_as_sacrebleu_splits_it():
    texts, (system, _) = _corpus(5, CHINESE, "")
    made = translation_scores(system, texts[:1], "zh", ("bleu", "ter"), resamples=0)
    bleu = sacrebleu.BLEU(tokenize="zh").corpus_score(system, texts[:1])
    ter = sacrebleu.TER(normalized=True, asian_support=True).corpus_score(system, texts[:1])
    assert (made["bleu"].value, made["ter"].value) == (bleu.score, ter.score)
    assert 0 < made["bleu"].value < 100


def test_a_bootstrap_is_named_and_drawn_as_in_sacrebleu():
    texts, (system, _) = _corpus(1)
    made = translation_scores(system, texts[:1], "en", ("bleu",))["bleu"]
    metric = sacrebleu.BLEU()
    score = metric.corpus_score(system, texts[:1], n_bootstrap=1000)
    assert made.signature == f"BLEU|{metric.get_signature()}"
    # sacrebleu gives half the width of the percentile interval; its ends lie one rank apart.
    assert (made.high - made.low) / 2 == pytest.approx(score._ci, rel=0.05)


@pytest.mark.parametrize("seed", range(2))
def test_paired_p_values_are_those_of_sacrebleu(seed):
    texts, (system, other) = _corpus(seed)
    names = ("bleu", "chrf", "ter")
    counts = [translation_counts(one, texts, "en", names) for one in (system, other)]
    made = compare_translations(*counts)
    metrics = {"BLEU": sacrebleu.BLEU(), "chrF2": sacrebleu.CHRF(), "TER": sacrebleu.TER()}
    systems = [("other", other), ("system", system)]
    _, expected = PairedTest(systems, metrics, texts, test_type="bs")()
    for name, title in zip(names, metrics, strict=True):
        result = expected[title][1]
        assert made[name].value == result.score
        assert made[name].other == expected[title][0].score
        assert made[name].p_value == result.p_value


@pytest.mark.parametrize("lowercase", [False, True])
def test_the_original_bleu_is_that_of_words_without_smoothing(lowercase):
    texts, (system, _) = _corpus(7)
    made = translation_scores(
        system, texts[:1], "fr", ("original",), lowercase=lowercase, resamples=0
    )["original"]

    def split(text):
        return " ".join(moses_words(text, "fr"))

    metric = sacrebleu.BLEU(tokenize="none", smooth_method="none", lowercase=lowercase, force=True)
    expected = metric.corpus_score([split(x) for x in system], [[split(x) for x in texts[0]]])
    assert made.value == expected.score
    assert made.value != translation_scores(system, texts[:1], "fr", ("bleu",))["bleu"].value


def test_rouge_in_english_is_that_of_rouge_score():
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(list(ROUGE))
    texts, (system, _) = _corpus(3, ["the", "a", "dog", "cat", "runs", "fast", ",", "."])
    made = rouge_scores(system, texts, "en", resamples=0)
    lines = [
        ["\n".join(text.replace(". ", ".\n").split("\n")) for text in one]
        for one in (system, *texts)
    ]
    each = [scorer.score_multi(list(targets), own) for own, *targets in zip(*lines, strict=True)]
    for name in ROUGE:
        expected = 100 * sum(one[name].fmeasure for one in each) / len(each)
        assert made[name].value == pytest.approx(expected)
    assert made["rougeL"].value != made["rougeLsum"].value
