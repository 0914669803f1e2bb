import pytest

from xlmkit.core.errors import UserError
from xlmkit.text.languages import (
    LANGUAGES,
    XLM_17,
    XLM_100,
    XNLI_15,
    from_locale,
    language,
    script_share,
)
from xlmkit.text.scripts import SCRIPTS


def test_the_published_models_languages_are_all_known() -> None:
    assert (len(XNLI_15), len(XLM_17), len(set(XLM_100))) == (15, 17, 100)
    assert {*XNLI_15, *XLM_17, *XLM_100} <= LANGUAGES.keys()


def test_every_language_has_a_name_and_known_scripts() -> None:
    for code, known in LANGUAGES.items():
        assert known.code == code
        assert known.name
        assert known.scripts
        assert set(known.scripts) <= SCRIPTS.keys()


@pytest.mark.parametrize(
    ("code", "meant"),
    [("eng", "'en' (English)"), ("German", "'de' (German)"), ("zh_CN", "'zh' (Chinese)"),
     ("frn", "'fr' (French)"), ("Swahilli", "'sw' (Swahili)")],
)  # fmt: skip
def test_an_unknown_code_names_the_nearest(code: str, meant: str) -> None:
    with pytest.raises(UserError) as error:
        language(code)
    assert repr(code) in str(error.value)
    assert meant in str(error.value)


@pytest.mark.parametrize(
    ("locale", "code"),
    [
        ("zh_Hans", "zh"), ("zh_CN", "zh"), ("zh-Hant-TW", "zh"), ("zh_yue", "zh_yue"),
        ("pt_BR", "pt"), ("sr@latin", "sr"), ("sr_Latn", "sr"), ("de_DE.UTF-8", "de"),
        ("ca_ES.UTF-8@valencia", "ca"), ("nb_NO", "no"), ("nn", "nn"), ("fil", "tl"),
        ("EN-us", "en"), ("iw", "he"), ("xx_XX", None), ("C", None), ("POSIX", None), ("", None),
        ("../en", None),
    ],
)  # fmt: skip
def test_locales(locale: str, code: str | None) -> None:
    assert from_locale(locale) == code


@pytest.mark.parametrize(
    ("text", "code", "share"),
    [
        ("The cat sleeps.", "en", 1.0),
        ("The cat sleeps.", "ru", 0.0),
        ("Кошка спит", "ru", 1.0),
        ("Кошка cats", "ru", 5 / 9),
        ("Łódź, Straße, đường", "vi", 1.0),
        ("Добар dan", "sr", 1.0),
        ("हिन्दी में लिखा है", "hi", 1.0),
        ("ภาษาไทย", "th", 1.0),
        ("ภาษาไทย", "lo", 0.0),
        ("日本語のテキスト", "ja", 1.0),
        ("中文文本", "zh", 1.0),
        ("中文 text", "zh", 2 / 6),
        ("עברית", "he", 1.0),
        ("العربية ١٢٣", "ar", 1.0),
        ("ελληνικά ½ ² ①", "el", 1.0),
        ("12:30 – ¿? ½", "el", 1.0),
        ("", "en", 1.0),
    ],
)
def test_script_share(text: str, code: str, share: float) -> None:
    assert script_share(text, code) == pytest.approx(share)
