"""One folder that carries everything a model needs, in Hugging Face's layout.

`config.json` (shape, languages, labels), `model.safetensors` (weights, float32), the tokenizer's
files, and `xlmkit.json` (the recipe that made it, versions, figures, and the checksum of the
weights). `transformers` reads all but the last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from xlmkit.checkpoint.folders import check_model_folder
from xlmkit.checkpoint.names import (
    BEAM_ANSWERER,
    BEAM_SIZES,
    ENCODER_PREDICTION,
    LANGUAGE_MODEL,
    SEQUENCE_CLASSIFIER,
    SIMPLE_ANSWERER,
    TOKEN_CLASSIFIER,
    TRANSLATOR,
    from_config_json,
    to_config_json,
)
from xlmkit.checkpoint.provenance import (
    PROVENANCE_FILE,
    WEIGHTS_FILE,
    read_provenance,
    write_provenance,
)
from xlmkit.core.errors import UserError
from xlmkit.core.files import atomic_write, read_json, write_json
from xlmkit.model.config import Architecture
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.model.heads import LanguageModel, SequenceClassifier, TokenClassifier
from xlmkit.model.question_answering import Answerer, BeamAnswerer, SimpleAnswerer
from xlmkit.model.transformer import Transformer
from xlmkit.text.tokenizer import Tokenizer

__all__ = ["CONFIG_FILE", "PROVENANCE_FILE", "WEIGHTS_FILE", "Bundle"]

CONFIG_FILE = "config.json"
_PICKLED_WEIGHTS = "pytorch_model.bin"
_ENCODERS = ("transformer.", "encoder.")  # begin the names of the Transformer that reads text
_EMBEDDINGS: dict[type[nn.Module], str] = {
    LanguageModel: "transformer.embeddings.weight",
    EncoderDecoder: "decoder.embeddings.weight",
}
_TIED = "pred_layer.proj.weight"  # where it is the word embeddings' tensor, stored once

Model = TypeVar("Model", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model with all that its use needs.

    Attributes:
        architecture: the shape.
        tokenizer: text to ids, and the languages.
        weights: parameter name to tensor, float32, under Hugging Face's names.
        head: the class that Hugging Face opens it with.
        labels: class names of a classifier.
        summary_type: how a classifier pools, `first` or `mean`.
        provenance: recipe, versions and figures of its making.
        beam_sizes: starts and ends that a beam head follows up, `start_n_top` and `end_n_top`.
        summary_problem: why `classifier` cannot pool as the folder says, if it cannot.
    """

    architecture: Architecture
    tokenizer: Tokenizer
    weights: Mapping[str, Tensor]
    head: str = LANGUAGE_MODEL
    labels: Sequence[str] = ()
    summary_type: str = "first"
    provenance: Mapping[str, Any] = field(default_factory=dict)
    beam_sizes: Mapping[str, int] = field(default_factory=dict)
    summary_problem: str | None = None

    def save(self, folder: Path) -> None:
        """Write the folder; the weights come last but one, the provenance with their hash last."""
        config = to_config_json(
            self.architecture,
            self.tokenizer.lang2id,
            self.head,
            self.labels,
            self.summary_type,
            self.beam_sizes,
        )
        write_json(folder / CONFIG_FILE, config)
        self.tokenizer.save(folder)
        tensors = {
            name: tensor.detach().float().cpu().contiguous()
            for name, tensor in self.weights.items()
            if not (name == _TIED and self.architecture.tied)
        }
        with atomic_write(folder / WEIGHTS_FILE, binary=True) as stream:
            stream.write(save(tensors, {"format": "pt"}))
        write_provenance(folder, self.provenance)

    @classmethod
    def load(cls, folder: Path) -> "Bundle":
        """Read a folder that xlmkit or `transformers` wrote.

        Raises:
            UserError: it is not a checkpoint of XLM, is damaged, or its parts do not fit.
        """
        check_model_folder(folder)
        config = read_json(folder / CONFIG_FILE)
        architecture = from_config_json(config, folder / CONFIG_FILE)
        tokenizer = Tokenizer.load(folder)
        if len(tokenizer) > architecture.n_words:
            raise UserError(
                f"{folder}: the tokenizer has {len(tokenizer):,} words but the model only "
                f"{architecture.n_words:,}; use the tokenizer the model was trained with."
            )
        if not tokenizer.lang2id:  # `transformers` may keep the languages in config.json alone
            tokenizer = tokenizer.with_languages(config.get("lang2id") or {})
        n_languages = architecture.n_langs if architecture.use_lang_emb else 1
        if 1 < n_languages < len(tokenizer.lang2id):
            raise UserError(
                f"{folder}: the tokenizer has {len(tokenizer.lang2id)} languages but the model "
                f"only {architecture.n_langs}; use the tokenizer the model was trained with."
            )
        weights = _read_weights(folder)
        return cls(
            architecture,
            tokenizer,
            weights,
            head=(config.get("architectures") or [LANGUAGE_MODEL])[0],
            labels=_labels(config, weights),
            summary_type=config.get("summary_type", "first"),
            beam_sizes={name: config[name] for name in BEAM_SIZES if name in config},
            provenance=read_provenance(folder),
            summary_problem=_summary_problem(config),
        )

    def language_model(self) -> LanguageModel:
        """Return the model with its word prediction, in evaluation mode."""
        return self._filled(LanguageModel(self.architecture))

    def transformer(self) -> Transformer:
        """Return the Transformer that reads text, whatever the head, in evaluation mode."""
        found = {name[: len(p)] for name in self.weights for p in _ENCODERS if name.startswith(p)}
        prefix = found.pop() if found else ""
        weights = {
            name.removeprefix(prefix): tensor
            for name, tensor in self.weights.items()
            if name.startswith(prefix)
        }
        weights.pop("position_ids", None)  # a constant that older versions of transformers kept
        return _filled(Transformer(self.architecture), weights)

    def classifier(self) -> SequenceClassifier:
        """Return the classifier, in evaluation mode.

        Raises:
            UserError: the checkpoint is not a classifier.
        """
        if self.head != SEQUENCE_CLASSIFIER:
            raise UserError(
                f"This checkpoint is a {self.head}, not a classifier; finetune it first."
            )
        if self.summary_problem:
            raise UserError(
                f"This classifier was saved with {self.summary_problem}; open it with "
                "xlmkit.XLMForSequenceClassification."
            )
        model = SequenceClassifier(
            self.architecture, len(self.labels), summary_type=self.summary_type
        )
        return self._filled(model)

    def token_classifier(self) -> TokenClassifier:
        """Return the classifier of tokens, in evaluation mode.

        Raises:
            UserError: the checkpoint is none.
        """
        if self.head != TOKEN_CLASSIFIER:
            raise UserError(f"This checkpoint is a {self.head}, not a tagger; finetune it first.")
        return self._filled(TokenClassifier(self.architecture, len(self.labels)))

    def answerer(self) -> Answerer:
        """Return the model that finds answers, with the head that it has, in evaluation mode.

        Raises:
            UserError: the checkpoint is none.
        """
        if self.head == SIMPLE_ANSWERER:
            return self._filled(SimpleAnswerer(self.architecture))
        if self.head != BEAM_ANSWERER:
            raise UserError(f"This checkpoint is a {self.head}, which answers no questions.")
        return self._filled(BeamAnswerer(self.architecture, **self.all_beam_sizes))

    @property
    def all_beam_sizes(self) -> dict[str, int]:
        """Those of a beam head, with the defaults of `transformers` where none are said."""
        return {name: self.beam_sizes.get(name, 5) for name in BEAM_SIZES}

    def encoder_decoder(self) -> EncoderDecoder:
        """Return the translator, in evaluation mode.

        Raises:
            UserError: the checkpoint is none.
        """
        if self.head != TRANSLATOR:
            raise UserError(f"This checkpoint is a {self.head}, not a translator.")
        return self._filled(EncoderDecoder(self.architecture))

    def _filled(self, model: Model) -> Model:
        weights = {
            name: tensor
            for name, tensor in self.weights.items()
            if not name.startswith(ENCODER_PREDICTION)
        }
        words = weights.get(_EMBEDDINGS[type(model)]) if type(model) in _EMBEDDINGS else None
        if words is not None and self.architecture.tied:
            weights[_TIED] = words
        return _filled(model, weights)


def _read_weights(folder: Path) -> dict[str, Tensor]:
    """Read the weights; of an old pickle only plain tensors, nothing in it is run."""
    path = folder / WEIGHTS_FILE
    pickled = folder / _PICKLED_WEIGHTS
    try:
        if not path.is_file() and pickled.is_file():
            path = pickled
            weights: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
            return weights
        if not path.is_file() and (index := folder / f"{WEIGHTS_FILE}.index.json").is_file():
            parts = sorted(set(read_json(index)["weight_map"].values()))
            return {name: part for file in parts for name, part in load_file(folder / file).items()}
        return load_file(path)
    except FileNotFoundError:
        raise UserError(f"{folder} has no {WEIGHTS_FILE}; is it a model's folder?") from None
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is damaged: {error}.") from None
    except (UnpicklingError, RuntimeError, EOFError) as error:
        reason = str(error).split("\n", 1)[0].rstrip(".")
        raise UserError(f"{path} is damaged or holds more than weights: {reason}.") from None


def _filled(model: Model, weights: Mapping[str, Tensor]) -> Model:
    """Return a model with these weights, in evaluation mode."""
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        details = str(error).split("\n\t")[1:]
        raise UserError(
            f"The weights do not fit the model that config.json describes: {' '.join(details)}"
        ) from None
    return model.eval()


def _summary_problem(config: Mapping[str, Any]) -> str | None:
    """Return what of a configuration's pooling xlmkit's own classifier does not do."""
    kind = config.get("summary_type", "first")
    if config.get("summary_activation"):
        return f"summary_activation={config['summary_activation']!r}"
    if kind not in ("first", "last", "mean"):
        return f"summary_type={kind!r}"
    if kind != "first" and config.get("summary_over_padding", True):
        return f"summary_type={kind!r} over padding"
    return None


def _labels(config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> list[str]:
    """Return a classifier's class names; `transformers` leaves out those that it would make up."""
    names = config.get("id2label")
    if names is None:
        names_of_heads = ("sequence_summary.summary.bias", "classifier.bias")
        biases = [weights[name] for name in names_of_heads if name in weights]
        return [f"LABEL_{number}" for bias in biases for number in range(len(bias))]
    return [names[str(number)] for number in range(len(names))]
