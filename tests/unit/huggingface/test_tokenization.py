"""XLMTokenizer: languages, forms, padding, added tokens, saving."""

import copy
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

transformers = pytest.importorskip("transformers")

from xlmkit import Tokenizer, XLMTokenizer, XLMTokenizerFast  # noqa: E402

CLASSES = [XLMTokenizer, XLMTokenizerFast]


@pytest.fixture(scope="module", params=CLASSES, ids=["slow", "fast"])
def tokenizer(request: pytest.FixtureRequest, folder: Path) -> Any:
    return request.param.from_pretrained(folder)


@pytest.fixture(scope="module", params=CLASSES, ids=["slow", "fast"])
def original(request: pytest.FixtureRequest, original_folder: Path) -> Any:
    return request.param.from_pretrained(original_folder)


@pytest.fixture(scope="module")
def text(folder: Path) -> Tokenizer:
    return Tokenizer.load(folder)


def test_ids_are_those_of_the_text_layer(tokenizer: Any, text: Tokenizer) -> None:
    lines = ["Größere Katzen l'île", "The dog can't sleep."]
    for language in ("en", "fr", "de"):
        expected = [row.tolist() for row in text.encode_batch(lines, language)]
        assert tokenizer(lines, lang=language, add_special_tokens=False).input_ids == expected
        assert tokenizer.encode(lines[0], lang=language) == [0, *expected[0], 1]
        tokens = tokenizer.tokenize(lines[0], lang=language)
        assert tokenizer.convert_tokens_to_ids(tokens) == expected[0]
    assert text.encode("l'île", "fr") != text.encode("l'île", "en")


def test_each_row_has_its_language(tokenizer: Any) -> None:
    both = tokenizer(["l'île", "猫在垫子上"], lang=["fr", "zh"])
    for row, language in enumerate(["fr", "zh"]):
        alone = tokenizer(["l'île", "猫在垫子上"][row], lang=language)
        assert {key: values[row] for key, values in both.items()} == dict(alone)
        assert set(alone["langs"]) == {tokenizer.lang2id[language]}


def test_pairs_have_two_languages(tokenizer: Any) -> None:
    first, second = tokenizer.encode("The cat", lang="en"), tokenizer.encode("l'île", lang="fr")
    expected = {
        "input_ids": [*first, *second[1:]],
        "langs": [0] * len(first) + [2] * (len(second) - 1),
        "attention_mask": [1] * (len(first) + len(second) - 1),
    }
    assert dict(tokenizer("The cat", "l'île", lang=("en", "fr"))) == expected
    assert dict(tokenizer("The cat", "l'île", lang="en", text_pair_lang="fr")) == expected
    rows = [("The cat", "l'île"), ("The cat", "l'île")]
    for languages in (("en", "fr"), [("en", "fr"), ("en", "fr")]):
        batch = tokenizer(rows, lang=languages)
        assert batch["langs"] == [expected["langs"]] * 2
    assert tokenizer("The cat", "l'île", lang="en")["langs"] == [0] * len(
        tokenizer.encode("The cat", "l'île", lang="en")
    )


def test_langs_are_returned_where_they_matter(tokenizer: Any, folder: Path, tmp_path: Path) -> None:
    assert "langs" not in tokenizer("The cat", return_langs=False)
    assert "langs" in tokenizer("The cat")
    config = json.loads((folder / "tokenizer_config.json").read_text())
    for key in ("lang2id", "id2lang"):
        del config[key]
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    without = type(tokenizer).from_pretrained(tmp_path)
    assert set(without("The cat", lang="xx")) == {"input_ids", "attention_mask"}
    with pytest.raises(ValueError, match="no lang2id"):
        without("The cat", return_langs=True)
    one = type(tokenizer).from_pretrained(tmp_path, lang2id={"fr": 0})
    assert "langs" not in one("l'île")
    assert one.tokenize("l'île") == tokenizer.tokenize("l'île", lang="fr")


@pytest.mark.parametrize(
    ("language", "message"),
    [
        ("fr_FR", "'fr'?"),
        ("German", "'de'?"),
        ("sw", "only en, de, fr, zh"),
        (["fr"], "is a list"),
        (("en", "fr"), "no second text"),
        (7, "are no languages"),
        (("en",), "are no languages"),
    ],
)
def test_wrong_languages_are_named(tokenizer: Any, language: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        tokenizer("The cat", lang=language)


def test_languages_must_fit_the_rows(tokenizer: Any) -> None:
    with pytest.raises(ValueError, match="3 languages for 2 texts"):
        tokenizer(["a", "b"], lang=["en", "fr", "de"])
    with pytest.raises(ValueError, match="no second text"):
        tokenizer("a", text_pair_lang="fr")
    assert tokenizer(["a", "b"], lang=[None, "fr"])["langs"][1][0] == 2


def test_the_default_language(folder: Path) -> None:
    french = XLMTokenizer.from_pretrained(folder, lang="fr")
    assert french.tokenize("l'île") == XLMTokenizer.from_pretrained(folder).tokenize(
        "l'île", lang="fr"
    )
    with pytest.raises(ValueError, match="no language 'sw'"):
        XLMTokenizer.from_pretrained(folder, lang="sw")
    mapping = {"de": 0, "fr": 1}
    none = XLMTokenizer.from_pretrained(folder, lang2id=mapping, id2lang=None)
    with pytest.raises(ValueError, match="lang= one of de, fr"):
        none("Katze")
    with pytest.raises(ValueError, match="not the reverse"):
        XLMTokenizer.from_pretrained(folder, lang2id=mapping)


def test_a_missing_segmenter_is_an_import_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from xlmkit.text.segment import segmenter

    segmenter.cache_clear()
    monkeypatch.setitem(sys.modules, "rjieba", None)
    tokenizer = XLMTokenizerFast.from_pretrained(folder, segmenters={"zh": "rjieba"})
    assert tokenizer("The cat").input_ids
    with pytest.raises(ImportError, match=r"xlmkit\[zh\]"):
        tokenizer("猫", lang="zh")
    with pytest.raises(ValueError, match="no segmenter 'jieba'"):
        XLMTokenizerFast.from_pretrained(folder, segmenters={"zh": "jieba"})
    segmenter.cache_clear()


def test_the_original_form(original: Any, folder: Path) -> None:
    plain = type(original).from_pretrained(folder)
    cat, ile = (plain.encode(t, lang="fr", add_special_tokens=False) for t in ("chat", "l'île"))
    assert original.encode("chat", lang="fr") == [1, *cat, 1]
    pair = original("chat", "l'île", lang=("fr", "en"), return_token_type_ids=True)
    other = plain.encode("l'île", lang="en", add_special_tokens=False)
    assert pair["input_ids"] == [1, *cat, 1, 1, *other, 1]
    first, second = len(cat) + 2, len(other) + 2
    assert pair["langs"] == [2] * first + [0] * second
    assert pair["token_type_ids"] == [0] * first + [1] * second
    assert pair["position_ids"] == [*range(first), *range(second)]
    assert "position_ids" not in original("chat", lang="fr")
    assert original("chat", lang="fr", return_position_ids=True)["position_ids"] == [*range(first)]
    running = plain("chat", "l'île", lang="fr", return_position_ids=True)
    assert running["position_ids"] == [*range(len(running["input_ids"]))]
    assert "position_ids" not in plain("chat", "l'île", lang="fr")
    assert original.build_inputs_with_special_tokens(cat, ile) == [1, *cat, 1, 1, *ile, 1]
    assert original.get_special_tokens_mask([7], [8, 9]) == [1, 0, 1, 1, 0, 0, 1]
    assert original.create_token_type_ids_from_sequences([7], [8]) == [0, 0, 0, 1, 1, 1]
    assert original.num_special_tokens_to_add(pair=True) == 4


def test_methods_of_sequences(tokenizer: Any) -> None:
    assert tokenizer.build_inputs_with_special_tokens([7]) == [0, 7, 1]
    assert tokenizer.build_inputs_with_special_tokens([7], [8]) == [0, 7, 1, 8, 1]
    assert tokenizer.get_special_tokens_mask([7], [8]) == [1, 0, 1, 0, 1]
    assert tokenizer.get_special_tokens_mask([0, 70, 1], already_has_special_tokens=True) == [
        1, 0, 1,
    ]  # fmt: skip
    assert tokenizer.create_token_type_ids_from_sequences([7], [8]) == [0, 0, 0, 1, 1]
    assert tokenizer.num_special_tokens_to_add() == 2
    assert tokenizer.tokenize("cat", "dog", add_special_tokens=True)[:2] == ["<s>", "cat</w>"]
    made = tokenizer.prepare_for_model([70, 71], [72], True, "max_length", max_length=7, lang="fr")
    assert made["input_ids"] == [0, 70, 71, 1, 72, 1, 2]
    assert made["langs"] == [2] * 6 + [0]
    tensors = tokenizer.prepare_for_model([70], return_tensors="np", prepend_batch_axis=True)
    assert tensors["input_ids"].tolist() == [[0, 70, 1]]
    assert tokenizer.prepare_for_model([], []).input_ids == [0, 1, 1]


@pytest.mark.parametrize("side", ["right", "left"])
def test_everything_is_padded(original: Any, side: str) -> None:
    texts = [("chat", "The cat sleeps on the mat."), ("l'île", "cat")]
    options = {"lang": ("fr", "en"), "return_offsets_mapping": True}
    batch = original(texts, padding=True, padding_side=side, return_tensors="np", **options)
    rows = [original(*pair, **options) for pair in texts]
    length = len(rows[0]["input_ids"])
    missing = length - len(rows[1]["input_ids"])
    padded = slice(0, missing) if side == "left" else slice(length - missing, None)
    whole = slice(missing, None) if side == "left" else slice(0, length - missing)
    for key, value in (
        ("input_ids", 2), ("langs", 0), ("position_ids", 0), ("attention_mask", 0),
        ("offset_mapping", 0),
    ):  # fmt: skip
        assert batch[key].shape[:2] == (2, length)
        assert (batch[key][1][padded] == value).all()
        assert batch[key][1][whole].tolist() == np.array(rows[1][key]).tolist()
    for row in rows:
        del row["offset_mapping"]
    again = original.pad([dict(row) for row in rows], padding_side=side, return_tensors="np")
    assert all((again[key] == batch[key]).all() for key in again)
    collate = transformers.DataCollatorWithPadding(original, return_tensors="np")
    collated = collate([dict(row) for row in rows])
    assert collated["langs"].shape == collated["position_ids"].shape == (2, length)


def test_lengths(tokenizer: Any) -> None:
    long = "the cat sleeps on the mat the cat"
    ids = tokenizer.encode(long, add_special_tokens=False)
    assert tokenizer(long, truncation=True, max_length=5).input_ids == [0, *ids[:3], 1]
    assert (
        tokenizer(long, max_length=5, padding="max_length", truncation=True, lang="fr")["langs"]
        == [2] * 5
    )
    left = type(tokenizer).from_pretrained(
        tokenizer.name_or_path, truncation_side="left", padding_side="left", model_max_length=6
    )
    assert left(long, truncation=True).input_ids == [0, *ids[-4:], 1]
    assert left("cat", padding="max_length").input_ids[:3] == [2, 2, 2]
    assert left(long, "cat", truncation="only_first", max_length=6).input_ids == [
        0, *ids[-2:], 1, *tokenizer.encode("cat", add_special_tokens=False), 1,
    ]  # fmt: skip
    assert left.max_len_single_sentence == 4
    assert tokenizer(["cat", long], return_length=True)["length"] == [3, len(ids) + 2]


def test_what_a_call_takes(tokenizer: Any) -> None:
    cat = tokenizer.encode("the cat", add_special_tokens=False)
    options: dict[str, Any] = {"add_special_tokens": False, "return_attention_mask": False}
    for given in ("the cat", cat, tuple(cat)):
        assert tokenizer(given, **options).input_ids == cat
    for given in (["the cat"], [cat], [["the cat"]], np.array([cat]).tolist()):
        assert tokenizer(given, **options).input_ids == [cat]
    words = {"is_split_into_words": True, **options}
    assert tokenizer(["the", "cat"], **words).input_ids == cat
    assert tokenizer([["the", "cat"], []], **words).input_ids == [cat, []]
    assert tokenizer([(["the"], ["cat"])], **words).input_ids == [cat]
    assert tokenizer("the", "cat", **options).input_ids == cat
    assert tokenizer([["the", "cat"]], **options).input_ids == [cat]
    assert tokenizer([]).input_ids == []
    assert tokenizer("").input_ids == [0, 1]
    for wrong in (None, 7, ["a", None], [["a", "b", "c"]]):
        with pytest.raises(ValueError, match=r"A text is|texts; give one|need to specify"):
            tokenizer(wrong)
    with pytest.raises(ValueError, match="same length"):
        tokenizer(["a", "b"], ["c"])


def test_targets_have_their_own_language(tokenizer: Any) -> None:
    batch = tokenizer("The cat", text_target="l'île", lang="en", text_target_lang="fr")
    assert batch["labels"] == tokenizer.encode("l'île", lang="fr")
    assert batch["input_ids"] == tokenizer.encode("The cat", lang="en")
    assert tokenizer("l'île", lang="en").input_ids == tokenizer.encode("l'île", lang="en")


def test_text_that_was_split_elsewhere(tokenizer: Any) -> None:
    assert tokenizer.tokenize("cat mat.", bypass_tokenizer=True)[-1] == ".</w>"
    bypassed = tokenizer("CAT mat .", lang="zh", bypass_tokenizer=True)
    assert bypassed["input_ids"].count(tokenizer.unk_token_id) == 3  # no capitals are known
    assert set(bypassed["langs"]) == {3}


def test_letters_that_only_look_alike_are_no_added_token(folder: Path) -> None:
    tokenizer = XLMTokenizerFast.from_pretrained(folder)
    tokenizer.add_tokens(["bin", "mask"])
    for text in ("BİN", "maſk"):
        assert len(tokenizer) - 2 not in tokenizer.encode(text)
        assert len(tokenizer) - 1 not in tokenizer.encode(text)


def test_added_tokens(folder: Path) -> None:
    tokenizer = XLMTokenizerFast.from_pretrained(folder)
    size = len(tokenizer)
    assert tokenizer.vocab_size == size
    assert tokenizer.add_tokens(["NewTok", "cat</w>"]) == 1
    assert tokenizer.add_special_tokens({"additional_special_tokens": ["<Ext>"]}) == 1
    assert len(tokenizer) == size + 2
    assert tokenizer.get_vocab()["<Ext>"] == size + 1
    for text in ("the newtok<Ext>cat", "the NewTok<Ext>cat"):  # this tokenizer ignores case
        ids = tokenizer.encode(text, add_special_tokens=False)
        assert ids[1:3] == [size, size + 1]
        assert len(ids) == 4
    assert tokenizer.decode(ids) == "the newtok<Ext>cat"
    assert tokenizer.decode(ids, skip_special_tokens=True) == "the newtokcat"
    assert size + 1 not in tokenizer.encode("<ext>")
    encoding = tokenizer("the NewTok<Ext>cat")
    assert [tokenizer.decode(i) for i in encoding["input_ids"]][2:4] == ["newtok", "<Ext>"]
    assert encoding.token_to_chars(2) == (4, 10)
    assert encoding.word_ids() == [None, 0, 1, 2, 3, None]
    split = tokenizer.encode("<s> x", split_special_tokens=True, add_special_tokens=False)
    assert 0 not in split
    assert tokenizer.encode("<s> x", add_special_tokens=False)[0] == 0


@pytest.mark.parametrize(
    ("rules", "text", "spans"),
    [
        ({}, "a [X] b", [(0, 1), (2, 5), (6, 7)]),
        ({"single_word": True}, "a[X] [X]", [(0, 1), (1, 2), (2, 3), (3, 4), (5, 8)]),
    ],
)
def test_rules_of_added_tokens(
    folder: Path, rules: dict[str, bool], text: str, spans: list[tuple[int, int]]
) -> None:
    tokenizer = XLMTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(transformers.AddedToken("[X]", normalized=False, **rules))
    found = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    assert found["offset_mapping"] == spans


def test_decoding(tokenizer: Any) -> None:
    ids = tokenizer("The cat sleeps!").input_ids
    assert tokenizer.decode(ids) == "<s>the cat sleeps ! </s>"
    assert tokenizer.decode(ids, skip_special_tokens=True) == "the cat sleeps !"
    cleaned = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=True)
    assert cleaned == "the cat sleeps!"
    assert tokenizer.batch_decode([ids, ids], skip_special_tokens=True) == ["the cat sleeps !"] * 2
    assert tokenizer.convert_ids_to_tokens([10**6]) == ["<unk>"]
    assert tokenizer.convert_tokens_to_ids("ꙮ") == tokenizer.unk_token_id == 3
    assert tokenizer.mask_token_id == 5


def test_saving_and_loading(original: Any, tmp_path: Path) -> None:
    original.add_tokens(["newtok"])
    files = original.save_pretrained(tmp_path)
    assert all(Path(f).name for f in files)
    again = type(original).from_pretrained(tmp_path)
    text = ("Qu'est-ce <special1> newtok", "The cat")
    assert dict(again(*text, lang=("fr", "en"))) == dict(original(*text, lang=("fr", "en")))
    assert again.lang2id == original.lang2id
    assert again.id2lang == {0: "en", 1: "de", 2: "fr", 3: "zh"}
    assert again.sequence_form == "original"
    assert again.segmenters == original.segmenters
    assert again.do_lower_case is True
    assert again.get_vocab() == original.get_vocab()
    assert json.loads((tmp_path / "tokenizer_config.json").read_text())["tokenizer_class"] == (
        "XLMTokenizer"
    )
    prefixed = original.save_vocabulary(str(tmp_path), "x")
    assert [Path(p).name for p in prefixed] == ["x-vocab.json", "x-merges.txt"]
    with pytest.raises(ValueError, match="no folder"):
        original.save_vocabulary(str(tmp_path / "none"))
    folder = tmp_path / "text-layer"
    original.save_pretrained(folder)
    assert Tokenizer.load(folder).segmenters == original.segmenters


def test_copies_are_the_same(tokenizer: Any) -> None:
    expected = dict(tokenizer("Größere Katzen", lang="de"))
    for other in (pickle.loads(pickle.dumps(tokenizer)), copy.deepcopy(tokenizer)):  # noqa: S301
        assert dict(other("Größere Katzen", lang="de")) == expected
        assert other.is_fast == tokenizer.is_fast


def test_case_can_be_kept(folder: Path) -> None:
    tokenizer = XLMTokenizer.from_pretrained(folder, do_lowercase_and_remove_accent=False)
    assert tokenizer.tokenize("Cat")[0].startswith("C")
    tokenizer.do_lowercase_and_remove_accent = True
    assert tokenizer.tokenize("Cat") == ["cat</w>"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sequence_form": "other"}, "huggingface or original"),
        ({"vocab_file": "none.json"}, r"none\.json"),
        ({"merges_file": ""}, "are needed"),
        ({"unk_token": None}, "unk_token"),
    ],
)
def test_wrong_settings_are_named(folder: Path, settings: dict[str, Any], message: str) -> None:
    files = {"vocab_file": folder / "vocab.json", "merges_file": folder / "merges.txt"}
    with pytest.raises(ValueError, match=message):
        XLMTokenizer(**{**files, **settings})


def test_unknown_arguments_are_named(tokenizer: Any, caplog: pytest.LogCaptureFixture) -> None:
    transformers.logging.enable_propagation()
    try:
        tokenizer("The cat", langs=f"of-{type(tokenizer).__name__}")
    finally:
        transformers.logging.disable_propagation()
    assert any("ignores langs" in record.message for record in caplog.records)


def test_importing_takes_no_torch() -> None:
    code = "import sys, xlmkit.huggingface.tokenization as t; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    code = (
        "import sys, xlmkit.text.encoder; "
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
