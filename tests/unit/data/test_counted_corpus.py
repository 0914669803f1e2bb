from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from xlmkit.core import journal
from xlmkit.core.errors import UserError
from xlmkit.data import counted_corpus
from xlmkit.data.corpus_blocks import CorpusBlock, corpus_blocks
from xlmkit.data.counted_corpus import WORDS, CountedCorpus
from xlmkit.data.encode import encode_corpus
from xlmkit.data.numbered_blocks import PlaceOfBlock
from xlmkit.data.records import Record
from xlmkit.text import compiled
from xlmkit.text.tokenizer import Tokenizer, TokenizerConfig
from xlmkit.text.word_counts import WordCounter

LANGUAGES = ("en", "el", "zh")
CONFIG = {"zh": "characters"}
SEGMENTERS = TokenizerConfig(segmenters=CONFIG).all_segmenters
TEXTS = [
    {"en": "Open the file, Mr. Smith"},
    {"en": "Don't close it", "el": "ΟΔΟΣ, οδός", "zh": "打开文件"},
    {"el": "Άνοιξε το αρχείο", "zh": "关闭"},
    {"zh": "保存", "en": "SAVE the file now: 3.5!"},
]


class StoppedError(Exception):
    pass


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(journal, "SECONDS", 0.0)
    monkeypatch.setattr(journal, "_WORTH", 0)
    monkeypatch.setattr("xlmkit.core.parallel.usable_cores", lambda: 1)
    monkeypatch.setattr("xlmkit.data.corpus_blocks.BLOCK_BYTES", 700)
    folder = tmp_path / "corpus"
    folder.mkdir()
    (tmp_path / "shards").mkdir()
    for split, times in {"train": 12, "valid": 1, "test": 0}.items():
        records = [Record(text, f"s{i % 5}", f"{i}") for i, text in enumerate(TEXTS * times)]
        lines = "".join(record.to_json() + "\n" for record in records)
        (folder / f"{split}.jsonl").write_text(lines, encoding="utf-8")
    return folder


def counted(corpus: Path, segmenters: dict[str, str] = SEGMENTERS) -> CountedCorpus:
    return CountedCorpus(corpus, corpus.parent / "shards", segmenters)


def learned(counter: WordCounter, *, folds: bool = True) -> Tokenizer:
    config = TokenizerConfig(
        vocabulary_size=180, segmenters=CONFIG, lowercase_and_remove_accent=folds
    )
    return Tokenizer.of_counts(counter, config, LANGUAGES)


def made(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def stop_counting(corpus: Path, blocks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Count some blocks; the next one is written, but not noted."""

    def note(self: journal.Journal, *arguments: object, **named: bool) -> None:
        notes.append(self)
        if len(notes) > blocks:
            raise StoppedError
        noted(self, *arguments, **named)  # type: ignore[arg-type]

    notes: list[journal.Journal] = []
    noted = journal.Journal.note
    with monkeypatch.context() as patch:
        patch.setattr(journal.Journal, "note", note)
        with pytest.raises(StoppedError):
            counted(corpus).count()


def kinds(blocks: Iterable[PlaceOfBlock | CorpusBlock]) -> list[str]:
    return [type(block).__name__ for block in blocks]


@pytest.mark.parametrize("compiles", [True, False])
@pytest.mark.parametrize("folds", [True, False])
def test_counted_words_give_the_shards_that_texts_give(
    corpus: Path, compiles: bool, folds: bool
) -> None:
    with compiled.using(compiles):
        words = counted(corpus)
        tokenizer = learned(words.count(), folds=folds)
        statistics = encode_corpus(corpus, tokenizer, corpus.parent / "texts")
        assert len(kinds(words.blocks())) > 5
        (corpus / "train.jsonl").rename(corpus / "gone")  # nothing of it is read any more
        shards = corpus.parent / "shards"
        assert encode_corpus(corpus, tokenizer, shards, words) == statistics
        words.remove()
    assert made(shards) == made(corpus.parent / "texts")
    assert statistics["el"]["tokens"] > 0


def test_the_same_words_are_counted_as_from_texts(corpus: Path) -> None:
    texts = {code: [text[code] for text in TEXTS if code in text] * 12 for code in LANGUAGES}
    config = TokenizerConfig(vocabulary_size=180, segmenters=CONFIG)
    expected = Tokenizer.learn(texts.items(), config, LANGUAGES)
    tokenizer = learned(counted(corpus).count())
    assert tokenizer.signature == expected.signature
    assert tokenizer.lang2id == expected.lang2id


def test_stopped_counting_goes_on_and_keeps_the_same(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = counted(corpus).count()
    whole = (corpus.parent / "shards" / WORDS).read_bytes()
    counted(corpus).remove()
    assert made(corpus.parent / "shards") == {}
    stop_counting(corpus, 3, monkeypatch)
    again = counted(corpus)
    total = len(list(corpus_blocks(corpus, "train")))
    assert kinds(again.blocks()) == ["PlaceOfBlock"] * 3 + ["CorpusBlock"] * (total - 3)
    read = []

    def watched(blocks: Iterable[CorpusBlock]) -> Iterator[CorpusBlock]:
        for block in blocks:
            read.append(block)
            yield block

    map_in_order = counted_corpus.map_in_order
    monkeypatch.setattr(
        counted_corpus, "map_in_order", lambda count, blocks: map_in_order(count, watched(blocks))
    )
    other = again.count()
    assert len(read) == total - 3
    assert (corpus.parent / "shards" / WORDS).read_bytes() == whole
    for code in LANGUAGES:
        assert list(other.counts(code).items()) == list(counter.counts(code).items())
    assert other.totals == counter.totals


@pytest.mark.parametrize("blocks", [0, 2, 4])
@pytest.mark.parametrize("spoiled", [None, "deleted", "cut"])
def test_what_is_missing_is_encoded_from_texts(
    corpus: Path, blocks: int, spoiled: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = corpus.parent / "shards"
    tokenizer = learned(counted(corpus).count())
    counted(corpus).remove()
    encode_corpus(corpus, tokenizer, corpus.parent / "texts")
    stop_counting(corpus, blocks, monkeypatch)
    if spoiled == "deleted":
        (shards / WORDS).unlink()
    if spoiled == "cut":
        (shards / WORDS).write_bytes((shards / WORDS).read_bytes()[:1000])
    words = counted(corpus)
    assert kinds(words.blocks()).count("PlaceOfBlock") == (0 if spoiled else blocks)
    encode_corpus(corpus, tokenizer, shards, words)
    words.remove()
    assert made(shards) == made(corpus.parent / "texts")


def test_words_of_other_segmenters_or_texts_are_not_used(corpus: Path) -> None:
    counted(corpus).count()
    assert "PlaceOfBlock" in kinds(counted(corpus).blocks())
    assert "PlaceOfBlock" not in kinds(counted(corpus, {"zh": "rjieba"}).blocks())
    with (corpus / "train.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(Record({"en": "more"}, "s", "1").to_json() + "\n")
    assert "PlaceOfBlock" not in kinds(counted(corpus).blocks())


def test_words_of_blocks_of_another_size_are_not_used(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted(corpus).count()
    monkeypatch.setattr(counted_corpus, "BLOCK_BYTES", 800)
    assert "PlaceOfBlock" not in kinds(counted(corpus).blocks())


def test_what_was_counted_is_noted_at_once(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SECONDS", 1000.0)
    counted(corpus).count()
    assert set(kinds(counted(corpus).blocks())) == {"PlaceOfBlock"}


def test_counting_again_counts_and_keeps_the_same(corpus: Path) -> None:
    words = counted(corpus)
    counter = words.count()
    kept = (corpus.parent / "shards" / WORDS).read_bytes()
    again = words.count()
    assert {code: again.counts(code) for code in LANGUAGES} == {
        code: counter.counts(code) for code in LANGUAGES
    }
    assert (corpus.parent / "shards" / WORDS).read_bytes() == kept


@pytest.mark.parametrize("place", [0.0, 0.5, 0.99])
def test_damaged_words_are_counted_anew(corpus: Path, place: float) -> None:
    shards = corpus.parent / "shards"
    counter = counted(corpus).count()
    kept = (shards / WORDS).read_bytes()
    total = len(kinds(counted(corpus).blocks()))
    spoiled = bytearray(kept)
    spoiled[int(place * len(kept))] ^= 4
    (shards / WORDS).write_bytes(spoiled)
    words = counted(corpus)
    found = kinds(words.blocks())
    assert len(found) == total
    assert found.count("PlaceOfBlock") <= place * total
    assert words.count().totals == counter.totals
    assert (shards / WORDS).read_bytes() == kept


def test_a_tokenizer_with_other_segmenters_encodes_texts(corpus: Path) -> None:
    words = counted(corpus)
    tokenizer = learned(words.count())
    other = Tokenizer(
        tokenizer.vocabulary, tokenizer.merges, tokenizer.lang2id, segmenters={"zh": "none"}
    )
    encode_corpus(corpus, other, corpus.parent / "texts")
    encode_corpus(corpus, other, corpus.parent / "shards", words)
    words.remove()
    assert made(corpus.parent / "shards") == made(corpus.parent / "texts")


def test_a_missing_corpus_is_told(corpus: Path) -> None:
    (corpus / "train.jsonl").unlink()
    with pytest.raises(UserError, match=r"There is no file .*train\.jsonl"):
        counted(corpus).count()
