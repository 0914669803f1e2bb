"""Compilers and exporters take the models whole."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import xlmkit
from xlmkit import XLMConfig

pytest.importorskip("transformers")

CLASSES = [
    "XLMModel",
    "XLMWithLMHeadModel",
    "XLMForSequenceClassification",
    "XLMForTokenClassification",
    "XLMForQuestionAnsweringSimple",
    "XLMForQuestionAnswering",
]
SIZES: dict[str, Any] = {
    "vocab_size": 50,
    "emb_dim": 16,
    "n_layers": 1,
    "n_heads": 2,
    "n_langs": 3,
    "max_position_embeddings": 64,
}


def build(name: str, **choices: Any) -> nn.Module:
    torch.manual_seed(0)
    model: nn.Module = getattr(xlmkit, name)(XLMConfig(**SIZES, **choices)).eval()
    return model


def inputs(rows: int, length: int) -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(rows)
    lengths = torch.randint(1, length + 1, (rows, 1), generator=random)
    return {
        "input_ids": torch.randint(6, 50, (rows, length), generator=random),
        "attention_mask": (torch.arange(length) < lengths).long(),
        "langs": torch.randint(0, 3, (rows, length), generator=random),
    }


@pytest.mark.parametrize("name", CLASSES)
@torch.no_grad()
def test_export_with_any_batch_and_length(name: str) -> None:
    model = build(name)
    sizes = {0: torch.export.Dim("rows"), 1: torch.export.Dim("length", min=5, max=64)}
    given = inputs(3, 7)
    exported = torch.export.export(
        model, (), given, dynamic_shapes=dict.fromkeys(given, sizes), strict=False
    )
    other = inputs(5, 11)
    found, expected = exported.module()(**other), model(**other)
    torch.testing.assert_close(found[0], expected[0])


@pytest.mark.filterwarnings("ignore:.*:torch.jit.TracerWarning")
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*is deprecated")
@torch.no_grad()
def test_trace() -> None:
    model = build("XLMForSequenceClassification", return_dict=False)
    given = tuple(inputs(3, 7).values())
    traced = torch.jit.trace(model, given)
    other = tuple(inputs(3, 7).values())
    torch.testing.assert_close(traced(*other)[0], model(*other)[0])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch's compiler about itself
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore:Reliance on distutils:UserWarning")
@pytest.mark.parametrize("causal", [False, True])
def test_compile_without_a_break(causal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    # torch's compiler loads setuptools, whose own distutils fail where pip was looked for before.
    monkeypatch.setenv("SETUPTOOLS_USE_DISTUTILS", "stdlib")
    model = build("XLMWithLMHeadModel", causal=causal)
    compiled = torch.compile(model, fullgraph=True, dynamic=True)
    for rows, length in ((3, 7), (5, 11)):
        given = inputs(rows, length)
        labels = given["input_ids"]
        with torch.no_grad():
            found, expected = (call(**given, labels=labels) for call in (compiled, model))
        torch.testing.assert_close(found.loss, expected.loss)
        torch.testing.assert_close(found.logits, expected.logits, rtol=1e-5, atol=1e-5)
    compiled.train()
    compiled(**given, labels=labels).loss.backward()
    assert model.transformer.embeddings.weight.grad.abs().sum() > 0
