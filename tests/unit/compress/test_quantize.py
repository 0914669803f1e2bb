import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from xlmkit.compress.quantize import Int8Linear, quantize, quantize_translator
from xlmkit.core.errors import UserError
from xlmkit.generate.steps import TranslationSteps
from xlmkit.model.config import Architecture
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.model.heads import LanguageModel, SequenceClassifier
from xlmkit.model.transformer import Transformer

LENGTHS = torch.tensor([12, 7, 3])


def shape(**choices: bool) -> Architecture:
    torch.manual_seed(0)
    return Architecture(n_words=300, n_langs=2, n_layers=3, emb_dim=64, n_heads=4, **choices)


def inputs() -> tuple[Tensor, ...]:
    tokens = torch.randint(14, 300, (3, 12), generator=torch.Generator().manual_seed(1))
    return tokens, LENGTHS, torch.arange(12).expand(3, 12), torch.ones_like(tokens)


def cosines(one: Tensor, other: Tensor) -> Tensor:
    keep = torch.arange(12) < LENGTHS[:, None]
    return functional.cosine_similarity(one[keep], other[keep], dim=-1)


def test_a_layer_keeps_its_outputs_up_to_rounding() -> None:
    torch.manual_seed(0)
    linear, hidden = nn.Linear(96, 32), torch.randn(5, 2, 96)
    difference = Int8Linear.of(linear)(hidden) - linear(hidden)
    assert difference.shape == (5, 2, 32)
    assert 0 < difference.abs().max() < 0.05 * linear(hidden).std()


def test_sums_do_not_overflow() -> None:
    """Largest weights and activations of one sign, the worst for sums of two products."""
    linear, hidden = nn.Linear(64, 8), torch.ones(1, 64)
    nn.init.constant_(linear.weight, 0.5)
    torch.testing.assert_close(Int8Linear.of(linear)(hidden), linear(hidden), rtol=0.02, atol=0.02)


def test_a_channel_of_zeros_stays_one() -> None:
    linear = nn.Linear(16, 4)
    nn.init.zeros_(linear.weight)
    torch.testing.assert_close(
        Int8Linear.of(linear)(torch.randn(2, 16)), linear.bias.expand(2, 4).detach()
    )


@pytest.mark.parametrize("packs", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_states_stay_close(packs: bool, causal: bool) -> None:
    model = Transformer(shape(causal=causal)).eval()
    model.packs = packs
    with torch.inference_mode():
        before = model(*inputs())
        after = quantize(model)(*inputs())
    assert not torch.equal(before, after)
    assert cosines(before, after).min() > 0.998


def test_every_linear_layer_of_the_transformer_is_rounded_and_no_head() -> None:
    model = quantize(SequenceClassifier(shape(), 3).train())
    left = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    assert left == ["sequence_summary.summary"]
    assert not model.training


def test_tied_words_stay_tied() -> None:
    model = quantize(LanguageModel(shape()))
    assert model.pred_layer.proj.weight is model.transformer.embeddings.weight


def test_a_translator_decodes_with_its_cache() -> None:
    model = EncoderDecoder(shape()).eval()
    tokens, lengths, positions, languages = inputs()
    with torch.inference_mode():
        source = model.encoder(tokens, lengths, positions, languages)
        before = model.decode(tokens, languages, source, lengths)
        quantize(model)
        whole = model.decode(tokens, languages, source, lengths)
        steps = TranslationSteps(model, source, lengths, languages[:, 0])
        scores = torch.cat([steps.scores(tokens[:, [i]]) for i in range(12)], dim=1)
        expected = model.pred_layer(whole)
    assert functional.cosine_similarity(before, whole, dim=-1).min() > 0.995
    # Activations are scaled for the whole tensor, so that a step by itself rounds otherwise.
    assert functional.cosine_similarity(scores, expected, dim=-1).min() > 0.995


def test_all_of_a_translator_is_rounded_and_its_words_stay_near() -> None:
    model = EncoderDecoder(shape()).eval()
    tokens, lengths, positions, languages = inputs()
    targets = tokens.roll(-1, dims=1).flatten()

    def losses() -> Tensor:
        with torch.inference_mode():
            source = model.encoder(tokens, lengths, positions, languages)
            hidden = model.decode(tokens, languages, source, lengths)
            return model.pred_layer.loss(hidden.flatten(0, 1), targets)[0]

    before, embeddings = losses(), model.decoder.embeddings.weight.clone()
    quantize_translator(model)
    assert not [name for name, part in model.named_modules() if isinstance(part, nn.Linear)]
    assert torch.equal(model.decoder.embeddings.weight, embeddings)
    after = losses()
    assert not torch.equal(before, after)
    torch.testing.assert_close(before, after, rtol=0, atol=0.05)


def test_the_engine_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.backends.quantized.engine
    Int8Linear.of(nn.Linear(8, 8))
    assert torch.backends.quantized.engine == before
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    monkeypatch.setattr("xlmkit.compress.quantize._ENGINES", ())
    with pytest.raises(UserError, match="no 8-bit products"):
        Int8Linear.of(nn.Linear(8, 8))


@pytest.mark.parametrize("amx", [False, True])
def test_weights_are_laid_out_for_amx_where_it_is(
    monkeypatch: pytest.MonkeyPatch, amx: bool
) -> None:
    chosen = []
    prepack = torch.ops.quantized.linear_prepack

    def spy(*arguments: Tensor) -> object:
        chosen.append(torch.backends.quantized.engine)
        return prepack(*arguments)

    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.ops.quantized, "linear_prepack", spy)
    Int8Linear.of(nn.Linear(8, 8))
    supported = torch.backends.quantized.supported_engines
    expected = ["onednn", "x86", "qnnpack"] if amx else ["x86", "onednn", "qnnpack"]
    assert chosen == [next(name for name in expected if name in supported)]


def test_another_device_is_refused() -> None:
    with pytest.raises(UserError, match="by a CPU only"):
        quantize(nn.Linear(2, 2, device="meta"))


def test_what_is_rounded_already_stays_as_it_is() -> None:
    model = quantize(Transformer(shape()).eval())
    with torch.inference_mode():
        before = model(*inputs())
        assert torch.equal(quantize(model)(*inputs()), before)
