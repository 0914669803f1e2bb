"""Writing with `generate`: languages of every row, no word computed twice, padding, all kinds."""

from typing import Any

import pytest
import torch
from torch import Tensor

from xlmkit import XLMConfig, XLMWithLMHeadModel

transformers = pytest.importorskip("transformers")

SIZES: dict[str, Any] = {
    "vocab_size": 50,
    "emb_dim": 32,
    "n_layers": 2,
    "n_heads": 4,
    "n_langs": 3,
    "embed_init_std": 1.0,
    "init_std": 0.3,
    "mask_token_id": 5,
    "eos_token_id": None,
    "asm_cutoffs": [20, 40],
}
NEW = {"max_new_tokens": 6, "suppress_tokens": [2], "do_sample": False}
LANGS = torch.tensor([0, 1, 2])


def build(**choices: Any) -> XLMWithLMHeadModel:
    torch.manual_seed(0)
    return XLMWithLMHeadModel(XLMConfig(**SIZES, **choices)).eval()


def prompts() -> Tensor:
    return torch.randint(6, 50, (3, 5), generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def by_hand(model: XLMWithLMHeadModel, tokens: Tensor, langs: Tensor) -> Tensor:
    """Compute everything again for every word."""
    for _ in range(NEW["max_new_tokens"]):
        shown = tokens
        if not model.config.causal:
            shown = torch.cat([tokens, torch.full((len(tokens), 1), 5)], dim=1)
        mask = torch.ones_like(shown)
        scores = model(shown, attention_mask=mask, langs=langs[:, None].expand_as(shown)).logits
        scores[..., 2] = -torch.inf
        tokens = torch.cat([tokens, scores[:, -1].argmax(dim=1, keepdim=True)], dim=1)
    return tokens


KINDS = [
    {"causal": True},
    {"causal": True, "asm": True},
    {"causal": False},
    {"causal": False, "asm": True},
]


@pytest.mark.parametrize("choices", KINDS)
def test_every_row_is_written_in_its_language(choices: dict[str, Any]) -> None:
    model, tokens = build(**choices), prompts()
    found = model.generate(tokens, langs=LANGS, **NEW)
    assert torch.equal(found, by_hand(model, tokens, LANGS))
    assert not torch.equal(found, model.generate(tokens, langs=LANGS.flip(0), **NEW))
    spread = LANGS[:, None].expand_as(tokens)
    assert torch.equal(found, model.generate(tokens, langs=spread, **NEW))


def test_without_langs_the_configured_language_counts() -> None:
    model, tokens = build(causal=True, lang_id=2), prompts()
    expected = by_hand(model, tokens, torch.full((3,), 2))
    assert torch.equal(model.generate(tokens, **NEW), expected)


@pytest.mark.parametrize("choices", KINDS)
def test_prompts_padded_on_the_left(choices: dict[str, Any]) -> None:
    model, tokens = build(**choices), prompts()
    mask = torch.ones_like(tokens)
    for row, n in enumerate((2, 0, 1)):
        tokens[row, :n], mask[row, :n] = 2, 0
    together = model.generate(tokens, attention_mask=mask, langs=LANGS, **NEW)
    for row, n in enumerate((2, 0, 1)):
        alone = model.generate(tokens[row : row + 1, n:], langs=LANGS[row : row + 1], **NEW)
        assert together[row, n:].tolist() == alone[0].tolist()


def lengths_given(model: XLMWithLMHeadModel, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which each step adds how many tokens the layers compute."""
    seen: list[int] = []
    layers = model.transformer.layers

    def watched(hidden: Tensor, *rest: Any) -> Any:
        seen.append(hidden.shape[1])
        return layers(hidden, *rest)

    monkeypatch.setattr(model.transformer, "layers", watched)
    return seen


def test_a_causal_model_computes_each_word_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = build(causal=True)
    seen = lengths_given(model, monkeypatch)
    model.generate(prompts(), langs=LANGS, **NEW)
    assert seen == [5, 1, 1, 1, 1, 1]
    seen.clear()
    model.generate(prompts(), langs=LANGS, use_cache=False, **NEW)
    assert seen == [5, 6, 7, 8, 9, 10]


def test_another_model_is_shown_a_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    model = build(causal=False)
    seen = lengths_given(model, monkeypatch)
    model.generate(prompts(), langs=LANGS, **NEW)
    assert seen == [6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize("choices", [{"causal": True}, {"causal": True, "asm": True}])
def test_beams_with_and_without_a_cache(choices: dict[str, Any]) -> None:
    model = build(**choices)
    settings: dict[str, Any] = {"num_beams": 4, "num_return_sequences": 2, **NEW}
    with_cache = model.generate(prompts(), langs=LANGS, **settings)
    assert torch.equal(
        with_cache, model.generate(prompts(), langs=LANGS, use_cache=False, **settings)
    )
    assert with_cache.shape == (6, 11)


def test_sampling_repeats_with_its_seed() -> None:
    model = build(causal=True)
    settings: dict[str, Any] = {"max_new_tokens": 6, "do_sample": True, "top_k": 20, "top_p": 0.9}
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(model.generate(prompts(), langs=LANGS, **settings))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("num_beams", [1, 2])
def test_a_prompt_of_embeddings(causal: bool, num_beams: int) -> None:
    model, tokens = build(causal=causal), prompts()
    settings: dict[str, Any] = {"langs": LANGS, "num_beams": num_beams, **NEW}
    embedded = model.get_input_embeddings()(tokens)
    whole = model.generate(tokens, **settings)

    assert torch.equal(model.generate(inputs_embeds=embedded, **settings), whole[:, 5:])
    assert torch.equal(model.generate(tokens, inputs_embeds=embedded, **settings), whole)


@torch.no_grad()
def test_a_static_cache_is_seen_only_as_far_as_it_is_filled() -> None:
    model = build(causal=True)
    tokens = prompts()
    dynamic = model.generate(tokens, langs=LANGS, **NEW)
    mask = torch.ones_like(tokens)
    tokens[0, :2], mask[0, :2] = 2, 0
    assert dynamic.shape == (3, 11)
    cache = transformers.StaticCache(config=model.config, max_cache_len=16)
    first = model(tokens, attention_mask=mask, cache=cache)
    plain = model(tokens, attention_mask=mask, use_cache=True)
    torch.testing.assert_close(first.logits, plain.logits)
    new = torch.full((3, 1), 9)
    longer = torch.cat([mask, torch.ones(3, 1).long()], dim=1)
    found = model(new, attention_mask=longer, cache=cache).logits
    expected = model(new, attention_mask=longer, cache=plain.cache).logits
    torch.testing.assert_close(found, expected)


def test_one_language_for_all_rows_and_beams() -> None:
    model = build(causal=True)
    settings: dict[str, Any] = {"num_beams": 2, **NEW}
    one = model.generate(prompts(), langs=torch.tensor([1]), **settings)
    assert torch.equal(one, model.generate(prompts(), langs=torch.tensor([1, 1, 1]), **settings))


def test_lengths_are_ignored_as_in_transformers_but_not_in_silence() -> None:
    model = build(causal=True)
    written = model.generate(prompts(), **NEW)

    with pytest.warns(UserWarning, match="generate ignores lengths"):
        assert torch.equal(
            model.generate(prompts(), lengths=torch.tensor([3, 5, 5]), **NEW), written
        )


def test_a_masked_model_of_one_language_writes_what_transformers_writes() -> None:
    """Without a cache there: with one, it takes the mask shown at the last step for a word."""
    choices = {**SIZES, "n_langs": 1}
    torch.manual_seed(0)
    ours = XLMWithLMHeadModel(XLMConfig(**choices)).eval()
    theirs = transformers.XLMWithLMHeadModel(transformers.XLMConfig(**choices)).eval()
    theirs.load_state_dict(ours.state_dict())
    for settings in (NEW, {**NEW, "num_beams": 3}):
        expected = theirs.generate(prompts(), use_cache=False, **settings)
        assert torch.equal(ours.generate(prompts(), **settings), expected)
