"""Toolkit for cross-lingual language models: one Transformer for many languages.

The names below are loaded when they are first used, so that `import xlmkit` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xlmkit.checkpoint.bundle import Bundle
    from xlmkit.explain.explainer import Explainer
    from xlmkit.generate.summarizer import Summarizer
    from xlmkit.generate.translator import Translator
    from xlmkit.huggingface.base import XLMModel
    from xlmkit.huggingface.classification import (
        XLMForMultipleChoice,
        XLMForSequenceClassification,
        XLMForTokenClassification,
    )
    from xlmkit.huggingface.conditional_generation import XLMForConditionalGeneration
    from xlmkit.huggingface.configuration import XLMConfig
    from xlmkit.huggingface.language_model import XLMWithLMHeadModel
    from xlmkit.huggingface.outputs import XLMForQuestionAnsweringOutput
    from xlmkit.huggingface.pretrained import XLMPreTrainedModel
    from xlmkit.huggingface.question_answering import (
        XLMForQuestionAnswering,
        XLMForQuestionAnsweringSimple,
    )
    from xlmkit.huggingface.tokenization import XLMTokenizer, XLMTokenizerFast
    from xlmkit.inference.aligner import WordAligner
    from xlmkit.inference.answers import AnswerPredictor
    from xlmkit.inference.encoder import SentenceEncoder
    from xlmkit.inference.fill_mask import FillMask
    from xlmkit.inference.generator import TextGenerator
    from xlmkit.inference.sequences import SequencePredictor
    from xlmkit.inference.tagging import TaggingPredictor
    from xlmkit.model.transformer import Transformer
    from xlmkit.text.tokenizer import Tokenizer

__version__ = "0.1.0.dev0"

_MODULES = {
    "AnswerPredictor": "inference.answers",
    "Bundle": "checkpoint.bundle",
    "Explainer": "explain.explainer",
    "FillMask": "inference.fill_mask",
    "SentenceEncoder": "inference.encoder",
    "SequencePredictor": "inference.sequences",
    "Summarizer": "generate.summarizer",
    "TaggingPredictor": "inference.tagging",
    "TextGenerator": "inference.generator",
    "Tokenizer": "text.tokenizer",
    "Transformer": "model.transformer",
    "Translator": "generate.translator",
    "WordAligner": "inference.aligner",
    "XLMConfig": "huggingface.configuration",
    "XLMForConditionalGeneration": "huggingface.conditional_generation",
    "XLMForMultipleChoice": "huggingface.classification",
    "XLMForQuestionAnswering": "huggingface.question_answering",
    "XLMForQuestionAnsweringOutput": "huggingface.outputs",
    "XLMForQuestionAnsweringSimple": "huggingface.question_answering",
    "XLMForSequenceClassification": "huggingface.classification",
    "XLMForTokenClassification": "huggingface.classification",
    "XLMModel": "huggingface.base",
    "XLMPreTrainedModel": "huggingface.pretrained",
    "XLMTokenizer": "huggingface.tokenization",
    "XLMTokenizerFast": "huggingface.tokenization",
    "XLMWithLMHeadModel": "huggingface.language_model",
}

__all__ = [
    "AnswerPredictor",
    "Bundle",
    "Explainer",
    "FillMask",
    "SentenceEncoder",
    "SequencePredictor",
    "Summarizer",
    "TaggingPredictor",
    "TextGenerator",
    "Tokenizer",
    "Transformer",
    "Translator",
    "WordAligner",
    "XLMConfig",
    "XLMForConditionalGeneration",
    "XLMForMultipleChoice",
    "XLMForQuestionAnswering",
    "XLMForQuestionAnsweringOutput",
    "XLMForQuestionAnsweringSimple",
    "XLMForSequenceClassification",
    "XLMForTokenClassification",
    "XLMModel",
    "XLMPreTrainedModel",
    "XLMTokenizer",
    "XLMTokenizerFast",
    "XLMWithLMHeadModel",
    "__version__",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'xlmkit' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"xlmkit.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
