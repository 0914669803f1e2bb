"""Texts through a translator: order, empty and long ones, languages; what it learned comes out."""

from pathlib import Path

import pytest
import torch

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import LANGUAGE_MODEL, TRANSLATOR
from xlmkit.core.errors import UserError
from xlmkit.generate.translator import SearchConfig, Translator
from xlmkit.model.config import Architecture
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import EOS, SPECIAL_TOKENS, Vocabulary

LETTERS = "abcdefgh"
CAPITALS = LETTERS.upper()
FIRST = len(SPECIAL_TOKENS)


def tokenizer() -> Tokenizer:
    """Words are single letters; capitals are the other language."""
    symbols = [f"{letter}</w>" for letter in (*LETTERS, *CAPITALS, ".")]
    return Tokenizer(
        Vocabulary([*SPECIAL_TOKENS, *symbols]),
        Merges(()),
        {"en": 0, "fr": 1},
        lowercase_and_remove_accent=False,
        segmenters={},
    )


def trained() -> EncoderDecoder:
    """Learn to write every letter as a capital, in the opposite order."""
    torch.manual_seed(0)
    shape = Architecture(
        n_words=FIRST + 17, n_langs=2, n_layers=1, emb_dim=32, n_heads=4, dropout=0.0,
        attention_dropout=0.0, max_position_embeddings=12, embed_init_std=0.2,
    )  # fmt: skip
    model = EncoderDecoder(shape)
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    random = torch.Generator().manual_seed(0)
    for step in range(350):
        length = 1 + step % 6
        letters = torch.randint(0, 8, (32, length), generator=random)
        ends = torch.full((32, 1), EOS)
        source = torch.cat([ends, FIRST + letters, ends], dim=1)
        target = torch.cat([ends, FIRST + 8 + letters.flip(1), ends], dim=1)
        lengths = torch.full((32,), length + 2)
        states = model.encoder(source, lengths, None, torch.zeros_like(source))
        hidden = model.decode(target[:, :-1], torch.ones_like(target[:, :-1]), states, lengths)
        loss, _ = model.pred_layer.loss(hidden.flatten(0, 1), target[:, 1:].flatten())
        optimizer.zero_grad()
        loss.mean().backward()
        optimizer.step()
    return model.eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("translator")
    model = trained()
    architecture = model.encoder.architecture
    Bundle(architecture, tokenizer(), model.state_dict(), head=TRANSLATOR).save(path)
    return path


TEXTS = ["a b c", "", "h g", "  ", "d", "c a f e"]
EXPECTED = ["C B A", "", "G H", "", "D", "E F A C"]


@pytest.mark.parametrize("beam_size", [0, 1, 4])
def test_texts_come_back_in_their_order(folder: Path, beam_size: int) -> None:
    search = SearchConfig(beam_size=beam_size, batch_tokens=64)
    assert Translator.from_pretrained(folder).translate(TEXTS, "en", "fr", search) == EXPECTED


def test_batches_do_not_matter(folder: Path) -> None:
    translator = Translator.from_pretrained(folder)
    random = torch.Generator().manual_seed(3)
    texts = [
        " ".join(LETTERS[i] for i in torch.randint(0, 8, (int(n),), generator=random))
        for n in torch.randint(1, 9, (40,), generator=random)
    ]
    together = translator.translate(texts, "en", "fr", SearchConfig(beam_size=2))
    alone = translator.translate(texts, "en", "fr", SearchConfig(beam_size=2, batch_tokens=16))
    assert together == alone


def test_a_long_text_is_cut_at_its_sentences(folder: Path) -> None:
    translator = Translator.from_pretrained(folder)
    sentences = ["a b c d .", "e f g h .", "b b ."]
    parts = translator._parts(" ".join(sentences), "en")
    assert [len(part) for part in parts] == [10, 3]
    made = translator.translate([" ".join(sentences), "a"], "en", "fr")
    assert made[1] == "A"
    assert made[0].split()[-1] != ""


def test_a_sentence_without_an_end_is_cut_where_it_must_be(folder: Path) -> None:
    translator = Translator.from_pretrained(folder)
    parts = translator._parts(" ".join("abcdefgh" * 3), "en")
    assert [len(part) for part in parts] == [10, 10, 4]


def test_unknown_languages_and_other_models_are_refused(folder: Path, tmp_path: Path) -> None:
    translator = Translator.from_pretrained(folder)
    with pytest.raises(UserError, match="does not know the language de, only en, fr"):
        translator.translate(["a"], "en", "de")
    bundle = Bundle.load(folder)
    other = Bundle(bundle.architecture, bundle.tokenizer, {}, head=LANGUAGE_MODEL)
    with pytest.raises(UserError, match="not a translator"):
        Translator(other)
