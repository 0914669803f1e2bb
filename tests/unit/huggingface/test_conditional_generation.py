"""The encoder-decoder: what it computes, learns, writes and saves."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from xlmkit import XLMConfig, XLMForConditionalGeneration
from xlmkit.generate.config import SearchConfig
from xlmkit.generate.search import search_sentences
from xlmkit.generate.steps import TranslationSteps
from xlmkit.model.attention import real_tokens
from xlmkit.model.encoder_decoder import EncoderDecoder

pytest.importorskip("transformers")

SIZES: dict[str, Any] = {
    "vocab_size": 50,
    "emb_dim": 32,
    "n_layers": 2,
    "n_heads": 4,
    "n_langs": 3,
    "max_position_embeddings": 24,
    "embed_init_std": 1.0,
    "init_std": 0.3,
}
LENGTHS = torch.tensor([7, 4, 2])
LANGS, TARGET = torch.tensor([0, 1, 2]), torch.tensor([1, 2, 0])


def build(**choices: Any) -> XLMForConditionalGeneration:
    torch.manual_seed(0)
    return XLMForConditionalGeneration(XLMConfig(**SIZES, **choices)).eval()


def plain(model: XLMForConditionalGeneration) -> EncoderDecoder:
    """Return the module that xlmkit trains and translates with, of the same weights."""
    made = EncoderDecoder(model.config.architecture)
    made.load_state_dict(model.state_dict())
    return made.to(model.dtype).eval()


def words(*shape: int) -> Tensor:
    return torch.randint(6, 50, shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("attention", "dtype"), [("eager", torch.float32), ("sdpa", torch.float64)]
)
@torch.no_grad()
def test_it_computes_what_the_plain_module_does(attention: str, dtype: torch.dtype) -> None:
    """The plain module's attention is not fused, which in float32 rounds otherwise."""
    model = build(attn_implementation=attention).to(dtype)
    source, target = words(3, 7), words(3, 5)
    output = model(
        source, lengths=LENGTHS, langs=LANGS, decoder_input_ids=target, decoder_langs=TARGET
    )
    other = plain(model)
    states = other.encoder(source, LENGTHS, None, LANGS[:, None].expand(3, 7))
    hidden = other.decode(target, TARGET[:, None].expand(3, 5), states, LENGTHS)
    torch.testing.assert_close(output.logits, other.pred_layer(hidden), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_generate_agrees_with_our_own_search() -> None:
    model = build()
    source = words(3, 7)
    given = {
        "attention_mask": real_tokens(LENGTHS, 7).long(),
        "langs": LANGS,
        "decoder_langs": TARGET,
        "max_length": 12,
    }
    other = plain(model)
    states = other.encoder(source, LENGTHS, None, LANGS[:, None].expand(3, 7))
    steps = TranslationSteps(other, states, LENGTHS, TARGET)
    found_best = search_sentences(steps, torch.full((3,), 12), SearchConfig(beam_size=0)).best(1)
    expected = found_best.words[:, 0]
    found = model.generate(source, **given)
    # At the longest length ours ends with `</s>`, as the original's does.
    assert found[:, :-1].tolist() == expected[:, : found.shape[1] - 1].tolist()
    cached = model.generate(source, num_beams=3, **given)
    assert torch.equal(cached, model.generate(source, num_beams=3, use_cache=False, **given))


@torch.no_grad()
def test_labels_are_the_words_to_write() -> None:
    model = build()
    source, labels = words(3, 7), words(3, 5)
    labels[0, 3:] = -100
    output = model(source, labels=labels, decoder_langs=TARGET)
    start = torch.full((3, 1), model.config.eos_token_id)
    before = torch.cat([start, labels[:, :-1]], dim=1).masked_fill(
        torch.cat([start, labels[:, :-1]], dim=1) == -100, 2
    )
    given = model(source, decoder_input_ids=before, decoder_langs=TARGET).logits
    torch.testing.assert_close(output.logits[:, :3], given[:, :3])
    expected = torch.nn.functional.cross_entropy(output.logits.flatten(0, 1), labels.flatten())
    torch.testing.assert_close(output.loss, expected)


@torch.no_grad()
def test_the_target_language_may_be_configured() -> None:
    model = build(target_lang_id=2)
    source = words(3, 7)
    named = model.generate(source, decoder_langs=torch.full((3,), 2), max_length=8)
    assert torch.equal(model.generate(source, max_length=8), named)


@torch.no_grad()
def test_hidden_states_and_attentions() -> None:
    output = build()(
        words(3, 7), labels=words(3, 5), output_hidden_states=True, output_attentions=True
    )
    assert [state.shape for state in output.decoder_hidden_states] == [(3, 5, 32)] * 3
    assert [state.shape for state in output.encoder_hidden_states] == [(3, 7, 32)] * 3
    assert [weight.shape for weight in output.cross_attentions] == [(3, 4, 5, 7)] * 2
    assert [weight.shape for weight in output.decoder_attentions] == [(3, 4, 5, 5)] * 2
    assert [weight.shape for weight in output.encoder_attentions] == [(3, 4, 7, 7)] * 2
    for weight in (*output.cross_attentions, *output.decoder_attentions):
        torch.testing.assert_close(weight.sum(dim=-1), torch.ones(weight.shape[:-1]))


@pytest.mark.parametrize("choices", [{}, {"asm": True, "asm_cutoffs": [20, 40]},
                                     {"tie_word_embeddings": False}])  # fmt: skip
@torch.no_grad()
def test_it_is_saved_and_loaded(choices: dict[str, Any], tmp_path: Path) -> None:
    model = build(**choices)
    model.save_pretrained(tmp_path)
    again, report = XLMForConditionalGeneration.from_pretrained(tmp_path, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    source = words(3, 7)
    assert torch.equal(
        model.generate(source, max_length=8), again.eval().generate(source, max_length=8)
    )


@torch.no_grad()
def test_both_sides_keep_their_words_when_resized(tmp_path: Path) -> None:
    model = build()
    source, target = words(3, 7), words(3, 5)
    before = model(source, decoder_input_ids=target).logits
    model.resize_token_embeddings(60, mean_resizing=False)
    after = model(source, decoder_input_ids=target).logits
    assert after.shape[-1] == 60
    torch.testing.assert_close(after[..., :50], before)
    assert model.pred_layer.proj.weight is model.decoder.embeddings.weight
    model.save_pretrained(tmp_path)
    again = XLMForConditionalGeneration.from_pretrained(tmp_path).eval()
    assert torch.equal(again(source, decoder_input_ids=target).logits, after)


@pytest.mark.parametrize("num_beams", [1, 3])
@torch.no_grad()
def test_padding_of_the_source_needs_no_mask(num_beams: int) -> None:
    model = build()
    source = words(3, 7)
    real = real_tokens(LENGTHS, 7)
    settings: dict[str, Any] = {"langs": LANGS, "decoder_langs": TARGET, "max_length": 9,
                                "num_beams": num_beams}  # fmt: skip
    expected = model.generate(source, attention_mask=real.long(), **settings)
    assert torch.equal(model.generate(source, lengths=LENGTHS, **settings), expected)
    padded = source.masked_fill(~real, 2)
    assert torch.equal(model.generate(padded, **settings), expected)
    assert not torch.equal(model.generate(source, **settings), expected)


def test_a_target_is_needed() -> None:
    with pytest.raises(ValueError, match="Give decoder_input_ids, decoder_inputs_embeds or labels"):
        build()(words(2, 5))


def test_it_learns_to_copy() -> None:
    torch.manual_seed(0)
    small = {**SIZES, "vocab_size": 16, "embed_init_std": 0.2, "init_std": 0.1, "dropout": 0.0}
    model = XLMForConditionalGeneration(XLMConfig(**small, attention_dropout=0.0))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    random = torch.Generator().manual_seed(0)
    for _ in range(150):
        text = torch.randint(4, 16, (32, 5), generator=random)
        labels = torch.cat([text, torch.ones(32, 1, dtype=torch.long)], dim=1)
        loss = model(text, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    text = torch.randint(4, 16, (50, 5), generator=random)
    written = model.eval().generate(text, max_length=8, do_sample=False)
    assert (written[:, 1:6] == text).all(dim=1).float().mean() > 0.9
