"""One folder that carries everything a model needs, in Hugging Face's layout.

`config.json` (shape, languages, labels), `model.safetensors` (weights, float32), the tokenizer's
files, and `xlmkit.json` (the recipe that made it, versions, figures, and the checksum of the
weights). `transformers` reads all but the last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from xlmkit.checkpoint.names import (
    ENCODER_PREDICTION,
    LANGUAGE_MODEL,
    SEQUENCE_CLASSIFIER,
    TRANSLATOR,
    from_config_json,
    to_config_json,
)
from xlmkit.core.errors import UserError
from xlmkit.core.files import atomic_write, read_json, sha256_file, write_json
from xlmkit.model.config import Architecture
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.model.heads import LanguageModel, SequenceClassifier
from xlmkit.text.tokenizer import Tokenizer

WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
PROVENANCE_FILE = "xlmkit.json"
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
    """

    architecture: Architecture
    tokenizer: Tokenizer
    weights: Mapping[str, Tensor]
    head: str = LANGUAGE_MODEL
    labels: Sequence[str] = ()
    summary_type: str = "first"
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write the folder; the weights come last but one, the provenance with their hash last."""
        config = to_config_json(
            self.architecture, self.tokenizer.lang2id, self.head, self.labels, self.summary_type
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
        provenance = {**self.provenance, "sha256": sha256_file(folder / WEIGHTS_FILE)}
        write_json(folder / PROVENANCE_FILE, provenance)

    @classmethod
    def load(cls, folder: Path) -> "Bundle":
        """Read a folder that xlmkit or `transformers` wrote.

        Raises:
            UserError: it is not a checkpoint of XLM, is damaged, or its parts do not fit.
        """
        config = read_json(folder / CONFIG_FILE)
        architecture = from_config_json(config, folder / CONFIG_FILE)
        tokenizer = Tokenizer.load(folder)
        if len(tokenizer) > architecture.n_words:
            raise UserError(
                f"{folder}: the tokenizer has {len(tokenizer):,} words but the model only "
                f"{architecture.n_words:,}; use the tokenizer the model was trained with."
            )
        if 1 < architecture.n_langs < len(tokenizer.lang2id):
            raise UserError(
                f"{folder}: the tokenizer has {len(tokenizer.lang2id)} languages but the model "
                f"only {architecture.n_langs}; use the tokenizer the model was trained with."
            )
        path = folder / WEIGHTS_FILE
        provenance = {}
        if (folder / PROVENANCE_FILE).is_file():
            provenance = read_json(folder / PROVENANCE_FILE)
        try:
            weights = load_file(path)
        except FileNotFoundError:
            raise UserError(f"{folder} has no {WEIGHTS_FILE}; is it a model's folder?") from None
        except (SafetensorError, OSError) as error:
            raise UserError(f"{path} is damaged: {error}.") from None
        if "sha256" in provenance and provenance["sha256"] != sha256_file(path):
            raise UserError(f"{path} is not the file that was saved: its checksum differs.")
        return cls(
            architecture,
            tokenizer,
            weights,
            head=(config.get("architectures") or [LANGUAGE_MODEL])[0],
            labels=_labels(config, weights),
            summary_type=config.get("summary_type", "first"),
            provenance=provenance,
        )

    def language_model(self) -> LanguageModel:
        """Return the model with its word prediction, in evaluation mode."""
        return self._filled(LanguageModel(self.architecture))

    def classifier(self) -> SequenceClassifier:
        """Return the classifier, in evaluation mode.

        Raises:
            UserError: the checkpoint is not a classifier.
        """
        if self.head != SEQUENCE_CLASSIFIER:
            raise UserError(
                f"This checkpoint is a {self.head}, not a classifier; finetune it first."
            )
        model = SequenceClassifier(
            self.architecture, len(self.labels), summary_type=self.summary_type
        )
        return self._filled(model)

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
        try:
            model.load_state_dict(weights)
        except RuntimeError as error:
            details = str(error).split("\n\t")[1:]
            raise UserError(
                f"The weights do not fit the model that config.json describes: {' '.join(details)}"
            ) from None
        return model.eval()


def _labels(config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> list[str]:
    """Return a classifier's class names; `transformers` leaves out those that it would make up."""
    names = config.get("id2label")
    if names is None:
        summary = weights.get("sequence_summary.summary.bias", ())
        return [f"LABEL_{number}" for number in range(len(summary))]
    return [names[str(number)] for number in range(len(names))]
