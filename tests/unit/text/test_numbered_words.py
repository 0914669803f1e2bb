import pickle

import numpy as np
import pytest

from xlmkit.text import compiled
from xlmkit.text.bpe import Merges
from xlmkit.text.numbered_words import NumberedWords
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary
from xlmkit.text.words_of_texts import WordsOfTexts

TEXTS = {
    "en": ["Mr. Smith isn't here; he paid 3,000.50.", "", "  two  spaces ", "İx Ǆ ﬁne <s> naïve"],
    "el": ["ΟΔΟΣ ΟΔΟΣ οδός Οδοσ", "Άλφα"],
    "zh": ["打开文件，打开 File", "关闭"],
    "vi": ["Tiếng Việt thế nào? Tiếng Việt!", "e\u0301a\u0345\u0301 \u200bđ"],
    "th": ["แมวนอน หลับ แมว"],
}
SEGMENTERS = {"zh": "characters", "th": "pythainlp"}


@pytest.fixture(params=[True, False], ids=["compiled", "python"])
def _using(request: pytest.FixtureRequest) -> None:
    if request.param and not compiled.available():
        pytest.skip("the compiled part is not built")
    with compiled.using(request.param):
        yield


def tokenizer(*, folds: bool) -> Tokenizer:
    letters = sorted({c for texts in TEXTS.values() for c in "".join(texts).lower()} - {" "})
    symbols = [*letters, *(f"{c}</w>" for c in letters), "it</w>", "ti", "vi", "o</w>", "ô"]
    merges = Merges((("t", "i"), ("v", "i"), ("i", "t</w>")))
    return Tokenizer(
        Vocabulary([*SPECIAL_TOKENS, *dict.fromkeys(symbols)]), merges,
        {code: number for number, code in enumerate(TEXTS)},
        lowercase_and_remove_accent=folds, segmenters=SEGMENTERS,
    )  # fmt: skip


@pytest.mark.usefixtures("_using")
def test_words_are_numbered_as_they_come() -> None:
    numbered = NumberedWords.of([["b", "a", "b"], [], ["c", "a"]])
    assert numbered.words.to_dict() == {"b": 2.0, "a": 2.0, "c": 1.0}
    assert numbered.numbers.tolist() == [0, 1, 0, 2, 1]
    assert numbered.lengths.tolist() == [3, 0, 2]
    ids, lengths = numbered.joined((np.array([7, 8, 9], np.int32), np.array([2, 0, 1])))
    assert ids.tolist() == [7, 8, 7, 8, 9]
    assert lengths.tolist() == [4, 0, 1]
    ids, lengths = NumberedWords.of([]).joined((np.empty(0, np.int32), np.empty(0, np.int64)))
    assert (ids.tolist(), lengths.tolist()) == ([], [])


@pytest.mark.usefixtures("_using")
@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("folds", [True, False])
def test_numbered_words_give_the_ids_that_texts_give(
    language: str, folds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xlmkit.text.known_words.MAXIMUM_PIECES", 3)  # so that words are forgotten
    if language == "th":
        pytest.importorskip("pythainlp")
    encoder, find = tokenizer(folds=folds), WordsOfTexts(SEGMENTERS)
    for texts in (TEXTS[language], TEXTS[language][::-1] * 2):
        ids, lengths = encoder.encode_numbered(find.numbered(texts, language), language)
        expected, its_lengths = encoder.encode_flat(texts, language)
        assert ids.tolist() == expected.tolist()
        assert lengths.tolist() == its_lengths.tolist()
        assert lengths.dtype == its_lengths.dtype
        assert len(ids) > 5
        encoder.forget()


@pytest.mark.usefixtures("_using")
def test_what_has_found_words_may_be_sent_to_another_process() -> None:
    find = WordsOfTexts(SEGMENTERS)
    found = find.numbered(TEXTS["en"], "en")
    sent = pickle.loads(pickle.dumps(find))  # noqa: S301 - of this very process
    assert sent.numbered(TEXTS["en"], "en").words.to_dict() == found.words.to_dict()


@pytest.mark.skipif(not compiled.available(), reason="the compiled part is not built")
@pytest.mark.parametrize(
    ("sizes", "numbers", "lengths"),
    [([3], [0], [1]), ([-1], [0], [1]), ([1], [1], [1]), ([1], [-1], [1]), ([1], [0], [2]),
     ([1], [0, 0], [1]), ([1], [0], [-1, 1])],
)  # fmt: skip
def test_numbers_that_fit_no_words_are_refused(
    sizes: list[int], numbers: list[int], lengths: list[int]
) -> None:
    columns = (np.array(values, np.int32) for values in ([5], sizes, numbers, lengths))
    with pytest.raises(RuntimeError, match=r"add up|no such word"):
        compiled.native.join_words(*columns)
