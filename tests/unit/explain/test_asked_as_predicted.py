"""What is explained is what `xlmkit predict` says of the same texts."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.data.text_windows import LongTexts
from xlmkit.evaluate.answers import Answering
from xlmkit.evaluate.scoring import Scoring
from xlmkit.explain.explainer import Explainer
from xlmkit.explain.plain_subject import kind_of_task
from xlmkit.inference.answers import AnswerPredictor
from xlmkit.inference.sequences import SequencePredictor

pytest.importorskip("captum")

LONG = "a b c d e f g a b c d h a c"


def asked(model: Path, folder: Path, **scoring: Any) -> Path:
    """Return a copy of a classifier that is asked so."""
    copy = Path(shutil.copytree(model, folder))
    Scoring(**scoring).save(copy)
    return copy


def probabilities(folder: Path, text: Any) -> dict[str, float]:
    predictor = SequencePredictor.from_pretrained(folder, precision="float32")
    found: dict[str, float] = predictor.predict([text], "en")[0]["probabilities"]
    return found


def explained(folder: Path, text: str, **given: Any) -> tuple[str, float, list[str]]:
    made = Explainer.from_pretrained(folder).explain(text, "en", steps=2, **given)
    one = made.explained[0]
    assert one.probability is not None
    told = [note for note in made.notes if "--steps" not in note]
    return one.label, one.probability, told


@pytest.mark.parametrize("max_length", [None, 9])
@pytest.mark.parametrize("form", ["apart", "joined"])
def test_a_pair_is_read_in_the_models_own_form(
    keyword_classifier: Path, tmp_path: Path, form: str, max_length: int | None
) -> None:
    folder = asked(
        keyword_classifier, tmp_path / "model", pair_form=form, max_length=max_length, pairs=True
    )
    label, probability, _ = explained(folder, "a b c d", second="c d e h")
    expected = probabilities(folder, ("a b c d", "c d e h"))
    assert probability == pytest.approx(expected[label], abs=1e-5)
    assert probability == pytest.approx(max(expected.values()), abs=1e-5)
    made = Explainer.from_pretrained(folder).explain("a b", "en", second="c", steps=2)
    assert [token for token, _ in made.tokens] == ["a</w>", "b</w>", "c</w>"]
    assert [word for _, word in made.tokens] == [0, 1, 2]


def test_choices_are_read_in_the_models_own_form(keyword_classifier: Path, tmp_path: Path) -> None:
    bundle = Bundle.load(keyword_classifier)
    weights = {
        name: tensor[1:] if name.startswith("sequence_summary") else tensor
        for name, tensor in bundle.weights.items()
    }
    folder = tmp_path / "model"
    replace(bundle, weights=weights, labels=["choice"]).save(folder)
    Scoring(decides="choice", pair_form="joined").save(folder)
    _, probability, _ = explained(folder, "a b", choices=["c d", "d e"])
    predictor = SequencePredictor.from_pretrained(folder, precision="float32")
    (row,) = predictor.predict([("a b", "c d", "d e")], "en")
    assert probability == pytest.approx(row["probabilities"][row["choice"]], abs=1e-5)


def test_a_question_is_read_in_the_models_own_form(answerer: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(answerer, tmp_path / "model"))
    said = {}
    for form in ("apart", "joined"):
        Answering(pair_form=form, max_length=20, max_question=2, n_best=1).save(folder)
        label, said[form], _ = explained(folder, "a b c d", question="e f g")
        predictor = AnswerPredictor.from_pretrained(folder, precision="float32")
        ((best,),) = [row["n_best"] for row in predictor.predict([("e f g", "a b c d")], "en")]
        assert label == best["text"]
        # Behind max_question nothing of a question is read.
        assert explained(folder, "a b c d", question="e f")[1] == pytest.approx(said[form])
    assert said["apart"] != pytest.approx(said["joined"], abs=1e-6)


def test_a_long_text_is_cut_where_the_model_was_measured(
    keyword_classifier: Path, tmp_path: Path
) -> None:
    folder = asked(keyword_classifier, tmp_path / "model", max_length=8)
    label, probability, notes = explained(folder, LONG)
    assert label == "none"  # the keyword lies behind
    assert probability == pytest.approx(probabilities(folder, LONG)[label], abs=1e-5)
    assert len(notes) == 1
    assert "longer than the model reads; what lies behind was not read" in notes[0]


def test_only_the_first_window_is_explained_and_it_is_told(
    keyword_classifier: Path, tmp_path: Path
) -> None:
    windows = LongTexts(stride=2, join="max")
    folder = asked(keyword_classifier, tmp_path / "model", max_length=8, long_texts=windows)
    label, probability, notes = explained(folder, LONG)
    first = SequencePredictor.from_pretrained(
        folder, precision="float32", long_texts=LongTexts(stride=2, join="first")
    )
    (row,) = first.predict([LONG], "en")
    assert probability == pytest.approx(row["probabilities"][label], abs=1e-5)
    assert len(notes) == 1
    assert "only the first window is explained" in notes[0]
    assert explained(folder, "a b c")[2] == []


def test_a_moved_folder_is_explained_by_its_own_kind(
    keyword_classifier: Path, tmp_path: Path
) -> None:
    recipe = {"finetune": {"t": {"kind": "classification"}, "e": {"kind": "multilabel"}}}
    bundle = replace(Bundle.load(keyword_classifier), provenance={"recipe": recipe})
    folder = tmp_path / "moved"
    bundle.save(folder)
    Scoring(decides="several").save(folder)
    made = Explainer.from_pretrained(folder).explain("a h", "en", steps=2)
    assert made.kind == "several"
    (one,) = made.explained
    assert one.probability == pytest.approx(probabilities(folder, "a h")[one.label], abs=1e-5)
    # Of models from before the file was kept the recipe tells, seed by seed.
    assert kind_of_task({"recipe": recipe}, "e@2") == "several"


def test_a_number_is_on_the_scale_of_the_labels(keyword_classifier: Path, tmp_path: Path) -> None:
    folder = asked(
        keyword_classifier, tmp_path / "model", decides="number", mean=50.0, deviation=10.0
    )
    (one,) = Explainer.from_pretrained(folder).explain("a h", "en", steps=2).explained
    (row,) = SequencePredictor.from_pretrained(folder, precision="float32").predict(["a h"], "en")
    assert float(one.label) == pytest.approx(row["value"], abs=1e-3)


def test_another_familys_model_is_asked_as_it_was_measured(
    make_encoder: Callable[..., Path], tmp_path: Path
) -> None:
    transformers = pytest.importorskip("transformers")
    folder = make_encoder("bert", tmp_path / "model")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, num_labels=3)
    model.save_pretrained(folder)
    windows = LongTexts(stride=2)
    Scoring(decides="several", max_length=8, long_texts=windows).save(folder)
    text = "The old dog sees the small cat near the river."
    label, probability, notes = explained(folder, text)
    predictor = SequencePredictor.from_pretrained(
        folder, precision="float32", long_texts=LongTexts(stride=2, join="first")
    )
    (row,) = predictor.predict([text], "en")
    assert probability == pytest.approx(row["probabilities"][label], abs=1e-4)
    assert len(notes) == 1
    assert "only the first window is explained" in notes[0]


def test_answers_are_no_longer_than_those_that_are_predicted(
    answerer: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(answerer, tmp_path / "model"))
    Answering(max_answer=1, n_best=1).save(folder)
    label, _, _ = explained(folder, "a b c d", question="e f g")
    assert len(label.split()) == 1
    predictor = AnswerPredictor.from_pretrained(folder, precision="float32")
    found = predictor.predict([("e f g", "a b c d")], "en")[0]["n_best"]
    assert found == [] or found[0]["text"] == label  # a beam head may have followed up longer ones
    assert found or Bundle.load(folder).beam_sizes


def test_a_question_may_be_in_another_language(answerer: Path) -> None:
    predictor = AnswerPredictor.from_pretrained(answerer, precision="float32")
    said = []
    for code in ("en", "ar"):
        made = explained(answerer, "a b c d", question="e f g", question_lang=code)
        (row,) = predictor.predict([("e f g", "a b c d")], "en", question_lang=code)
        assert made[0] == row["n_best"][0]["text"]
        said.append(made[1])
    assert said[0] != pytest.approx(said[1], abs=1e-7)
