"""Text to its summary, with the folder of an encoder-decoder that has learned to summarise.

Texts are often longer than what the model learned to read. Either their beginning is read, as in
training, or parts of whole sentences are summarised one by one and their summaries joined.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from xlmkit.checkpoint.provenance import read_provenance
from xlmkit.core.arguments import checked_texts
from xlmkit.core.errors import UserError
from xlmkit.data.measures import normalize
from xlmkit.generate.arguments import check_how
from xlmkit.generate.config import SearchConfig
from xlmkit.generate.ctranslate2_engine import exported, is_export
from xlmkit.generate.cutting import cut
from xlmkit.generate.engine import Precision
from xlmkit.generate.translator import Translation, Translator

LongTexts = Literal["beginning", "parts"]
SUMMARY = "summary"
"""Under this key a folder says how long the texts and summaries were that its model learned."""


class Summarizer:
    """A trained encoder-decoder that writes summaries.

    Attributes:
        translator: text to text.
        length: tokens of a text that it reads at once, `</s>` counted.
        summary_length: the most that it writes.
    """

    def __init__(self, translator: Translator, length: int, summary_length: int) -> None:
        """Take a translator that has learned from summaries, and how long they were."""
        self.translator = translator
        self.length = min(length, translator.engine.longest)
        self.summary_length = summary_length

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path,
        precision: Precision | None = None,
        *,
        capitals: bool | None = None,
    ) -> Self:
        """Open the folder of a model, or its export; see `Translator.from_pretrained`.

        Raises:
            UserError: it holds no encoder-decoder, or one that learned to translate only.
        """
        folder = Path(folder)
        translator = Translator.from_pretrained(folder, precision, capitals=capitals)
        about = exported(folder) if is_export(folder) else read_provenance(folder)
        learned = about.get(SUMMARY)
        if learned is None:
            raise UserError(
                f"{folder} has not learned to summarise; train it with the section summary of "
                "translation.models."
            )
        return cls(translator, learned["length"], learned["summary_length"])

    def summarize(
        self,
        texts: Sequence[str],
        language: str,
        tgt: str | None = None,
        search: SearchConfig | None = None,
        *,
        long_texts: LongTexts = "beginning",
        first: int = 0,
    ) -> list[str]:
        """Return the summary of every text; that of an empty text is empty.

        Args:
            texts: in one language.
            language: the language of the texts.
            tgt: the language to write; by default the same.
            search: how; by default beam search with five beams. No summary has more tokens than
                the model learned, nor than `max_length`.
            long_texts: what is done with a text that is longer than `length`: its beginning is
                summarised, or all of it in parts whose summaries are joined.
            first: number of the first text, by which the draws of `sample` differ.

        Raises:
            UserError: the model does not know a language, or there is one text and no list.
        """
        found = self.summaries(texts, language, tgt, search, long_texts=long_texts, first=first)
        return [best.text for best, *_ in found]

    def summaries(
        self,
        texts: Sequence[str],
        language: str,
        tgt: str | None = None,
        search: SearchConfig | None = None,
        *,
        long_texts: LongTexts = "beginning",
        first: int = 0,
    ) -> list[list[Translation]]:
        """Return the `n_best` summaries of every text, the best first; see `summarize`."""
        texts = checked_texts(texts)
        check_how(search, first)
        search = search or SearchConfig()
        longest = min(self.summary_length, search.max_length or self.summary_length)
        search = search.model_copy(update={"max_length": longest})
        tokenizer, room = self.translator.tokenizer, self.length - 2
        if long_texts == "parts":
            parts = [cut(text, language, tokenizer, room) for text in texts]
        else:
            rows = tokenizer.encode_batch(list(map(normalize, texts)), language)
            parts = [[ids[:room]] if len(ids) else [] for ids in rows]
        return self.translator.translations_of_parts(
            parts, language, tgt or language, search, first=first
        )


def summary_lengths(length: int, summary_length: int) -> Mapping[str, Any]:
    """Return what `from_pretrained` reads."""
    return {SUMMARY: {"length": length, "summary_length": summary_length}}
