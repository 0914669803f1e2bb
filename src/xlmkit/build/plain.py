"""xlmkit's own models, trained here or elsewhere, as a `Backbone`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from xlmkit.build.plain_answers import learn_answers, open_answerer
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import SEQUENCE_CLASSIFIER, TOKEN_CLASSIFIER
from xlmkit.core.device import choose_device
from xlmkit.core.errors import UserError
from xlmkit.core.log import say
from xlmkit.data.batch import SegmentRows
from xlmkit.data.questions import Question
from xlmkit.data.text_windows import cut_rows
from xlmkit.data.words import encode_words
from xlmkit.evaluate.answers import Answering
from xlmkit.evaluate.inference import (
    PlainClassifier,
    cut_texts,
    pooled_states,
    tell_of_cut,
    word_vectors,
)
from xlmkit.evaluate.protocols import Cut, Pooled, QuestionAnswerer, SequenceScorer, WordScorer
from xlmkit.evaluate.word_scores import PlainTagger
from xlmkit.model.config import Architecture
from xlmkit.model.heads import SequenceClassifier, TokenClassifier
from xlmkit.model.transformer import Transformer
from xlmkit.objectives.classify import SequenceClassification
from xlmkit.objectives.pool import Parts
from xlmkit.objectives.tag import TokenClassification
from xlmkit.tasks.base import TaskConfig
from xlmkit.tasks.features import encode_rows
from xlmkit.tasks.question_answering import QuestionAnsweringConfig
from xlmkit.tasks.sequences import SequenceConfig, SequenceData
from xlmkit.tasks.tagging import TaggingConfig, TaggingData
from xlmkit.train.adaptation import Adaptation


@dataclass(frozen=True)
class PlainBackbone:
    """A bundle, the languages it is used for, and those of them that it was never told of."""

    bundle: Bundle
    languages: Sequence[str]
    unknown_languages: Sequence[str] = ()

    @classmethod
    def ready(cls, bundle: Bundle, languages: Sequence[str]) -> "PlainBackbone":
        """Take a bundle of another recipe, which may know other languages.

        Raises:
            UserError: one of the languages is unknown, and the model tells languages apart.
        """
        known, shape = bundle.tokenizer.lang2id, bundle.architecture
        unknown = [code for code in languages if code not in known]
        if unknown and shape.use_lang_emb and shape.n_langs > 1:
            raise UserError(
                f"the model does not know {', '.join(unknown)}, only {', '.join(sorted(known))}; "
                "leave out the others, or take a model without language embeddings."
            )
        if unknown:  # the number of a language is then of no effect
            say(
                f"The model does not know {', '.join(unknown)}: it tells no languages apart and "
                "reads them all the same, but may never have seen them."
            )
            lang2id = {**known, **dict.fromkeys(unknown, 0)}
            bundle = replace(bundle, tokenizer=bundle.tokenizer.with_languages(lang2id))
        return cls(bundle, languages, unknown)

    @cached_property
    def transformer(self) -> Transformer:
        """The Transformer, on the device."""
        return self.bundle.transformer().to(choose_device())

    @property
    def n_layers(self) -> int:
        """Layers, the embeddings not counted."""
        return self.bundle.architecture.n_layers

    @property
    def n_parameters(self) -> int:
        """Parameters without any head."""
        return sum(parameter.numel() for parameter in self.transformer.parameters())

    def pooled_states(
        self, texts: Sequence[str], language: str, stride: int | None = None
    ) -> Pooled:
        """Return the mean of the tokens' states in each layer."""
        return pooled_states(self.transformer, self.bundle.tokenizer, texts, language, stride)

    def cut(self, texts: Sequence[str], language: str) -> Cut:
        """Return what the tokenizer makes of texts."""
        return cut_texts(self.bundle.tokenizer, texts, language)

    def word_vectors(
        self, words: Sequence[str], language: str
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the mean of each word's token embeddings, and which words are known."""
        tokenizer = self.bundle.tokenizer
        rows = [ids.tolist() for ids in tokenizer.encode_batch(words, language)]
        return word_vectors(self.transformer.embeddings.weight, rows, tokenizer.unk)

    def classification(
        self, data: SequenceData, config: SequenceConfig, tokens: int, seed: object
    ) -> Adaptation:
        """Return a fresh classifier on the Transformer, and what it learns."""
        model = SequenceClassifier(
            self._shape(config),
            len(data.labels),
            dropout=config.dropout,
            summary_type=config.summary_type,
        )
        model.transformer.load_state_dict(self.bundle.transformer().state_dict())
        rows, labels = encode_rows(data.train, self.bundle.tokenizer)
        longest, form, long_texts = self._longest(config), config.pair_form, config.long_texts
        owners = np.arange(len(rows))
        if long_texts:
            windows = cut_rows(rows, longest, long_texts.stride, form)
            rows, owners = windows.rows, windows.owners
        sequences = SegmentRows(rows, longest, form)
        tell_of_cut(sequences.n_cut, len(rows), longest, "texts to learn from")
        objective = SequenceClassification(
            sequences,
            labels,
            tokens=tokens,
            seed=seed,
            loss=data.loss,
            choices=data.choices,
            balance=data.balance(config),
            languages=Parts(data.train_languages, config.language_alpha),
            owners=owners,
            join=long_texts.join if long_texts else "mean",
        )

        def save(
            folder: Path, weights: Mapping[str, Tensor], provenance: Mapping[str, Any]
        ) -> None:
            replace(
                self.bundle,
                weights=weights,
                head=SEQUENCE_CLASSIFIER,
                labels=data.labels,
                summary_type=config.summary_type,
                provenance=provenance,
            ).save(folder)

        return Adaptation(model, objective, save)

    def classifier(self, folder: Path, config: SequenceConfig) -> SequenceScorer:
        """Open a classifier's folder."""
        bundle = Bundle.load(folder)
        model = bundle.classifier().to(choose_device())
        return PlainClassifier(
            model,
            bundle.tokenizer,
            self.languages,
            self._longest(config),
            config.long_texts,
            several=config.decides == "several",
            form=config.pair_form,
        )

    def tagging(
        self, data: TaggingData, config: TaggingConfig, tokens: int, seed: object
    ) -> Adaptation:
        """Return a fresh tagger on the Transformer, and what it learns."""
        model = TokenClassifier(self._shape(config), len(data.labels), dropout=config.dropout)
        model.transformer.load_state_dict(self.bundle.transformer().state_dict())
        sentences = {language: part.sentences for language, part in data.train.items()}
        words = encode_words(sentences, self.bundle.tokenizer, self._longest(config))
        languages = Parts(data.train_languages, config.language_alpha)
        objective = TokenClassification(
            words,
            data.train_tags,
            tokens=tokens,
            seed=seed,
            balance=data.balance(config),
            languages=languages,
        )

        def save(
            folder: Path, weights: Mapping[str, Tensor], provenance: Mapping[str, Any]
        ) -> None:
            tagger = replace(self.bundle, weights=weights, provenance=provenance)
            replace(tagger, head=TOKEN_CLASSIFIER, labels=data.labels).save(folder)

        return Adaptation(model, objective, save)

    def tagger(self, folder: Path, config: TaggingConfig) -> WordScorer:
        """Open a tagger's folder."""
        bundle = Bundle.load(folder)
        model = bundle.token_classifier().to(choose_device())
        return PlainTagger(model, bundle.tokenizer, self.languages, self._longest(config))

    def question_answering(
        self, questions: Sequence[Question], config: QuestionAnsweringConfig, seed: object
    ) -> Adaptation:
        """Return the Transformer with a fresh head that finds answers, and what it learns."""
        return learn_answers(self.bundle, questions, config, seed)

    def answerer(self, folder: Path, settings: Answering) -> QuestionAnswerer:
        """Open the folder of a model that finds answers."""
        return open_answerer(folder, self.languages, settings)

    def _shape(self, config: TaskConfig) -> Architecture:
        dropout = config.dropout
        return replace(self.bundle.architecture, dropout=dropout, attention_dropout=dropout)

    def _longest(self, config: TaskConfig) -> int:
        return min(config.max_length, self.bundle.architecture.max_position_embeddings)
