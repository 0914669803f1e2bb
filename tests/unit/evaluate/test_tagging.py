import numpy as np
import pytest

from xlmkit.evaluate.spans import illegal_tags, scheme, spans
from xlmkit.evaluate.tagging import entity_scores, word_accuracy, word_macro_f1


def test_readings_differ_where_nothing_begins_an_entity() -> None:
    tags = ["I-PER", "I-PER", "O", "B-LOC", "I-ORG", "B-LOC", "B-LOC", "I-LOC"]
    assert spans(tags) == [
        ("PER", 0, 1),
        ("LOC", 3, 3),
        ("ORG", 4, 4),
        ("LOC", 5, 5),
        ("LOC", 6, 7),
    ]
    assert spans(tags, "iob2") == [("LOC", 3, 3), ("LOC", 5, 5), ("LOC", 6, 7)]
    assert illegal_tags(tags) == 2


def test_a_continuation_is_of_the_entity_just_before_it() -> None:
    assert spans(["B-PER", "O", "I-PER"], "iob2") == [("PER", 0, 0)]
    assert spans([]) == spans([], "iob2") == []


def test_sets_of_tags_tell_whether_they_are_of_entities() -> None:
    assert scheme(["O", "B-PER", "I-PER"]) == scheme(["B-PER"]) == "BIO"
    assert scheme(["O", "I-PER"]) == "IOB1"
    assert scheme(["O", "B-PER", "E-PER"]) == scheme(["O", "S-PER"]) == "IOBES"
    others: list[list[str]] = [
        ["NOUN", "VERB"], ["O"], ["O", "B-PER", "PER"], ["B-", "O"], [], ["I-PER"], ["O", "E-PER"],
        ["S-PER", "B-PER"], ["O", "B-PER", "L-PER"],
    ]  # fmt: skip
    assert [scheme(tags) for tags in others] == [None] * len(others)


def test_intervals_are_over_sentences() -> None:
    lengths = np.full(40, 10)
    gold = np.zeros(400, np.int64)
    given = np.repeat(np.arange(40) % 2, 10)  # whole sentences are right or wrong
    accuracy = word_accuracy(gold, given, lengths)
    assert accuracy.value == 0.5
    assert accuracy.n == 40
    # Of 40 sentences the deviation is 0.079, of 400 words alone it would be 0.025.
    assert 0.25 < accuracy.high - accuracy.low < 0.36
    assert "of:sentences" in accuracy.signature
    f1 = word_macro_f1(gold, given, lengths, 2)
    assert f1.value == pytest.approx((2 / 3 + 0) / 2)
    assert f1.low < f1.value < f1.high


def test_an_entity_is_right_with_type_and_both_ends() -> None:
    gold = [["B-PER", "I-PER", "O"], ["B-LOC", "O", "O"], ["O", "B-LOC", "O"]]
    given = [["B-PER", "O", "O"], ["B-PER", "O", "O"], ["O", "B-LOC", "B-LOC"]]
    scores = entity_scores(gold, given)
    assert (scores.precision.value, scores.recall.value) == (1 / 4, 1 / 3)
    assert scores.f1.value == pytest.approx(2 / 7)
    assert scores.f1.low <= scores.f1.value <= scores.f1.high
    assert scores.types["PER"].f1 == 0
    assert (scores.types["LOC"].precision, scores.types["LOC"].recall) == (1 / 2, 1 / 2)
    assert scores.types["LOC"].support == 2


def test_predictions_for_other_numbers_of_words_are_refused() -> None:
    with pytest.raises(ValueError, match="Sentence 0 has 1 tags but 2"):
        entity_scores([["O"]], [["O", "O"]])
