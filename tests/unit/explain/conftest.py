"""Tiny models that have learned to look for one word."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import (
    BEAM_ANSWERER,
    SEQUENCE_CLASSIFIER,
    SIMPLE_ANSWERER,
    TOKEN_CLASSIFIER,
)
from xlmkit.model.config import Architecture
from xlmkit.model.heads import SequenceClassifier, TokenClassifier
from xlmkit.model.question_answering import BeamAnswerer, SimpleAnswerer
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import EOS, SPECIAL_TOKENS, Vocabulary

LETTERS = "abcdefgh"
FIRST = len(SPECIAL_TOKENS)
KEY = FIRST + LETTERS.index("h")
_SHAPE = Architecture(
    n_words=FIRST + len(LETTERS), n_langs=3, n_layers=2, emb_dim=32, n_heads=2, dropout=0.0,
    attention_dropout=0.0, max_position_embeddings=24, embed_init_std=0.3,
)  # fmt: skip


def tokenizer() -> Tokenizer:
    symbols = [f"{letter}</w>" for letter in LETTERS]
    known = {"en": 0, "ar": 1, "zh": 2}
    return Tokenizer(
        Vocabulary([*SPECIAL_TOKENS, *symbols]), Merges(()), known, segmenters={"zh": "characters"}
    )


def _learn(model: nn.Module, loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Learn from rows of six letters of which one, at a drawn place or nowhere, is the keyword."""
    random = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    rows, ends = torch.arange(32), torch.full((32, 1), EOS)
    for _ in range(150):
        words = torch.randint(FIRST, KEY, (32, 6), generator=random)
        places = torch.randint(0, 6, (32,), generator=random)
        has = torch.randint(0, 2, (32,), generator=random)
        words[rows, places] = torch.where(has == 1, KEY, words[rows, places])
        tokens = torch.cat([ends, words, ends], dim=1)
        optimizer.zero_grad()
        loss(tokens, has).backward()
        optimizer.step()


def _saved(folder: Path, model: nn.Module, head: str, labels: list[str]) -> Path:
    sizes = {"start_n_top": 2, "end_n_top": 2} if head == BEAM_ANSWERER else {}
    Bundle(_SHAPE, tokenizer(), model.state_dict(), head, labels, beam_sizes=sizes).save(folder)
    return folder


def _given(model: nn.Module, tokens: Tensor) -> Tensor:
    found: Tensor = model(tokens, torch.full((len(tokens),), tokens.shape[1]), None, tokens * 0)
    return found


@pytest.fixture(scope="session")
def keyword_classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Says `key` where a text has the letter h."""
    torch.manual_seed(0)
    model = SequenceClassifier(_SHAPE, 2, dropout=0.0)
    _learn(model, lambda tokens, has: functional.cross_entropy(_given(model, tokens), has))
    return _saved(tmp_path_factory.mktemp("keyword"), model, SEQUENCE_CLASSIFIER, ["none", "key"])


@pytest.fixture(scope="session")
def keyword_tagger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tags the letter h as KEY."""
    torch.manual_seed(0)
    model = TokenClassifier(_SHAPE, 2, dropout=0.0)

    def loss(tokens: Tensor, has: Tensor) -> Tensor:
        del has
        return functional.cross_entropy(
            _given(model, tokens).flatten(0, 1), (tokens == KEY).long().flatten()
        )

    _learn(model, loss)
    return _saved(tmp_path_factory.mktemp("tagger"), model, TOKEN_CLASSIFIER, ["O", "KEY"])


@pytest.fixture(scope="session", params=[SIMPLE_ANSWERER, BEAM_ANSWERER])
def answerer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Has learned nothing."""
    torch.manual_seed(0)
    if request.param == SIMPLE_ANSWERER:
        model: nn.Module = SimpleAnswerer(_SHAPE)
    else:
        model = BeamAnswerer(_SHAPE, start_n_top=2, end_n_top=2)
    return _saved(tmp_path_factory.mktemp("answerer"), model, request.param, [])
