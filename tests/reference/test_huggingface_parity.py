"""Outputs and gradients equal to transformers' XLM over random configurations and inputs.

Two hundred of each class, told by their seed. What differs on purpose is left out here and tested
in tests/unit/huggingface: padding on the left, padded keys in causal mode, adaptive softmax.
"""

import random
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import xlmkit

transformers = pytest.importorskip("transformers")

CLASSES = [
    "XLMModel",
    "XLMWithLMHeadModel",
    "XLMForSequenceClassification",
    "XLMForTokenClassification",
    "XLMForMultipleChoice",
    "XLMForQuestionAnsweringSimple",
    "XLMForQuestionAnswering",
]
CASES, CHUNK = 200, 25
TOLERANCE: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-5}


class Case:
    """A random configuration and a random call."""

    def __init__(self, name: str, seed: int) -> None:
        self.name, self.rng = name, random.Random(f"{name} {seed}")
        self.torch_rng = torch.Generator().manual_seed(seed)
        self.choices = self._choices()
        self.inputs, self.real = self._inputs()

    def flip(self, chance: float = 0.5) -> bool:
        return self.rng.random() < chance

    def _choices(self) -> dict[str, Any]:
        rng, width = self.rng, self.rng.choice([8, 12, 16, 24])
        beam = rng.randint(1, 3), rng.randint(1, 3)
        return {
            "vocab_size": rng.randint(20, 50),
            "emb_dim": width,
            "n_heads": rng.choice([n for n in (1, 2, 3, 4) if width % n == 0]),
            "n_layers": rng.randint(1, 3),
            "n_langs": rng.randint(1, 4),
            "use_lang_emb": self.flip(0.8),
            "gelu_activation": self.flip(),
            "sinusoidal_embeddings": self.flip(0.3),
            "causal": self.flip(0.3),
            "layer_norm_eps": rng.choice([1e-12, 1e-6, 1e-3]),
            "max_position_embeddings": rng.randint(12, 40),
            "tie_word_embeddings": self.flip(0.7),
            "summary_type": rng.choice(["first", "last", "mean", "cls_index"]),
            "summary_use_proj": self.flip(0.7) or self.name == "XLMForMultipleChoice",
            "summary_activation": rng.choice([None, "tanh", "relu"]),
            "summary_proj_to_labels": self.flip(0.7) or self.name == "XLMForMultipleChoice",
            "num_labels": 2 if "Answering" in self.name else rng.randint(1, 4),
            "start_n_top": beam[0],
            "end_n_top": beam[1],
            "attn_implementation": "eager",
        }

    def _inputs(self) -> tuple[dict[str, Any], Tensor]:
        """Return the arguments, and True at real tokens, (rows, L)."""
        rng = self.rng
        rows, length = rng.randint(1, 4), rng.randint(4, 12)
        shape: tuple[int, ...] = (rows, length)
        if self.name == "XLMForMultipleChoice":
            shape = (rows, rng.randint(1, 3), length)
        inputs, real = self._padding(shape)
        tokens = self.integers(3, self.choices["vocab_size"], shape)
        by_tokens = not inputs and self.flip()
        if by_tokens or self.flip(0.3):
            tokens = tokens.masked_fill(~real, 2)
        if not by_tokens and self.flip(0.3):
            width = self.choices["emb_dim"]
            inputs["inputs_embeds"] = torch.randn(*shape, width, generator=self.torch_rng)
            real = real if len(inputs) > 1 else torch.ones_like(real)
        else:
            inputs["input_ids"] = tokens
            if len(inputs) == 1:
                real = torch.arange(length) < (tokens != 2).sum(dim=-1, keepdim=True)
        inputs |= self._ids(shape)
        for flag in ("output_hidden_states", "output_attentions", "return_dict"):
            if self.flip():
                inputs[flag] = self.flip(0.8)
        return inputs | self._labels(shape), real.reshape(-1, length)

    def _padding(self, shape: tuple[int, ...]) -> tuple[dict[str, Any], Tensor]:
        """Return what tells of padding, and True at real tokens."""
        lengths = self.integers(1, shape[-1] + 1, shape[:-1])
        real = torch.arange(shape[-1]) < lengths[..., None]
        kind = self.rng.choice(["none", "mask", "holes", "lengths"])
        if kind == "lengths" and len(shape) == 2:
            return {"lengths": lengths}, real
        if kind == "holes" and not self.choices["causal"]:
            real = real & (self.integers(0, 4, shape) > 0)
            real[..., 0] = True
        if kind == "none":
            return {}, real
        return {"attention_mask": real if self.flip() else real.long()}, real

    def _ids(self, shape: tuple[int, ...]) -> dict[str, Tensor]:
        ids = {}
        if self.flip(0.7):
            ids["langs"] = self.integers(0, self.choices["n_langs"], shape)
        if self.flip(0.2):
            ids["token_type_ids"] = self.integers(0, 3, shape)
            ids["token_type_ids"][..., 0] = 1
        if self.flip(0.3):
            ids["position_ids"] = self.integers(0, self.choices["max_position_embeddings"], shape)
        return ids

    def integers(self, low: int, high: int, shape: tuple[int, ...]) -> Tensor:
        return torch.randint(low, high, shape, generator=self.torch_rng)

    def _labels(self, shape: tuple[int, ...]) -> dict[str, Tensor]:
        rows, length, n_labels = shape[0], shape[-1], self.choices["num_labels"]
        if self.name == "XLMModel" or self.flip(0.3):
            return {}
        match self.name:
            case "XLMForQuestionAnswering" | "XLMForQuestionAnsweringSimple":
                return self._answers(rows, length)
            case "XLMForMultipleChoice":
                return {"labels": self.integers(0, shape[1], (rows,))}
            case "XLMForSequenceClassification":
                return self._classes(rows, n_labels)
        most = self.choices["vocab_size"] if self.name == "XLMWithLMHeadModel" else n_labels
        labels = self.integers(0, most, shape)
        labels[:, 1:][self.integers(0, 3, (rows, length - 1)) == 0] = -100
        return {"labels": labels}

    def _answers(self, rows: int, length: int) -> dict[str, Tensor]:
        beam = self.name == "XLMForQuestionAnswering"
        if beam and self.flip(0.4):
            return {"p_mask": (self.integers(0, 4, (rows, length)) == 0).float()}
        labels = {
            "start_positions": self.integers(0, length, (rows,)),
            "end_positions": self.integers(0, length, (rows,)),
        }
        if not beam and rows > 1:
            labels["end_positions"][0] = length + self.rng.randint(0, 3)  # beyond the text
        elif self.flip(0.6):
            labels["cls_index"] = self.integers(0, length, (rows,))
            labels["is_impossible"] = self.integers(0, 2, (rows,)).float()
        return labels

    def _classes(self, rows: int, n_labels: int) -> dict[str, Tensor]:
        if not (self.choices["summary_use_proj"] and self.choices["summary_proj_to_labels"]):
            return {}
        if n_labels == 1:
            return {"labels": torch.rand(rows, generator=self.torch_rng)}
        if self.flip(0.4):
            return {"labels": self.integers(0, 2, (rows, n_labels)).float()}
        return {"labels": self.integers(0, n_labels, (rows,))}


def models(case: Case) -> tuple[nn.Module, nn.Module]:
    """Return ours and theirs with the same random weights."""
    ours = getattr(xlmkit, case.name)(xlmkit.XLMConfig(**case.choices)).eval()
    theirs = getattr(transformers, case.name)(transformers.XLMConfig(**case.choices)).eval()
    weights = {
        name: 0.3 * torch.randn(tensor.shape, generator=case.torch_rng)
        for name, tensor in theirs.state_dict().items()
    }
    if case.choices["sinusoidal_embeddings"]:
        weights = {n: w for n, w in weights.items() if "position_embeddings" not in n}
    for model in (ours, theirs):
        missing, unexpected = model.load_state_dict(weights, strict=False)
        assert not unexpected
        assert all("position_embeddings" in name for name in missing)
    implementation = case.rng.choice(["eager", "sdpa"])
    ours.set_attn_implementation(implementation)
    return ours, theirs


def flattened(output: Any) -> dict[str, Tensor]:
    """Return every tensor of an output by name."""
    items = output.items() if isinstance(output, dict) else enumerate(output)
    found: dict[str, Tensor] = {}
    for name, value in items:
        if isinstance(value, tuple):
            found |= {f"{name}.{place}": part for place, part in enumerate(value)}
        else:
            found[str(name)] = value
    return found


def comparable(name: str, tensor: Tensor, case: Case) -> Tensor:
    """Leave out what a query at padding attends to: ours does not see padding, theirs does."""
    is_attention = tensor.dim() == 4 and tensor.shape[-1] == tensor.shape[-2]
    if not (case.choices["causal"] and is_attention):
        return tensor
    return tensor.transpose(1, 2)[case.real]


@pytest.mark.filterwarnings("ignore:.*lengths.*")
@pytest.mark.parametrize("chunk", range(CASES // CHUNK))
@pytest.mark.parametrize("name", CLASSES)
def test_outputs_and_gradients(name: str, chunk: int) -> None:
    for seed in range(CHUNK * chunk, CHUNK * (chunk + 1)):
        case = Case(name, seed)
        ours, theirs = models(case)
        outputs = [flattened(model(**case.inputs)) for model in (ours, theirs)]
        assert list(outputs[0]) == list(outputs[1]), (seed, case.inputs.keys())
        total = [torch.zeros(()), torch.zeros(())]
        for key, found in outputs[0].items():
            expected = outputs[1][key]
            if not found.is_floating_point():
                continue  # places of spans: equal probabilities, compared above, may change places
            found, expected = (comparable(key, tensor, case) for tensor in (found, expected))
            message = f"{name}, seed {seed}, {key}: {{}}".format
            torch.testing.assert_close(found, expected, msg=message, **TOLERANCE)
            weight = torch.randn(found.shape, generator=case.torch_rng)
            total = [total[0] + (found * weight).mean(), total[1] + (expected * weight).mean()]
        for loss in total:
            loss.backward()  # type: ignore[no-untyped-call]
        for (key, mine), (_, other) in zip(
            ours.named_parameters(), theirs.named_parameters(), strict=True
        ):
            if not mine.requires_grad:
                assert key.endswith("position_embeddings.weight")
                continue
            assert (mine.grad is None) == (other.grad is None), key
            if mine.grad is not None:
                message = f"{name}, seed {seed}, gradient of {key}: {{}}".format
                torch.testing.assert_close(mine.grad, other.grad, msg=message, **TOLERANCE)


def test_the_cases_cover_what_they_should() -> None:
    cases = [Case(name, seed) for name in CLASSES for seed in range(CASES)]
    for key in ("attention_mask", "lengths", "langs", "token_type_ids", "position_ids",
                "inputs_embeds", "labels", "cls_index", "p_mask", "start_positions"):  # fmt: skip
        assert sum(key in case.inputs for case in cases) > 40, key
    for flag in ("output_hidden_states", "output_attentions"):
        assert sum(bool(case.inputs.get(flag)) for case in cases) > 200
    for choice in ("causal", "sinusoidal_embeddings", "gelu_activation", "use_lang_emb"):
        assert 200 < sum(case.choices[choice] for case in cases) < 1300
