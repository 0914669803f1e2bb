"""A tokenizer of `transformers` whose texts have languages, and its calls."""

from dataclasses import replace
from functools import partial
from typing import Any

from transformers import BatchEncoding, PreTrainedTokenizer
from transformers.utils import logging
from transformers.utils.generic import PaddingStrategy

from xlmkit.huggingface.added_tokens import AddedTokenSplitter
from xlmkit.huggingface.call_options import CALL_OPTIONS, CallOptions, Row, read_rows
from xlmkit.huggingface.languages import TokenizerLanguages, languages_of_rows
from xlmkit.huggingface.row_encoding import EncodedText, encode_rows
from xlmkit.huggingface.sequence_form import ORIGINAL, fill, halves, layout
from xlmkit.huggingface.source_encoding import SourceEncoder
from xlmkit.text.encoder import TextEncoder

_log = logging.get_logger(__name__)

_PADDING = {"langs": 0, "position_ids": 0, "offset_mapping": (0, 0)}


class LanguageTokenizer(TokenizerLanguages, PreTrainedTokenizer):
    """Calls of a tokenizer in one of the forms of sequences, with a language for each text.

    Attributes:
        sequence_form: see `xlmkit.huggingface.sequence_form`.
    """

    sequence_form: str
    _text_encoder: TextEncoder
    _splitter: AddedTokenSplitter | None = None
    _reads_targets = False

    # Text to tokens.

    def tokenize(
        self,
        text: str,
        pair: str | None = None,
        add_special_tokens: bool = False,
        *,
        lang: str | None = None,
        bypass_tokenizer: bool = False,
        split_special_tokens: bool | None = None,
        **kwargs: Any,  # noqa: ANN401 - as transformers
    ) -> list[str]:
        """Return the tokens of a text as they are written, those the vocabulary lacks too.

        Args:
            text: the text.
            pair: a second one.
            add_special_tokens: whether the sequence's special tokens are put in.
            lang: the language, of both.
            bypass_tokenizer: take the words between spaces as they are.
            split_special_tokens: whether added tokens are text like any other.
            **kwargs: ignored.
        """
        splits = self.split_special_tokens if split_special_tokens is None else split_special_tokens
        language = self._text_language(lang, bypass_tokenizer)
        encoder = self._source_encoder(splits)
        texts = [text] if pair is None else [text, pair]
        slots = layout(self.sequence_form, pair=pair is not None, special=add_special_tokens)
        tokens = [encoder.tokens(text, language) for text in texts]
        return fill(slots, tokens, lambda name: str(getattr(self, f"{name}_token")))

    def _tokenize(
        self,
        text: str,
        lang: str | None = None,
        bypass_tokenizer: bool = False,
        **kwargs: Any,  # noqa: ANN401
    ) -> list[str]:
        """Return the tokens of a text in which added tokens are text like any other."""
        return self._text_encoder.pieces(text, self._text_language(lang, bypass_tokenizer))

    def _encode_plus(  # type: ignore[override]
        self,
        text: Any,  # noqa: ANN401
        text_pair: Any = None,  # noqa: ANN401
        **options: Any,  # noqa: ANN401
    ) -> BatchEncoding:
        """Encode the texts of a call, see `CallOptions`; other arguments are named and ignored."""
        unknown = sorted(options.keys() - CALL_OPTIONS)
        if unknown:
            _log.warning_once(f"{type(self).__name__} ignores {', '.join(unknown)}.")
        known = {name: value for name, value in options.items() if name not in unknown}
        choices = self._complete(CallOptions(**known))
        rows, batched = read_rows(text, text_pair, choices.is_split_into_words)
        return self._encode_rows(rows, choices, batched=batched)

    def prepare_for_model(  # type: ignore[override]
        self,
        ids: list[int],
        pair_ids: list[int] | None = None,
        add_special_tokens: bool = True,
        padding: bool | str | PaddingStrategy = False,
        truncation: Any = False,  # noqa: ANN401
        max_length: int | None = None,
        return_tensors: Any = None,  # noqa: ANN401
        prepend_batch_axis: bool = False,
        **kwargs: Any,  # noqa: ANN401
    ) -> BatchEncoding:
        """Build from the ids of one or two texts what a call builds from texts."""
        strategies = self._get_padding_truncation_strategies(
            padding, truncation, max_length, kwargs.get("pad_to_multiple_of")
        )
        options = CallOptions(
            add_special_tokens=add_special_tokens,
            padding_strategy=strategies[0],
            truncation_strategy=strategies[1],
            max_length=strategies[2],
            **kwargs,
        )
        result = self._encode_rows([(ids, pair_ids)], self._complete(options), batched=False)
        result.convert_to_tensors(return_tensors, prepend_batch_axis)
        return result

    def _complete(self, options: CallOptions) -> CallOptions:
        """Put in what depends on the tokenizer."""
        names = self.model_input_names
        defaults = {
            "return_attention_mask": "attention_mask" in names,
            "return_token_type_ids": "token_type_ids" in names,
            "split_special_tokens": self.split_special_tokens,
        }
        missing = {k: v for k, v in defaults.items() if getattr(options, k) is None}
        return replace(options, **missing)

    def _encode_rows(
        self, rows: list[Row], options: CallOptions, *, batched: bool
    ) -> BatchEncoding:
        lang = options.lang
        if self._reads_targets and options.text_target_lang is not None:
            lang = options.text_target_lang
        pairs = [second is not None for _, second in rows]
        languages = languages_of_rows(lang, options.text_pair_lang, pairs, batched=batched)
        texts = [
            (text, self.known_language(language))
            for row, row_languages in zip(rows, languages, strict=True)
            for text, language in zip(row, row_languages, strict=True)
            if text is not None
        ]
        encoder = self._source_encoder(options.split_special_tokens)
        sources = [
            (text, self._text_language(language, options.bypass_tokenizer))
            for text, language in texts
        ]
        encoded = iter(
            EncodedText(ids, language, partial(encoder.align, *source))
            for ids, (_, language), source in zip(
                encoder.encode(sources), texts, sources, strict=True
            )
        )
        samples = [[next(encoded), next(encoded)] if pair else [next(encoded)] for pair in pairs]
        return encode_rows(self, samples, options, batched=batched)

    def _text_language(self, lang: str | None, bypass: bool) -> str | None:
        """Return the language that the text layer is to split by, None if by nothing but spaces."""
        language = self.known_language(lang)
        if bypass:
            return None
        self.check_segmenter(language)
        return language

    def _source_encoder(self, split_special_tokens: bool | None) -> SourceEncoder:
        if self._splitter is None:
            self._splitter = AddedTokenSplitter(
                self._added_tokens_decoder, ignore_case=self.do_lower_case
            )
        return SourceEncoder(self._text_encoder, None if split_special_tokens else self._splitter)

    def _update_trie(self, unique_no_split_tokens: list[str] | None = None) -> None:
        super()._update_trie(unique_no_split_tokens)
        self._splitter = None  # tokens were added

    def _switch_to_input_mode(self) -> None:
        self._reads_targets = False

    def _switch_to_target_mode(self) -> None:
        self._reads_targets = True

    # Sequences.

    def special_id(self, name: str) -> int:
        """Return the id of a special token by its name, such as `sep`."""
        index: int = getattr(self, f"{name}_token_id")
        return index

    def extra_inputs(self, options: CallOptions, *, pairs: bool) -> tuple[bool, bool]:
        """Tell whether a call returns `langs` and `position_ids`."""
        langs, positions = options.return_langs, options.return_position_ids
        return (
            len(self.lang2id or ()) > 1 if langs is None else langs,
            pairs and self.sequence_form == ORIGINAL if positions is None else positions,
        )

    def warn_about_length(self, ids: list[int], options: CallOptions) -> None:
        """Warn once of a row that is longer than the model takes."""
        self._eventual_warn_about_too_long_sequence(ids, options.max_length, options.verbose)

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Return the ids of a sequence of one or two texts, in the tokenizer's form."""
        slots = layout(self.sequence_form, pair=token_ids_1 is not None)
        return fill(slots, [token_ids_0, token_ids_1 or []], self.special_id)

    def get_special_tokens_mask(
        self,
        token_ids_0: list[int],
        token_ids_1: list[int] | None = None,
        already_has_special_tokens: bool = False,
    ) -> list[int]:
        """Return 1 for each special token of a sequence, 0 for the others."""
        if already_has_special_tokens:
            mask: list[int] = super().get_special_tokens_mask(token_ids_0, token_ids_1, True)
            return mask
        slots = layout(self.sequence_form, pair=token_ids_1 is not None)
        texts = [[0] * len(ids) for ids in (token_ids_0, token_ids_1 or [])]
        return fill(slots, texts, lambda _: 1)

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Return 0 for each token of the first half of a sequence, 1 for the second."""
        slots = layout(self.sequence_form, pair=token_ids_1 is not None)
        return halves(slots, [len(token_ids_0), len(token_ids_1 or [])])

    def _pad(self, encoded_inputs: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Pad one row; `langs`, positions and offsets too."""
        side = kwargs.get("padding_side") or self.padding_side
        before = len(encoded_inputs["input_ids"])
        padded = super()._pad(encoded_inputs, *args, **kwargs)
        missing = len(padded["input_ids"]) - before
        for key in padded.keys() & _PADDING.keys():
            padding = [_PADDING[key]] * missing
            row = list(padded[key])
            padded[key] = padding + row if side == "left" else row + padding
        return padded
