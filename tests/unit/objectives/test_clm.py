import torch
from torch.nn import functional

from xlmkit.data.shards import Shards
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel
from xlmkit.objectives.clm import CausalLanguageModeling
from xlmkit.objectives.config import ClmConfig


def clm(shards: Shards) -> CausalLanguageModeling:
    return CausalLanguageModeling(ClmConfig(length=12), shards, split="train", tokens=120, seed="s")


def test_every_token_but_the_first_is_predicted_from_the_place_before(shards: Shards) -> None:
    objective = clm(shards)
    batch = objective.batch(3)
    tokens = batch.inputs.tokens
    assert tokens.shape[1] == 12
    assert len(batch.targets) == len(tokens) * 11
    flat = tokens.flatten()
    assert torch.equal(batch.targets, flat[batch.predict + 1])
    assert ((batch.predict + 1) % 12 != 0).all()  # never across two streams
    assert torch.equal(batch.groups, batch.inputs.languages.flatten()[batch.predict + 1])
    assert objective.tokens(batch) == tokens.numel()


def test_a_batch_is_a_function_of_its_number(shards: Shards) -> None:
    assert torch.equal(clm(shards).batch(40).targets, clm(shards).batch(40).targets)
    assert not torch.equal(clm(shards).batch(0).targets, clm(shards).batch(1).targets)


def test_loss_is_that_of_the_next_words(shards: Shards) -> None:
    torch.manual_seed(0)
    model = LanguageModel(
        Architecture(n_words=38, n_langs=2, n_layers=1, emb_dim=16, n_heads=2, causal=True)
    ).eval()
    objective = clm(shards)
    batch = objective.batch(0)
    inputs = batch.inputs
    hidden = model.transformer(inputs.tokens, inputs.lengths, inputs.positions, inputs.languages)
    scores = model.pred_layer(hidden[:, :-1].flatten(0, 1))
    expected = functional.cross_entropy(scores, inputs.tokens[:, 1:].flatten(), reduction="sum")
    output = objective.loss(model, batch)
    torch.testing.assert_close(output.sum, expected)
    assert output.count == len(inputs.tokens) * 11
