import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlmkit.core.errors import UserError
from xlmkit.data.clean import CleanConfig, Cleaner
from xlmkit.data.columns import Columns
from xlmkit.data.measures import count_words, letter_share, normalize, weighted_length
from xlmkit.data.records import Record
from xlmkit.data.source_base import ALL_MARKUP


def _clean(
    texts: dict[str, str], *, messages: bool = False, **config: object
) -> tuple[dict[str, str], Counter[tuple[str, str]]]:
    cleaner = Cleaner(CleanConfig.model_validate(config), ALL_MARKUP if messages else ())
    columns, dropped = cleaner.clean(Columns.of([Record(texts, "s", "w", "l")]))
    records = list(columns.records())
    if not records:
        return {}, dropped
    assert records == [Record(records[0].texts, "s", "w", "l")]
    return dict(records[0].texts), dropped


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("cafe\u0301\u00a0 au\tlait\n", "café au lait"),
        ("zero\u200bwidth\ufeff and soft\u00adhyphen", "zerowidth and softhyphen"),
        ("bell\x07 and\x00 null", "bell and null"),
        ("\u202bعربي\u202c", "عربي"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian needs the non-joiner
        ("क्\u200dष", "क्\u200dष"),  # Hindi the joiner
        ("no\u200cjoiner", "nojoiner"),
        ("ｆｕｌｌ　width", "ｆｕｌｌ width"),  # NFC, not NFKC
    ],
)
def test_normalize(raw: str, clean: str) -> None:
    assert normalize(raw) == clean


@given(st.text())
def test_normalize_is_stable(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


def test_sizes_in_several_scripts() -> None:
    assert count_words("Save the file - now") == 4
    assert count_words("保存文件") == 2
    assert count_words("使用 SSH 密钥。") == 3
    assert count_words("« Да »") == 1
    assert weighted_length("a b") == 2
    assert weighted_length("保存") == 6
    assert letter_share("हिन्दी") == 1.0  # vowel signs belong to letters
    assert letter_share("a1 b2") == 0.5
    assert letter_share("") == 0.0


def test_reasons_each_in_its_language() -> None:
    texts = {
        "en": "Save the current file",
        "fr": "SAVE THE CURRENT FILE",
        "ru": "Save the current file сейчас",
        "tr": "",
        "zh": "把" * 120,
        "de": "12:30:45 / 17 %",
        "es": "Guardar el archivo actual",
    }
    kept, dropped = _clean(texts)
    assert kept == {"en": "Save the current file", "es": "Guardar el archivo actual"}
    assert dropped == {
        ("copy", "fr"): 1,
        ("another script", "ru"): 1,
        ("empty", "tr"): 1,
        ("length ratio", "zh"): 1,
        ("too few letters", "de"): 1,
    }


def test_limits_can_be_moved_and_switched_off() -> None:
    same = {"en": "Berlin Tag", "de": "berlin tag"}
    assert _clean(same, drop_copies=False)[0] == same
    long = {"en": "go on", "fr": "mot " * 30}
    assert list(_clean(long)[0]) == ["en"]
    assert list(_clean(long, max_length_ratio=None)[0]) == ["en", "fr"]
    assert _clean({"en": "one two three"}, max_words=2)[1] == {("too long", "en"): 1}
    assert _clean({"en": "abcdef"}, max_characters=5)[1] == {("too long", "en"): 1}
    assert _clean({"ru": "hello"}, min_script=0)[0] == {"ru": "hello"}


def test_a_chinese_translation_is_not_too_short() -> None:
    pair = {"en": "The verification e-mail could not be sent", "zh": "无法发送验证邮件"}
    assert _clean(pair)[0] == pair
    assert list(_clean({"en": pair["en"] * 2, "zh": "无法"})[0]) == ["en"]


def test_words_are_counted_in_the_pivot() -> None:
    pair = {"en": "Ticket status", "de": "Ticketstatus"}
    assert _clean(pair, min_words=2)[0] == pair
    kept, dropped = _clean({"en": "Ticketing", "fr": "Vente de billets"}, min_words=2)
    assert kept == {}
    assert dropped == {("too few words", "en"): 1, ("too few words", "fr"): 1}


def test_without_its_first_language_a_record_has_another_pivot() -> None:
    kept, _ = _clean({"en": "12345", "fr": "Bonjour à tous", "de": "bonjour à tous"})
    assert kept == {"fr": "Bonjour à tous"}


def test_sentences_that_are_mostly_placeholders() -> None:
    kept, dropped = _clean({"en": "%(a)s by %(b)s", "fr": "%(a)s par %(b)s"}, messages=True)
    assert kept == {}
    assert dropped == {("mostly placeholders", "en"): 1, ("mostly placeholders", "fr"): 1}
    assert _clean({"en": "Sent to %s people"}, messages=True)[0] == {"en": "Sent to people"}


def test_markup_by_the_kind_of_source_or_as_the_recipe_says() -> None:
    text = {"en": "_Save <b>it</b> now"}
    assert _clean(text)[0] == text
    assert _clean(text, messages=True)[0] == {"en": "Save it now"}
    assert _clean(text, markup=["tags"])[0] == {"en": "_Save it now"}
    assert _clean(text, messages=True, markup=[])[0] == text


@pytest.mark.parametrize(
    ("language", "raw", "clean"),
    [
        ("en", "Welcome to Acme today", "Welcome to today"),
        ("en", "ACME's own files, Acme-like", "own files, like"),
        ("en", "Acmeology stays as it is", "Acmeology stays as it is"),
        ("en", "Acme", None),
        ("zh", "欢迎使用Acme系统", "欢迎使用系统"),
        ("zh", "通过 Acme 登录系统", "通过登录系统"),
        ("tr", "Acme'nin yeni dosyası", "yeni dosyası"),
        ("fr", "le serveur d’Acme est prêt", "le serveur est prêt"),
        ("ru", "База данных (Acme)", "База данных"),
        ("zh", "打开极客面板", "打开面板"),
        ("en", "Acme Pro for all", "for all"),
        ("en", "Visit acme.org. Then acme.org again", "Visit. Then again"),
    ],
)
def test_product_names_go_in_every_script(language: str, raw: str, clean: str | None) -> None:
    kept, _ = _clean({language: raw}, remove_words=["Acme", "Acme Pro", "极客"])
    assert kept.get(language) == clean


def test_identification_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py3langid", None)
    monkeypatch.setitem(sys.modules, "py3langid.langid", None)
    with pytest.raises(UserError, match=r"pip install 'xlmkit\[langs\]'"):
        _clean({"en": "x"}, identify_languages=True)


def test_identification_of_long_texts() -> None:
    pytest.importorskip("py3langid")
    french = "Le gouvernement a annoncé hier de nouvelles mesures pour les écoles du pays."
    english = "The government announced new measures for the country's schools yesterday."
    assert _clean({"en": french}, identify_languages=True)[1] == {("another language", "en"): 1}
    assert _clean({"en": english}, identify_languages=True)[0] == {"en": english}
    assert _clean({"en": "Déjà vu"}, identify_languages=True)[0] == {"en": "Déjà vu"}


def test_records_cleaned_together_are_as_each_alone() -> None:
    texts: list[dict[str, str]] = [
        {"en": "Save the  file"},
        {"fr": "", "de": "Guten Tag"},
        {"en": "Open", "fr": "Ouvrir", "de": "open"},
        {"en": "<b>12</b>"},
        {"zh": "打开文件"},
        {"en": "%(a)s by %(b)s", "fr": "%(a)s par %(b)s"},
        {"en": "Save &amp; go"},
    ]
    cleaner = Cleaner(CleanConfig(), ALL_MARKUP)
    records = [Record(one, "s", f"{i}", str(i)) for i, one in enumerate(texts)]
    kept, dropped = cleaner.clean(Columns.of(records))
    alone = [cleaner.clean(Columns.of([record])) for record in records]
    assert list(kept.records()) == [r for columns, _ in alone for r in columns.records()]
    assert len(list(kept.records())) == 4
    assert dropped == sum((counts for _, counts in alone), Counter())
    assert list(dropped) == [
        ("empty", "fr"), ("empty", "de"), ("copy", "de"), ("too few letters", "en"),
        ("mostly placeholders", "en"), ("mostly placeholders", "fr"),
    ]  # fmt: skip
