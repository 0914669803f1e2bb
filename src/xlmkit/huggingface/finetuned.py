"""Finetuned models of other families, opened to predict."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from xlmkit.checkpoint.provenance import read_provenance
from xlmkit.core.device import Precision, choose_device, choose_dtype
from xlmkit.core.errors import UserError
from xlmkit.data.text_windows import LongTexts
from xlmkit.evaluate.answers import Answering
from xlmkit.huggingface.answering import AUTO_CLASS as ANSWERER
from xlmkit.huggingface.answering import HuggingFaceAnswerer, SpanScores
from xlmkit.huggingface.limits import position_limit, reads_types
from xlmkit.huggingface.loading import open_config, open_model, open_tokenizer
from xlmkit.huggingface.scorers import CLASSIFIER, ClassScores, HuggingFaceClassifier
from xlmkit.huggingface.scores import Scores
from xlmkit.huggingface.sequences import TextEncoder
from xlmkit.huggingface.taggers import TAGGER, HuggingFaceTagger

_HEADS = {
    "ForSequenceClassification": CLASSIFIER,
    "ForTokenClassification": TAGGER,
    "ForQuestionAnswering": ANSWERER,
}


@dataclass(frozen=True, slots=True)
class FinetunedModel:
    """A folder of `transformers`, made by `xlmkit finetune` or elsewhere.

    Attributes:
        folder: where it is.
        config: its configuration.
        tokenizer: its tokenizer.
    """

    folder: Path
    config: Any
    tokenizer: Any

    @classmethod
    def open(cls, folder: Path, model_type: str) -> Self:
        """Open the configuration and the tokenizer; weights are opened where they are needed.

        Raises:
            UserError: something is missing, damaged or unknown.
        """
        read_provenance(folder)
        config = open_config(folder, model_type)
        return cls(folder, config, open_tokenizer(folder, config))

    @property
    def head(self) -> str:
        """The Auto class of its head, such as "AutoModelForSequenceClassification".

        Raises:
            UserError: it predicts nothing about a text.
        """
        name = (self.config.architectures or [self.config.model_type])[0]
        for ending, head in _HEADS.items():
            if name.endswith(ending):
                return head
        raise UserError(
            f"{self.folder} is a {name}, which predicts no labels; name a folder that xlmkit "
            "finetune made."
        )

    @property
    def labels(self) -> list[str]:
        """Names of what is predicted."""
        return [self.config.id2label[number] for number in range(self.config.num_labels)]

    def classifier(
        self,
        languages: Sequence[str],
        model: Any,  # noqa: ANN401 - their class
        max_length: int | None,
        long_texts: LongTexts | None,
        batch_tokens: int,
        *,
        several: bool,
    ) -> HuggingFaceClassifier:
        """Return what scores texts in these languages, with what `weights` has opened.

        Raises:
            UserError: the tokenizer marks languages and has no mark for one of these.
        """
        return HuggingFaceClassifier(
            model,
            TextEncoder(self.tokenizer, languages),
            languages,
            max_length or position_limit(model, self.tokenizer),
            long_texts,
            several=several,
            batch_tokens=batch_tokens,
        )

    def tagger(
        self,
        languages: Sequence[str],
        model: Any,  # noqa: ANN401 - their class
        batch_tokens: int,
        max_length: int | None = None,
    ) -> HuggingFaceTagger:
        """Return what scores words; see `classifier`."""
        longest = position_limit(model, self.tokenizer)
        longest = min(max_length or longest, longest)
        encoder, types = TextEncoder(self.tokenizer, languages), reads_types(model)
        return HuggingFaceTagger(
            model, encoder, languages, longest, types=types, batch_tokens=batch_tokens
        )

    def answerer(
        self,
        languages: Sequence[str],
        model: Any,  # noqa: ANN401 - their class
        settings: Answering,
        batch_tokens: int,
    ) -> HuggingFaceAnswerer:
        """Return what answers questions; see `classifier`."""
        settings = settings.within(position_limit(model, self.tokenizer))
        encoder, types = TextEncoder(self.tokenizer, languages), reads_types(model)
        scores = SpanScores(model)
        return HuggingFaceAnswerer(scores, encoder, languages, settings, types, batch_tokens)

    def weights(self, precision: Precision | Literal["int8"]) -> Any:  # noqa: ANN401 - their class
        """Open the model on the fastest device, in a precision, to predict.

        Args:
            precision: `auto`, `float32` or `bfloat16`.

        Raises:
            UserError: the weights are damaged, or int8 is asked for.
        """
        if precision == "int8":
            raise UserError(
                f"int8 is for models of XLM, but {self.folder} is a {self.config.model_type}; "
                "choose --precision auto, float32 or bfloat16."
            )
        model = open_model(self.head, self.folder, self.config)
        device = choose_device()
        scores: Scores = ClassScores(model)  # rounds no buffers
        scores.to(device).to(choose_dtype(precision, device))
        return model.eval().requires_grad_(False)
