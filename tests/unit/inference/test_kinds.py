"""What is predicted for each kind of task, by models of XLM and by those of other families."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

transformers = pytest.importorskip("transformers")
transformers.utils.logging.set_verbosity_error()

from xlmkit import AnswerPredictor, SequencePredictor, TaggingPredictor  # noqa: E402
from xlmkit.cli.app import app  # noqa: E402
from xlmkit.core.errors import UserError  # noqa: E402
from xlmkit.data.text_windows import LongTexts  # noqa: E402
from xlmkit.evaluate.scoring import Scoring  # noqa: E402
from xlmkit.inference.predictors import load_predictor  # noqa: E402

Make = Callable[..., Path]
TEXTS = ["The old dog", "the small cat sees the red train near the river.", "火车在河边"]
CODES = ["en", "en", "zh"]
LABELS = {0: "animal", 1: "machine", 2: "place"}


def finetuned(folder: Path, head: str, labels: dict[int, str] = LABELS, **settings: Any) -> Path:
    """Put a head on an encoder, as finetuning does."""
    torch.manual_seed(1)
    shape = {"id2label": labels, "label2id": {v: k for k, v in labels.items()}, **settings}
    model = getattr(transformers, head).from_pretrained(folder, **shape)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(params=["xlm", "bert", "xlm-roberta"])
def sequences(
    request: pytest.FixtureRequest, classifier: Path, make_encoder: Make, tmp_path: Path
) -> Path:
    """A classifier of three classes; that of XLM knows only the letters a, b and c."""
    folder = tmp_path / "model"
    if request.param == "xlm":
        return Path(shutil.copytree(classifier, folder))
    make_encoder(request.param, folder)
    return finetuned(folder, "AutoModelForSequenceClassification")


def predicted(folder: Path, texts: list[Any], **scoring: Any) -> list[dict[str, Any]]:
    Scoring(**scoring).save(folder)
    return load_predictor(folder, "float32").predict(texts, "en")  # type: ignore[return-value]


def test_classes_several_and_numbers_come_from_the_same_scores(sequences: Path) -> None:
    texts = ["a b c", "the old dog b", "a"]
    one = predicted(sequences, texts)
    names = list(one[0]["probabilities"])
    assert len(names) == 3
    assert all(row["label"] == max(names, key=row["probabilities"].__getitem__) for row in one)
    logits = np.log([list(row["probabilities"].values()) for row in one])
    several = predicted(sequences, texts, decides="several")
    odds = [[p / (1 - p) for p in row["probabilities"].values()] for row in several]
    differences = np.log(odds) - logits  # softmax knows logits but for a number of each text
    np.testing.assert_allclose(differences, differences[:, :1].repeat(3, axis=1), atol=1e-4)
    for row in several:
        assert row["labels"] == [n for n in names if row["probabilities"][n] >= 0.5]
    numbers = predicted(sequences, texts, decides="number")
    scaled = predicted(sequences, texts, decides="number", mean=3.0, deviation=2.0)
    np.testing.assert_allclose(
        [row["value"] for row in scaled], [3 + 2 * row["value"] for row in numbers], rtol=1e-5
    )
    np.testing.assert_allclose(
        [row["value"] for row in numbers], np.log([row[0] for row in odds]), atol=1e-4
    )


def test_pairs_and_choices_are_read_together(sequences: Path) -> None:
    pairs = [("a dog", "cat c"), ("c", "red b"), ("a dog", "b b train")]
    scores = [row["value"] for row in predicted(sequences, pairs, decides="number", pairs=True)]
    assert len({round(score, 5) for score in scores}) == 3
    texts = [("a dog", "cat c", "b b train"), ("c", "red b", "red b", "red b")]
    found = predicted(sequences, texts, decides="choice")
    powers = np.exp([scores[0], scores[2]])
    np.testing.assert_allclose(found[0]["probabilities"], powers / powers.sum(), atol=1e-5)
    assert found[0]["choice"] == int(np.argmax(powers))
    np.testing.assert_allclose(found[1]["probabilities"], [1 / 3] * 3, atol=1e-5)
    assert predicted(sequences, [], decides="choice") == []


@pytest.mark.parametrize(
    ("scoring", "text", "message"),
    [
        ({"pairs": True}, "a", "reads pairs of texts; give two"),
        ({"pairs": False}, ("a", "b"), "reads single texts, and no pairs"),
        ({"pairs": True}, ("a", "b", "c"), "and not more"),
        ({"decides": "choice"}, ("a", "b"), "two or more to choose from"),
        ({"decides": "choice"}, "a", "two or more to choose from"),
    ],
)
def test_texts_that_do_not_fit_are_told(
    classifier: Path, tmp_path: Path, scoring: dict[str, Any], text: Any, message: str
) -> None:
    folder = Path(shutil.copytree(classifier, tmp_path / "model"))
    with pytest.raises(UserError, match=message):
        predicted(folder, [text], **scoring)


def test_a_model_reads_texts_as_it_was_measured(sequences: Path) -> None:
    long = " ".join(["a b c b"] * 12)
    short = predicted(sequences, [long], max_length=12)
    assert short == predicted(sequences, [" ".join(long.split()[:10])], max_length=12)
    whole = predicted(sequences, [long], max_length=12, long_texts=LongTexts(stride=2))
    assert whole != short
    given = load_predictor(sequences, "float32", LongTexts(stride=2, join="first"))
    assert given.predict([long], "en")[0]["label"] == short[0]["label"]


def test_the_problem_of_another_origin_is_known(make_encoder: Make, tmp_path: Path) -> None:
    folder = make_encoder("bert", tmp_path / "model")
    finetuned(
        folder, "AutoModelForSequenceClassification", problem_type="multi_label_classification"
    )
    predictor = SequencePredictor.from_pretrained(folder, precision="float32")
    (row,) = predictor.predict(["the dog"], "en")
    assert set(row) == {"labels", "probabilities"}
    cells = dict(zip(predictor.columns, predictor.cells(row), strict=True))
    assert cells["labels"] == ", ".join(row["labels"])


def test_classes_of_another_family_are_those_of_transformers(
    make_encoder: Make, tmp_path: Path
) -> None:
    folder = make_encoder("bert", tmp_path / "model")
    finetuned(folder, "AutoModelForSequenceClassification")
    made = SequencePredictor.from_pretrained(folder, precision="float32").predict(TEXTS, CODES)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        logits = [model(**tokenizer(text, return_tensors="pt")).logits[0] for text in TEXTS]
    expected = torch.softmax(torch.stack(logits), dim=1).numpy()
    np.testing.assert_allclose(
        [list(row["probabilities"].values()) for row in made], expected, atol=1e-5
    )


def test_words_of_another_family_get_tags(make_encoder: Make, tmp_path: Path) -> None:
    folder = make_encoder("xlm-roberta", tmp_path / "model")
    finetuned(folder, "AutoModelForTokenClassification", {0: "O", 1: "B-X", 2: "I-X"})
    tagger = TaggingPredictor.from_pretrained(folder, precision="float32")
    first, given, chinese = tagger.predict(
        ["The old dog, sees.", ["The", "old", "dog", ",", "sees", "."], "狗"], ["en", "en", "zh"]
    )
    assert first == given
    assert first["words"] == ["The", "old", "dog", ",", "sees", "."]
    assert len(first["tags"]) == 6
    assert chinese["words"] == ["狗"]


def test_questions_to_another_family_are_answered_from_the_context(
    make_encoder: Make, tmp_path: Path
) -> None:
    folder = make_encoder("bert", tmp_path / "model")
    finetuned(folder, "AutoModelForQuestionAnswering", {0: "a", 1: "b"})
    context = "The old dog sees the small cat near the river."
    (found,) = AnswerPredictor.from_pretrained(folder, precision="float32").predict(
        [("Who sees the cat?", context)], "en"
    )
    assert found["answer"] == context[found["start"] : found["end"]] != ""


def test_what_another_family_cannot_is_said(make_encoder: Make, tmp_path: Path) -> None:
    folder = make_encoder("bert", tmp_path / "model")
    with pytest.raises(UserError, match="BertForMaskedLM, which predicts no labels"):
        load_predictor(folder, "auto")
    finetuned(folder, "AutoModelForSequenceClassification")
    with pytest.raises(UserError, match=r"int8 is for models of XLM, but .* is a bert"):
        load_predictor(folder, "int8")
    mbart = finetuned(make_encoder("mbart", tmp_path / "m"), "AutoModelForSequenceClassification")
    with pytest.raises(UserError, match="the model does not know sw"):
        load_predictor(mbart, "auto").predict(["a"], "sw")


def call(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("ending", ["tsv", "jsonl"])
def test_pairs_come_from_columns_of_files(classifier: Path, tmp_path: Path, ending: str) -> None:
    folder = Path(shutil.copytree(classifier, tmp_path / "model"))
    Scoring(pairs=True).save(folder)
    source, target = tmp_path / f"pairs.{ending}", tmp_path / "out.jsonl"
    if ending == "tsv":
        columns = ["--text-column", "0", "--second-column", "2", "--lang-column", "1"]
        source.write_text("a b\ten\tc\nc\tfr\ta b\n", encoding="utf-8")
    else:
        columns = ["--text-column", "premise", "--second-column", "hypothesis", "--lang", "en"]
        rows = [{"premise": "a b", "hypothesis": "c"}, {"premise": "c", "hypothesis": "a b"}]
        source.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    done = call("predict", folder, source, *columns, "-o", target, "--precision", "float32")
    assert done.exit_code == 0, done.stderr
    made = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    codes = ["en", "fr" if ending == "tsv" else "en"]
    expected = SequencePredictor.from_pretrained(folder, precision="float32").predict(
        [("a b", "c"), ("c", "a b")], codes
    )
    assert [row["label"] for row in made] == [row["label"] for row in expected]
    refused = call("predict", folder, source, *columns[:2], "--lang", "en")
    assert refused.exit_code == 1
    assert "give two, on the command line by --second-column" in refused.stderr


def test_columns_are_put_behind_the_text(classifier: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(classifier, tmp_path / "model"))
    Scoring(append=("asks",), pairs=True).save(folder)
    source, target = tmp_path / "pairs.jsonl", tmp_path / "out.jsonl"
    rows = [
        {"premise": "a", "asks": "b", "hypothesis": "c"},
        {"premise": "a", "asks": "", "hypothesis": "c"},
        {"premise": "", "asks": "b", "hypothesis": "c"},
        {"premise": "a", "asks": None, "hypothesis": "c"},
    ]
    source.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    columns = ["--text-column", "premise", "--second-column", "hypothesis", "--lang", "en"]
    options = [*columns, "-o", target, "--precision", "float32"]
    done = call("predict", folder, source, *options, "--append-column", "asks")
    assert done.exit_code == 0, done.stderr
    assert "behind them" not in done.stderr
    made = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    assert made == SequencePredictor.from_pretrained(folder, precision="float32").predict(
        [("a b", "c"), ("a", "c"), ("", "c"), ("a", "c")], "en"
    )
    told = call("predict", folder, source, *columns)
    assert "learned texts with asks behind them: give --append-column asks, unless" in told.stderr
    missing = call("predict", folder, source, *columns, "--append-column", "question")
    assert "every line needs premise and question and hypothesis" in missing.stderr
    plain = call("predict", folder, tmp_path / "a.txt", "--append-column", "1", "--lang", "en")
    assert "Plain lines have no columns" in plain.stderr
    source.write_text(json.dumps(rows[0] | {"asks": 1}), encoding="utf-8")
    number = call("predict", folder, source, *columns, "--append-column", "asks")
    assert "not a string" in number.stderr


def test_a_tagger_reads_no_pairs(tagger: Path, tmp_path: Path) -> None:
    source = tmp_path / "pairs.tsv"
    source.write_text("a\tb\n", encoding="utf-8")
    refused = call("predict", tagger, source, "--append-column", "1", "--lang", "en")
    assert "tags single texts; leave out --append-column" in refused.stderr
    refused = call("predict", tagger, source, "--second-column", "1", "--lang", "en")
    assert "tags single texts; leave out --second-column" in refused.stderr
