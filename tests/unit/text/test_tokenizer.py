import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from xlmkit.core.errors import UserError
from xlmkit.text import compiled
from xlmkit.text.tokenizer import Tokenizer, TokenizerConfig

TEXTS = {
    "en": ["The cat sleeps on the mat.", "Don't wake the cats, please!", "The dog can't sleep."],
    "de": ["Die Katze schläft auf der Matte.", "Größere Katzen schlafen länger."],
    "ru": ["Кошка спит на коврике.", "Не будите кошку, пожалуйста!"],
    "tr": ["Kedi İstanbul'da uyuyor.", "Işık sönünce kediler uyur."],
    "zh": ["猫在垫子上睡觉。", "请不要叫醒猫！"],
    "ar": ["القطة تنام على البساط.", "لا توقظ القطة من فضلك!"],
}
LANGUAGES = list(TEXTS)
ALL_CHARACTERS = {"segmenters": {"zh": "characters"}, "character_coverage": 1.0}


def learn(**settings: Any) -> Tokenizer:
    config = TokenizerConfig(**{"vocabulary_size": 400, **ALL_CHARACTERS, **settings})
    batches = ((language, texts * 3) for language, texts in TEXTS.items())
    return Tokenizer.learn(batches, config, LANGUAGES)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return learn()


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_come_back_from_their_ids(language: str) -> None:
    cased = learn(lowercase_and_remove_accent=False)
    for text in TEXTS[language]:
        ids = cased.encode(text, language)
        assert cased.unk not in ids
        assert cased.decode(ids, language).replace(" ", "") == text.replace(" ", "")


def test_case_and_accents_go_where_they_are_to_go(tokenizer: Tokenizer) -> None:
    text = "Größere KATZEN schlafen"
    assert tokenizer.words(text, "de") == ["großere", "katzen", "schlafen"]
    assert learn(lowercase_and_remove_accent=False).words(text, "de") == text.split()
    assert tokenizer.decode(tokenizer.encode(text, "de"), "de") == "großere katzen schlafen"


def test_a_batch_gives_what_single_texts_give(tokenizer: Tokenizer) -> None:
    fresh = learn()
    for language, texts in TEXTS.items():
        batch = fresh.encode_batch([*texts, "", "\u200b"], language)
        assert all(row.dtype == np.int32 for row in batch)
        expected = [*(tokenizer.encode(text, language) for text in texts), [], []]
        assert [row.tolist() for row in batch] == expected
        again = fresh.encode_batch(texts, language)
        assert [row.tolist() for row in again] == expected[: len(texts)]


@pytest.mark.parametrize("language", ["de", "zh", None])
def test_processes_that_share_a_batch_give_the_same(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch, language: str | None
) -> None:
    monkeypatch.setattr("xlmkit.text.encoder._SHARE", 3)
    texts = [f"{text} {number}" for number, text in enumerate(["", *TEXTS["de"], *TEXTS["zh"]] * 3)]
    shared = tokenizer.encode_batch(texts, language, processes=2)
    alone = tokenizer.encode_batch(texts, language)
    assert [row.tolist() for row in shared] == [row.tolist() for row in alone]
    assert {row.dtype for row in shared} == {np.dtype(np.int32)}


def test_a_full_cache_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, tokenizer: Tokenizer
) -> None:
    monkeypatch.setattr("xlmkit.text.encoder._MAXIMUM_CACHED_WORDS", 3)
    fresh = learn()
    for text in TEXTS["en"] * 2:
        assert fresh.encode(text, "en") == tokenizer.encode(text, "en")


def test_a_copy_gives_the_same_and_carries_no_words(tokenizer: Tokenizer) -> None:
    before = len(pickle.dumps(tokenizer))
    expected = tokenizer.encode("a word that nobody knows yet", "en")
    assert len(pickle.dumps(tokenizer)) == before
    copied = pickle.loads(pickle.dumps(tokenizer))  # noqa: S301
    assert copied.encode("a word that nobody knows yet", "en") == expected


def test_special_tokens_in_a_text_are_text(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("<s> </s> <special1> <pad>", "en")
    assert not {0, 1, 2, 5} & set(ids)


def test_unknown_characters_are_unknown_one_by_one(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("ꙮꙮ", "en") == [3, 3]
    cat = tokenizer.encode("cat", "en")
    assert tokenizer.decode([0, *cat, 3, 1], "en") == "cat <unk>"
    assert tokenizer.tokens([*cat, 3])[-1] == "<unk>"
    assert "".join(tokenizer.tokens(cat)) == "cat</w>"


def test_symbols_are_in_the_order_of_their_counts(tokenizer: Tokenizer) -> None:
    even = learn(alpha=1.0)
    rows = [row for code, texts in TEXTS.items() for row in even.encode_batch(texts, code)]
    counts = np.bincount(np.concatenate(rows), minlength=len(even))
    assert (counts[14:] > 0).all()
    assert (np.diff(counts[14:]) <= 0).all()
    assert len(tokenizer) <= 400


def test_saving_and_loading_keeps_everything(tmp_path: Path, tokenizer: Tokenizer) -> None:
    tokenizer.save(tmp_path / "tokenizer")
    again = Tokenizer.load(tmp_path / "tokenizer")
    assert again.signature == tokenizer.signature
    assert again.lang2id == tokenizer.lang2id == {code: i for i, code in enumerate(LANGUAGES)}
    for language, texts in TEXTS.items():
        assert again.encode(texts[0], language) == tokenizer.encode(texts[0], language)
    written = json.loads((tmp_path / "tokenizer" / "tokenizer_config.json").read_text())
    assert written["tokenizer_class"] == "XLMTokenizer"
    assert written["id2lang"]["4"] == "zh"
    assert written["sequence_form"] == "original"


def test_a_folder_of_hugging_face_has_its_segmenters(tmp_path: Path, tokenizer: Tokenizer) -> None:
    tokenizer.save(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    config = json.loads(path.read_text())
    del config["segmenters"], config["lang2id"]
    path.write_text(json.dumps(config))
    loaded = Tokenizer.load(tmp_path)
    assert loaded.segmenters == {"zh": "rjieba", "th": "pythainlp", "ja": "kytea"}
    assert loaded.lang2id == {}


def test_the_signature_says_what_changes_ids(tokenizer: Tokenizer) -> None:
    assert learn().signature == tokenizer.signature
    others = [
        learn(lowercase_and_remove_accent=False),
        learn(vocabulary_size=150),
        learn(segmenters={"zh": "characters", "ja": "characters"}),
    ]
    assert len({tokenizer.signature, *(other.signature for other in others)}) == 4


def test_thai_is_written_without_spaces() -> None:
    config = TokenizerConfig(vocabulary_size=100, segmenters={"th": "characters"})
    thai = Tokenizer.learn([("th", ["แมวนอน หลับ"] * 5)], config, ["th"])
    ids = thai.encode("แมวนอน หลับ", "th")
    assert thai.decode(ids, "th") == "แมวนอนหลบ"


def test_mistakes_are_named(tmp_path: Path) -> None:
    config = TokenizerConfig(vocabulary_size=200)
    with pytest.raises(UserError, match="no text in fr"):
        Tokenizer.learn([("en", ["a b"])], config, ["en", "fr"])
    with pytest.raises(UserError, match="text in fr"):
        Tokenizer.learn([("fr", ["a b"])], config, ["en"])
    with pytest.raises(UserError, match="'de'"):
        Tokenizer.learn([("ger", ["a b"])], config, ["ger"])
    with pytest.raises(UserError, match=r"tokenizer_config\.json"):
        Tokenizer.load(tmp_path)
    with pytest.raises(ValidationError, match="rjieba"):
        TokenizerConfig(segmenters={"zh": "jeiba"})
    with pytest.raises(ValidationError, match="'zh'"):
        TokenizerConfig(segmenters={"zh_CN": "rjieba"})
    with pytest.raises(ValidationError):
        TokenizerConfig(vocabulary_size=14)


def test_half_surrogates_of_words_as_they_are_are_unknown(tokenizer: Tokenizer) -> None:
    assert [row.tolist() for row in tokenizer.encode_batch(["\ud800"], None)] == [[3]]
    assert tokenizer.align("\ud800", None).ids == [3]
    assert tokenizer.pieces("\ud800", None) == ["\ud800</w>"]


@pytest.mark.parametrize("compiles", [True, False])
def test_memory_stays_small_whatever_the_length_of_words(compiles: bool) -> None:
    """Texts without spaces, and each another one."""
    texts = ["".join(chr(0x1780 + (n >> bit) % 30) for bit in range(5000)) for n in range(40)]
    with compiled.using(compiles):
        for language in ("km", None):
            fresh = learn()
            for text in texts:
                fresh.encode(text, language)
                fresh.pieces(text, None)
            assert not any(fresh._ids or fresh._ids_as_they_are or fresh._pieces)
            assert len(fresh.encode(texts[0], language)) == 5000
