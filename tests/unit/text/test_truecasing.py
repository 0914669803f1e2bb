"""Case and accents come back as the corpus has them inside sentences."""

from pathlib import Path

import pytest

from xlmkit.core.errors import UserError
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.truecasing import TRUECASE_FILE, Truecaser
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary

BATCHES = [
    ("de", ["Der Fluss fließt über Köln. Morgen kommt Über an.", "Er sieht den Fluss über Köln."]),
    ("de", ["ALLES AM FLUSS IST ALLES!", "Sie mag den fluss."]),
    ("en", ['"The river is near Paris."', "We saw the Paris of May. May it last, in May or may."]),
]  # fmt: skip


@pytest.fixture(scope="module")
def truecaser() -> Truecaser:
    return Truecaser.learn(BATCHES, {})


def test_the_commonest_form_inside_sentences_is_taken(truecaser: Truecaser) -> None:
    words = ["der", "fluss", "fließt", "uber", "koln"]
    assert truecaser.cased(words, "de") == ["der", "Fluss", "fließt", "über", "Köln"]
    words = ["the", "river", "near", "paris", "may", "it"]
    assert truecaser.cased(words, "en") == ["the", "river", "near", "Paris", "May", "it"]


def test_first_words_and_capitals_throughout_do_not_count(truecaser: Truecaser) -> None:
    assert truecaser.cased(["er", "sie", "morgen", "alles", "ist"], "de") == [
        "er", "sie", "morgen", "alles", "ist",
    ]  # fmt: skip
    assert "the" not in truecaser.forms["en"]  # it stood behind a quotation mark


def test_of_equally_frequent_forms_it_is_the_plain_one() -> None:
    learned = Truecaser.learn([("en", ["so may May", "so Bob BOB"])], {})
    assert learned.cased(["may", "bob"], "en") == ["may", "BOB"]


def test_a_language_of_which_nothing_is_known_stays(truecaser: Truecaser) -> None:
    assert truecaser.cased(["paris"], "fr") == ["paris"]


def _tokenizer(truecaser: Truecaser | None) -> Tokenizer:
    symbols = [f"{word}</w>" for word in ("uber", "koln", ".")]
    return Tokenizer(
        Vocabulary([*SPECIAL_TOKENS, *symbols]), Merges(()), {"de": 0}, truecaser=truecaser
    )


def test_a_tokenizer_carries_it_through_its_folder(truecaser: Truecaser, tmp_path: Path) -> None:
    made = _tokenizer(None)
    made.save(tmp_path)
    assert not (tmp_path / TRUECASE_FILE).exists()
    cased = Tokenizer.load(tmp_path).with_truecaser(truecaser)
    cased.with_languages({"de": 0, "en": 1}).save(tmp_path)
    loaded = Tokenizer.load(tmp_path)
    ids = [len(SPECIAL_TOKENS) + n for n in range(3)]
    assert loaded.decode(ids, "de", cased=True) == "über Köln."
    assert loaded.decode(ids, "de") == "uber koln."
    assert loaded.signature == made.signature  # the ids are the same


@pytest.mark.parametrize("content", ["[]", '{"de": 1}', "{"])
def test_a_damaged_file_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / TRUECASE_FILE).write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=TRUECASE_FILE):
        Truecaser.load(tmp_path)
