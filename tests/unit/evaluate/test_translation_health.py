import pytest

from xlmkit.core.errors import UserError
from xlmkit.evaluate.language_identifier import LanguageIdentifier
from xlmkit.evaluate.translation_diagnosis import Learner, diagnosis
from xlmkit.evaluate.translation_health import Health, repeats, round_trip, translation_health

pytestmark = pytest.mark.unit

ENGLISH = [
    f"{who} {what} {where}."
    for who in ("The old man", "My sister", "A small dog")
    for what in ("is sleeping", "looks at the birds", "waits for the rain")
    for where in ("in the garden", "near the river", "under a tree")
]
GERMAN = [
    f"{who} {what} {where}."
    for who in ("Der alte Mann", "Meine Schwester", "Ein kleiner Hund")
    for what in ("schläft", "betrachtet die Vögel", "wartet auf Regen")
    for where in ("im Garten", "am Fluss", "unter einem Baum")
]
CODES = ("en", "de")


@pytest.fixture(scope="module")
def identifier() -> LanguageIdentifier:
    return LanguageIdentifier.learn({"en": ENGLISH, "de": GERMAN})


def _health(outputs, sources=ENGLISH, codes=CODES, **options):
    return translation_health(sources, outputs, *codes, **options)


def _told(health):
    return [sentence.split(":")[0] for sentence in diagnosis(health, "English", "German")]


def test_a_good_translation(identifier):
    health = _health(GERMAN, identifier=identifier)
    assert health.n == 27
    assert (health.copied, health.empty, health.repeated) == (0, 0, 0)
    assert (health.in_language, health.distinct) == (1, 1)
    assert health.commonest == pytest.approx(1 / 27)
    assert 0.8 < health.length_ratio < 1.2
    assert diagnosis(health, "English", "German") == []


@pytest.mark.parametrize("change", [str, str.upper, lambda text: text.replace("e", "a", 1) + "!"])
def test_copies_and_near_copies(identifier, change):
    health = _health([change(text) for text in ENGLISH], identifier=identifier)
    assert health.copied == 1
    assert health.in_language < 0.1
    assert _told(health) == ["English to German copies"]  # and no word of the wrong language


@pytest.mark.parametrize(
    ("sources", "outputs", "codes"),
    [
        (["我喜欢北京。"], ["我喜欢北京"], ("zh", "en")),
        (["Погода хорошая"], ["погода хорошая."], ("ru", "zh")),
        (["แมวกินปลา"], ["แมวกินปลา"], ("th", "ar")),
    ],
)
def test_copies_in_any_script_and_pair(sources, outputs, codes):
    assert _health(outputs, sources, codes).copied == 1
    assert _health(["something else"], sources, codes).copied == 0


def test_overlap_counts_words():
    health = _health(["the dog schläft the"], ["The cat and the bird."], CODES)
    assert health.overlap == 2 / 4


def test_one_output_for_all(identifier):
    health = _health([GERMAN[0]] * 27, identifier=identifier)
    assert health.commonest == 1
    assert health.distinct == pytest.approx(1 / 27)
    assert _told(health) == ["English to German collapses"]
    assert "100.0% of different sources have one and the same output." in diagnosis(
        health, "English", "German"
    )[0]  # fmt: skip


def test_a_few_outputs_for_all():
    sources = [f"{text} {number}" for text in ENGLISH for number in range(10)]
    outputs = [GERMAN[number % 25] for number in range(270)]
    health = _health(outputs, sources)
    assert health.commonest < 0.05
    assert "only 9.3% as many different outputs as sources" in diagnosis(health, "E", "G")[0]


def test_equal_sources_may_have_equal_outputs():
    health = _health(["Ja."] * 30 + GERMAN, ["Yes."] * 30 + ENGLISH)
    assert (health.n, health.sources, health.distinct) == (57, 28, 1)
    assert health.commonest == pytest.approx(1 / 28)


def test_the_wrong_language(identifier):
    english = [text.replace("garden", "house").replace("is", "was") for text in ENGLISH]
    turned = [*english[9:], *english[:9]]  # English, but no copies
    health = _health(turned, identifier=identifier)
    assert health.copied == 0
    assert health.in_language < 0.1
    assert _told(health) == ["English to German writes the wrong language"]
    assert _health(turned).in_language is None


def test_nothing():
    health = _health(["", " ", *GERMAN[2:]])
    assert health.empty == pytest.approx(2 / 27)
    assert _told(health) == ["English to German writes too little"]
    silent = _health([""] * 27)
    assert (silent.overlap, silent.length_ratio, silent.in_language) == (0, 0, None)
    assert _told(silent) == ["English to German writes too little"]


def test_too_short_and_too_long():
    assert _told(_health([text[:6] + str(i) for i, text in enumerate(GERMAN)])) == [
        "English to German writes too little"
    ]
    long = [f"{one} {other}" for one, other in zip(GERMAN, GERMAN[::-1], strict=True)]
    assert _told(_health(long)) == ["English to German runs on"]
    assert _told(_health(long, references=long)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the dog the cat the bird", False),
        ("very very very good", False),
        ("very very very very good", True),
        ("so a dog a dog a dog", True),
        ("a dog a dog", False),
        ("one two three four one two three four one two three four", True),
        ("one two three four one two three four one two three five", False),
        ("", False),
    ],
)
def test_repeats(text, expected):
    assert repeats(text.split()) is expected


def test_repetition_in_scripts_without_spaces():
    health = _health(["我喜欢我喜欢我喜欢", "我喜欢"], ["I like", "I like it"], ("en", "zh"))
    assert health.repeated == 0.5
    assert _told(_health([f"{text} und und und und" for text in GERMAN])) == [
        "English to German runs on"
    ]


def test_lengths_of_dense_scripts_compare():
    health = _health(
        ["老人在花园里睡觉。"], ["The old man is sleeping in the garden."], ("en", "zh")
    )
    assert 0.5 < health.length_ratio < 1


def test_empty_sources_are_left_out():
    assert _health(["", "Ja.", ""], ["", "Yes.", "\t"]).n == 1
    with pytest.raises(UserError, match="no source text"):
        _health(["", ""], ["", " "])


def test_lengths_must_match():
    with pytest.raises(UserError, match="2 sources but 1 translations"):
        _health(["a"], ["a", "b"])
    with pytest.raises(UserError, match="1 sources but 2 references"):
        _health(["a"], ["a"], references=["a", "b"])


def test_a_few_sentences_say_nothing():
    for sources in (ENGLISH[:10], ENGLISH[:3] * 30):
        assert diagnosis(_health(sources, sources), "English", "German") == []


def test_a_few_equal_outputs_of_few_sentences_are_no_collapse():
    for alike, told in ((4, []), (5, ["English to German collapses"])):
        health = _health([GERMAN[0]] * alike + GERMAN[alike:])
        assert health.commonest > 0.1
        assert _told(health) == told


def test_what_collapses_is_not_told_its_length_too():
    for output in ("Ja.", " ".join(["und so weiter"] * 30)):
        assert _told(_health([output] * 27)) == ["English to German collapses"]


def test_a_recipe_is_told_what_it_can_do():
    written = {
        "copies": ENGLISH,
        "collapses": [GERMAN[0]] * 27,
        "runs on": [f"{text} und und und und" for text in GERMAN],
        "writes too little": [""] * 27,
    }
    for initial, denoises in ((True, True), (False, False)):
        learner = Learner(initial=initial, denoises=denoises)
        told = {
            name: diagnosis(_health(outputs), "English", "German", learner)[0]
            for name, outputs in written.items()
        }
        assert not any(word in str(told) for word in ("beam", "penalty", "allow", "checkpoint"))
        assert ("ae.noise" in told["copies"]) is denoises
        assert ("pretrain init longer" in told["collapses"]) is initial
        assert ("start from a pretrained model" in told["collapses"]) is not initial


def test_health_as_json(identifier):
    health = _health(GERMAN, identifier=identifier)
    assert Health.from_json(health.to_json()) == health


def _dictionary(one, other):
    pairs = dict(zip(one, other, strict=True))
    return lambda texts: [pairs[text] for text in texts]


def test_round_trip(identifier):
    there, back = _dictionary(ENGLISH, GERMAN), _dictionary(GERMAN, ENGLISH)
    made = round_trip(ENGLISH, there, back, *CODES, identifier=identifier, resamples=50)
    assert made.bleu.value == pytest.approx(100)
    assert made.bleu.low == pytest.approx(100)
    assert made.health.in_language == 1
    assert made.bleu.signature.startswith("BLEU|round-trip:en-de-en|untranslated:empty|nrefs:1|")
    turned = _dictionary(GERMAN, [*ENGLISH[1:], ENGLISH[0]])
    assert 10 < round_trip(ENGLISH, there, turned, *CODES).bleu.value < 90


def test_a_round_trip_of_copies_is_worth_nothing(identifier):
    asked = []

    def back(texts):
        asked.extend(texts)
        return list(texts)

    made = round_trip(ENGLISH, list, back, *CODES)
    assert (made.bleu.value, made.health.copied, asked) == (0, 1, [])
    english = [*ENGLISH[9:], *ENGLISH[:9]]  # what is not German is not sent back
    assert (
        round_trip(ENGLISH, lambda _: english, back, *CODES, identifier=identifier).bleu.value == 0
    )
    assert asked == []
    half = [*ENGLISH[:13], *GERMAN[13:]]
    way_back = _dictionary(GERMAN, ENGLISH)
    made = round_trip(ENGLISH, lambda _: half, way_back, *CODES)
    assert 30 < made.bleu.value < 70
