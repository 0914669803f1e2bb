import pytest

from xlmkit.text.word_counts import WordCounter


def characters(weights: dict[str, float], words: set[str]) -> float:
    return sum(len(word) * weight for word, weight in weights.items() if word in words)


def test_languages_share_characters_as_the_exponent_says() -> None:
    counter = WordCounter()
    counter.update("en", ["word", "text"] * 45)  # 360 characters
    counter.update("zh", ["词", "文"] * 20)  # 40 characters
    even = counter.weighted(0.0).to_dict()
    assert characters(even, {"词", "文"}) == pytest.approx(200)
    assert characters(even, {"word", "text"}) == pytest.approx(200)
    half = counter.weighted(0.5).to_dict()
    assert characters(half, {"词", "文"}) == pytest.approx(100)
    assert counter.weighted(1.0).to_dict() == pytest.approx(
        {"text": 45, "word": 45, "文": 20, "词": 20}
    )


def test_a_word_of_two_languages_counts_for_both() -> None:
    counter = WordCounter()
    counter.update("en", ["taxi"])
    counter.update("de", ["taxi", "taxi"])
    assert counter.weighted(1.0).to_dict() == pytest.approx({"taxi": 3})
    assert counter.totals == {"en": 4, "de": 8}


def test_the_rarest_words_are_forgotten_and_shares_kept() -> None:
    counter = WordCounter(maximum_distinct=100)
    counter.update("en", ["often"] * 50)
    counter.update("ru", ["часто"] * 50)
    for start in range(0, 500, 50):
        counter.update("ru", [f"слово{number}" for number in range(start, start + 50)])
    kept = counter.counts("ru")
    assert kept["часто"] == 50
    assert len(kept) + len(counter.counts("en")) <= 100
    weights = counter.weighted(0.0).to_dict()
    assert weights["often"] * 5 == pytest.approx(sum(weights[word] * len(word) for word in kept))


def test_counting_in_parts_is_counting_at_once() -> None:
    words = ["eins", "zwei", "drei", "eins"]
    parts, whole = WordCounter(), WordCounter()
    for word in words:
        parts.update("de", [word])
    whole.update("de", words)
    assert parts.weighted(0.7).to_dict() == whole.weighted(0.7).to_dict()
