"""Rows of overflowing tokens and their lookups against the Rust library's, on words as tokens."""

import random
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

transformers = pytest.importorskip("transformers")

from xlmkit import XLMTokenizerFast  # noqa: E402
from xlmkit.text.tokenizer import Tokenizer as TextTokenizer  # noqa: E402
from xlmkit.text.tokenizer import TokenizerConfig  # noqa: E402

WORDS = [f"{a}{b}" for a in "abcde" for b in "fghij"]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """Return ours, with a vocabulary of whole words, and a Rust tokenizer with the same ids."""
    config = TokenizerConfig(vocabulary_size=14 + 20 + len(WORDS), character_coverage=1.0)
    folder: Path = tmp_path_factory.mktemp("words")
    learned = TextTokenizer.learn([("en", [" ".join(WORDS)] * 9)], config, ["en"])
    learned.save(folder)
    ours = XLMTokenizerFast.from_pretrained(folder, sequence_form="huggingface")
    ours.bos_token = "<s>"
    assert [len(ours.tokenize(word)) for word in WORDS] == [1] * len(WORDS)
    ids = {word: ours.convert_tokens_to_ids(word + "</w>") for word in WORDS}
    special = {"<s>": 0, "</s>": 1, "<pad>": 2, "<unk>": 3}
    rust = Tokenizer(models.WordLevel({**special, **ids}, unk_token="<unk>"))
    rust.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    rust.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> $B:1 </s>:1",
        special_tokens=[("<s>", 0), ("</s>", 1)],
    )
    theirs = transformers.PreTrainedTokenizerFast(
        tokenizer_object=rust, bos_token="<s>", eos_token="</s>", sep_token="</s>",
        pad_token="<pad>", unk_token="<unk>",
    )  # fmt: skip
    return ours, theirs


def text(rng: random.Random, least: int) -> str:
    return "  ".join(rng.choices(WORDS, k=rng.randint(least, 14)))


@pytest.mark.parametrize("padding_side", ["right", "left"])
@pytest.mark.parametrize("truncation_side", ["right", "left"])
def test_rows_and_lookups(both: tuple[Any, Any], padding_side: str, truncation_side: str) -> None:
    rng = random.Random(padding_side + truncation_side)
    for tokenizer in both:
        tokenizer.padding_side, tokenizer.truncation_side = padding_side, truncation_side
    for _ in range(150):
        pair = rng.random() < 0.5
        strategy = rng.choice(["only_first", "only_second"]) if pair else "longest_first"
        # The text that is not cut is short enough to leave room for the other.
        first = text(rng, 5) if strategy != "only_second" else "af bg"
        second = (text(rng, 5) if strategy == "only_second" else "ch") if pair else None
        options = {
            "truncation": strategy, "max_length": rng.randint(9, 18), "stride": rng.randint(0, 2),
            "return_overflowing_tokens": True, "return_offsets_mapping": True, "padding": True,
            "return_special_tokens_mask": True,
        }  # fmt: skip
        mine, theirs = (tokenizer(first, second, **options) for tokenizer in both)
        theirs.pop("token_type_ids", None)
        assert dict(mine) == dict(theirs)
        for row in range(len(mine["input_ids"])):
            a, b = mine[row], theirs[row]
            for name in ("sequence_ids", "word_ids", "offsets", "special_tokens_mask",
                         "attention_mask", "n_sequences", "ids"):  # fmt: skip
                assert getattr(a, name) == getattr(b, name), name
            for sequence, content in enumerate(filter(None, (first, second))):
                for place in range(len(content)):
                    assert a.char_to_token(place, sequence) == b.char_to_token(place, sequence)
                    assert a.char_to_word(place, sequence) == b.char_to_word(place, sequence)
                for word in range(len(content.split())):
                    assert a.word_to_tokens(word, sequence) == b.word_to_tokens(word, sequence)
                    assert a.word_to_chars(word, sequence) == b.word_to_chars(word, sequence)
            for token in range(len(a)):
                assert a.token_to_chars(token) == b.token_to_chars(token)
                assert a.token_to_word(token) == b.token_to_word(token)
                assert a.token_to_sequence(token) == b.token_to_sequence(token)
