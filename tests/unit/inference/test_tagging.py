import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from xlmkit import TaggingPredictor
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.cli.app import app
from xlmkit.core.errors import UserError
from xlmkit.evaluate.calibration import softmax
from xlmkit.evaluate.scoring import Scoring
from xlmkit.evaluate.word_scores import PlainTagger
from xlmkit.inference.files import encode, predict
from xlmkit.inference.texts import Texts

WORDS = [["a", "b", "", "c"], ["c"], ["a"] * 70]  # the last is longer than the model reads


def test_tags_are_those_of_the_model_for_every_word(tagger: Path) -> None:
    bundle = Bundle.load(tagger)
    model = PlainTagger(bundle.token_classifier(), bundle.tokenizer, ["fr"], 32)
    expected = softmax(model.word_scores(WORDS, "fr"))
    predictor = TaggingPredictor.from_pretrained(tagger, precision="float32")
    made = predictor.predict(WORDS, "fr")
    assert [row["words"] for row in made] == WORDS
    assert [len(row["tags"]) for row in made] == [4, 1, 70]
    tags = [tag for row in made for tag in row["tags"]]
    assert tags == [bundle.labels[i] for i in expected.argmax(axis=1)]
    probabilities = [p for row in made for p in row["probabilities"]]
    np.testing.assert_allclose(probabilities, expected.max(axis=1), atol=1e-5)


def test_languages_may_differ_and_texts_be_empty(tagger: Path) -> None:
    predictor = TaggingPredictor.from_pretrained(tagger, precision="float32")
    mixed = predictor.predict(["a b", "", "a b"], ["en", "fr", "fr"])
    assert mixed[0] == predictor.predict(["a b"], "en")[0]
    assert mixed[2] == predictor.predict(["a b"], "fr")[0]
    assert mixed[0]["probabilities"] != mixed[2]["probabilities"]
    assert mixed[1] == {"words": [], "tags": [], "probabilities": []}
    with pytest.raises(UserError, match="does not know the language 'sw'"):
        predictor.predict(["a"], "sw")


def test_words_of_a_text_are_as_it_writes_them(tagger: Path) -> None:
    predictor = TaggingPredictor.from_pretrained(tagger, precision="float32")
    text = "Ça va, (don't) stop."
    assert predictor.words(text, "en") == ["Ça", "va", ",", "(", "don", "'t", ")", "stop", "."]
    predictor.spaces = True
    assert predictor.words(text, "en") == ["Ça", "va,", "(don't)", "stop."]


def test_files_hold_texts_or_lists_of_words(tagger: Path, tmp_path: Path) -> None:
    lines = [json.dumps({"text": text}) for text in ("a, b", ["a,", "b"])]
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    options = {"precision": "float32", "batch_tokens": 4096, "resume": False}
    predict(tagger, Texts(path=source, lang="en"), target, **options)
    rows = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    assert [row["words"] for row in rows] == [["a", ",", "b"], ["a,", "b"]]

    plain, table = tmp_path / "in.txt", tmp_path / "out.tsv"
    plain.write_text("a, b\n\n", encoding="utf-8")
    predict(tagger, Texts(path=plain, lang="en"), table, spaces=True, **options)
    head, first, empty = table.read_text("utf-8").splitlines()
    assert head.split("\t") == ["words", "tags", "probabilities"]
    words, tags, probabilities = first.split("\t")
    assert words == "a, b"
    assert len(tags.split()) == len(probabilities.split()) == 2
    assert empty == "\t\t"


def test_what_reads_texts_takes_no_words(tagger: Path, classifier: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": ["a"]}\n', encoding="utf-8")
    options = {"precision": "float32", "batch_tokens": 4096, "resume": False}
    with pytest.raises(UserError, match="line 1, is no JSONL"):
        predict(classifier, Texts(path=source, lang="en"), tmp_path / "out.jsonl", **options)
    with pytest.raises(UserError, match="line 1, is no JSONL"):
        encode(
            classifier, Texts(path=source, lang="en"), tmp_path / "out.jsonl",
            pooling="mean", layer=None, **options,
        )  # fmt: skip
    with pytest.raises(UserError, match="labels texts and not words; leave out --spaces"):
        predict(classifier, Texts(path=source, lang="en"), None, spaces=True, **options)


def test_windows_of_long_texts_are_not_for_taggers(tagger: Path, tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("a b c\n", encoding="utf-8")
    words = ["predict", str(tagger), str(tmp_path / "lines"), "--lang", "en", "--stride", "8"]
    made = CliRunner().invoke(app, [*words, "--output", str(tmp_path / "out.jsonl")])
    assert made.exit_code == 1
    assert "XLMForTokenClassification, which reads whole texts; leave out --stride." in made.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["lines"]


def test_a_tagger_is_asked_as_it_was_measured(tagger: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tagger, tmp_path / "model"))
    Scoring(max_length=12).save(folder)
    bundle = Bundle.load(tagger)
    model = PlainTagger(bundle.token_classifier(), bundle.tokenizer, ["fr"], 12)
    expected = softmax(model.word_scores(WORDS, "fr")).max(axis=1)
    target = tmp_path / "out.jsonl"
    source = tmp_path / "in.jsonl"
    source.write_text("".join(f"{json.dumps({'text': words})}\n" for words in WORDS))
    options = {"precision": "float32", "batch_tokens": 4096, "resume": False}
    predict(folder, Texts(path=source, lang="fr"), target, **options)
    rows = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    found = [p for row in rows for p in row["probabilities"]]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    longer = TaggingPredictor(bundle, "float32").predict(WORDS, "fr")
    assert [p for row in longer for p in row["probabilities"]] != pytest.approx(found)
    made = TaggingPredictor.from_pretrained(folder, precision="float32").predict(WORDS, "fr")
    assert made == rows


def test_a_byte_order_mark_is_no_text(tagger: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps({"text": "a b"}) + "\n", encoding="utf-8-sig")
    options = {"precision": "float32", "batch_tokens": 4096, "resume": False}
    predict(tagger, Texts(path=source, lang="en"), target, **options)
    assert json.loads(target.read_text("utf-8"))["words"] == ["a", "b"]


@pytest.mark.parametrize("encoding", ["ascii", "utf-16"])
def test_standard_output_is_utf8_whatever_the_locale(tagger: Path, encoding: str) -> None:
    words = [sys.executable, "-m", "xlmkit", "predict", str(tagger), "--lang", "en"]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    made = subprocess.run(
        words, input="é 狗\n".encode(), env=environment, capture_output=True, check=False
    )
    assert made.returncode == 0, made.stderr
    text = made.stdout.decode("utf-8")
    assert json.loads(text)["words"] == ["é", "狗"]
    assert '"é"' in text  # as it is, and not escaped


def test_what_is_said_to_people_needs_no_locale(tagger: Path) -> None:
    words = [sys.executable, "-m", "xlmkit", "predict", str(tagger), "niña", "--lang", "en"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    made = subprocess.run(words, env=environment, capture_output=True, check=False)
    assert made.returncode == 1
    assert made.stderr.startswith(b"xlmkit: error: ")
    assert b"ni\\xf1a" in made.stderr
