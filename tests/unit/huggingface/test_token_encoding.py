"""XLMTokenizerFast: words, characters, rows of overflowing tokens."""

import pickle
from pathlib import Path
from typing import Any

import pytest

transformers = pytest.importorskip("transformers")

from xlmkit import XLMTokenizer, XLMTokenizerFast  # noqa: E402

TEXT = "Größere  Katzen — “don't” <special1> ."


@pytest.fixture(scope="module")
def fast(folder: Path) -> Any:
    return XLMTokenizerFast.from_pretrained(folder)


def test_tokens_are_where_they_came_from(fast: Any) -> None:
    encoding = fast(TEXT, lang="en")
    row = encoding.encodings[0]
    parts: dict[int, str] = {}
    for index, word in enumerate(encoding.word_ids()):
        if word is None:
            assert encoding.token_to_chars(index) is None
            assert row.special_tokens_mask[index] == 1
        else:
            start, end = encoding.token_to_chars(index)
            parts[word] = parts.get(word, "") + TEXT[start:end]
            assert encoding.char_to_token(start) <= index
            assert encoding.token_to_word(index) == encoding.char_to_word(start) == word
    assert list(parts.values()) == [
        "Größere", "Katzen", "—", "“", "don", "'t", "”", "<special1>", ".",
    ]  # fmt: skip
    assert encoding.char_to_token(7) is None  # a space
    assert encoding.word_to_chars(1) == (9, 15)
    first, last = encoding.word_to_tokens(1)
    assert "".join(encoding.tokens()[first:last]) == "katzen</w>"
    assert encoding.word_to_tokens(99) is None
    assert row.word_to_chars(99) is None
    assert row.char_to_word(7) is None
    assert row.ids == encoding["input_ids"]
    assert len(row) == len(row.ids) == len(row.tokens)


def test_pairs_are_told_apart(fast: Any) -> None:
    encoding = fast("The cat", "the dog", padding="max_length", max_length=12)
    assert encoding.sequence_ids()[:4] == [None, 0, 0, None]
    assert encoding.sequence_ids()[-2:] == [None, None]
    assert encoding.n_sequences == 2
    second = encoding.char_to_token(0, sequence_index=1)
    assert second == 4
    assert encoding.token_to_sequence(second) == 1
    assert encoding.word_to_tokens(0, sequence_index=1)[0] == second
    row = encoding[0]
    assert row.attention_mask == encoding["attention_mask"]
    assert row.type_ids[3:6] == [0, 1, 1]
    assert row.special_tokens_mask[-1] == 1
    assert row.offsets[0] == row.offsets[-1] == (0, 0)
    assert row.token_to_chars(0) is None


def test_given_words_keep_their_numbers(fast: Any) -> None:
    words = ["Größere", "Katzen-don't", "", "…"]
    encoding = fast(words, is_split_into_words=True, return_offsets_mapping=True)
    numbers = encoding.word_ids()
    assert sorted({n for n in numbers if n is not None}) == [0, 1, 3]
    for number, (start, end) in zip(numbers, encoding["offset_mapping"], strict=True):
        assert number is None or words[number][start:end]
    assert fast([[70, 71]]).word_ids() == [None, 0, 1, None]


def test_asking_for_offsets_changes_no_ids(fast: Any, folder: Path) -> None:
    slow = XLMTokenizer.from_pretrained(folder)
    for tokenizer in (fast, slow):
        plain = dict(tokenizer(TEXT, "cat", truncation=True, max_length=14))
        mapped = dict(
            tokenizer(TEXT, "cat", truncation=True, max_length=14, return_offsets_mapping=True)
        )
        offsets = mapped.pop("offset_mapping")
        assert mapped == plain
        assert len(offsets) == len(plain["input_ids"])
    assert slow(TEXT).encodings is None


def test_encodings_stand_alone_when_they_are_copied(fast: Any) -> None:
    encoding = fast([TEXT, "cat"], padding=True)
    copied = pickle.loads(pickle.dumps(encoding))  # noqa: S301
    assert copied.word_ids(0) == encoding.word_ids(0)
    assert copied[1].offsets == encoding[1].offsets
    assert len(pickle.dumps(encoding)) < 5_000  # the tokenizer is not in it


@pytest.mark.parametrize("side", ["right", "left"])
def test_overflowing_tokens_make_rows(folder: Path, side: str) -> None:
    fast = XLMTokenizerFast.from_pretrained(folder, truncation_side=side)
    text = "the cat sleeps on the mat the cat"
    content = fast.encode(text, add_special_tokens=False)
    options: dict[str, Any] = {
        "truncation": "only_second", "max_length": 9, "stride": 2,
        "return_overflowing_tokens": True, "return_offsets_mapping": True, "padding": True,
    }  # fmt: skip
    batch = fast(["the dog", "cat"], [text, "mat"], lang=["en", "fr"], **options)
    assert batch["overflow_to_sample_mapping"] == [0] * (len(batch["input_ids"]) - 1) + [1]
    assert all(len(row) == 9 for row in batch["input_ids"])
    seen: list[list[int]] = []
    for row in range(len(batch["input_ids"]) - 1):
        mask = [s == 1 for s in batch.sequence_ids(row)]
        seen.append([i for i, m in zip(batch["input_ids"][row], mask, strict=True) if m])
        first, *_, last = [
            span for span, m in zip(batch["offset_mapping"][row], mask, strict=True) if m
        ]
        assert fast.encode(text[first[0] : last[1]], add_special_tokens=False) == seen[-1]
    rows = seen if side == "right" else seen[::-1]
    assert rows[0] + [i for row in rows[1:] for i in row[2:]] == content
    assert all(len(row) == len(seen[0]) for row in seen[:-1])
    single = fast(text, truncation=True, max_length=6, return_overflowing_tokens=True)
    assert len(single["input_ids"]) > 1  # rows, though one text was given
    assert set(single["overflow_to_sample_mapping"]) == {0}


def test_overflowing_tokens_of_the_slow_tokenizer_are_handed_out(folder: Path) -> None:
    slow = XLMTokenizer.from_pretrained(folder)
    options = {"truncation": True, "max_length": 5, "return_overflowing_tokens": True, "stride": 1}
    text = "the cat sleeps on the mat"
    ids = slow.encode(text, add_special_tokens=False)
    found = slow(text, **options)
    assert found["input_ids"] == [0, *ids[:3], 1]
    assert found["overflowing_tokens"] == ids[2:]
    assert found["num_truncated_tokens"] == len(ids) - 3
    batch = slow([text, "cat"], **options)
    assert batch["num_truncated_tokens"] == [len(ids) - 3, 0]
    assert batch["overflowing_tokens"] == [ids[2:], []]


def test_windows_that_cannot_be_are_refused(fast: Any) -> None:
    text = "the cat sleeps on the mat"
    options = {"truncation": True, "return_overflowing_tokens": True}
    with pytest.raises(ValueError, match="stride of 3"):
        fast(text, max_length=5, stride=3, **options)
    with pytest.raises(ValueError, match="only_first"):
        fast(text, text, max_length=8, **options)


@pytest.mark.parametrize("strategy", ["none", "simple", "first", "average", "max"])
def test_the_token_classification_pipeline_finds_the_characters(fast: Any, strategy: str) -> None:
    config = transformers.XLMConfig(
        vocab_size=len(fast), emb_dim=16, n_layers=1, n_heads=2, n_langs=4, num_labels=2
    )
    model = transformers.XLMForTokenClassification(config).eval()
    pipeline = transformers.pipeline(
        "token-classification", model=model, tokenizer=fast, aggregation_strategy=strategy
    )
    text = "Größere Katzen schlafen länger."
    with pytest.warns(UserWarning, match="heuristic") if strategy in (
        "first", "average", "max",
    ) else _nothing():  # fmt: skip
        found = pipeline(text)
    assert found
    covered = [text[entity["start"] : entity["end"]] for entity in found]
    assert "".join(covered).replace(" ", "") == text.replace(" ", "")
    pipeline.tokenizer.model_max_length = 8
    try:
        if strategy != "none":
            windows = transformers.pipeline(
                "token-classification", model=model, tokenizer=fast, stride=2,
                aggregation_strategy="simple",
            )(text * 3)  # fmt: skip
            assert windows[-1]["end"] == len(text) * 3
    finally:
        pipeline.tokenizer.model_max_length = 10**30


def test_answers_are_found_as_in_scripts_for_question_answering(fast: Any) -> None:
    context = "The dog can't sleep. Größere Katzen schlafen auf der Matte, länger als die Katze."
    answer = "auf der Matte"
    begin = context.index(answer)
    batch = fast(
        ["Wo?"], [context], lang="de", truncation="only_second", max_length=24, stride=8,
        return_overflowing_tokens=True, return_offsets_mapping=True, padding="max_length",
    )  # fmt: skip
    found = []
    for row in range(len(batch["input_ids"])):
        first = batch.char_to_token(row, begin, 1)
        last = batch.char_to_token(row, begin + len(answer) - 1, 1)
        if first is not None and last is not None:
            offsets = batch["offset_mapping"][row]
            found.append(context[offsets[first][0] : offsets[last][1]])
    assert found
    assert set(found) == {answer}


def _nothing() -> Any:
    from contextlib import nullcontext

    return nullcontext()
