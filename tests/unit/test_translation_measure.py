"""What the loss of a translator is measured on while it learns."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import xlmkit.build.translation_judge
from xlmkit.build.translation_judge import Judge
from xlmkit.build.translation_measure import TranslationValidation
from xlmkit.build.translation_texts import Watched
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.errors import UserError
from xlmkit.evaluate.translation_diagnosis import Learner
from xlmkit.generate.config import SearchConfig
from xlmkit.generate.translator import Translator
from xlmkit.train.state import TrainingState


def pairs(n: int) -> Watched:
    """Letters, and capitals that are their translation but for one in some."""
    rng = random.Random(0)
    sources = [" ".join(rng.choices("abcdefgh", k=rng.randint(1, 9))) for _ in range(n)]
    right = [" ".join(text.upper()[::-1].split()) for text in sources]
    return Watched(sources, [f"A{text[1:]}" if n % 3 else text for n, text in enumerate(right)])


def test_texts_that_are_all_too_long_are_told_as_those_to_validate_on(
    reversing_translator: Path,
) -> None:
    texts = {"en-fr": Watched(["a b c d e"], ["E D C B A"])}
    with pytest.raises(UserError, match=r"at most 5 tokens to validate on.* translation\.valid"):
        TranslationValidation(
            Bundle.load(reversing_translator), texts, most=4, tokens=32, max_length=5, judge=None
        )


@pytest.mark.parametrize("tokens", [32, 10_000])
def test_the_loss_is_that_of_every_word_of_every_pair(
    reversing_translator: Path, tokens: int
) -> None:
    bundle, texts, state = Bundle.load(reversing_translator), pairs(150), TrainingState(step=1)
    validation = TranslationValidation(
        bundle, {"en-fr": texts}, most=4, tokens=tokens, max_length=12, judge=None
    )
    validation(bundle.encoder_decoder(), state)
    assert texts.references is not None
    scores = Translator(bundle).score(texts.sources, texts.references, "en", "fr")
    words = sum(len(text.split()) + 1 for text in texts.references)  # `</s>` is one
    found = {point["language"]: point["loss"] for point in state.curve}
    expected = {"fr": -sum(scores) / words, "average": -sum(scores) / words}
    assert found == pytest.approx(expected, abs=1e-5)  # as points are rounded
    assert found["average"] > 0.1


def test_what_is_slow_is_measured_of_test_texts_alone(
    reversing_translator: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, texts, measured = Bundle.load(reversing_translator), pairs(6), []
    scores = xlmkit.build.translation_judge.translation_scores

    def recording(*arguments: Any, **options: Any) -> Any:
        found = scores(*arguments, **options)
        measured.append(list(found))
        return found

    monkeypatch.setattr(xlmkit.build.translation_judge, "translation_scores", recording)
    judge = Judge(None, folded=False, back=False, learner=Learner(initial=False, denoises=False))
    validation = TranslationValidation(
        bundle, {"en-fr": texts}, most=4, tokens=99, max_length=12, judge=judge
    )
    validation(bundle.encoder_decoder(), TrainingState(step=1))
    judge(Translator(bundle), {"en-fr": texts}, SearchConfig(beam_size=0), thorough=True)
    assert measured == [["bleu", "chrf"], ["bleu", "chrf", "ter", "original"]]
    both = {"en-fr": texts, "fr-en": texts}
    folded = replace(judge, folded=True, back=True)(Translator(bundle), both, SearchConfig())
    assert "round_trip" in folded["en-fr"].scores
    assert {one.signature.partition("|accents:")[2] for one in folded["en-fr"].scores.values()} == {
        "removed"
    }
