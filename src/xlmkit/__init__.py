"""Toolkit for cross-lingual language models: one Transformer for many languages.

The names below are loaded when they are first used, so that `import xlmkit` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xlmkit.checkpoint.bundle import Bundle
    from xlmkit.huggingface.configuration import XLMConfig
    from xlmkit.huggingface.tokenization import XLMTokenizer, XLMTokenizerFast
    from xlmkit.model.transformer import Transformer
    from xlmkit.text.tokenizer import Tokenizer

__version__ = "0.1.0.dev0"

_MODULES = {
    "Bundle": "xlmkit.checkpoint.bundle",
    "Tokenizer": "xlmkit.text.tokenizer",
    "Transformer": "xlmkit.model.transformer",
    "XLMConfig": "xlmkit.huggingface.configuration",
    "XLMTokenizer": "xlmkit.huggingface.tokenization",
    "XLMTokenizerFast": "xlmkit.huggingface.tokenization",
}

__all__ = [
    "Bundle",
    "Tokenizer",
    "Transformer",
    "XLMConfig",
    "XLMTokenizer",
    "XLMTokenizerFast",
    "__version__",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'xlmkit' has no attribute '{name}'")
    value = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
