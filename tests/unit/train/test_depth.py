"""Depths of parameters, in xlmkit's own models and those of transformers."""

from collections.abc import Callable
from pathlib import Path

import pytest

from xlmkit.core.errors import UserError
from xlmkit.model.config import Architecture
from xlmkit.model.heads import SequenceClassifier
from xlmkit.train.depth import depths, frozen, rate_factors

SHAPE = Architecture(n_words=40, n_langs=2, n_layers=2, emb_dim=16, n_heads=2)


def own_names() -> list[str]:
    return [name for name, _ in SequenceClassifier(SHAPE, 3).named_parameters()]


def test_every_parameter_of_our_models_has_its_depth() -> None:
    found = depths(own_names())
    lowest = {name for name, depth in found.items() if depth == 0}
    assert lowest == {
        "transformer.position_embeddings.weight", "transformer.lang_embeddings.weight",
        "transformer.embeddings.weight", "transformer.layer_norm_emb.weight",
        "transformer.layer_norm_emb.bias",
    }  # fmt: skip
    of_layer = {depth: {n for n, d in found.items() if d == depth} for depth in (1, 2)}
    assert len(of_layer[1]) == 16  # four linear layers of attention, two feed-forward, two norms
    assert of_layer[2] == {name.replace(".0.", ".1.") for name in of_layer[1]}
    top = {name for name, depth in found.items() if depth == 3}
    assert top == {"sequence_summary.summary.weight", "sequence_summary.summary.bias"}


@pytest.mark.parametrize("family", ["bert", "xlm-roberta", "deberta-v2", "modernbert", "mbart"])
def test_every_family_has_embeddings_layers_and_a_head(
    family: str, make_encoder: Callable[..., Path], tmp_path: Path
) -> None:
    transformers = pytest.importorskip("transformers")
    folder = make_encoder(family, tmp_path / "encoder")
    config = transformers.AutoConfig.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_config(config)
    found = depths(name for name, _ in model.named_parameters())
    n_layers = 4 if family == "mbart" else 2  # those of the decoder lie above the encoder's
    assert set(found.values()) == set(range(n_layers + 2))
    words = next(name for name, p in model.named_parameters() if p is embedding(model))
    assert found[words] == 0
    heads = [name for name in found if name.startswith(("classifier", "classification_head"))]
    assert heads
    assert {found[name] for name in heads} == {n_layers + 1}
    counts = {depth: list(found.values()).count(depth) for depth in range(1, n_layers + 1)}
    assert counts[1] == counts[2] or family == "modernbert"  # whose first layer has no norm


def embedding(model: object) -> object:
    return model.get_input_embeddings().weight  # type: ignore[attr-defined]


def test_layers_that_share_their_weights_cannot_be_told() -> None:
    names = ["albert.encoder.albert_layer_groups.0.albert_layers.0.ffn.weight", "classifier.bias"]
    with pytest.raises(UserError, match="leave out freeze and layer_decay"):
        depths(names)


def test_freezing_reaches_up_to_the_layer_that_is_named() -> None:
    names = own_names()
    found = depths(names)
    assert frozen(names, "embeddings") == {name for name in names if found[name] == 0}
    assert frozen(names, 1) == {name for name in names if found[name] <= 1}
    with pytest.raises(UserError, match="freeze is 3, but the model has 2 layers"):
        frozen(names, 3)


def test_rates_fall_from_the_head_to_the_embeddings() -> None:
    factors = rate_factors(own_names(), 0.5)
    assert factors["sequence_summary.summary.weight"] == 1
    assert factors["transformer.ffns.1.lin1.weight"] == 0.5
    assert factors["transformer.attentions.0.q_lin.bias"] == 0.25
    assert factors["transformer.embeddings.weight"] == 0.125
