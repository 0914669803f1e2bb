import pytest

from xlmkit.evaluate.language_identifier import LanguageIdentifier

pytestmark = pytest.mark.unit

TEXTS = {
    "en": """The weather is fine today and we are going to the park with the children.
        She has been working in the same office for more than ten years.
        Nobody knows what the old man was looking for in the garden.""",
    "de": """Das Wetter ist heute schön und wir gehen mit den Kindern in den Park.
        Sie arbeitet seit mehr als zehn Jahren in demselben Büro.
        Niemand weiß, was der alte Mann im Garten gesucht hat.""",
    "ru": """Сегодня хорошая погода, и мы идём с детьми в парк.
        Она работает в одном и том же офисе больше десяти лет.
        Никто не знает, что старик искал в саду.""",
    "uk": """Сьогодні гарна погода, і ми йдемо з дітьми в парк.
        Вона працює в одному й тому ж офісі понад десять років.
        Ніхто не знає, що старий шукав у саду.""",
    "ar": """الطقس جميل اليوم ونحن ذاهبون إلى الحديقة مع الأطفال.
        تعمل في نفس المكتب منذ أكثر من عشر سنوات.
        لا أحد يعرف ما الذي كان يبحث عنه الرجل العجوز في الحديقة.""",
    "zh": """今天天气很好，我们带孩子们去公园。
        她在同一个办公室工作了十多年。
        没有人知道老人在花园里找什么。""",
}


@pytest.fixture(scope="module")
def identifier() -> LanguageIdentifier:
    return LanguageIdentifier.learn({code: text.splitlines() for code, text in TEXTS.items()})


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "What are the children doing in the office?"),
        ("de", "Was machen die Kinder heute im Büro?"),
        ("ru", "Что дети делают сегодня в офисе?"),
        ("uk", "Що діти роблять сьогодні в офісі?"),
        ("ar", "ماذا يفعل الأطفال في المكتب اليوم؟"),
        ("zh", "孩子们今天在办公室做什么？"),
    ],
)
def test_sentences_it_has_not_seen(identifier, code, text):
    assert identifier.identify(text) == code
    assert [other for other in TEXTS if identifier.may_be(text, other)] == [code]
    assert identifier.identify(text.upper()) == code


@pytest.mark.parametrize("text", ["", "  ", "1984: 3.5 – !?", "\u0e01\u0e34"])
def test_what_has_no_known_letter_is_in_no_language(identifier, text):
    assert identifier.identify(text) is None
    assert identifier.may_be(text, "en") is None


def test_a_short_text_may_be_in_several_languages(identifier):
    assert identifier.may_be("Park", "en")
    assert identifier.may_be("Park", "de")
    assert not identifier.may_be("Park", "ru")


def test_common_and_rare_languages_weigh_the_same():
    many = LanguageIdentifier.learn(
        {"en": TEXTS["en"].splitlines() * 30, "de": TEXTS["de"].splitlines()}
    )
    assert many.identify("Was machen die Kinder heute im Büro?") == "de"


def test_only_so_many_texts_are_read():
    def endless():
        while True:
            yield "the same again"

    identifier = LanguageIdentifier.learn({"en": endless(), "de": ["noch einmal dasselbe"] * 3})
    assert identifier.identify("the same") == "en"


def test_misuse():
    with pytest.raises(ValueError, match="at least two"):
        LanguageIdentifier.learn({"en": ["a"]})
    with pytest.raises(ValueError, match="not xx"):
        LanguageIdentifier.learn({"en": ["aa"], "de": ["bb"]}).may_be("a", "xx")
