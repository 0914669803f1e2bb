from pathlib import Path

import pytest

from xlmkit.data.corpus_blocks import CorpusBlock
from xlmkit.data.numbered_blocks import NumberedBlock, PlaceOfBlock, words_of_bytes
from xlmkit.data.records import Record
from xlmkit.text.words_of_texts import WordsOfTexts

RECORDS = [
    Record({"en": "One two, one"}, "ä", "1"),
    Record({"fr": "l'été", "en": "𝔘 " + " ".join(map(str, range(70_000)))}, "ä", "2"),
    *(Record({"fr": f"{number} x"}, "s" * (number % 7 == 0) + "t", "3") for number in range(300)),
]
FIND = WordsOfTexts({})


def block_of(records: list[Record]) -> CorpusBlock:
    lines = "".join(record.to_json() + "\n" for record in records)
    return CorpusBlock(Path("train.jsonl"), 1, lines.encode())


def test_a_block_comes_back_from_its_bytes(tmp_path: Path) -> None:
    block = NumberedBlock.of(block_of(RECORDS), FIND)
    other = NumberedBlock.of(block_of(RECORDS[:1]), FIND)
    assert block.languages["en"][1].words.codes.max() == ord("𝔘")
    assert block.languages["en"][1].numbers.max() >= 70_000
    path = tmp_path / "words"
    path.write_bytes(b"before" + other.to_bytes() + block.to_bytes() + b"behind")
    start = 6 + len(other.to_bytes())
    place = PlaceOfBlock(path, start, len(block.to_bytes()))
    for language, words in place.words().items():
        assert words.to_dict() == block.languages[language][1].words.to_dict()
    read = place.texts()
    assert read.count == block.count == len(RECORDS)
    assert list(read.languages) == ["en", "fr"]
    for language, (rows, texts) in block.languages.items():
        its_rows, its_texts = read.languages[language]
        assert read.runs(language) == block.runs(language)
        assert its_rows.tolist() == rows.tolist()
        assert its_texts.words.words() == texts.words.words()
        for name in ("numbers", "lengths"):
            mine, other_numbers = getattr(its_texts, name), getattr(texts, name)
            assert mine.tolist() == other_numbers.tolist()
            assert mine.dtype == other_numbers.dtype
        for name in ("codes", "lengths", "counts"):
            assert getattr(its_texts.words, name).dtype == getattr(texts.words, name).dtype
        assert its_texts.words.to_dict() == texts.words.to_dict()


def test_a_block_knows_what_its_lines_say() -> None:
    lines = block_of(RECORDS)
    block = NumberedBlock.of(lines, FIND)
    read = lines.texts()
    assert block.count == read.count
    for language, (rows, _) in read.languages.items():
        assert block.languages[language][0].tolist() == rows.tolist()
        assert block.runs(language) == read.runs(language)
    first = block.languages["en"][1]
    words = first.words.words()
    assert [words[number] for number in first.numbers[: first.lengths[0]]] == [
        "One", "two", ",", "one"
    ]  # fmt: skip


def test_words_are_read_alone() -> None:
    block = NumberedBlock.of(block_of(RECORDS), FIND)
    data = block.to_bytes()
    records = sum(len(rows) + len(texts.numbers) for rows, texts in block.languages.values())
    words = words_of_bytes(data[:-records])  # the end, which is not theirs, is not there
    assert list(words) == ["en", "fr"]
    for language, (_, texts) in block.languages.items():
        assert words[language].to_dict() == texts.words.to_dict()
        for name in ("codes", "lengths", "counts"):
            assert getattr(words[language], name).dtype == getattr(texts.words, name).dtype


def test_a_block_without_records_comes_back() -> None:
    read = NumberedBlock.of_bytes(NumberedBlock.of(block_of([]), FIND).to_bytes())
    assert (read.count, read.languages) == (0, {})


def test_a_rare_character_makes_no_other_longer() -> None:
    words = " ".join(f"w{number}" for number in range(3000))
    usual = NumberedBlock.of(block_of([Record({"en": words}, "s", "1")]), FIND)
    rare = NumberedBlock.of(block_of([Record({"en": words + " 😀"}, "s", "1")]), FIND)
    assert len(rare.to_bytes()) - len(usual.to_bytes()) < 20


def test_numbers_of_two_bytes_come_back_and_take_two() -> None:
    words = " ".join(f"w{number}" for number in range(300))
    small = NumberedBlock.of(block_of([Record({"en": words}, "s", "1")]), FIND)
    large = NumberedBlock.of(block_of([Record({"en": words + " w299" * 1000}, "s", "1")]), FIND)
    assert len(large.to_bytes()) - len(small.to_bytes()) == pytest.approx(2000 + 300, abs=10)
    read = NumberedBlock.of_bytes(large.to_bytes()).languages["en"][1]
    assert read.numbers.tolist() == [*range(300), *[299] * 1000]


def test_numbers_take_as_few_bytes_as_they_need() -> None:
    small = NumberedBlock.of(block_of([Record({"en": "a " * 5000}, "s", "1")]), FIND)
    large = NumberedBlock.of(block_of([Record({"en": "a " * 6000}, "s", "1")]), FIND)
    assert len(large.to_bytes()) - len(small.to_bytes()) == 1000
