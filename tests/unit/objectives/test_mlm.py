from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from xlmkit.core.errors import UserError
from xlmkit.data.batch import PredictionBatch
from xlmkit.data.masking import MASK
from xlmkit.data.shards import Shards
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel
from xlmkit.objectives.config import MlmConfig, TlmConfig
from xlmkit.objectives.mlm import MaskedLanguageModeling
from xlmkit.text.vocabulary import EOS, PAD

N_WORDS = 14 + 24


def mlm(shards: Shards, seed: object = 0, **section: Any) -> MaskedLanguageModeling:
    config = MlmConfig.model_validate({"length": 16, **section})
    return MaskedLanguageModeling.mlm(config, shards, split="train", tokens=256, seed=seed)


def tlm(shards: Shards, seed: object = 0, **section: Any) -> MaskedLanguageModeling:
    config = TlmConfig.model_validate({"length": 40, **section})
    return MaskedLanguageModeling.tlm(config, shards, split="train", tokens=256, seed=seed)


def restored(batch: PredictionBatch) -> Tensor:
    tokens = batch.inputs.tokens.flatten().clone()
    tokens[batch.predict] = batch.targets
    return tokens.view_as(batch.inputs.tokens)


def same(one: PredictionBatch, other: PredictionBatch) -> bool:
    return one.inputs.tokens.shape == other.inputs.tokens.shape and all(
        torch.equal(a, b)
        for a, b in (
            (one.inputs.tokens, other.inputs.tokens),
            (one.predict, other.predict),
            (one.targets, other.targets),
            (one.groups, other.groups),
        )
    )


@pytest.mark.parametrize("make", [mlm, tlm])
def test_a_batch_is_a_function_of_seed_and_number(shards: Shards, make: Any) -> None:
    first, again = make(shards), make(shards)
    forwards = [first.batch(number) for number in range(40)]
    for number in reversed(range(40)):
        assert same(again.batch(number), forwards[number])
    assert not same(make(shards, seed=1).batch(3), forwards[3])
    assert not same(forwards[3], forwards[4])


@pytest.mark.parametrize("form", ["stream", "sentence"])
def test_restored_text_is_that_of_the_shards(shards: Shards, form: str) -> None:
    objective = mlm(shards, form=form)
    streams = {code: shards.sentences("train", code).tokens.tolist() for code in ("en", "el")}
    sentences = {
        tuple(shards.sentences("train", code)[n].tolist())
        for code in streams
        for n in range(len(shards.sentences("train", code)))
    }
    for number in range(5):
        batch = objective.batch(number)
        assert objective.tokens(batch) == int((batch.inputs.tokens != PAD).sum())
        for row, length in zip(
            restored(batch).tolist(), batch.inputs.lengths.tolist(), strict=True
        ):
            if form == "sentence":
                assert row[0] == row[length - 1] == EOS
                assert tuple(row[1 : length - 1]) in sentences
            else:
                assert length == 16
                assert any(
                    row == stream[start : start + 16]
                    for stream in streams.values()
                    for start in range(0, len(stream), 16)
                )


def test_groups_are_the_languages_of_the_targets(shards: Shards) -> None:
    for objective in (mlm(shards), tlm(shards)):
        assert objective.groups == ["en", "el"]
        batch = objective.batch(0)
        assert torch.equal(batch.groups, (batch.targets >= 14 + 12).long())
        assert set(batch.groups.tolist()) == {0, 1}


def test_the_share_asked_for_is_hidden(shards: Shards) -> None:
    batch = mlm(shards, masking={"share": 0.3}).batch(0)
    words = int((restored(batch) >= 14).sum())
    assert len(batch.targets) == round(0.3 * words)
    assert (batch.targets >= 14).all()


def test_rare_words_are_hidden_more_often_if_asked(shards: Shards) -> None:
    counts = shards.word_counts
    frequent = int(counts[14:26].argmax()) + 14
    share = {}
    for alpha in (0.0, 1.0):
        objective = mlm(shards, masking={"sample_alpha": alpha})
        targets = torch.cat([objective.batch(number).targets for number in range(30)])
        share[alpha] = float((targets == frequent).float().mean())
    assert counts[frequent] > 3 * np.median(counts[14:])
    assert share[1.0] < 0.5 * share[0.0]


def sides_with_targets(batch: PredictionBatch) -> list[int]:
    """Return in how many of its two sentences each pair has hidden words."""
    n_rows, length = batch.inputs.tokens.shape
    row = batch.predict // length
    return [len(set(batch.groups[row == number].tolist())) for number in range(n_rows)]


def test_tlm_reads_pairs_with_restarting_positions(shards: Shards) -> None:
    batch = tlm(shards).batch(2)
    inputs, tokens = batch.inputs, restored(batch)
    for row, length in enumerate(inputs.lengths.tolist()):
        half = length // 2
        assert inputs.positions[row, :length].tolist() == [*range(half), *range(half)]
        languages = inputs.languages[row, :length].tolist()
        assert languages in ([0] * half + [1] * half, [1] * half + [0] * half)
        first, second = tokens[row, 1 : half - 1], tokens[row, half + 1 : length - 1]
        assert (first - second).abs().tolist() == [12] * (half - 2)  # the cipher


def test_words_of_one_side_only_are_hidden_if_asked(shards: Shards) -> None:
    masking = {"share": 0.4}
    always, never = (tlm(shards, one_side=share, masking=masking) for share in (1.0, 0.0))
    sides = [n for number in range(8) for n in sides_with_targets(always.batch(number))]
    assert max(sides) == 1
    assert max(n for number in range(8) for n in sides_with_targets(never.batch(number))) == 2
    half = tlm(shards, one_side=0.5, masking={"share": 0.9})
    long = [n for number in range(20) for n in sides_with_targets(half.batch(number)) if n]
    assert 0.35 < np.mean(np.array(long) == 1) < 0.7
    hidden = {int(group) for number in range(8) for group in always.batch(number).groups}
    assert hidden == {0, 1}  # now the one language, now the other
    firsts = []  # whether a hidden word stands in its pair's first sentence
    for number in range(8):
        batch = always.batch(number)
        length = batch.inputs.tokens.shape[1]
        row, column = batch.predict // length, batch.predict % length
        firsts += (column < batch.inputs.lengths[row] // 2).tolist()
    assert 0.3 < np.mean(firsts) < 0.7


def test_loss_is_the_cross_entropy_at_hidden_words(shards: Shards) -> None:
    torch.manual_seed(0)
    model = LanguageModel(
        Architecture(n_words=N_WORDS, n_langs=2, n_layers=1, emb_dim=16, n_heads=2)
    ).eval()
    objective = tlm(shards)
    batch = objective.batch(1)
    output = objective.loss(model, batch)
    inputs = batch.inputs
    hidden = model.transformer(inputs.tokens, inputs.lengths, inputs.positions, inputs.languages)
    scores = model.pred_layer(hidden.flatten(0, 1)[batch.predict])
    expected = functional.cross_entropy(scores, batch.targets, reduction="none")
    torch.testing.assert_close(output.sum, expected.sum())
    assert output.count == len(batch.targets)
    assert output.parts[:, 0].sum().item() == pytest.approx(output.sum.item(), rel=1e-5)
    for group in (0, 1):
        mine = batch.groups == group
        right = (scores.argmax(dim=1) == batch.targets)[mine].sum()
        assert output.parts[group, 1:].tolist() == [mine.sum(), right]
        assert output.parts[group, 0].item() == pytest.approx(expected[mine].sum().item(), rel=1e-5)
    output.sum.backward()  # type: ignore[no-untyped-call]
    assert model.transformer.embeddings.weight.grad is not None


def test_the_mask_is_among_what_the_model_reads(shards: Shards) -> None:
    tokens = torch.cat([mlm(shards).batch(number).inputs.tokens.flatten() for number in range(4)])
    assert (tokens == MASK).float().mean().item() == pytest.approx(0.15 * 0.8, abs=0.04)


def test_a_split_without_translations_is_said(shards: Shards) -> None:
    with pytest.raises(UserError, match="no text"):
        MaskedLanguageModeling.tlm(TlmConfig(), shards, split="test", tokens=256, seed=0)
