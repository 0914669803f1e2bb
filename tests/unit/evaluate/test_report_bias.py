import numpy as np
import pytest
from scipy.stats import spearmanr

from xlmkit.evaluate.report_bias import bias_section, falls, rank_correlation

pytestmark = pytest.mark.unit


def valued(task, code, value, half=0.02):
    """Give a language an accuracy with an interval of so much on either side."""
    task["languages"][code]["accuracy"].update(value=value, low=value - half, high=value + half)


VALUES = {"en": 0.9, "fr": 0.85, "de": 0.8, "es": 0.7, "ru": 0.6, "ar": 0.5, "zh": 0.4}


@pytest.fixture
def measured(results):
    """Return results, a model, and its task, in which languages fall one after the other."""
    model = results["models"]["mlm_tlm"]
    task = model["tasks"]["application"]
    for number, (code, value) in enumerate(VALUES.items()):
        valued(task, code, value)
        task["languages"][code]["tokens_per_word"] = 1 + number / 10
        results["tokenizer"]["languages"][code]["tokens"] = 10**6 / (1 + number)
    return results, model, task


def test_what_is_said_follows_from_the_numbers(measured):
    section = bias_section(*measured)
    assert section.sentences == (
        "In accuracy, Chinese falls 50.0 points below English (40.0 against 90.0), more than any "
        "other; French least, by 5.0.",
        "Chinese keeps less than half of the value in English.",
        "The more text for pretraining, the less far a language falls "
        "(rank correlation \N{MINUS SIGN}1.00, p = 0.00).",
        "The more sub-words per word, the further a language falls "
        "(rank correlation +1.00, p = 0.00).",
    )
    assert [panel.title for panel in section.panels] == [
        "Against text for pretraining",
        "Against sub-words per word",
    ]
    assert section.panels[0].svg.count("<circle") == 6
    assert "Chinese: 50.0 points below the source" in section.panels[0].svg


def test_a_relation_by_chance_is_called_none(measured):
    _results, _model, task = measured
    for value, code in zip((2, 1, 3, 1.5, 2.5, 1.2), list(VALUES)[1:], strict=True):
        task["languages"][code]["tokens_per_word"] = value
    assert "No clear relation to sub-words per word" in bias_section(*measured).sentences[-1]


def test_of_a_ready_model_no_text_is_known(measured):
    _results, model, _task = measured
    model["pretraining"] = None
    assert [one.tokens for one in falls(*measured)] == [None] * 6
    assert [panel.title for panel in bias_section(*measured).panels] == [
        "Against sub-words per word"
    ]


def test_languages_that_do_not_fall_are_not_said_to(measured):
    _results, _model, task = measured
    valued(task, "fr", 0.95)
    assert bias_section(*measured).sentences[0].endswith("; French does not fall.")
    for code in VALUES:
        valued(task, code, 0.9)
    assert bias_section(*measured).sentences[0] == "In accuracy, no language falls below English."


def test_languages_that_fall_alike_are_not_ranked(measured):
    _results, _model, task = measured
    for code in VALUES.keys() - {"en"}:
        valued(task, code, 0.25)
    expected = "In accuracy, all fall 65.0 points below English."
    assert bias_section(*measured).sentences[0] == expected


def test_what_the_intervals_do_not_part_is_not_said_to_fall(measured):
    _results, _model, task = measured
    valued(task, "fr", 0.89)
    assert bias_section(*measured).sentences[0].endswith("; French is too near to tell.")
    valued(task, "zh", 0.3, half=0.7)
    said = bias_section(*measured).sentences
    assert said[0] == (
        "In accuracy, Arabic falls 40.0 points below English (50.0 against 90.0); French is too "
        "near to tell."
    )
    assert "less than half" not in " ".join(said)
    valued(task, "en", 0.9, half=0.7)
    assert bias_section(*measured).sentences[0] == (
        "In accuracy, no language falls surely below English; the intervals are too wide to tell."
    )


def test_one_answer_for_all_texts_is_not_praised(measured):
    _results, _model, task = measured
    valued(task, "fr", 0.95)
    for code in ("fr", "zh"):
        task["languages"][code]["confusion"] = [[0, 250, 0, 0]] * 4
    assert [one.code for one in falls(*measured)] == ["de", "es", "ru", "ar", "zh"]
    assert "French" not in " ".join(bias_section(*measured).sentences)


def test_a_few_languages_say_nothing_of_a_relation(measured):
    _results, _model, task = measured
    task["languages"] = {code: task["languages"][code] for code in ("en", "fr", "de", "es", "ru")}
    said = bias_section(*measured).sentences
    assert said[-1] == (
        "With so few languages, nothing can be said about text for pretraining and sub-words per "
        "word."
    )
    assert sum("nothing can be said" in one for one in said) == 1
    for code in ("de", "es", "ru"):
        del task["languages"][code]
    assert bias_section(*measured) is None


def test_without_a_measured_source_there_is_no_fall(measured):
    _results, _model, task = measured
    del task["languages"]["en"]
    assert falls(*measured) == []


def test_rank_correlation_is_scipys_and_its_p_is_near():
    draw = np.random.default_rng(4)
    x, y = draw.normal(size=9), draw.normal(size=9)
    expected = spearmanr(x, y)
    rho, p = rank_correlation(x, y)
    assert rho == pytest.approx(expected.statistic)
    assert p == pytest.approx(expected.pvalue, abs=0.03)
    assert rank_correlation(x, x)[1] == pytest.approx(1e-4, abs=2e-4)
