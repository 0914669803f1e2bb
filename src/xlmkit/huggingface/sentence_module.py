"""What sentence-transformers asks of a model: `XLMModel` with its tokenizer, as a first module.

Its own `Transformer` module would open XLM by the Auto classes, whose tokenizer knows no language.
Here `encode(texts, lang="sw")` reaches the tokenizer and the language embeddings.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from sentence_transformers.base.modules import InputModule
from torch import Tensor

from xlmkit.huggingface.base import XLMModel
from xlmkit.huggingface.tokenization import XLMTokenizerFast

CONFIG_FILE = "sentence_xlm_config.json"


class XLMSentences(InputModule):
    """Texts to the states of their tokens.

    Args:
        model: the Transformer.
        tokenizer: with the model's languages.
        max_seq_length: tokens that are read of a text; longer ones lose their ends.
        lang: the language of texts where a call names none.
    """

    config_file_name: str = CONFIG_FILE
    config_keys: ClassVar[list[str]] = ["max_seq_length", "lang"]
    forward_kwargs: ClassVar[set[str]] = {"lang"}  # what `encode` takes beside its own

    def __init__(
        self,
        model: XLMModel,
        tokenizer: XLMTokenizerFast,
        max_seq_length: int,
        lang: str | None = None,
    ) -> None:
        super().__init__()
        self.model, self.tokenizer = model, tokenizer
        self.max_seq_length, self.lang = max_seq_length, lang

    def preprocess(
        self,
        inputs: Sequence[str],
        prompt: str | None = None,
        lang: str | Sequence[str] | None = None,
        **kwargs: Any,  # noqa: ANN401 - of other modules
    ) -> dict[str, Any]:
        """Return the tokens of texts.

        Args:
            inputs: the texts.
            prompt: what is put before each.
            lang: the language of all texts.
            **kwargs: ignored.

        Raises:
            ValueError: the model tells languages apart, and none is named.
        """
        lang = lang or self.lang
        known = self.tokenizer.lang2id or {}
        if lang is None and len(known) > 1:
            raise ValueError(
                "name the language of the texts: encode(texts, lang=...), one of "
                f"{', '.join(known)}."
            )
        encoded: dict[str, Any] = dict(
            self.tokenizer(
                [f"{prompt or ''}{text}" for text in inputs],
                lang=lang,
                padding=True,
                truncation=True,
                max_length=self.max_seq_length,
                return_tensors="pt",
            )
        )
        return encoded

    def forward(self, features: dict[str, Any], **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401
        """Add `token_embeddings`, the states of the last layer, (B, L, E)."""
        states_BLE: Tensor = self.model(
            input_ids=features["input_ids"],
            attention_mask=features["attention_mask"],
            langs=features.get("langs"),
        ).last_hidden_state
        return {**features, "token_embeddings": states_BLE}

    def get_embedding_dimension(self) -> int:
        """Return the width of the states."""
        width: int = self.model.config.emb_dim
        return width

    def save(self, output_path: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Write model, tokenizer and settings."""
        self.model.save_pretrained(output_path)
        self.tokenizer.save_pretrained(output_path)
        self.save_config(output_path)

    @classmethod
    def load(cls, model_name_or_path: str, subfolder: str = "", **kwargs: Any) -> Self:  # noqa: ANN401
        """Open a folder, or a name on the hub."""
        names = ("token", "cache_folder", "revision", "local_files_only")
        place = {name: kwargs[name] for name in names if kwargs.get(name) is not None}
        folder = cls.load_dir_path(model_name_or_path, subfolder=subfolder, **place)
        settings = cls.load_config(folder)
        model = XLMModel.from_pretrained(Path(folder))
        return cls(model, XLMTokenizerFast.from_pretrained(Path(folder)), **settings)
