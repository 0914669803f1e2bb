"""What is explained is what `xlmkit predict` says of the same texts."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.errors import UserError
from xlmkit.data.text_windows import LongTexts
from xlmkit.evaluate.answers import Answering
from xlmkit.evaluate.scoring import Scoring
from xlmkit.explain.explainer import Explainer
from xlmkit.explain.plain_subject import kind_of_task
from xlmkit.inference.answers import AnswerPredictor
from xlmkit.inference.sequences import SequencePredictor
from xlmkit.inference.tagging import TaggingPredictor

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


def test_pairs_are_explained_for_models_of_pairs_alone(
    keyword_classifier: Path, tmp_path: Path
) -> None:
    single = asked(keyword_classifier, tmp_path / "single", pairs=False)
    with pytest.raises(UserError, match="reads no pairs; leave out --second"):
        explained(single, "a b", second="c d")
    both = asked(keyword_classifier, tmp_path / "both", pairs=True)
    with pytest.raises(UserError, match="reads pairs of texts; give the other one by --second"):
        explained(both, "a b")


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


def give_pieces(folder: Path) -> None:
    """Give a model a tokenizer that marks the beginning of words in its pieces, as XLM-R's does."""
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    pieces = [
        "\u2581Dodoma",
        ".",
        "\u2581.",
        "\u2581ni",
        "\u2581mji",
        "\u2581",
        "老",
        "狗",
        "看",
        "见",
    ]
    scored = [(piece, -1.0) for piece in [*special, *pieces]]
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    names = ["bos_token", "pad_token", "eos_token", "unk_token", "mask_token"]
    made = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **dict(zip(names, special, strict=True))
    )
    made.save_pretrained(folder)


def family_model(folder: Path, head: str, **changes: Any) -> Path:
    """Put a fresh head, to which everything that is read matters, on a model with such pieces."""
    import torch
    import transformers

    give_pieces(folder)
    torch.manual_seed(0)
    model = getattr(transformers, head).from_pretrained(folder, **changes)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            parameter.data.mul_(3)
    model.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("max_length", [None, 9])
@pytest.mark.parametrize(
    ("text", "lang", "spaces"),
    [
        ("ni mji Dodoma.", "sw", False),
        ("Dodoma. ni mji.", "sw", True),
        ("老狗看见老狗.", "zh", False),
        ("Do\u200bdoma. ni mji Dodoma. ni <s> mji.", "sw", False),
    ],
)
def test_words_of_another_familys_tagger_are_those_that_it_predicts(
    make_encoder: Callable[..., Path],
    tmp_path: Path,
    text: str,
    lang: str,
    spaces: bool,
    max_length: int | None,
) -> None:
    folder = make_encoder("xlm-roberta", tmp_path / "model")
    family_model(folder, "AutoModelForTokenClassification", num_labels=3)
    Scoring(max_length=max_length).save(folder)
    predictor = TaggingPredictor.from_pretrained(folder, precision="float32", spaces=spaces)
    (row,) = predictor.predict([text], lang)
    made = Explainer.from_pretrained(folder).explain(text, lang, spaces=spaces, steps=2)
    assert [word.text for word in made.words] == row["words"]
    said = {one.word: (one.label, one.probability) for one in made.explained}
    windows = "only the first window is explained" in " ".join(made.notes)
    assert set(said) < set(range(len(row["words"]))) if windows else len(said) == len(row["words"])
    assert windows or max_length is None or len(row["words"]) < 8
    for word, (label, probability) in said.items():
        assert word is not None
        assert label == row["tags"][word]
        assert probability == pytest.approx(row["probabilities"][word], abs=1e-5)


@pytest.mark.parametrize("length", [14, 15, 16])
def test_the_first_window_of_another_familys_pair_is_the_one_that_it_predicts(
    make_encoder: Callable[..., Path], tmp_path: Path, length: int
) -> None:
    folder = make_encoder("xlm-roberta", tmp_path / "model")
    family_model(folder, "AutoModelForSequenceClassification", num_labels=3)
    Scoring(max_length=length, long_texts=LongTexts(stride=2), pairs=True).save(folder)
    predictor = SequencePredictor.from_pretrained(
        folder, precision="float32", long_texts=LongTexts(stride=2, join="first")
    )
    for text, second in (
        ("Dodoma ni mji . " * 3, "mji ni Dodoma mji " * 3),
        ("Dodoma ni <s> mji . " * 3, "ni mji ."),
        ("ni mji .", "Dodoma ni mji . " * 4),
    ):
        label, probability, notes = explained(folder, text, second=second)
        (row,) = predictor.predict([(text, second)], "en")
        assert probability == pytest.approx(row["probabilities"][label], abs=1e-5)
        assert "only the first window is explained" in notes[0]


def test_another_family_reads_no_more_of_a_question_than_when_it_predicts(
    make_encoder: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_encoder("xlm-roberta", tmp_path / "model")
    family_model(folder, "AutoModelForQuestionAnswering")
    Answering(max_length=20, max_question=2, n_best=1).save(folder)
    predictor = AnswerPredictor.from_pretrained(folder, precision="float32")
    context, said = "Dodoma\u200b ni  mji.", []
    for question in ("ni mji Dodoma . ni", "ni mji"):
        label, probability, _ = explained(folder, context, question=question)
        ((best,),) = [row["n_best"] for row in predictor.predict([(question, context)], "en")]
        assert label == best["text"]
        said.append(probability)
    assert said[0] == pytest.approx(said[1], abs=1e-6)


def test_only_words_that_are_judged_in_the_first_window_are_explained(keyword_tagger: Path) -> None:
    text = "a b c d e f g h " * 5
    (row,) = TaggingPredictor.from_pretrained(keyword_tagger, precision="float32").predict(
        [text], "en"
    )
    made = Explainer.from_pretrained(keyword_tagger).explain(text, "en", labels=["KEY"], steps=2)
    assert [one.word for one in made.explained] == [7, 15]
    explain = Explainer.from_pretrained(keyword_tagger).explain
    with pytest.raises(UserError, match=r"'i' is read in a later window, and only the first is"):
        explain(f"{text} i", "en", words=["i"])
    with pytest.raises(UserError, match=r"has no word 'j'; its words are a b c d e f g h"):
        explain(f"{text} i", "en", words=["j"])
    assert "only the first window is explained" in made.notes[0]
    for one in made.explained:
        assert one.word is not None
        assert one.probability == pytest.approx(row["probabilities"][one.word], abs=1e-5)
