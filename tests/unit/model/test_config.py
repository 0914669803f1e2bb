import dataclasses

import pytest
from pydantic import ValidationError

from xlmkit.core.errors import UserError
from xlmkit.model.config import Architecture, ModelConfig


def test_heads_must_divide_the_width() -> None:
    config = ModelConfig(emb_dim=30, n_heads=4)
    with pytest.raises(UserError, match=r"model.emb_dim \(30\) must be a multiple .*n_heads \(4\)"):
        Architecture.build(config, n_words=100, n_langs=2)


def test_choices_and_what_the_tokenizer_fixes_come_together() -> None:
    config = ModelConfig(n_layers=3, emb_dim=64, n_heads=4, dropout=0.2, gelu_activation=False)
    made = Architecture.build(config, n_words=777, n_langs=5, causal=True)
    assert (made.n_words, made.n_langs, made.n_layers, made.emb_dim) == (777, 5, 3, 64)
    assert (made.dropout, made.gelu_activation, made.causal) == (0.2, False, True)
    assert made.embed_init_std == 1 / 8
    fixed = ModelConfig(emb_dim=64, n_heads=4, embed_init_std=0.01)
    assert Architecture.build(fixed, n_words=20, n_langs=1).embed_init_std == 0.01


def test_every_choice_reaches_the_architecture() -> None:
    names = {field.name for field in dataclasses.fields(Architecture)}
    assert set(ModelConfig.model_fields) <= names


@pytest.mark.parametrize("bad", [{"n_layers": 0}, {"dropout": 1.0}, {"emb_dims": 8}])
def test_impossible_shapes_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        ModelConfig.model_validate(bad)
