"""A translator that has learned something, and what stops it, for tests of several folders."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import TRANSLATOR
from xlmkit.cli.app import app
from xlmkit.model.config import Architecture
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import EOS, SPECIAL_TOKENS, Vocabulary

_LETTERS = "abcdefgh"
_CAPITALS = _LETTERS.upper()
_FIRST = len(SPECIAL_TOKENS)
_STEPS = 700  # so many that it is sure of what it writes, however a processor rounds


def _tokenizer() -> Tokenizer:
    """Words are single letters; capitals are the other language."""
    symbols = [f"{letter}</w>" for letter in (*_LETTERS, *_CAPITALS, ".")]
    return Tokenizer(
        Vocabulary([*SPECIAL_TOKENS, *symbols]),
        Merges(()),
        {"en": 0, "fr": 1},
        lowercase_and_remove_accent=False,
        segmenters={},
    )


def _reversing() -> EncoderDecoder:
    """Learn to write every letter as a capital, in the opposite order."""
    torch.manual_seed(0)
    shape = Architecture(
        n_words=_FIRST + 17, n_langs=2, n_layers=1, emb_dim=32, n_heads=4, dropout=0.0,
        attention_dropout=0.0, max_position_embeddings=12, embed_init_std=0.2,
    )  # fmt: skip
    model = EncoderDecoder(shape)
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    random = torch.Generator().manual_seed(0)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=_STEPS)
    for step in range(_STEPS):
        length = 1 + step % 6
        letters = torch.randint(0, 8, (32, length), generator=random)
        ends = torch.full((32, 1), EOS)
        source = torch.cat([ends, _FIRST + letters, ends], dim=1)
        target = torch.cat([ends, _FIRST + 8 + letters.flip(1), ends], dim=1)
        lengths = torch.full((32,), length + 2)
        states = model.encoder(source, lengths, None, torch.zeros_like(source))
        hidden = model.decode(target[:, :-1], torch.ones_like(target[:, :-1]), states, lengths)
        loss, _ = model.pred_layer.loss(hidden.flatten(0, 1), target[:, 1:].flatten())
        optimizer.zero_grad()
        loss.mean().backward()
        optimizer.step()
        schedule.step()
    return model.eval()


@pytest.fixture(scope="session")
def reversing_translator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a translator from letters (en) to capitals in the opposite order (fr)."""
    path = tmp_path_factory.mktemp("reversing")
    model = _reversing()
    bundle = Bundle(model.encoder.architecture, _tokenizer(), model.state_dict(), head=TRANSLATOR)
    bundle.save(path)
    return path


@pytest.fixture
def stopped_behind_four_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[], AbstractContextManager[None]]:
    """Return what stops `xlmkit translate`, as Ctrl-C does, when it has written four lines."""
    import xlmkit.translate

    monkeypatch.setattr(xlmkit.translate, "_CHUNK", 2)
    translated = xlmkit.translate.Translator.translations

    def stopping(self: Any, *rest: Any, first: int = 0, **more: Any) -> Any:
        if first == 4:
            raise KeyboardInterrupt
        return translated(self, *rest, first=first, **more)

    @contextmanager
    def stopped() -> Iterator[None]:
        with monkeypatch.context() as context:
            context.setattr(xlmkit.translate.Translator, "translations", stopping)
            yield

    return stopped


@pytest.fixture
def call(reversing_translator: Path) -> Callable[..., Any]:
    """Return what calls `xlmkit translate` with these words, and gives it standard input."""
    model = [str(reversing_translator), "--src", "en", "--tgt", "fr"]
    return lambda *words, given=None: CliRunner().invoke(
        app, ["translate", *model, *map(str, words)], input=given
    )


@pytest.fixture
def lengths_of_chunks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that is told the number of lines of every call of the translator."""
    import xlmkit.translate

    seen: list[int] = []
    translated = xlmkit.translate.Translator.translations

    def counting(self: Any, texts: list[str], *rest: Any, **more: Any) -> Any:
        seen.append(len(texts))
        return translated(self, texts, *rest, **more)

    monkeypatch.setattr(xlmkit.translate.Translator, "translations", counting)
    return seen
