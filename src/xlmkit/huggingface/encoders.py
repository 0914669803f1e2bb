"""Encoders of any family that `transformers` knows, adapted and measured as xlmkit's own models.

Multilingual BERT, XLM-R, mDeBERTa, ModernBERT, mBART and their like are opened by the Auto
classes. They keep their own tokenizer, special tokens and classification head, and what is made of
them is an ordinary folder of `transformers`; training and measurement are those of xlmkit.
"""

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xlmkit.checkpoint.provenance import read_provenance, write_provenance
from xlmkit.core.device import choose_device
from xlmkit.core.errors import UserError
from xlmkit.evaluate.inference import run_batches
from xlmkit.huggingface.loading import open_config, open_model, open_tokenizer, quietly
from xlmkit.huggingface.sequences import EncoderInputs, TextEncoder
from xlmkit.objectives.classify import SequenceClassification
from xlmkit.tasks.sequences import SequenceConfig, SequenceData
from xlmkit.train.adaptation import Adaptation

_UNLIMITED = 512  # tokens read by a model that sets no limit, where the recipe sets none either
_PROBLEMS = {
    "classes": "single_label_classification",
    "several": "multi_label_classification",
    "number": "regression",
    "choice": "regression",  # one score for each choice
}
_HUGE = 10**9  # what tokenizers say that know no limit is larger


class ClassScores(nn.Module):
    """A classifier of `transformers` that returns the classes' scores alone."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, **inputs: Tensor) -> Tensor:
        """Return class scores, (B, C)."""
        scores_BC: Tensor = self.model(**inputs).logits
        return scores_BC

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Move and convert parameters, but never round buffers.

        They hold frequencies of rotary positions, which in bfloat16 would be other positions.
        """
        exact = [
            (module, name, buffer)
            for module in self.modules()
            for name, buffer in module._buffers.items()
            if buffer is not None and buffer.is_floating_point()
        ]
        super()._apply(fn, recurse)
        for module, name, buffer in exact:
            device = module._buffers[name].device  # type: ignore[union-attr]
            module._buffers[name] = buffer.to(device)
        return self


class HuggingFaceClassifier:
    """A finetuned model as a `SequenceScorer`."""

    def __init__(
        self,
        model: Any,  # noqa: ANN401 - their class
        encoder: TextEncoder,
        languages: Sequence[str],
        max_length: int,
    ) -> None:
        self.model, self.encoder, self.languages = model, encoder, languages
        self.max_length = min(max_length, position_limit(model, encoder.tokenizer))

    def scores(
        self, texts: Sequence[str], language: str, seconds: Sequence[str] | None = None
    ) -> NDArray[np.float32]:
        """Return the score of every class before any softmax, (texts, C)."""

        def compute(inputs: EncoderInputs) -> Tensor:
            scores_BC: Tensor = inputs.fed_to(self.model).logits
            return scores_BC

        types = reads_types(self.model)
        pairs = None if seconds is None else {language: seconds}
        encoded = self.encoder.encode(
            {language: texts}, self.max_length, types=types, seconds=pairs
        )
        return run_batches(self.model, encoded, compute)


class HuggingFaceBackbone:
    """A pretrained model of any family, as a `Backbone`.

    Args:
        folder: where it is.
        config: its configuration.
        tokenizer: its tokenizer.
        languages: what it is used for.
    """

    def __init__(self, folder: Path, config: Any, tokenizer: Any, languages: Sequence[str]) -> None:  # noqa: ANN401
        self.folder, self.config, self.languages = folder, config, languages
        self.encoder = TextEncoder(tokenizer, languages)

    @classmethod
    def open(cls, folder: Path, model_type: str, languages: Sequence[str]) -> Self:
        """Open the configuration and the tokenizer; weights are opened where they are needed.

        Raises:
            UserError: something is missing, damaged or unknown.
        """
        config = open_config(folder, model_type)
        return cls(folder, config, open_tokenizer(folder, config), languages)

    @property
    def n_layers(self) -> int:
        """Layers, the embeddings not counted; of an encoder-decoder those of the encoder."""
        return int(self.config.num_hidden_layers)

    @property
    def n_parameters(self) -> int:
        """Parameters without any head."""
        return sum(parameter.numel() for parameter in self._base.parameters())

    @cached_property
    def _base(self) -> Any:  # noqa: ANN401 - their class
        return open_model("AutoModel", self.folder, self.config).to(choose_device())

    def pooled_states(self, texts: Sequence[str], language: str) -> NDArray[np.float32]:
        """Return the mean of the tokens' states, (texts, n_layers + 1, E)."""
        model = self._base.get_encoder() if self.config.is_encoder_decoder else self._base
        limit = position_limit(self._base, self.encoder.tokenizer)
        longest = limit if limit < _HUGE else _UNLIMITED

        def compute(inputs: EncoderInputs) -> Tensor:
            states = inputs.fed_to(partial(model, output_hidden_states=True)).hidden_states
            mask_BL = inputs.mask.float()
            sums = [torch.einsum("ble,bl->be", state.float(), mask_BL) for state in states]
            return torch.stack(sums, dim=1) / mask_BL.sum(dim=1)[:, None, None]

        encoded = self.encoder.encode({language: texts}, longest, types=reads_types(model))
        return run_batches(model, encoded, compute)

    def classification(
        self, data: SequenceData, config: SequenceConfig, tokens: int, seed: object
    ) -> Adaptation:
        """Return the family's own classifier, and what it learns.

        Raises:
            UserError: long texts are to be read in windows, which only models of XLM do.
        """
        if config.long_texts is not None:
            raise UserError(
                f"long_texts is for models of XLM, but {self.folder.name} is a "
                f"{self.config.model_type}; leave out one of them."
            )
        shape = copy.deepcopy(self.config)
        shape.id2label = dict(enumerate(data.labels))
        shape.label2id = {label: number for number, label in enumerate(data.labels)}
        shape.problem_type = _PROBLEMS[data.loss]
        for name, value in self.config.to_dict().items():
            if ("dropout" in name or name.endswith("pdrop")) and isinstance(value, int | float):
                setattr(shape, name, config.dropout)
        model = open_model("AutoModelForSequenceClassification", self.folder, shape)
        longest = min(config.max_length, position_limit(model, self.encoder.tokenizer))
        texts = {language: part.texts for language, part in data.train.items()}
        seconds = {code: part.seconds for code, part in data.train.items() if part.seconds}
        types = reads_types(model)
        sequences = self.encoder.encode(texts, longest, types=types, seconds=seconds)
        labels = np.concatenate([part.labels for part in data.train.values()])
        objective = SequenceClassification(
            sequences, labels, tokens=tokens, seed=seed, loss=data.loss, choices=data.choices
        )
        scores = ClassScores(model)
        return Adaptation(scores, objective, partial(self._save, scores))

    def _save(
        self,
        scores: ClassScores,
        folder: Path,
        weights: Mapping[str, Tensor],
        provenance: Mapping[str, Any],
    ) -> None:
        for name, parameter in scores.named_parameters(remove_duplicate=False):
            parameter.data = weights[name]
        with quietly(folder, "The model"):
            scores.model.save_pretrained(folder, max_shard_size="1TB")  # type: ignore[operator]
            self.encoder.tokenizer.save_pretrained(folder)
        write_provenance(folder, provenance)

    def classifier(self, folder: Path, config: SequenceConfig) -> HuggingFaceClassifier:
        """Open a classifier's folder.

        Raises:
            UserError: it is damaged.
        """
        read_provenance(folder)
        shape = open_config(folder, self.config.model_type)
        model = open_model("AutoModelForSequenceClassification", folder, shape)
        return HuggingFaceClassifier(
            model.to(choose_device()), self.encoder, self.languages, config.max_length
        )


def position_limit(model: nn.Module, tokenizer: Any) -> int:  # noqa: ANN401 - their class
    """Return the most tokens that a model reads, `_HUGE` or more where it sets no limit."""
    config: Any = model.config
    places = getattr(config, "max_position_embeddings", None) or _HUGE
    for name, module in model.named_modules():
        # RoBERTa's family counts positions from behind the padding's index.
        is_table = name.endswith("position_embeddings") and isinstance(module, nn.Embedding)
        if is_table and module.padding_idx is not None:
            places = min(places, module.num_embeddings - module.padding_idx - 1)
    return int(min(places, tokenizer.model_max_length, _HUGE))


def reads_types(model: Any) -> bool:  # noqa: ANN401 - their class
    """Tell whether a model reads token type ids."""
    return "token_type_ids" in inspect.signature(model.forward).parameters
