"""MT learns to copy and to turn round; AE and BT translate between ciphers without translations."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from xlmkit.build.back_translation import BackTranslator
from xlmkit.data.batch import assemble
from xlmkit.data.noise import NoiseConfig
from xlmkit.data.shards import Sentences
from xlmkit.data.translations import (
    DirectedPairs,
    Direction,
    LanguageSentences,
    TranslationBatch,
    target_batch,
)
from xlmkit.model.config import Architecture
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.objectives.backtranslate import BackTranslation
from xlmkit.objectives.denoise import Denoising
from xlmkit.objectives.translate import Translation
from xlmkit.text.vocabulary import EOS

FIRST, LETTERS = 14, 12


def small(n_words: int, n_langs: int = 2, **options: Any) -> EncoderDecoder:
    torch.manual_seed(0)
    shape = Architecture(
        n_words=n_words, n_langs=n_langs, n_layers=1, emb_dim=48, n_heads=4, dropout=0.0,
        attention_dropout=0.0, max_position_embeddings=16, embed_init_std=48**-0.5,
    )  # fmt: skip
    return EncoderDecoder(shape, **options)


def accuracy(model: EncoderDecoder, batch: TranslationBatch) -> float:
    """Return the share of target words, `</s>` among them, that greedy search writes."""
    model.eval()
    through = batch.target.inputs.languages[:, 0]
    with torch.no_grad():
        written = BackTranslator(16)(model, batch.source, through)
    width = batch.target.inputs.tokens.shape[1]
    padded = torch.zeros(len(written), max(width + 1, written.shape[1]), dtype=torch.int64)
    padded[:, : written.shape[1]] = written
    found: Tensor = padded[:, 1 : width + 1].flatten()[batch.target.predict]
    return float((found == batch.target.targets).double().mean())


def sentences(rows: list[np.ndarray]) -> Sentences:
    closed = [np.append(row, EOS) for row in rows]
    return Sentences(np.concatenate(closed), np.cumsum([0, *map(len, closed)]))


def copied_and_reversed(n: int, seed: int) -> dict[str, Direction]:
    random = np.random.default_rng(seed)
    rows = [FIRST + random.integers(0, LETTERS, random.integers(1, 7)) for _ in range(n)]
    numbers = np.stack([np.arange(n)] * 2, axis=1)
    whole, turned = sentences(rows), sentences([row[::-1] for row in rows])
    return {
        "copy": Direction(whole, 0, whole, 0, numbers),
        "turn": Direction(whole, 0, turned, 1, numbers),  # the language says what to do
    }


def test_one_model_learns_three_languages_both_ways(learn: Any) -> None:
    """From the first, as it is, to one that turns round and one of the next letters, and back."""
    random = np.random.default_rng(1)

    def directions(n: int) -> dict[str, Direction]:
        rows = [random.integers(0, LETTERS, random.integers(1, 6)) for _ in range(n)]
        numbers = np.stack([np.arange(n)] * 2, axis=1)
        sides = [
            sentences([FIRST + change(row) for row in rows])
            for change in (lambda row: row, lambda row: row[::-1], lambda row: (row + 1) % LETTERS)
        ]
        ways = [(0, 1), (1, 0), (0, 2), (2, 0)]
        return {f"{a}-{b}": Direction(sides[a], a, sides[b], b, numbers) for a, b in ways}

    model = small(FIRST + LETTERS, n_langs=3)
    languages = ["0", "1", "2"]
    train = DirectedPairs(directions(3000), 16, alpha=1.0)
    objective = Translation(train, languages, tokens=768, seed=0, smoothing=0.1)
    learn(model, [objective], steps=600, lr=5e-3)
    for name, direction in directions(200).items():
        pairs = DirectedPairs({name: direction}, 16, alpha=1.0)
        held_out = Translation(pairs, languages, tokens=2000, seed=0).batch(0)
        assert accuracy(model, held_out) > 0.95, name


def test_one_model_learns_to_copy_and_to_turn_round(learn: Any) -> None:
    model = small(FIRST + LETTERS)
    train = DirectedPairs(copied_and_reversed(3000, 0), 16, alpha=1.0)
    test = copied_and_reversed(200, 1)
    objective = Translation(train, ["a", "b"], tokens=768, seed=0, smoothing=0.1)
    learn(model, [objective], steps=450, lr=5e-3)
    for name, direction in test.items():
        pairs = DirectedPairs({name: direction}, 16, alpha=1.0)
        held_out = Translation(pairs, ["a", "b"], tokens=2000, seed=0).batch(0)
        assert accuracy(model, held_out) >= 0.99, name


def aligned(model: EncoderDecoder, letters: int, noise: float) -> EncoderDecoder:
    """Bring words that mean the same near one another, as pretraining does."""
    weight = model.decoder.embeddings.weight
    with torch.no_grad():
        first = weight[FIRST : FIRST + letters]
        near = first + noise * first.std() * torch.randn_like(first)
        weight[FIRST + letters : FIRST + 2 * letters] = near
    return model


@pytest.mark.slow
def test_ciphers_are_translated_without_translations(cipher: Any, learn: Any) -> None:
    shards, _, _ = cipher
    model = aligned(small(FIRST + 48, share_embeddings=True), 24, noise=1.0)
    build: dict[str, Any] = {"max_length": 16, "tokens": 1024, "seed": 0}
    ends_word = np.ones(FIRST + 48, bool)

    def of(names: dict[str, str]) -> LanguageSentences:
        return HalvesOfLanguages(shards, "train", names, 16, 1.0)

    ae = Denoising(
        of({"en": "en", "el": "el"}),
        NoiseConfig(),
        ends_word,
        ["en", "el"],
        **build,
    )
    bt = BackTranslation(
        of({"el-en": "en", "en-el": "el"}), [1, 0], BackTranslator(16), ["en", "el"], **build
    )
    held_out = cipher_batch(shards)
    before = accuracy(model, held_out)
    learn(model, [ae], steps=200, lr=3e-3)
    without = accuracy(model, held_out)
    learn(model, [ae, bt], steps=500, lr=3e-3)
    after = accuracy(model, held_out)
    assert before < 0.1
    assert after > 0.8
    assert after > without + 0.1


class HalvesOfLanguages(LanguageSentences):
    """English from the first half of the records and Greek from the second: no translations."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        for place, language in enumerate(self._ids):
            items = self._items[place]
            half = len(items) // 2
            kept = items[:half] if language == 0 else items[half:]
            self._items[place] = kept
            group = self.groups[place]
            lengths = group.lengths[:half] if language == 0 else group.lengths[half:]
            self.groups[place] = type(group)(group.name, lengths, group.probability)


def cipher_batch(shards: Any) -> TranslationBatch:
    pairs = shards.pairs("test")[("en", "el")].tolist()
    en, el = shards.sentences("test", "en"), shards.sentences("test", "el")
    sources = assemble([((en[a], 0),) for a, _ in pairs], 16).tensors()
    return TranslationBatch(sources, target_batch([(el[b], 1) for _, b in pairs], 16))
