import builtins

import pytest

from xlmkit.core.errors import MissingPackageError, UserError
from xlmkit.evaluate import translation_metrics
from xlmkit.evaluate.translation import (
    compare_translations,
    translation_counts,
    translation_scores,
)
from xlmkit.evaluate.translation_metrics import (
    METRICS,
    bleu_tokenizer,
    thorough_metrics,
    translation_metric,
)

pytestmark = pytest.mark.unit

REFERENCE = ["the cat sits on the mat", "a dog runs over the green grass", "we saw two old ships"]
GOOD = ["the cat sits on a mat", "a dog runs over the green grass", "we saw two ships"]
BAD = ["the cat", "dog runs the grass over green", "we were seeing ships"]


def test_the_best_of_all_translations_is_the_reference():
    made = translation_scores(REFERENCE, [REFERENCE], "en", METRICS, resamples=20)
    assert {name: round(score.value, 9) for name, score in made.items()} == {
        "bleu": 100,
        "chrf": 100,
        "chrf++": 100,
        "ter": 0,
        "original": 100,
    }
    for score in made.values():
        assert score.low == pytest.approx(score.value)
        assert score.high == pytest.approx(score.value)
        assert score.n == 3


def test_bleu_by_hand():
    # 5 of 6 words, 3 of 5 pairs, 2 of 4 triples, 1 of 3 fours; as long as the reference.
    made = translation_scores([GOOD[0]], [[REFERENCE[0]]], "en", ("bleu",), resamples=0)["bleu"]
    assert made.value == pytest.approx(100 * (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25)
    assert made.low is None


def test_ter_by_hand():
    # One substitution and one insertion, 18 words in the references.
    made = translation_scores(GOOD, [REFERENCE], "en", ("ter",), resamples=0)["ter"]
    assert made.value == pytest.approx(100 * 2 / 18)


def test_several_references_take_what_fits_any():
    one = translation_scores(GOOD, [REFERENCE], "en", ("bleu",), resamples=0)["bleu"]
    two = translation_scores(GOOD, [REFERENCE, GOOD], "en", ("bleu",), resamples=0)["bleu"]
    assert one.value < two.value == pytest.approx(100)
    assert "|nrefs:2|" in two.signature


def test_case_counts_unless_it_is_told_not_to():
    upper = [text.upper() for text in REFERENCE]
    names = ("bleu", "chrf", "original")
    cased = translation_scores(upper, [REFERENCE], "en", names, resamples=0)
    lowered = translation_scores(upper, [REFERENCE], "en", names, lowercase=True, resamples=0)
    for name in names:
        assert cased[name].value < 5
        assert lowered[name].value == pytest.approx(100)
        assert "case:lc" in lowered[name].signature


def test_what_differs_more_is_surer():
    good, bad, same = (
        translation_counts(one * 20, [REFERENCE * 20], "en", ("bleu", "ter"))
        for one in (GOOD, BAD, GOOD)
    )
    differ = compare_translations(good, bad)
    assert differ["bleu"].difference > 0 > differ["ter"].difference
    assert differ["bleu"].low > 0 > differ["ter"].high
    assert differ["bleu"].p_value == pytest.approx(1 / 1001)
    assert "test:paired" in differ["bleu"].signature
    equal = compare_translations(good, same)
    assert equal["bleu"].difference == 0
    assert equal["bleu"].to_json()["difference"] == 0
    with pytest.raises(ValueError, match="different sentences"):
        compare_translations(good, translation_counts(GOOD, [REFERENCE], "en", ("bleu", "ter")))


@pytest.mark.parametrize(
    ("language", "expected"), [("de", "13a"), ("ru", "13a"), ("zh", "zh"), ("th", "char")]
)
def test_the_tokenizer_suits_the_language(language, expected):
    assert bleu_tokenizer(language) == expected


@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.parametrize("language", ["ja", "ko"])
def test_an_analyser_is_used_where_it_is_installed(language, installed, monkeypatch):
    monkeypatch.setattr(translation_metrics, "find_spec", lambda _: object() if installed else None)
    assert bleu_tokenizer(language) == (f"{language}-mecab" if installed else "char")


def test_a_language_without_spaces_is_not_one_long_word():
    japanese = ["猫は椅子の上で寝ている。", "犬が庭を走っている。"]
    made = translation_scores(
        ["猫は机の上で寝ている。", "犬が庭を歩いている。"], [japanese], "ja", ("bleu", "ter"),
        tokenizer="char", resamples=0,
    )  # fmt: skip
    assert 50 < made["bleu"].value < 100
    assert 0 < made["ter"].value < 50
    assert "tok:char" in made["bleu"].signature


@pytest.mark.parametrize(
    ("hypotheses", "references", "message"),
    [
        ([], [[]], "at least one line"),
        (["a"], [], "at least one"),
        (["a", "b"], [["a", "b"], ["a"]], "2 translations but 1 lines in reference 2"),
    ],
)
def test_texts_that_do_not_match_are_one_sentence(hypotheses, references, message):
    with pytest.raises(UserError, match=message):
        translation_scores(hypotheses, references, "en")


@pytest.mark.parametrize(
    ("name", "language", "tokenizer", "message"),
    [
        ("blue", "en", None, "no metric 'blue'; the names are bleu, chrf"),
        ("bleu", "xx", None, "no language with the code 'xx'"),
        ("bleu", "en", "13b", "no tokenizer '13b'"),
    ],
)
def test_an_unknown_name_is_one_sentence(name, language, tokenizer, message):
    with pytest.raises(UserError, match=message):
        translation_metric(name, language, tokenizer=tokenizer)


def test_ter_which_is_slow_shows_how_far_it_is(monkeypatch, capsys):
    monkeypatch.setattr("xlmkit.core.progress._SHORT_SECONDS", 0)
    translation_counts(GOOD, [REFERENCE], "en", ("bleu", "ter"))
    n = len(GOOD)
    told = capsys.readouterr().err
    assert f"counting corrections (TER): done, {n} of {n} sentences (100 %), " in told


def test_test_texts_are_measured_by_what_says_something_of_a_language(monkeypatch):
    assert thorough_metrics("de") == ("bleu", "chrf", "ter", "original")
    assert "ter" in thorough_metrics("zh")
    assert thorough_metrics("lo") == ("bleu", "chrf", "original")  # a sentence would be a word

    def missing(name):
        raise MissingPackageError(name)

    monkeypatch.setattr("xlmkit.evaluate.translation_metrics.segmenter", missing)
    assert thorough_metrics("zh") == ("bleu", "chrf", "ter")
    assert thorough_metrics("de") == ("bleu", "chrf", "ter", "original")


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    imported = builtins.__import__

    def missing(name, *arguments, **options):
        if name.startswith("sacrebleu"):
            raise ImportError(name)
        return imported(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingPackageError, match=r"pip install 'xlmkit\[translate\]'"):
        translation_metric("bleu", "en")
