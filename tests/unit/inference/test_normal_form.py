"""Texts are read in their normal form, however they are written."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch

from xlmkit import FillMask, SentenceEncoder, SequencePredictor, TaggingPredictor, TextGenerator
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import SEQUENCE_CLASSIFIER, SIMPLE_ANSWERER, TOKEN_CLASSIFIER
from xlmkit.data.measures import normalize
from xlmkit.explain.explainer import Explainer
from xlmkit.inference.answers import AnswerPredictor
from xlmkit.inference.words import tokens_of_texts
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel, SequenceClassifier, TokenClassifier
from xlmkit.model.question_answering import SimpleAnswerer
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary

SYMBOLS = ("a</w>", "é</w>", "b", "ộ</w>", "ệ</w>", "ab</w>", "c</w>", "e", "o")
WRITTEN = f"a\t{unicodedata.normalize('NFD', 'ộ bộ')}\u200b\u00a0ệ c"
NORMAL = "a ộ bộ ệ c"
HEADS = (SEQUENCE_CLASSIFIER, TOKEN_CLASSIFIER, SIMPLE_ANSWERER, "")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    vocabulary = Vocabulary([*SPECIAL_TOKENS, *SYMBOLS])
    tokenizer = Tokenizer(
        vocabulary, Merges(()), {"vi": 0}, segmenters={}, lowercase_and_remove_accent=False
    )
    shape = Architecture(
        n_words=len(vocabulary), n_langs=1, n_layers=2, emb_dim=16, n_heads=2,
        max_position_embeddings=32, embed_init_std=0.5,
    )  # fmt: skip
    torch.manual_seed(0)
    folders = {head: tmp_path_factory.mktemp("model") for head in HEADS}
    for head, model, labels in (
        (SEQUENCE_CLASSIFIER, SequenceClassifier(shape, 2), ["x", "y"]),
        (TOKEN_CLASSIFIER, TokenClassifier(shape, 2), ["O", "X"]),
        (SIMPLE_ANSWERER, SimpleAnswerer(shape), []),
    ):
        Bundle(shape, tokenizer, model.state_dict(), head, labels).save(folders[head])
    Bundle(shape, tokenizer, LanguageModel(shape).state_dict()).save(folders[""])
    return folders


def test_labels_and_vectors_are_those_of_the_normal_form(models: dict[str, Path]) -> None:
    assert normalize(WRITTEN) == NORMAL != WRITTEN
    predictor = SequencePredictor.from_pretrained(models[SEQUENCE_CLASSIFIER], precision="float32")
    assert predictor.predict([WRITTEN], "vi") == predictor.predict([NORMAL], "vi")
    pairs = predictor.predict([(WRITTEN, WRITTEN)], "vi")
    assert pairs == predictor.predict([(NORMAL, NORMAL)], "vi")
    encoder = SentenceEncoder.from_pretrained(models[""], precision="float32")
    np.testing.assert_array_equal(*(encoder.encode([text], "vi") for text in (WRITTEN, NORMAL)))


def test_tags_stand_at_the_words_as_they_are_written(models: dict[str, Path]) -> None:
    tagger = TaggingPredictor.from_pretrained(models[TOKEN_CLASSIFIER], precision="float32")
    (written,), (normal,) = (tagger.predict([text], "vi") for text in (WRITTEN, NORMAL))
    assert normal["words"] == NORMAL.split()
    assert [normalize(word) for word in written["words"]] == normal["words"]
    assert all(word in WRITTEN for word in written["words"])
    assert written["probabilities"] == normal["probabilities"]


def test_answers_are_parts_of_the_context_as_it_is_written(models: dict[str, Path]) -> None:
    answerer = AnswerPredictor.from_pretrained(models[SIMPLE_ANSWERER], precision="float32")
    questions = [("é", NORMAL), (unicodedata.normalize("NFD", "é"), WRITTEN)]
    normal, written = answerer.predict(questions, "vi")
    assert written["answer"] == WRITTEN[written["start"] : written["end"]] != ""
    assert normalize(written["answer"]) == normal["answer"]
    assert written["probability"] == normal["probability"]


def test_masks_and_prompts_are_read_in_it(models: dict[str, Path]) -> None:
    fill = FillMask.from_pretrained(models[""], precision="float32")
    text, plain = f"{WRITTEN} <mask>", f"{NORMAL} <mask>"
    ((found,),), ((expected,),) = (fill.fill([one], "vi") for one in (text, plain))
    assert [one.probability for one in found] == [one.probability for one in expected]
    assert found[0].text == text.replace("<mask>", found[0].token)
    writer = TextGenerator.from_pretrained(models[""])
    made = [writer.generate([one], "vi", max_new=2) for one in (WRITTEN, NORMAL)]
    assert made[0] == made[1]
    allowed = [tokens_of_texts(fill.tokenizer, [one], "vi").tolist() for one in (WRITTEN, NORMAL)]
    assert allowed[0] == allowed[1]


@pytest.mark.parametrize("head", HEADS[:3])
def test_explanations_show_the_text_as_it_is_written(models: dict[str, Path], head: str) -> None:
    pytest.importorskip("captum")
    explainer = Explainer.from_pretrained(models[head])
    asked = {"question": "é"} if head == SIMPLE_ANSWERER else {}
    written, normal = (explainer.explain(t, "vi", steps=2, **asked) for t in (WRITTEN, NORMAL))
    texts = written.texts
    assert texts[-1] == WRITTEN
    assert written.tokens == normal.tokens
    assert [normalize(word.text) for word in written.words] == [w.text for w in normal.words]
    assert all(texts[w.part][w.start : w.end] == w.text for w in written.words)
    for one, other in zip(written.explained, normal.explained, strict=True):
        assert one.probability == other.probability
        assert normalize(one.label) == other.label
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-6)
