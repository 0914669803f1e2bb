"""Encoders of any family that `transformers` knows, adapted and measured as xlmkit's own models.

Multilingual BERT, XLM-R, mDeBERTa, ModernBERT, mBART and their like are opened by the Auto
classes. They keep their own tokenizer, special tokens and classification head, and what is made of
them is an ordinary folder of `transformers`; training and measurement are those of xlmkit.
"""

import copy
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xlmkit.checkpoint.provenance import read_provenance, write_provenance
from xlmkit.core.device import choose_device
from xlmkit.core.errors import UserError
from xlmkit.data.questions import Question
from xlmkit.evaluate.answers import Answering
from xlmkit.evaluate.inference import run_batches, word_vectors
from xlmkit.evaluate.joining import mean_of_windows
from xlmkit.evaluate.protocols import Cut, Pooled
from xlmkit.huggingface.answering import (
    HuggingFaceAnswerer,
    SpanScores,
    encode_windows,
    open_span_model,
)
from xlmkit.huggingface.limits import NO_LIMIT, position_limit, reads_types
from xlmkit.huggingface.loading import open_config, open_model, open_tokenizer, quietly
from xlmkit.huggingface.scorers import (
    CLASSIFIER,
    ClassScores,
    HuggingFaceClassifier,
    encode_examples,
)
from xlmkit.huggingface.scores import Scores
from xlmkit.huggingface.sequences import EncoderInputs, TextEncoder
from xlmkit.huggingface.taggers import TAGGER, HuggingFaceTagger, check_tagger
from xlmkit.huggingface.windows import encode_in_windows
from xlmkit.huggingface.words import encode_native_words
from xlmkit.objectives.answer import QuestionAnswering, simple_loss
from xlmkit.objectives.classify import SequenceClassification
from xlmkit.objectives.pool import Parts
from xlmkit.objectives.tag import TokenClassification
from xlmkit.tasks.answer_places import answer_places, question_languages
from xlmkit.tasks.base import TaskConfig
from xlmkit.tasks.question_answering import QuestionAnsweringConfig
from xlmkit.tasks.sequences import SequenceConfig, SequenceData
from xlmkit.tasks.tagging import TaggingConfig, TaggingData
from xlmkit.train.adaptation import Adaptation

_UNLIMITED = 512  # tokens read by a model that sets no limit, where the recipe sets none either
_PROBLEMS = {
    "classes": "single_label_classification",
    "several": "multi_label_classification",
    "number": "regression",
    "choice": "regression",  # one score for each choice
}


class HuggingFaceBackbone:
    """A pretrained model of any family, as a `Backbone`.

    Args:
        folder: where it is.
        config: its configuration.
        tokenizer: its tokenizer.
        languages: what it is used for.
    """

    unknown_languages: Sequence[str] = ()  # their models do not say which they know

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

    def pooled_states(
        self, texts: Sequence[str], language: str, stride: int | None = None
    ) -> Pooled:
        """Return the mean of the tokens' states in each layer.

        Raises:
            UserError: windows are asked for that the tokenizer cannot make.
        """
        model = self._base.get_encoder() if self.config.is_encoder_decoder else self._base
        limit = position_limit(self._base, self.encoder.tokenizer)
        longest = limit if limit < NO_LIMIT else _UNLIMITED

        def compute(inputs: EncoderInputs) -> Tensor:
            states = inputs.fed_to(partial(model, output_hidden_states=True)).hidden_states
            mask_BL = inputs.mask.float()
            sums = [torch.einsum("ble,bl->be", state.float(), mask_BL) for state in states]
            return torch.stack(sums, dim=1) / mask_BL.sum(dim=1)[:, None, None]

        types = reads_types(model)
        if stride is None:
            encoded = self.encoder.encode({language: texts}, longest, types=types)
            return Pooled(run_batches(model, encoded, compute), encoded.n_cut, longest)
        windows, owners = encode_in_windows(
            self.encoder, {language: texts}, longest, stride, types=types
        )
        states = run_batches(model, windows, compute)
        return Pooled(mean_of_windows(states, owners, windows.lengths), 0, longest)

    def cut(self, texts: Sequence[str], language: str) -> Cut:
        """Return what the tokenizer makes of texts."""
        return self.encoder.cut(texts, language)

    def word_vectors(
        self, words: Sequence[str], language: str
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the mean of each word's token embeddings, and which words are known."""
        tokenizer = self.encoder.tokenizer
        del language  # tokens of a word do not depend on it
        rows = tokenizer(list(words), add_special_tokens=False)["input_ids"] if words else []
        return word_vectors(self._base.get_input_embeddings().weight, rows, tokenizer.unk_token_id)

    def classification(
        self, data: SequenceData, config: SequenceConfig, tokens: int, seed: object
    ) -> Adaptation:
        """Return the family's own classifier, and what it learns."""
        shape = self._shape(data.labels, config)
        shape.problem_type = _PROBLEMS[data.loss]
        model = open_model(CLASSIFIER, self.folder, shape)
        longest = min(config.max_length, position_limit(model, self.encoder.tokenizer))
        sequences, owners = encode_examples(
            self.encoder, data, longest, config.long_texts, types=reads_types(model)
        )
        objective = SequenceClassification(
            sequences,
            np.concatenate([part.labels for part in data.train.values()]),
            tokens=tokens,
            seed=seed,
            loss=data.loss,
            choices=data.choices,
            balance=data.balance(config),
            languages=Parts(data.train_languages, config.language_alpha),
            owners=owners,
            join=config.long_texts.join if config.long_texts else "mean",
        )
        scores = ClassScores(model)
        return Adaptation(scores, objective, partial(self._save, scores))

    def _shape(self, labels: Sequence[str], config: TaskConfig) -> Any:  # noqa: ANN401
        """Return the configuration with a task's labels and dropout."""
        shape = self._with_dropout(config.dropout)
        shape.id2label = dict(enumerate(labels))
        shape.label2id = {label: number for number, label in enumerate(labels)}
        return shape

    def _with_dropout(self, dropout: float) -> Any:  # noqa: ANN401 - their class
        shape = copy.deepcopy(self.config)
        for name, value in self.config.to_dict().items():
            if ("dropout" in name or name.endswith("pdrop")) and isinstance(value, int | float):
                setattr(shape, name, dropout)
        return shape

    def question_answering(
        self, questions: Sequence[Question], config: QuestionAnsweringConfig, seed: object
    ) -> Adaptation:
        """Return the family's own model that finds answers, and what it learns.

        Raises:
            UserError: there is none, or the beam head is asked for.
        """
        if config.head == "beam":
            raise UserError(
                f"the beam head is for models of XLM, not of {self.config.model_type}; set head: "
                "simple."
            )
        model = open_span_model(self.folder, self._with_dropout(config.dropout))
        settings = config.answering.within(position_limit(model, self.encoder.tokenizer))
        windows = encode_windows(self.encoder, questions, settings.shape, types=reads_types(model))
        objective = QuestionAnswering(
            windows,
            answer_places(windows.parts, questions),
            tokens=config.tokens_per_batch,
            seed=seed,
            loss=simple_loss,
            languages=Parts(question_languages(windows.parts, questions), config.language_alpha),
        )
        scores = SpanScores(model)
        return Adaptation(scores, objective, partial(self._save, scores))

    def answerer(self, folder: Path, settings: Answering) -> HuggingFaceAnswerer:
        """Open the folder of a model that finds answers.

        Raises:
            UserError: it is damaged.
        """
        read_provenance(folder)
        model = open_span_model(folder, open_config(folder, self.config.model_type))
        settings = settings.within(position_limit(model, self.encoder.tokenizer))
        scores = SpanScores(model.to(choose_device()))
        return HuggingFaceAnswerer(
            scores, self.encoder, self.languages, settings, reads_types(model)
        )

    def _save(
        self,
        scores: Scores,
        folder: Path,
        weights: Mapping[str, Tensor],
        provenance: Mapping[str, Any],
    ) -> None:
        trained = {parameter: parameter.data for parameter in scores.parameters()}
        for name, parameter in scores.named_parameters(remove_duplicate=False):
            parameter.data = weights[name]
        with quietly(folder, "The model"):
            scores.model.save_pretrained(folder, max_shard_size="1TB")  # type: ignore[operator]
            self.encoder.tokenizer.save_pretrained(folder)
        for parameter, value in trained.items():  # its training may go on
            parameter.data = value
        write_provenance(folder, provenance)

    def classifier(self, folder: Path, config: SequenceConfig) -> HuggingFaceClassifier:
        """Open a classifier's folder.

        Raises:
            UserError: it is damaged.
        """
        read_provenance(folder)
        shape = open_config(folder, self.config.model_type)
        model = open_model(CLASSIFIER, folder, shape)
        return HuggingFaceClassifier(
            model.to(choose_device()),
            self.encoder,
            self.languages,
            config.max_length,
            config.long_texts,
            several=config.decides == "several",
        )

    def tagging(
        self, data: TaggingData, config: TaggingConfig, tokens: int, seed: object
    ) -> Adaptation:
        """Return the family's own tagger, and what it learns.

        Raises:
            UserError: the family has none.
        """
        check_tagger(self.config)
        model = open_model(TAGGER, self.folder, self._shape(data.labels, config))
        longest = min(config.max_length, position_limit(model, self.encoder.tokenizer))
        sentences = {language: part.sentences for language, part in data.train.items()}
        words = encode_native_words(self.encoder, sentences, longest, types=reads_types(model))
        languages = Parts(data.train_languages, config.language_alpha)
        objective = TokenClassification(
            words,
            data.train_tags,
            tokens=tokens,
            seed=seed,
            balance=data.balance(config),
            languages=languages,
        )
        scores = ClassScores(model)
        return Adaptation(scores, objective, partial(self._save, scores))

    def tagger(self, folder: Path, config: TaggingConfig) -> HuggingFaceTagger:
        """Open a tagger's folder.

        Raises:
            UserError: it is damaged.
        """
        read_provenance(folder)
        shape = open_config(folder, self.config.model_type)
        model = open_model(TAGGER, folder, shape).to(choose_device())
        longest = min(config.max_length, position_limit(model, self.encoder.tokenizer))
        types = reads_types(model)
        return HuggingFaceTagger(model, self.encoder, self.languages, longest, types=types)
