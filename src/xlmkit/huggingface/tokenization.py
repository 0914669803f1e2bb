"""`XLMTokenizer` and `XLMTokenizerFast`: Hugging Face's tokenizer of XLM over xlmkit's text layer.

Both are one implementation, and give what `transformers.XLMTokenizer` gives, at the speed of the
text layer: words from rules that are prepared once, byte-pair encoding of all new words of a batch
in one call of the Rust library, each word remembered. They differ as slow and fast tokenizers of
`transformers` do: the fast one has encodings (`word_ids()`, `char_to_token()` and so on, see
`xlmkit.huggingface.token_encoding`), and makes rows of overflowing tokens. Both offer offsets.

In `transformers` a language that is given to a call is lost on the way, and every text is split as
English. Here it reaches the text, and an unknown one is an error.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xlmkit.core.errors import UserError
from xlmkit.core.files import atomic_write, read_json
from xlmkit.huggingface.language_tokenizer import LanguageTokenizer
from xlmkit.huggingface.sequence_form import FORMS, HUGGING_FACE, ORIGINAL
from xlmkit.text.bpe import END_OF_WORD
from xlmkit.text.bpe_files import read_merges, write_merges
from xlmkit.text.encoder import TextEncoder
from xlmkit.text.tokenizer import HUGGING_FACE_SEGMENTERS, MERGES_FILE, VOCABULARY_FILE
from xlmkit.text.vocabulary import SPECIAL_TOKENS, UNK

_ADDITIONAL = SPECIAL_TOKENS[UNK + 1 :]


class XLMTokenizer(LanguageTokenizer):
    """Splits text into the sub-words of an XLM model, and builds what the model takes.

    A call takes the arguments of any tokenizer of `transformers`, and those of
    `xlmkit.huggingface.call_options.CallOptions`: `tokenizer(texts, lang="fr", padding=True)`. With
    more than one language it returns `langs` too, the language id of each token.

    Args:
        vocab_file: `vocab.json`, symbol to id.
        merges_file: `merges.txt`, one merge of byte-pair encoding a line.
        unk_token: the token of what the vocabulary lacks.
        bos_token: the first token of a sequence; in the original form it is `sep_token`, so that
            `transformers` builds the same sequence of one text.
        sep_token: the token that ends each text.
        pad_token: the token that fills a row.
        cls_token: as in `transformers`, where nothing uses it.
        mask_token: the token that hides another.
        additional_special_tokens: further tokens that are never split.
        lang2id: language -> id, of the model's languages.
        id2lang: the reverse; it follows from `lang2id`.
        do_lowercase_and_remove_accent: whether case and accents are taken away.
        segmenters: language -> segmenter, see `xlmkit.text.segment`; by default those of
            `transformers` (zh rjieba, th pythainlp, ja kytea).
        lang: the language of texts where a call names none; by default English, or the only one of
            `lang2id`.
        sequence_form: `huggingface` or `original`, see `xlmkit.huggingface.sequence_form`.
        **kwargs: as in `transformers`.

    Raises:
        ValueError: a file, a language, a segmenter or the form is not what it should be.
    """

    vocab_files_names = {"vocab_file": VOCABULARY_FILE, "merges_file": MERGES_FILE}  # noqa: RUF012

    def __init__(
        self,
        vocab_file: str,
        merges_file: str,
        unk_token: str = "<unk>",  # noqa: S107
        bos_token: str = "<s>",  # noqa: S107
        sep_token: str = "</s>",  # noqa: S107
        pad_token: str = "<pad>",  # noqa: S107
        cls_token: str = "</s>",  # noqa: S107
        mask_token: str = "<special1>",  # noqa: S107
        additional_special_tokens: Sequence[str] = _ADDITIONAL,
        lang2id: Mapping[str, int] | None = None,
        id2lang: Mapping[int, str] | None = None,
        do_lowercase_and_remove_accent: bool = True,
        segmenters: Mapping[str, str] | None = None,
        lang: str | None = None,
        sequence_form: str = HUGGING_FACE,
        **kwargs: Any,  # noqa: ANN401 - see transformers
    ) -> None:
        if sequence_form not in FORMS:
            raise ValueError(f"sequence_form is {sequence_form!r}; give {' or '.join(FORMS)}.")
        self.sequence_form = sequence_form
        self._set_languages(
            lang2id, id2lang, lang, HUGGING_FACE_SEGMENTERS if segmenters is None else segmenters
        )
        if not vocab_file or not merges_file:
            raise ValueError(f"{VOCABULARY_FILE} and {MERGES_FILE} are needed, and one is missing.")
        try:
            self.encoder = _read_vocabulary(Path(vocab_file))
            self._merges = read_merges(Path(merges_file))
        except UserError as error:
            raise ValueError(str(error)) from None
        self.decoder = {index: symbol for symbol, index in self.encoder.items()}
        self._lowercase = do_lowercase_and_remove_accent
        kwargs.setdefault("extra_special_tokens", list(additional_special_tokens))
        super().__init__(
            unk_token=unk_token,
            bos_token=sep_token if sequence_form == ORIGINAL else bos_token,
            sep_token=sep_token,
            pad_token=pad_token,
            cls_token=cls_token,
            mask_token=mask_token,
            lang2id=self.lang2id,
            id2lang=self.id2lang,
            do_lowercase_and_remove_accent=do_lowercase_and_remove_accent,
            segmenters=self.segmenters,
            lang=lang,
            sequence_form=sequence_form,
            **kwargs,
        )
        self._text_encoder = self._make_encoder()

    def _make_encoder(self) -> TextEncoder:
        unknown = self.unk_token_id
        if unknown is None:
            raise ValueError("The tokenizer needs an unk_token, for what the vocabulary lacks.")
        return TextEncoder(
            self._merges,
            self.encoder,
            unknown,
            lowercase_and_remove_accent=self._lowercase,
            segmenters=self.segmenters,
        )

    @property
    def do_lowercase_and_remove_accent(self) -> bool:
        """Whether case and accents are taken away."""
        return self._lowercase

    @do_lowercase_and_remove_accent.setter
    def do_lowercase_and_remove_accent(self, lowercase: bool) -> None:
        self._lowercase = lowercase
        self._text_encoder = self._make_encoder()

    @property
    def do_lower_case(self) -> bool:
        """The same, by the name that `transformers` asks for."""
        return self._lowercase

    @property
    def vocab_size(self) -> int:
        """The number of symbols, without added tokens."""
        return len(self.encoder)

    def get_vocab(self) -> dict[str, int]:
        """Return symbol -> id, with added tokens."""
        return {**self.encoder, **self.added_tokens_encoder}

    def _convert_token_to_id(self, token: str) -> int | None:
        return self.encoder.get(token, self._added_tokens_encoder.get(str(self.unk_token)))

    def _convert_id_to_token(self, index: int) -> str:
        return self.decoder.get(index, str(self.unk_token))

    def convert_tokens_to_string(self, tokens: Sequence[str]) -> str:
        """Join tokens; a space stands where a word ends."""
        return "".join(tokens).replace(END_OF_WORD, " ").strip()

    def save_vocabulary(
        self, save_directory: str, filename_prefix: str | None = None
    ) -> tuple[str, ...]:
        """Write `vocab.json` and `merges.txt`, and return their paths.

        Raises:
            ValueError: there is no such folder.
        """
        folder = Path(save_directory)
        if not folder.is_dir():
            raise ValueError(f"There is no folder {save_directory} to save the vocabulary in.")
        prefix = f"{filename_prefix}-" if filename_prefix else ""
        vocabulary, merges = folder / (prefix + VOCABULARY_FILE), folder / (prefix + MERGES_FILE)
        with atomic_write(vocabulary) as stream:
            json.dump(self.encoder, stream, ensure_ascii=False, indent=0)
            stream.write("\n")
        write_merges(merges, self._merges)
        return str(vocabulary), str(merges)


class XLMTokenizerFast(XLMTokenizer):
    """`XLMTokenizer` with what only fast tokenizers of `transformers` offer.

    A call's result knows the words and characters of each token (`word_ids()`, `char_to_token()`),
    and overflowing tokens make rows of their own. A folder that it saves names `XLMTokenizer`,
    which every version of `transformers` knows.
    """

    slow_tokenizer_class: Any = XLMTokenizer
    can_save_slow_tokenizer = True

    @property
    def is_fast(self) -> bool:
        """Whether results have encodings."""
        return True


def _read_vocabulary(path: Path) -> dict[str, int]:
    """Read `vocab.json`, whose ids need not run from 0."""
    ids = read_json(path)
    if not isinstance(ids, dict) or not all(isinstance(index, int) for index in ids.values()):
        raise UserError(f"{path} does not map symbols to ids.")
    return dict(sorted(ids.items(), key=lambda item: item[1]))
