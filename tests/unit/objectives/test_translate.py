"""MT, AE and BT: the loss is the plain formula's, batches follow from their numbers."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from xlmkit.build.back_translation import BackTranslator
from xlmkit.data.noise import NoiseConfig
from xlmkit.data.shards import Shards
from xlmkit.data.translations import DirectedPairs, LanguageSentences, directions_of
from xlmkit.model.config import Architecture
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.objectives.backtranslate import BackTranslation
from xlmkit.objectives.clm import CausalLanguageModeling
from xlmkit.objectives.config import ClmConfig, MlmConfig
from xlmkit.objectives.denoise import Denoising
from xlmkit.objectives.mlm import MaskedLanguageModeling
from xlmkit.objectives.of_part import OfPart
from xlmkit.objectives.translate import Translation
from xlmkit.text.vocabulary import EOS, MASK, PAD

ENDS = np.ones(38, bool)
BUILD: dict[str, Any] = {"tokens": 120, "seed": "s"}


def model(**options: bool) -> EncoderDecoder:
    torch.manual_seed(0)
    shape = Architecture(
        n_words=38, n_langs=2, n_layers=1, emb_dim=16, n_heads=2, dropout=0.0,
        attention_dropout=0.0, embed_init_std=0.3,
    )  # fmt: skip
    return EncoderDecoder(shape, **options)


def mt(shards: Shards, **options: Any) -> Translation:
    pairs = DirectedPairs(directions_of(shards, "train"), 16, alpha=0.7)
    return Translation(pairs, shards.languages, **BUILD, **options)


def scores_of(model: EncoderDecoder, source: Any, target: Any) -> torch.Tensor:
    states = model.encoder(source.tokens, source.lengths, None, source.languages)
    hidden = model.decode(target.tokens, target.languages, states, source.lengths)
    return model.pred_layer(hidden)  # (B, T, V)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_loss_is_the_shifted_cross_entropy_of_real_words(
    shards: Shards, smoothing: float
) -> None:
    objective, translator = mt(shards, smoothing=smoothing), model()
    batch = objective.batch(5)
    target = batch.target.inputs
    # As Hugging Face's labels: padding is -100, and position i predicts label i.
    labels = torch.full_like(target.tokens, -100)
    labels.view(-1)[batch.target.predict] = batch.target.targets
    real = torch.arange(target.tokens.shape[1]) < target.lengths[:, None]
    assert torch.equal(labels != -100, real)
    assert torch.equal(labels[:, :-1][real[:, 1:]], target.tokens[:, 1:][real[:, 1:]])
    scores = scores_of(translator, batch.source, target)
    expected = functional.cross_entropy(
        scores.flatten(0, 1), labels.flatten(), reduction="sum", label_smoothing=smoothing
    )
    output = objective.loss(translator.train(), batch)
    torch.testing.assert_close(output.sum, expected)
    assert output.count == int(real.sum())
    assert output.parts[:, 1].sum() == output.count
    assert objective.tokens(batch) == int(batch.source.lengths.sum() + target.lengths.sum())


def test_a_model_is_measured_without_smoothing(shards: Shards) -> None:
    translator = model().eval()
    plain, smooth = mt(shards), mt(shards, smoothing=0.3)
    batch = plain.batch(0)
    assert torch.equal(plain.loss(translator, batch).sum, smooth.loss(translator, batch).sum)


def test_a_batch_is_a_function_of_its_number(shards: Shards) -> None:
    for make in (mt, ae, bt):
        batch, again, other = (make(shards).batch(n).target.targets for n in (40, 40, 41))
        assert torch.equal(batch, again)
        assert not torch.equal(batch, other)
    assert torch.equal(ae(shards).batch(7).source.tokens, ae(shards).batch(7).source.tokens)


def ae(shards: Shards, **options: Any) -> Denoising:
    sentences = LanguageSentences(shards, "train", {"en": "en", "el": "el"}, 16, 0.7)
    noise = NoiseConfig(shuffle=3.0, dropout=0.2, blank=0.2)
    return Denoising(sentences, noise, ENDS, shards.languages, max_length=16, **(BUILD | options))


def test_denoising_restores_what_was_spoilt(shards: Shards) -> None:
    objective = ae(shards)
    spoilt = 0
    for number in range(8):
        batch = objective.batch(number)
        whole = batch.target.inputs
        assert torch.equal(batch.source.languages[:, 0], whole.languages[:, 0])
        for source, target, length in zip(
            batch.source.tokens.tolist(), whole.tokens.tolist(), whole.lengths, strict=True
        ):
            read = [token for token in source if token not in (EOS, PAD)]
            real = target[1 : int(length)]
            assert set(read) <= {*real, MASK}
            spoilt += read != real
    assert spoilt > 20
    output = objective.loss(model(), objective.batch(0))
    assert output.sum.isfinite()


def test_a_sentence_is_spoilt_anew_in_every_pass(shards: Shards) -> None:
    one_by_one = ae(shards, tokens=1)
    seen: set[tuple[str, str]] = set()
    for number in range(2 * sum(len(group.lengths) for group in one_by_one.sentences.groups)):
        batch = one_by_one.batch(number)
        assert len(batch.source.tokens) == 1
        seen.add((str(batch.target.inputs.tokens), str(batch.source.tokens)))
    assert len(seen) > 1.5 * len({whole for whole, _ in seen})


class Search:
    """Writes the words of a sentence one higher, and notes how it was called."""

    def __init__(self) -> None:
        self.modes: list[tuple[bool, bool]] = []
        self.languages: list[torch.Tensor] = []

    def __call__(self, model: Any, inputs: Any, through: torch.Tensor) -> torch.Tensor:
        self.modes.append((model.training, torch.is_grad_enabled()))
        self.languages.append(through)
        words = inputs.tokens
        return torch.where(words >= 14, (words + 1).clamp(max=37), words)


def bt(shards: Shards, search: Any = None) -> BackTranslation:
    sentences = LanguageSentences(shards, "train", {"el-en": "en", "en-el": "el"}, 16, 0.7)
    return BackTranslation(
        sentences, [1, 0], search or Search(), shards.languages, max_length=16, **BUILD
    )


def test_back_translation_learns_to_restore_from_the_models_own_words(shards: Shards) -> None:
    search, translator = Search(), model().train()
    objective = bt(shards, search)
    batch = objective.batch(3)
    output = objective.loss(translator, batch)
    assert search.modes == [(False, False)]
    assert translator.training
    assert torch.equal(search.languages[0], batch.through)
    assert torch.equal(batch.through, 1 - batch.sentences.languages[:, 0])

    target = batch.target
    source = batch.sentences
    words = torch.where(source.tokens >= 14, (source.tokens + 1).clamp(max=37), source.tokens)
    languages = batch.through[:, None].expand_as(words)
    states = translator.encoder(words, source.lengths, None, languages)
    hidden = translator.decode(
        target.inputs.tokens, target.inputs.languages, states, source.lengths
    )
    scores = translator.pred_layer(hidden.flatten(0, 1)[target.predict])
    expected = functional.cross_entropy(scores, target.targets, reduction="sum")
    torch.testing.assert_close(output.sum, expected)
    assert objective.tokens(batch) == source.n_tokens + target.inputs.n_tokens


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_what_is_written_for_back_translation_has_no_needless_padding(
    shards: Shards, temperature: float
) -> None:
    search, translator = BackTranslator(16, temperature), model().eval()
    widths = []

    def written(model: Any, inputs: Any, through: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(1)
        words = search(model, inputs, through)
        widths.append((words.shape[1], int((words != PAD).sum(dim=1).max())))
        return words

    def padded(*given: Any) -> torch.Tensor:
        return functional.pad(written(*given), (0, 16 - widths[0][0]), value=PAD)

    trimmed, whole = bt(shards, written), bt(shards, padded)
    batch = trimmed.batch(3)
    translator.pred_layer.proj.bias.data[EOS] += 4.0  # sentences end before their limit
    found = trimmed.loss(translator, batch).sum
    torch.testing.assert_close(found, whole.loss(translator, batch).sum)
    assert widths[0] == widths[1]
    assert widths[0][0] == widths[0][1] < 16


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_back_translation_writes_words_of_the_tokenizer_only(
    shards: Shards, temperature: float
) -> None:
    translator = model().eval()
    translator.pred_layer.proj.bias.data[3:14] += 50  # special tokens are the likeliest,
    translator.pred_layer.proj.bias.data[30:] += 40  # then rows that stand for no word,
    translator.pred_layer.proj.bias.data[14:30] += 5  # then words
    batch = bt(shards, BackTranslator(16)).batch(3)
    written = BackTranslator(16, temperature, n_words=30)(
        translator, batch.sentences, batch.through
    )
    found = set(written.unique().tolist())
    assert found & set(range(14, 30))
    assert found <= {EOS, PAD, *range(14, 30)}
    everything = BackTranslator(16, temperature)(translator, batch.sentences, batch.through)
    assert (everything >= 30).any()


def test_language_models_train_one_half(shards: Shards) -> None:
    translator = model(encoder_prediction=True)
    build: dict[str, Any] = {"shards": shards, "split": "train", **BUILD}
    section = MlmConfig.model_validate({"length": 12, "masking": {"share": 0.3}})
    mlm = OfPart(
        MaskedLanguageModeling.mlm(section, **build), EncoderDecoder.encoder_language_model
    )
    mlm.loss(translator, mlm.batch(0)).sum.backward()
    assert all(p.grad is None for n, p in translator.decoder.named_parameters())
    assert translator.encoder.embeddings.weight.grad.abs().sum() > 0

    translator.zero_grad()
    clm = OfPart(
        CausalLanguageModeling(ClmConfig(length=12), **build),
        EncoderDecoder.decoder_language_model,
    )
    assert clm.name == "clm"
    clm.loss(translator, clm.batch(0)).sum.backward()
    assert translator.decoder.embeddings.weight.grad.abs().sum() > 0
    assert all(p.grad is None for p in translator.decoder.encoder_attn.parameters())


def test_shared_embeddings_are_one_parameter() -> None:
    shared, own = model(share_embeddings=True), model()
    assert shared.encoder.embeddings.weight is shared.pred_layer.proj.weight
    assert own.encoder.embeddings.weight is not own.decoder.embeddings.weight
    assert set(shared.state_dict()) == set(own.state_dict())
