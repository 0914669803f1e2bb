"""Text to its summary, with the folder of an encoder-decoder that has learned to summarise.

Texts are often longer than what the model learned to read. Either their beginning is read, as in
training, or parts of whole sentences are summarised one by one and their summaries joined.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self, get_args

from xlmkit.checkpoint.provenance import read_provenance
from xlmkit.core.arguments import checked_texts
from xlmkit.core.errors import UserError
from xlmkit.data.measures import normalize
from xlmkit.generate.arguments import check_how
from xlmkit.generate.config import SearchConfig
from xlmkit.generate.ctranslate2_engine import exported, is_export
from xlmkit.generate.cutting import cut
from xlmkit.generate.directions import DIRECTIONS, SUMMARY, check_learned, learned
from xlmkit.generate.engine import Precision
from xlmkit.generate.translator import Translation, Translator
from xlmkit.text.languages import check_known

LongTexts = Literal["beginning", "parts"]


class Summarizer:
    """A trained encoder-decoder that writes summaries.

    Attributes:
        translator: text to text.
        length: tokens of a text that it reads at once, `</s>` counted.
        summary_length: tokens of the longest summary that it writes, `</s>` at both ends counted.
        directions: what it has learned to summarise, such as `en-en`; others are refused. None
            where its folder does not say.
    """

    def __init__(
        self,
        translator: Translator,
        length: int,
        summary_length: int,
        directions: Sequence[str] | None = None,
    ) -> None:
        """Take a translator that has learned from summaries, how long they were, and which."""
        self.translator = translator
        self.length = min(length, translator.engine.longest)
        self.summary_length = summary_length
        self.directions = directions

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
        told = about.get(SUMMARY)
        if told is None or (directions := learned(told)) == ():
            raise UserError(
                f"{folder} has not learned to summarise; train it with the section summary of "
                "translation.models."
            )
        return cls(translator, told["length"], told["summary_length"], directions)

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
            tgt: the language to write; by default the only one that was learned from this
                language, or else the same.
            search: how; by default beam search with five beams. No summary has more tokens than
                the model learned, nor than `max_length`.
            long_texts: what is done with a text that is longer than `length`: its beginning is
                summarised, or all of it in parts whose summaries are joined.
            first: number of the first text, by which the draws of `sample` differ.

        Raises:
            UserError: the model does not know a language, has not learned the direction, or
                something is not of the right form.
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
        tgt = self.target(language, tgt)
        texts = checked_texts(texts)
        check_how(search, first)
        if long_texts not in (known := get_args(LongTexts)):
            raise UserError(f"long_texts is to be {' or '.join(known)}, and not {long_texts!r}.")
        search = search or SearchConfig()
        longest = self.summary_length - 2
        longest = min(longest, search.max_length or longest)
        search = search.model_copy(update={"max_length": longest})
        tokenizer, room = self.translator.tokenizer, self.length - 2
        if long_texts == "parts":
            parts = [cut(text, language, tokenizer, room) for text in texts]
        else:
            rows = tokenizer.encode_batch(list(map(normalize, texts)), language)
            parts = [[ids[:room]] if len(ids) else [] for ids in rows]
        return self.translator.translations_of_parts(parts, language, tgt, search, first=first)

    def target(self, language: str, tgt: str | None = None) -> str:
        """Return the language to write; see `summarize`.

        Raises:
            UserError: the model does not know a language, or has not learned the direction.
        """
        if tgt is None:
            ways = (name.split("-") for name in self.directions or ())
            fitting = [target for source, target in ways if source == language]
            tgt = fitting[0] if len(fitting) == 1 else language
        for code in (language, tgt):
            check_known(code, self.translator.tokenizer.lang2id)
        check_learned(self.directions, language, tgt, "summarise")
        return tgt


def of_summaries(length: int, summary_length: int, directions: Sequence[str]) -> Mapping[str, Any]:
    """Return what `from_pretrained` reads."""
    told = {"length": length, "summary_length": summary_length, DIRECTIONS: list(directions)}
    return {SUMMARY: told}
