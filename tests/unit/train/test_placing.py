import shutil
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from xlmkit.core.errors import UserError
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel
from xlmkit.model.transformer import Transformer
from xlmkit.train.placing import check_compiler, place

CPU = torch.device("cpu")


def model() -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(Architecture(n_words=40, n_langs=2, n_layers=1, emb_dim=16, n_heads=2))


def states(made: Any, *lengths: int) -> Any:
    tokens = torch.arange(14, 14 + len(lengths) * max(lengths)).view(len(lengths), -1)
    return made.eval().transformer(tokens, torch.tensor(lengths))


@pytest.mark.parametrize("lengths", [(3, 3), (4, 2)])
def test_a_compiled_model_gives_the_same(
    monkeypatch: pytest.MonkeyPatch, lengths: tuple[int, ...]
) -> None:
    graphs = []

    def backend(graph: Any, inputs: Any) -> Any:
        del inputs
        graphs.append(graph)
        return graph

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=backend, fullgraph=True))
    expected = states(model(), *lengths)
    made = place(model(), CPU, torch.float32, compiles=True)
    keep = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    torch.testing.assert_close(states(made, *lengths)[keep], expected[keep])
    assert len(graphs) == 1


@pytest.mark.parametrize(
    ("device", "dtype", "compiles", "packs"),
    [
        ("cuda", torch.bfloat16, False, True),
        ("old cuda", torch.bfloat16, False, False),
        ("cuda", torch.float32, False, False),
        ("cuda", torch.bfloat16, True, False),
        ("cpu", torch.bfloat16, False, False),
    ],
)
def test_padding_is_left_out_where_attention_can_do_without(
    monkeypatch: pytest.MonkeyPatch, device: str, dtype: torch.dtype, compiles: bool, packs: bool
) -> None:
    monkeypatch.setattr(nn.Module, "to", lambda self, device: self)
    monkeypatch.setattr(torch, "compile", lambda function: function)
    monkeypatch.setattr(torch.backends.cuda, "is_flash_attention_available", lambda: True)
    capability = (7, 5) if device == "old cuda" else (9, 0)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    place_of = torch.device(device.removeprefix("old "))
    made = place(model(), place_of, dtype, compiles=compiles)
    assert [m.packs for m in made.modules() if isinstance(m, Transformer)] == [packs]


def test_a_missing_compiler_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(
        UserError, match=r"needs a compiler for C\+\+ on a CPU, and there is no g\+\+"
    ):
        check_compiler(CPU)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}" if name == "g++" else None)
    check_compiler(CPU)
    monkeypatch.setenv("CXX", "cxx-99")
    with pytest.raises(UserError, match="there is no cxx-99"):
        check_compiler(CPU)
