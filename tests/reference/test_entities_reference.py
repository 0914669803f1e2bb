"""Entities and their scores equal seqeval's, in its default mode and in the strict one."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from xlmkit.evaluate.spans import spans
from xlmkit.evaluate.tagging import entity_scores, word_accuracy, word_macro_f1

seqeval_metrics = pytest.importorskip("seqeval.metrics")

from seqeval.metrics.sequence_labeling import get_entities  # noqa: E402
from seqeval.scheme import IOB2, Entities  # noqa: E402

BIO = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "I-ORG", "B-WORK-OF-ART", "I-WORK-OF-ART"]
IOB1 = ["O", "I-PER", "I-LOC"]
BIOES = ["O", *(f"{prefix}-{kind}" for prefix in "BIES" for kind in ("PER", "LOC"))]
READINGS = {"bio": {}, "iob2": {"mode": "strict", "scheme": IOB2}}


def drawn(tags: list[str], n: int, seed: int) -> tuple[list[list[str]], list[list[str]]]:
    """Draw tags, most of them illegal, and predictions of which many are right."""
    random = np.random.default_rng(seed)
    gold = [random.choice(tags, random.integers(1, 12)).tolist() for _ in range(n)]
    given = [[t if random.random() < 0.6 else str(random.choice(tags)) for t in s] for s in gold]
    return gold, given


@pytest.mark.parametrize("tags", [BIO, BIOES, IOB1], ids=["BIO", "BIOES", "IOB1"])
def test_lenient_entities_are_those_of_the_default_mode(tags: list[str]) -> None:
    for sentence in drawn(tags, 3000, 0)[0]:
        assert spans(sentence) == get_entities(sentence), sentence


def test_strict_entities_are_those_of_iob2() -> None:
    for sentence in drawn(BIO, 3000, 1)[0]:
        (expected,) = Entities([sentence], IOB2).entities
        assert spans(sentence, "iob2") == [(e.tag, e.start, e.end - 1) for e in expected]


@pytest.mark.parametrize("tags", [BIOES, IOB1], ids=["BIOES", "IOB1"])
def test_scores_of_other_schemes_are_those_of_seqeval(tags: list[str]) -> None:
    gold, given = drawn(tags, 80, 5)
    found = entity_scores(gold, given, resamples=0)
    for name in ("precision", "recall", "f1"):
        expected = getattr(seqeval_metrics, f"{name}_score")(gold, given)
        assert getattr(found, name).value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("seed", range(4))
def test_scores_are_those_of_seqeval(reading: str, seed: int) -> None:
    gold, given = drawn(BIO, 80, seed)
    found = entity_scores(gold, given, reading, resamples=0)
    options = READINGS[reading]
    for name in ("precision", "recall", "f1"):
        expected = getattr(seqeval_metrics, f"{name}_score")(gold, given, **options)
        assert getattr(found, name).value == pytest.approx(expected, abs=1e-12)
    report = seqeval_metrics.classification_report(gold, given, output_dict=True, **options)
    kinds = {kind for kind in report if not kind.endswith(" avg")}
    assert set(found.types) == kinds
    for kind, scores in found.types.items():
        row = report[kind]
        assert scores.support == row["support"]
        for name, theirs in (("precision",) * 2, ("recall",) * 2, ("f1", "f1-score")):
            assert getattr(scores, name) == pytest.approx(row[theirs], abs=1e-12)


@pytest.mark.parametrize(
    ("gold", "given"),
    [(["O", "O"], ["O", "O"]), (["B-PER", "O"], ["O", "O"]), (["O", "O"], ["B-PER", "O"])],
)
def test_where_there_is_nothing_scores_are_zero_as_there(gold: list[str], given: list[str]) -> None:
    found = entity_scores([gold], [given], resamples=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("precision", "recall", "f1"):
            expected = getattr(seqeval_metrics, f"{name}_score")([gold], [given])
            assert getattr(found, name).value == expected == 0


def test_scores_of_words_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(3)
    lengths = random.integers(1, 20, 50)
    gold = random.integers(0, 7, lengths.sum())
    given = np.where(random.random(len(gold)) < 0.7, gold, random.integers(0, 7, len(gold)))
    accuracy = word_accuracy(gold, given, lengths, resamples=0)
    assert accuracy.value == pytest.approx(accuracy_score(gold, given), abs=1e-12)
    f1 = word_macro_f1(gold, given, lengths, 9, resamples=0)  # two tags do not occur
    assert f1.value == pytest.approx(f1_score(gold, given, average="macro"), abs=1e-12)
