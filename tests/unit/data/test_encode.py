import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xlmkit.core.files import sha256_file
from xlmkit.data import encode
from xlmkit.data.encode import SPLITS, encode_corpus
from xlmkit.data.records import Record, blocks
from xlmkit.data.shards import MANIFEST, Shards
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer, TokenizerConfig
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary

TEXTS = [
    {"en": "Open the file", "ru": "Открыть файл", "zh": "打开文件"},
    {"en": "Close", "zh": "关闭"},
    {"ru": "Файл закрыт"},
    {"zh": "保存", "ru": "Сохранить"},
    {"en": "Save the file now", "ru": "Сохраните файл сейчас"},
]
LANGUAGES = ("en", "ru", "zh")


def write_corpus(folder: Path, **splits: Iterable[dict[str, str]]) -> Path:
    for split in ("train", "valid", "test"):
        records = [Record(t, "s", str(i)) for i, t in enumerate(splits.get(split, ()))]
        text = "".join(record.to_json() + "\n" for record in records)
        (folder / f"{split}.jsonl").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    config = TokenizerConfig(
        vocabulary_size=150, segmenters={"zh": "characters"}, character_coverage=1.0
    )
    batches = [(code, [t[code] for t in TEXTS if code in t] * 3) for code in LANGUAGES]
    return Tokenizer.learn(batches, config, LANGUAGES)


def test_every_text_becomes_a_sentence_in_reading_order(
    tmp_path: Path, tokenizer: Tokenizer
) -> None:
    corpus = write_corpus(tmp_path, train=TEXTS, valid=TEXTS[:1])
    encode_corpus(corpus, tokenizer, tmp_path / "shards")
    shards = Shards(tmp_path / "shards", verify=True)
    assert shards.languages == list(LANGUAGES)
    for split, texts in (("train", TEXTS), ("valid", TEXTS[:1]), ("test", [])):
        for code in LANGUAGES:
            sentences = shards.sentences(split, code)
            mine = [text[code] for text in texts if code in text]
            found = [sentences[number].tolist() for number in range(len(sentences))]
            assert found == [tokenizer.encode(text, code) for text in mine]
            assert sentences.lengths.tolist() == [len(row) for row in found]
            assert np.count_nonzero(sentences.tokens == 1) == len(mine)


def test_pairs_name_sentences_that_are_translations(tmp_path: Path, tokenizer: Tokenizer) -> None:
    encode_corpus(write_corpus(tmp_path, train=TEXTS), tokenizer, tmp_path / "shards")
    shards = Shards(tmp_path / "shards")
    pairs = {names: numbers.tolist() for names, numbers in shards.pairs("train").items()}
    assert pairs == {
        ("en", "ru"): [[0, 0], [2, 3]],
        ("en", "zh"): [[0, 0], [1, 1]],
        ("ru", "zh"): [[0, 0], [2, 2]],
    }
    assert shards.pairs("test") == {}


def test_counts_are_those_of_training_alone(tmp_path: Path, tokenizer: Tokenizer) -> None:
    corpus = write_corpus(tmp_path, train=[*TEXTS, {"en": "Open Ω"}], test=TEXTS)
    statistics = encode_corpus(corpus, tokenizer, tmp_path / "shards")
    expected: Counter[int] = Counter()
    for text in [*TEXTS, {"en": "Open Ω"}]:
        for code, value in text.items():
            expected.update(tokenizer.encode(value, code))
    counts = Shards(tmp_path / "shards").word_counts
    assert counts.tolist() == [expected[index] for index in range(len(tokenizer))]
    assert counts[tokenizer.eos] == 0
    assert statistics["en"]["texts"] == 4
    assert statistics["en"]["words"] == 3 + 1 + 4 + 1  # the unknown letter ends no known word
    assert statistics["en"]["unknown"] == 1
    tokens = sum(sum(expected.values()) for expected in [expected])
    assert sum(part["tokens"] for part in statistics.values()) == tokens


def test_numbers_go_on_from_block_to_block(tmp_path: Path) -> None:
    """More records than one block holds, the languages at different paces."""
    symbols = [f"{letter}</w>" for letter in "abcαβγ"]
    tokenizer = Tokenizer(
        Vocabulary([*SPECIAL_TOKENS, *symbols]), Merges(()), {"en": 0, "el": 1}, segmenters={}
    )
    texts = [{"en": "abc"[i % 3]} | ({"el": "αβγ"[i % 2]} if i % 5 else {}) for i in range(9000)]
    encode_corpus(write_corpus(tmp_path, train=texts), tokenizer, tmp_path / "shards")
    shards = Shards(tmp_path / "shards")
    english, greek = (shards.sentences("train", code) for code in ("en", "el"))
    assert len(english) == 9000
    assert english.tokens[::2].tolist() == [14 + i % 3 for i in range(9000)]
    pairs = shards.pairs("train")["en", "el"]
    assert pairs[:, 0].tolist() == [i for i in range(9000) if i % 5]
    assert pairs[:, 1].tolist() == list(range(len(greek)))
    assert all(greek[b][0] == 17 + a % 2 for a, b in pairs[::97].tolist())


@pytest.mark.parametrize(("size", "dtype"), [(1 << 16, "<u2"), ((1 << 16) + 1, "<u4")])
def test_ids_take_two_bytes_where_the_vocabulary_allows(
    tmp_path: Path, size: int, dtype: str
) -> None:
    symbols = [*SPECIAL_TOKENS, *(f"w{n}" for n in range(size - 15)), "z</w>"]
    tokenizer = Tokenizer(Vocabulary(symbols), Merges(()), {"en": 0}, segmenters={})
    encode_corpus(write_corpus(tmp_path, train=[{"en": "z"}]), tokenizer, tmp_path / "shards")
    tokens = Shards(tmp_path / "shards").sentences("train", "en").tokens
    assert tokens.dtype == np.dtype(dtype)
    assert tokens.tolist() == [size - 1, 1]


def test_the_manifest_describes_every_file(tmp_path: Path, tokenizer: Tokenizer) -> None:
    encode_corpus(write_corpus(tmp_path, train=TEXTS), tokenizer, tmp_path / "shards")
    manifest = json.loads((tmp_path / "shards" / MANIFEST).read_text())
    present = {path.name for path in (tmp_path / "shards").iterdir()} - {MANIFEST}
    assert set(manifest["files"]) == present
    for name, entry in manifest["files"].items():
        assert sha256_file(tmp_path / "shards" / name) == entry["sha256"]
    assert manifest["tokenizer"] == tokenizer.signature
    assert manifest["vocabulary_size"] == len(tokenizer)


def test_a_corpus_gives_the_same_bytes_twice(tmp_path: Path, tokenizer: Tokenizer) -> None:
    corpus = write_corpus(tmp_path, train=TEXTS)
    for name in ("one", "two"):
        encode_corpus(corpus, tokenizer, tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_what_an_encoder_remembers_serves_all_splits(
    tmp_path: Path, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions = []

    def watched(function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        functions.append(function)
        return map(function, items)

    monkeypatch.setattr(encode, "map_in_order", watched)
    corpus = write_corpus(tmp_path, train=TEXTS, valid=TEXTS[:2], test=TEXTS[2:])
    encode_corpus(corpus, tokenizer, tmp_path / "shards")
    assert len(functions) == len(SPLITS)
    assert len(set(map(id, functions))) == 1


def test_blocks_are_whole_but_for_the_last() -> None:
    records = [Record({"en": str(i)}, "s", str(i)) for i in range(7)]
    assert [len(block) for block in blocks(records, 3)] == [3, 3, 1]
    assert [record for block in blocks(records, 3) for record in block] == records
    assert list(blocks([], 3)) == []


def test_blocks_end_when_they_are_full() -> None:
    records = [Record({"en": "x" * length}, "s", "1") for length in (2, 2, 9, 1, 1)]
    assert [len(block) for block in blocks(records, characters=4)] == [2, 1, 2]


def test_shards_tell_which_source_each_sentence_came_from(
    tmp_path: Path, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xlmkit.data.corpus_blocks.BLOCK_BYTES", 150)  # about a record each
    corpus = write_corpus(tmp_path, valid=TEXTS[:1])
    names = ["one", "two", "two", "two", "one"]
    records = [Record(t, n, "1") for t, n in zip(TEXTS, names, strict=True)]
    (corpus / "train.jsonl").write_text("".join(r.to_json() + "\n" for r in records), "utf-8")
    encode_corpus(corpus, tokenizer, tmp_path / "shards")
    shards = Shards(tmp_path / "shards")
    assert shards.manifest["sources"]["train"] == {
        "en": [["one", 1], ["two", 1], ["one", 1]],
        "ru": [["one", 1], ["two", 2], ["one", 1]],
        "zh": [["one", 1], ["two", 2]],
    }
    assert shards.manifest["sources"]["valid"]["en"] == [["s", 1]]
    for source in ("one", "two"):
        part = shards.part([source])
        for code in LANGUAGES:
            sentences = part.sentences("train", code)
            mine = [r.texts[code] for r in records if r.source == source and code in r.texts]
            found = [sentences[number].tolist() for number in range(len(sentences))]
            assert found == [tokenizer.encode(text, code) for text in mine]
