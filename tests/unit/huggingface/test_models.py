"""Where Hugging Face's XLM is wrong, ours is right; and what the base class offers works."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import xlmkit
from xlmkit import XLMConfig, XLMModel, XLMWithLMHeadModel
from xlmkit.core.errors import UserError

transformers = pytest.importorskip("transformers")

SIZES: dict[str, Any] = {
    "vocab_size": 50,
    "emb_dim": 32,
    "n_layers": 2,
    "n_heads": 4,
    "n_langs": 3,
    "max_position_embeddings": 20,
    "embed_init_std": 1.0,
    "init_std": 0.3,
}
HEADS = [
    "XLMWithLMHeadModel",
    "XLMForSequenceClassification",
    "XLMForTokenClassification",
    "XLMForQuestionAnsweringSimple",
    "XLMForQuestionAnswering",
]
MEMORY = {"positions": [[0, "in"], [1, "after"]], "n_keys": 8, "key_dim": 8, "n_neighbors": 4}


def build(name: str = "XLMModel", **choices: Any) -> nn.Module:
    torch.manual_seed(0)
    model: nn.Module = getattr(xlmkit, name)(XLMConfig(**SIZES, **choices)).eval()
    return model


def words(*shape: int) -> Tensor:
    return torch.randint(6, 50, shape, generator=torch.Generator().manual_seed(1))


def left_padded() -> tuple[Tensor, Tensor, Tensor, list[int]]:
    """Return tokens, mask, languages, and how much padding each row begins with."""
    leading = [3, 0, 1]
    tokens, mask = words(3, 7), torch.ones(3, 7, dtype=torch.long)
    for row, n in enumerate(leading):
        tokens[row, :n], mask[row, :n] = 2, 0
    return tokens, mask, words(3, 7) % 3, leading


@pytest.mark.parametrize("implementation", ["eager", "sdpa", "flex_attention"])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
@torch.no_grad()
def test_padding_on_the_left_changes_nothing(causal: bool, implementation: str) -> None:
    model = build(causal=causal, attn_implementation=implementation)
    tokens, mask, langs, leading = left_padded()
    for given in ({"attention_mask": mask}, {}):  # told, or seen from the tokens
        together = model(tokens, langs=langs, **given).last_hidden_state
        for row, n in enumerate(leading):
            alone = model(tokens[row : row + 1, n:], langs=langs[row : row + 1, n:])
            torch.testing.assert_close(
                together[row, n:], alone.last_hidden_state[0], rtol=1e-5, atol=1e-5
            )
            assert not together[row, :n].any()


@pytest.mark.parametrize("summary_type", ["first", "last", "mean", "cls_index"])
@torch.no_grad()
def test_a_summary_does_not_count_padding_on_the_left(summary_type: str) -> None:
    model = build("XLMForSequenceClassification", summary_type=summary_type)
    tokens, mask, langs, leading = left_padded()
    together = model(tokens, attention_mask=mask, langs=langs).logits
    for row, n in enumerate(leading):
        alone = model(tokens[row : row + 1, n:], langs=langs[row : row + 1, n:]).logits
        torch.testing.assert_close(together[row : row + 1], alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("summary_type", ["first", "last", "mean"])
@torch.no_grad()
def test_a_summary_can_count_real_tokens_only(summary_type: str) -> None:
    choices: dict[str, Any] = {"summary_type": summary_type, "summary_over_padding": False}
    model = build("XLMForSequenceClassification", **choices)
    tokens, lengths = words(3, 7), torch.tensor([7, 4, 2])
    together = model(tokens, lengths=lengths).logits
    for row, n in enumerate(lengths.tolist()):
        alone = model(tokens[row : row + 1, :n]).logits
        torch.testing.assert_close(together[row : row + 1], alone, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_a_causal_model_does_not_see_padding() -> None:
    """Also where a hole in the mask is followed by real tokens."""
    model = build(causal=True)
    tokens, mask = words(1, 6), torch.tensor([[1, 1, 0, 0, 1, 1]])
    before = model(tokens, attention_mask=mask).last_hidden_state
    tokens[0, 2:4] = 49
    after = model(tokens, attention_mask=mask).last_hidden_state
    assert torch.equal(before, after)


@torch.no_grad()
def test_a_forward_makes_no_cache_unless_asked() -> None:
    model = build(causal=True)
    assert model(words(2, 5)).cache is None
    cache = model(words(2, 5), use_cache=True).past_key_values
    assert cache.get_seq_length() == 5


@torch.no_grad()
def test_a_cache_continues_where_it_ended() -> None:
    model = build("XLMWithLMHeadModel", causal=True)
    tokens, langs = words(2, 8), words(2, 8) % 3
    whole = model(tokens, langs=langs).logits
    first = model(tokens[:, :3], langs=langs[:, :3], use_cache=True)
    rest = model(tokens[:, 3:], langs=langs[:, 3:], cache=first.cache).logits
    torch.testing.assert_close(torch.cat([first.logits, rest], dim=1), whole, rtol=1e-4, atol=1e-4)


def test_token_types_of_zero_are_warned_of() -> None:
    model = build()
    zeros = torch.zeros(2, 5, dtype=torch.long)
    with pytest.warns(UserWarning, match="token_type_ids are all zero"):
        model(words(2, 5), token_type_ids=zeros)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(words(2, 5), token_type_ids=zeros + 1)


@torch.no_grad()
def test_adaptive_softmax_scores_and_learns() -> None:
    model = build("XLMWithLMHeadModel", asm=True, asm_cutoffs=[20, 40])
    tokens = words(2, 5)
    labels = tokens.clone()
    labels[0, :2] = -100
    output = model(tokens, labels=labels)
    total = output.logits.exp().sum(dim=-1)
    torch.testing.assert_close(total, torch.ones_like(total))
    kept = labels != -100
    expected = -output.logits[kept].gather(1, labels[kept][:, None]).mean()
    torch.testing.assert_close(output.loss, expected)
    assert model.get_output_embeddings() is None


@torch.no_grad()
def test_memories_take_the_place_of_layers() -> None:
    model = build(memory=MEMORY)
    assert sorted(model.memories) == ["0_in", "1_after"]
    assert list(model.ffns) == ["1"]
    tokens = words(2, 5)
    before = model(tokens).last_hidden_state
    model.memories["1_after"].values.weight.mul_(2)
    assert not torch.allclose(before, model(tokens).last_hidden_state)


def test_fresh_weights() -> None:
    model = build("XLMWithLMHeadModel", sinusoidal_embeddings=True, memory=MEMORY)
    assert not model.transformer.embeddings.weight[2].any()
    assert model.transformer.embeddings.weight[3:].std().item() == pytest.approx(1.0, abs=0.1)
    assert model.transformer.attentions[0].q_lin.weight.std().item() == pytest.approx(0.3, abs=0.05)
    place = model.transformer.position_embeddings.weight
    torch.testing.assert_close(place[0, ::2].detach(), torch.zeros(16))
    assert not place.requires_grad
    assert model.transformer.memories["0_in"].keys.abs().max() <= 0.5
    assert model.pred_layer.proj.weight is model.transformer.embeddings.weight


@pytest.mark.parametrize("name", ["XLMModel", "XLMForMultipleChoice", *HEADS])
def test_checkpoints_go_both_ways_unchanged(name: str, tmp_path: Path) -> None:
    ours = build(name)
    ours.save_pretrained(tmp_path / "ours")
    theirs, report = getattr(transformers, name).from_pretrained(
        tmp_path / "ours", output_loading_info=True
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    theirs.save_pretrained(tmp_path / "theirs")
    again, report = getattr(xlmkit, name).from_pretrained(
        tmp_path / "theirs", output_loading_info=True
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    for key, tensor in again.state_dict().items():
        assert torch.equal(tensor, ours.state_dict()[key]), key
        assert torch.equal(tensor, theirs.state_dict()[key]), key


@pytest.mark.parametrize(
    "choices",
    [
        {"asm": True, "asm_cutoffs": [20, 40]},
        {"memory": MEMORY},
        {"tie_word_embeddings": False},
    ],
)
@torch.no_grad()
def test_what_transformers_lacks_is_saved_and_loaded(
    choices: dict[str, Any], tmp_path: Path
) -> None:
    model = build("XLMWithLMHeadModel", **choices)
    model.save_pretrained(tmp_path)
    again, report = XLMWithLMHeadModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    tokens = words(2, 5)
    assert torch.equal(again.eval()(tokens).logits, model(tokens).logits)


@torch.no_grad()
def test_a_base_model_takes_its_weights_from_a_head(tmp_path: Path) -> None:
    model = build("XLMWithLMHeadModel")
    model.save_pretrained(tmp_path)
    base = XLMModel.from_pretrained(tmp_path).eval()
    tokens = words(2, 5)
    assert torch.equal(base(tokens)[0], model.transformer(tokens)[0])


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing_enable.*is deprecated")
def test_gradient_checkpointing_gives_the_same_gradients() -> None:
    model = build("XLMWithLMHeadModel", dropout=0.0, attention_dropout=0.0).train()
    tokens = words(2, 6)
    gradients = []
    for enabled in (False, True):
        if enabled:
            model.gradient_checkpointing_enable()
        model.zero_grad()
        model(tokens, langs=tokens % 3, labels=tokens).loss.backward()
        gradients.append({key: p.grad.clone() for key, p in model.named_parameters()})
    assert model.transformer.gradient_checkpointing
    for key, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][key], gradient, rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_embeddings_can_be_resized() -> None:
    model = build("XLMWithLMHeadModel")
    before = model(words(1, 4)).logits
    model.resize_token_embeddings(60, mean_resizing=False)
    after = model(words(1, 4)).logits
    assert after.shape[-1] == 60
    torch.testing.assert_close(after[..., :50], before)
    assert model.pred_layer.proj.weight is model.transformer.embeddings.weight


def test_a_function_registered_with_transformers_is_used() -> None:
    seen: list[Any] = []

    def attend(
        module: Any, query: Tensor, key: Tensor, value: Tensor, mask: Any, **named: Any
    ) -> Any:
        seen.append((mask, named["is_causal"], named["scaling"]))
        bias = None if mask is None else mask[:, None, None, :]
        made = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        return made.transpose(1, 2), None

    transformers.AttentionInterface.register("for_this_test", attend)
    model, plain = build(attn_implementation="for_this_test"), build(attn_implementation="eager")
    tokens, lengths = words(2, 5), torch.tensor([5, 3])
    with torch.no_grad():
        found = model(tokens, lengths=lengths).last_hidden_state
        torch.testing.assert_close(found, plain(tokens, lengths=lengths).last_hidden_state)
    assert len(seen) == 2
    assert seen[0][0].tolist() == [[True] * 5, [True] * 3 + [False] * 2]
    assert seen[0][1:] == (False, 8**-0.5)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "either input_ids or inputs_embeds"),
        ({"input_ids": words(1, 21)}, "21 tokens, but the model has only 20 positions"),
        ({"input_ids": words(2, 5), "langs": torch.zeros(3, 5).long()}, r"langs has the shape"),
        ({"input_ids": words(2, 5), "attention_mask": torch.ones(2, 4)}, r"\(2, 5\) is expected"),
        (
            {"input_ids": words(2, 5), "lengths": torch.ones(2, 1)},
            r"lengths has the shape \(2, 1\)",
        ),
        ({"input_ids": words(2, 5), "position_ids": words(2, 4)}, r"position_ids has the shape"),
        ({"input_ids": words(2, 5), "position_ids": words(2, 9)}, r"position_ids has the shape"),
        ({"input_ids": words(2, 5), "langs": words(2, 9)}, r"langs has the shape \(2, 9\)"),
        ({"input_ids": words(2, 5), "lengths": torch.tensor([5, 6])}, "lengths says 6, but"),
    ],
)
def test_inputs_that_do_not_fit_are_named(inputs: dict[str, Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()(**inputs)


def test_an_unknown_summary_is_named() -> None:
    with pytest.raises(ValueError, match="must be one of first, last, mean, cls_index"):
        build("XLMForSequenceClassification", summary_type="attn")


def test_dropout_needs_another_kernel_than_flex() -> None:
    model = build(attn_implementation="flex_attention").train()
    with pytest.raises(ValueError, match="flex_attention has no dropout"):
        model(words(1, 4))


@pytest.mark.parametrize("name", ["XLMModel", "XLMForSequenceClassification"])
def test_a_configuration_of_transformers_is_taken(name: str) -> None:
    config = transformers.XLMConfig(**SIZES, num_labels=5)
    model = getattr(xlmkit, name)(config)
    assert isinstance(model.config, XLMConfig)
    assert model.config.num_labels == 5


def test_attention_weights_lie_on_the_way_of_the_gradient() -> None:
    model = build()
    output = model(words(2, 5), output_attentions=True)
    for weights in output.attentions:
        weights.retain_grad()
    output.last_hidden_state.sum().backward()
    assert all(weights.grad is not None for weights in output.attentions)


@pytest.mark.parametrize("name", ["XLMModel", *HEADS])
@torch.no_grad()
def test_every_weight_is_used_through_its_module(name: str) -> None:
    """So that what wraps modules (low-rank adaptation, offloading, quantising) has its effect."""
    model = build(name, start_n_top=2, end_n_top=2)
    used: set[str] = set()
    for key, module in model.named_modules():
        if isinstance(module, nn.Linear | nn.Embedding | nn.LayerNorm):
            module.register_forward_hook(lambda *_, key=key: used.add(key))
    model(words(2, 5), langs=words(2, 5) % 3)
    own = {key for key, m in model.named_modules() if isinstance(m, nn.Linear | nn.Embedding)}
    assert own <= used


@torch.no_grad()
def test_spans_do_not_count_padding_on_the_left() -> None:
    model = build("XLMForQuestionAnswering", start_n_top=2, end_n_top=2)
    tokens, mask, langs, leading = left_padded()
    together = model(tokens, attention_mask=mask, langs=langs)
    for row, n in enumerate(leading):
        alone = model(tokens[row : row + 1, n:], langs=langs[row : row + 1, n:])
        for name in ("start_top_log_probs", "end_top_log_probs", "cls_logits"):
            torch.testing.assert_close(together[name][row], alone[name][0], rtol=1e-5, atol=1e-5)
        assert (together.start_top_index[row] - n).tolist() == alone.start_top_index[0].tolist()


@torch.no_grad()
def test_fewer_tokens_than_starts() -> None:
    output = build("XLMForQuestionAnswering")(words(2, 1))
    assert output.start_top_index.tolist() == [[0], [0]]


@torch.no_grad()
def test_choices_take_a_language_for_each_row() -> None:
    model = build("XLMForMultipleChoice")
    tokens, langs = words(2, 3, 5), torch.tensor([1, 2])
    spread = langs[:, None, None].expand(2, 3, 5)
    assert torch.equal(model(tokens, langs=langs).logits, model(tokens, langs=spread).logits)


def test_clusters_cannot_be_resized() -> None:
    model = build("XLMWithLMHeadModel", asm=True, asm_cutoffs=[20, 40])
    with pytest.raises(ValueError, match="cannot be resized"):
        model.resize_token_embeddings(60)


@pytest.mark.parametrize(
    ("memory", "message"),
    [
        ({**MEMORY, "positions": [[9, "in"]]}, "only 'in' or 'after' one of the layers 0 to 1"),
        ({**MEMORY, "positions": [[0, "inside"]]}, "only 'in' or 'after'"),
        ({**MEMORY, "n_key": 3}, "memory has no n_key"),
    ],
)
def test_a_memory_that_cannot_be(memory: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        build(memory=memory)
