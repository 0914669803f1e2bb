from pathlib import Path

import pytest
import torch

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import (
    LANGUAGE_MODEL,
    SEQUENCE_CLASSIFIER,
    SIMPLE_ANSWERER,
    TOKEN_CLASSIFIER,
)
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel, SequenceClassifier, TokenClassifier
from xlmkit.model.question_answering import SimpleAnswerer
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary

VOCABULARY = Vocabulary([*SPECIAL_TOKENS, "a</w>", "b</w>", "c</w>"])


def _save(folder: Path, head: str) -> Path:
    tokenizer = Tokenizer(VOCABULARY, Merges(()), {"en": 0, "fr": 1}, segmenters={})
    shape = Architecture(
        n_words=len(VOCABULARY), n_langs=2, n_layers=2, emb_dim=16, n_heads=2,
        max_position_embeddings=32, embed_init_std=0.5,
    )  # fmt: skip
    torch.manual_seed(0)
    if head == SEQUENCE_CLASSIFIER:
        labels, model = ["news", "sport", "art"], SequenceClassifier(shape, 3)
        Bundle(shape, tokenizer, model.state_dict(), head, labels).save(folder)
    elif head == TOKEN_CLASSIFIER:
        labels, model = ["O", "B-X", "I-X"], TokenClassifier(shape, 3)
        Bundle(shape, tokenizer, model.state_dict(), head, labels).save(folder)
    elif head == SIMPLE_ANSWERER:
        Bundle(shape, tokenizer, SimpleAnswerer(shape).state_dict(), head).save(folder)
    else:
        Bundle(shape, tokenizer, LanguageModel(shape).state_dict()).save(folder)
    return folder


@pytest.fixture(scope="session")
def language_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _save(tmp_path_factory.mktemp("language-model"), LANGUAGE_MODEL)


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _save(tmp_path_factory.mktemp("classifier"), SEQUENCE_CLASSIFIER)


@pytest.fixture(scope="session")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _save(tmp_path_factory.mktemp("tagger"), TOKEN_CLASSIFIER)


@pytest.fixture(scope="session")
def answerer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _save(tmp_path_factory.mktemp("answerer"), SIMPLE_ANSWERER)
