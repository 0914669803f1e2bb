"""Ids and whole calls equal to those of Hugging Face's XLMTokenizer on the same folder."""

import random
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xlmkit.text.segment import segmenter
from xlmkit.text.tokenizer import Tokenizer, TokenizerConfig

transformers = pytest.importorskip("transformers")

from xlmkit import XLMTokenizer, XLMTokenizerFast  # noqa: E402

Both = tuple[Tokenizer, Any]

LINES = {
    "en": [
        "The library isn't open on Sundays; it's closed, e.g. for cleaning.",
        "Mr. Smith paid $3,000.50 for No. 5 (the “blue” one)…",
        "Don't panic — read the rock'n'roll manual first!",
        "Write to someone@example.org or visit https://example.org/a-b?c=d&e=f.",
        "He said: 'we'll see.'",
    ],
    "fr": [
        "L'été dernier, nous avons visité l'île d'Oléron.",
        "« Qu'est-ce que c'est ? » demanda-t-elle à 18 h 30.",
        "Le prix a augmenté de 5 % : 1 000 000 € au total !",
    ],
    "de": [
        "Die Straße führt z.B. über den Fluß, am 5. Mai wird sie gesperrt.",
        "„Schöne Grüße“, schrieb Prof. Müller aus Österreich.",
        "Größere Übungen kosten 3.000,50 Euro.",
    ],
    "es": [
        "¿Dónde está el niño? ¡Aquí, señora!",
        "El Sr. García llegó a las 10:45 con su “amigo”.",
    ],
    "ro": ["Ştiinţa şi țara noastră în ianuarie, câine și pisică."],
    "cs": ["Příliš žluťoučký kůň úpěl ďábelské ódy 1 000 krát.", "Např. č. 5 stojí 20 Kč."],
    "ru": [
        "Библиотека закрыта по воскресеньям, т.е. приходите завтра.",
        "«Ёлка», — сказал он; — это 5-й пример!",
        "В 1999 г. Й. Иванов уехал в г. Москву.",
    ],
    "tr": [
        "İstanbul'da ILIK bir ışık vardı, değil mi?",
        "Çocuklar 3,5 km yürüdü; öğretmen güldü.",
    ],
    "el": ["Ο Οδυσσέας ΓΥΡΙΣΕ στην Ιθάκη· ποιος το περίμενε;", "ΟΔΟΣ ΣΟΦΙΑΣ 5"],
    "ar": [
        "المكتبة مغلقة يوم الأحد، أليس كذلك؟",
        "مُحَمَّدٌ كَتَبَ ١٢٣ رسالةً في عام ٢٠٢٠.",
    ],
    "hi": ["पुस्तकालय रविवार को बंद रहता है।", "क्या आप हिन्दी में ज़्यादा पढ़ते हैं?"],
    "vi": ["Thư viện đóng cửa vào chủ nhật, phải không?", "Đường Nguyễn Huệ dài 5,3 km."],
    "ko": ["도서관은 일요일에 문을 닫습니다.", "가격은 3,000원입니다!"],
    "zh": [
        "图书馆星期天不开门，请明天再来。",
        "他说：“今天气温是２５％，对吗？”（其实不是）",
        "我们用 Python3.11 处理《红楼梦》……很有意思！",
    ],
    "th": ["ห้องสมุดปิดวันอาทิตย์ กรุณามาพรุ่งนี้", "ราคา 3,000 บาท ใช่ไหม?"],
}
POOLS = [
    "abcdefgh XYZ", "0123456789.,%", " '\"`´‘’‚„“”«»", "()[]{}<>/\\@#$&*_+=~|^", "....,,;:!?…–—-",
    "\u00a0\u2009\u3000\u2028\u200b\u00ad\u0085\t\n\r\x00\x1f",
    "，。、：？《》）！（；「」～━〈〉【】％．０９∶",
    "äöüßéèñçşğıİΣσςΐÅ", "приветЁй", "中文漢字かなカナ", "العربيةَُِّ", "हिन्दीक्षत्र", "ไทยน้ำ", "한국어",
    "😀\u200d🇩🇪", "ŞşŢţȘțĂâÎ", "\ue000\U000e0001",
]  # fmt: skip
SNIPPETS = [
    "Mr. ", "z.B. ", "No. 5 ", "e.g. ", "DOTMULTI", "DOTDOTMULTI ", "</w>", "<s>", "</s>", "<unk>",
    "@-@", "&amp;", "nº\u00a05", "5\u00a0%", "3 000", "1\u00a0000", ".'", "''", "...", ". . .",
]  # fmt: skip


def random_line(rng: random.Random) -> str:
    pools = rng.sample(POOLS, k=rng.randint(1, 4))
    parts = []
    for _ in range(rng.randint(0, 30)):
        chance = rng.random()
        if chance < 0.1:
            parts.append(rng.choice(SNIPPETS))
        elif chance < 0.12:
            character = chr(rng.randrange(0x110000))
            parts.append(character if unicodedata.category(character) != "Cs" else " ")
        else:
            parts.append(rng.choice(rng.choice(pools)))
        if rng.random() < 0.2:
            parts.append(" ")
    return "".join(parts)


def usable(language: str) -> bool:
    module = {"zh": "rjieba", "th": "pythainlp"}.get(language)
    if module is None:
        return True
    pytest.importorskip(module)
    return segmenter(module) is not None


@pytest.fixture(scope="module", params=[True, False], ids=["lower-cased", "cased"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    config = TokenizerConfig(
        vocabulary_size=1200,
        lowercase_and_remove_accent=request.param,
        segmenters={"zh": "characters", "th": "none"},  # to learn without their libraries
        character_coverage=0.995,
    )
    ours = Tokenizer.learn(((code, lines) for code, lines in LINES.items()), config, list(LINES))
    ours.segmenters = {"zh": "rjieba", "th": "pythainlp"}
    folder: Path = tmp_path_factory.mktemp("tokenizer")
    ours.save(folder)
    return Tokenizer.load(folder), transformers.XLMTokenizer.from_pretrained(folder)


def reference(theirs: Any, text: str, language: str) -> list[int]:
    # Their __call__ loses the argument lang on the way (transformers 5), so that every text is
    # split as English; _tokenize is where it arrives.
    ids: list[int] = theirs.convert_tokens_to_ids(theirs._tokenize(text, lang=language))
    return ids


@pytest.mark.parametrize("language", list(LINES))
def test_sentences_get_the_same_ids(both: Both, language: str) -> None:
    assert usable(language)
    ours, theirs = both
    lines = LINES[language]
    expected = [reference(theirs, line, language) for line in lines]
    assert [ours.encode(line, language) for line in lines] == expected
    assert [row.tolist() for row in ours.encode_batch(lines, language)] == expected
    assert any(index != ours.unk for row in expected for index in row)


@pytest.mark.parametrize("language", [*LINES, "it", "fi", "pl", "bn"])
def test_random_unicode_gets_the_same_ids(both: Both, language: str) -> None:
    assert usable(language)
    ours, theirs = both
    rng = random.Random(language)
    lines = [random_line(rng) for _ in range(200)]
    for line, row in zip(lines, ours.encode_batch(lines, language), strict=True):
        assert row.tolist() == reference(theirs, line, language), repr(line)


def test_sequences_have_the_original_form(both: Both) -> None:
    ours, theirs = both
    for line in LINES["en"]:
        assert theirs(line)["input_ids"] == [ours.eos, *ours.encode(line, "en"), ours.eos]
    first, second = (ours.encode(line, "en") for line in LINES["en"][:2])
    pair = theirs(*LINES["en"][:2])["input_ids"]
    assert pair == [ours.eos, *first, ours.eos, *second, ours.eos]


def test_both_know_the_same_vocabulary(both: Both) -> None:
    ours, theirs = both
    assert len(theirs) == len(ours)
    assert theirs.get_vocab() == dict(ours.vocabulary.ids)
    assert theirs.lang2id == ours.lang2id
    special = {
        "bos_token_id": ours.eos, "cls_token_id": ours.eos, "sep_token_id": ours.eos,
        "pad_token_id": ours.pad, "unk_token_id": ours.unk, "mask_token_id": ours.mask,
    }  # fmt: skip
    assert {name: getattr(theirs, name) for name in special} == special


def test_what_they_save_loads_here(both: Both, tmp_path: Path) -> None:
    ours, theirs = both
    theirs.save_pretrained(tmp_path)
    assert Tokenizer.load(tmp_path).signature == ours.signature


# The classes with Hugging Face's names.


@pytest.fixture(scope="module", params=["slow", "fast"])
def classes(request: pytest.FixtureRequest, both: Both, tmp_path_factory: Any) -> tuple[Any, Any]:
    """Return our class and theirs, in Hugging Face's form, from a folder that ours wrote."""
    first: Path = tmp_path_factory.mktemp("ours")
    both[0].save(first)
    cls = XLMTokenizer if request.param == "slow" else XLMTokenizerFast
    # Without ids of languages any can be named, as there.
    settings = {"sequence_form": "huggingface", "bos_token": "<s>", "lang2id": None}
    ours = cls.from_pretrained(first, id2lang=None, **settings)
    second: Path = tmp_path_factory.mktemp("again")
    ours.save_pretrained(second)
    return ours, transformers.XLMTokenizer.from_pretrained(second)


@pytest.mark.parametrize("language", [*LINES, "it", "fi"])
def test_classes_give_the_same_tokens(classes: tuple[Any, Any], language: str) -> None:
    assert usable(language)
    ours, theirs = classes
    rng = random.Random(f"{language} again")
    lines = [*LINES.get(language, []), *(random_line(rng) for _ in range(15))]
    options = {"lang": language, "add_special_tokens": False, "split_special_tokens": True}
    rows = ours(lines, return_offsets_mapping=True, **options)
    for line, ids in zip(lines, rows.input_ids, strict=True):
        expected = theirs._tokenize(line, lang=language)
        assert ours._tokenize(line, lang=language) == expected
        assert ids == theirs.convert_tokens_to_ids(expected)
        bypassed = theirs._tokenize(line, lang=language, bypass_tokenizer=True)
        if line.isprintable():  # Rust takes no lone surrogates
            assert ours._tokenize(line, lang=language, bypass_tokenizer=True) == bypassed


CALLS: list[dict[str, Any]] = [
    {},
    {"padding": True},
    {"padding": True, "padding_side": "left", "pad_to_multiple_of": 8},
    {"padding": "max_length", "max_length": 40, "truncation": True},
    {"truncation": True, "max_length": 9, "return_token_type_ids": True},
    {"truncation": "only_first", "max_length": 12, "return_special_tokens_mask": True},
    {"max_length": 6},
    {"add_special_tokens": False, "return_attention_mask": False},
    {"return_tensors": "np", "padding": True},
]


@pytest.mark.parametrize("options", CALLS, ids=str)
def test_calls_in_english_give_the_same(classes: tuple[Any, Any], options: dict[str, Any]) -> None:
    ours, theirs = classes
    lines = [*LINES["en"], "A <special1> </s> B.", "<special2><s>x"]
    for side in ("left", "right"):
        ours.truncation_side = theirs.truncation_side = side
        if side == "right":  # on the left they lose the last </s> of a pair with an empty text
            lines += ["", "  "]
        pairs = list(zip(lines, lines[::-1], strict=True))
        calls: list[tuple[Any, ...]] = [(lines,), (lines, lines[::-1]), (pairs,)]
        calls += [(line,) for line in lines] + pairs
        for texts in calls:
            mine = dict(ours(*texts, **options))
            expected = dict(theirs(*texts, **options))
            assert mine.keys() == expected.keys()
            for key, values in expected.items():
                assert np.array_equal(_plain(mine[key]), _plain(values)), (key, texts)
        words = [line.split() for line in lines if line.split()]
        assert dict(ours(words, is_split_into_words=True)) == dict(
            theirs(words, is_split_into_words=True)
        )


def _plain(values: Any) -> Any:
    return np.array(values, dtype=object) if isinstance(values, list) else values


def test_methods_give_the_same(classes: tuple[Any, Any]) -> None:
    ours, theirs = classes
    for line in LINES["en"]:
        ids = theirs(line)["input_ids"]
        for skip in (False, True):
            for clean in (False, True):
                options = {"skip_special_tokens": skip, "clean_up_tokenization_spaces": clean}
                assert ours.decode(ids, **options) == theirs.decode(ids, **options)
        assert ours.convert_ids_to_tokens(ids) == theirs.convert_ids_to_tokens(ids)
        assert ours.tokenize(line) == theirs.tokenize(line)
    assert ours.get_vocab() == theirs.get_vocab()
    assert ours.all_special_tokens == theirs.all_special_tokens
    assert ours.added_tokens_encoder == theirs.added_tokens_encoder
    for first, second in (([20, 21], None), ([20], [21, 22])):
        for name in (
            "build_inputs_with_special_tokens", "get_special_tokens_mask",
            "create_token_type_ids_from_sequences",
        ):  # fmt: skip
            assert getattr(ours, name)(first, second) == getattr(theirs, name)(first, second)
        options = {"max_length": 5, "padding": "max_length", "truncation": True}
        assert dict(ours.prepare_for_model(first, second, **options)) == dict(
            theirs.prepare_for_model(first, second, **options)
        )
    assert len(ours) == len(theirs)
    assert ours.num_special_tokens_to_add(True) == theirs.num_special_tokens_to_add(True)
    new = ["newtoken", transformers.AddedToken("<n>", rstrip=True, lstrip=True)]
    assert ours.add_tokens(new) == theirs.add_tokens(new)
    for text in ("a newtoken <n> b", "newtokens<n>", " <n>newtoken"):
        assert ours.encode(text) == theirs.encode(text)


def test_folders_of_both_are_read_by_both(both: Both, tmp_path: Path) -> None:
    text, theirs = both
    text.save(tmp_path / "text-layer")
    ours = XLMTokenizer.from_pretrained(tmp_path / "text-layer")
    theirs.save_pretrained(tmp_path / "theirs")
    from_theirs = XLMTokenizer.from_pretrained(tmp_path / "theirs")
    ours.save_pretrained(tmp_path / "ours")
    again = transformers.XLMTokenizer.from_pretrained(tmp_path / "ours")
    for line in LINES["en"]:  # one text has the original form in both
        expected = theirs(line)["input_ids"]
        assert ours(line)["input_ids"] == from_theirs(line)["input_ids"] == expected
        assert again(line)["input_ids"] == expected
    assert ours.lang2id == from_theirs.lang2id == again.lang2id
    assert ours.get_vocab() == from_theirs.get_vocab() == again.get_vocab()
