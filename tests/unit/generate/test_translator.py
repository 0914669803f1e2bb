"""Texts through a translator: order, empty and long ones, languages; what it learned comes out."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import LANGUAGE_MODEL
from xlmkit.core.errors import UserError
from xlmkit.generate.cutting import cut
from xlmkit.generate.engine import Precision, longest_translations
from xlmkit.generate.translator import SearchConfig, Translator
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.text.vocabulary import MASK, SPECIAL_TOKENS, UNK

LETTERS = "abcdefgh"
CAPITALS = LETTERS.upper()
FIRST = len(SPECIAL_TOKENS)


@pytest.fixture
def folder(reversing_translator: Path) -> Path:
    return reversing_translator


TEXTS = ["a b c", "", "h g", "  ", "d", "c a f e"]
EXPECTED = ["C B A", "", "G H", "", "D", "E F A C"]


@pytest.mark.parametrize("beam_size", [0, 1, 4])
def test_texts_come_back_in_their_order(folder: Path, beam_size: int) -> None:
    search = SearchConfig(beam_size=beam_size, batch_tokens=64)
    assert Translator.from_pretrained(folder).translate(TEXTS, "en", "fr", search) == EXPECTED


@pytest.mark.parametrize("precision", ["int8", "bfloat16", "auto"])
@pytest.mark.parametrize("beam_size", [0, 4])
def test_other_precisions_write_the_same_where_the_model_is_sure(
    folder: Path, precision: Precision, beam_size: int
) -> None:
    translator = Translator.from_pretrained(folder, precision)
    found = translator.translations(TEXTS, "en", "fr", SearchConfig(beam_size=beam_size))
    assert [best.text for best, *_ in found] == EXPECTED
    scores = translator.score(TEXTS, EXPECTED, "en", "fr")
    for (best, *_), score, text in zip(found, scores, TEXTS, strict=True):
        if text.strip():
            assert score == pytest.approx(best.log_probability, abs=0.2)


def test_batches_do_not_matter(folder: Path) -> None:
    translator = Translator.from_pretrained(folder)
    texts = random_texts(40)
    together = translator.translate(texts, "en", "fr", SearchConfig(beam_size=2))
    alone = translator.translate(texts, "en", "fr", SearchConfig(beam_size=2, batch_tokens=16))
    assert together == alone


@pytest.fixture(scope="module")
def guess(reversing_translator: Path) -> Translator:
    """A translator that is sure of nothing, so that searches differ."""
    torch.manual_seed(1)
    bundle = Bundle.load(reversing_translator)
    model = EncoderDecoder(bundle.architecture)
    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.normal_(module.weight, std=0.3)
    return Translator(replace(bundle, weights=model.state_dict()))


def random_texts(n: int, longest: int = 9) -> list[str]:
    random = torch.Generator().manual_seed(3)
    return [
        " ".join(LETTERS[i] for i in torch.randint(0, 8, (int(length),), generator=random))
        for length in torch.randint(1, longest + 1, (n,), generator=random)
    ]


@pytest.mark.parametrize(
    "how",
    [
        {"beam_size": 0},
        {"beam_size": 5, "n_best": 5},
        {"sample": True, "n_best": 3},
        {"beam_size": 3, "repetition_penalty": 2.0},
    ],
)
def test_the_score_of_search_is_that_of_the_scorer(guess: Translator, how: dict[str, Any]) -> None:
    texts = random_texts(30)
    words = guess.allowed_words([" ".join((*LETTERS, *CAPITALS))], "fr")  # text and tokens agree
    found = guess.translations(texts, "en", "fr", SearchConfig(**how), allowed=words)
    pairs = [(text, made) for text, several in zip(texts, found, strict=True) for made in several]
    assert len(pairs) >= 30
    scores = guess.score([text for text, _ in pairs], [made.text for _, made in pairs], "en", "fr")
    assert scores == pytest.approx([made.log_probability for _, made in pairs], abs=1e-4)


@pytest.mark.parametrize(
    "how", [{"beam_size": 0}, {"beam_size": 3, "n_best": 3}, {"sample": True, "n_best": 20}]
)
def test_no_special_tokens_are_written(reversing_translator: Path, how: dict[str, Any]) -> None:
    bundle = Bundle.load(reversing_translator)
    weights = dict(bundle.weights)
    bias = weights["pred_layer.proj.bias"].clone()
    bias[UNK], bias[MASK] = 30.0, 29.0
    translator = Translator(replace(bundle, weights=weights | {"pred_layer.proj.bias": bias}))
    found = translator.translations(["a b c"], "en", "fr", SearchConfig(**how))
    assert not any("<" in made.text for several in found for made in several)
    assert found[0][0].text
    original = SearchConfig(rules="original", beam_size=2, max_length=4)
    assert "<unk>" in translator.translate(["a b c"], "en", "fr", original)[0]
    begun = translator.translate(["a b c"], "en", "fr", SearchConfig(**how), prefixes=["B A"])
    assert begun[0].startswith("B A")
    assert "<" not in begun[0]


def test_scores_are_in_order_and_probabilities(folder: Path) -> None:
    translator = Translator.from_pretrained(folder)
    right, wrong, short, empty = translator.score(
        ["a b c d e", "a b", "a", ""], ["E D C B A", "A B", "A", ""], "en", "fr"
    )
    assert wrong < short < 0
    assert wrong < right < 0
    assert empty < 0
    with pytest.raises(UserError, match="Pair 2 has 11 tokens"):
        translator.score(["a", " ".join("a" * 11)], ["A", "A"], "en", "fr")


def test_beams_are_never_worse_than_greedy(guess: Translator) -> None:
    texts = random_texts(200)
    greedy = guess.translations(texts, "en", "fr", SearchConfig(beam_size=0))
    beams = guess.translations(texts, "en", "fr", SearchConfig(beam_size=5))
    gains = [ours[0].score - theirs[0].score for ours, theirs in zip(beams, greedy, strict=True)]
    assert min(gains) > -1e-4
    assert max(gains) > 0.01


def test_several_translations_come_best_first(folder: Path) -> None:
    translator = Translator.from_pretrained(folder)
    found = translator.translations(TEXTS, "en", "fr", SearchConfig(beam_size=4, n_best=3))
    assert [len(one) for one in found] == [1 if not text.strip() else 3 for text in TEXTS]
    assert [one[0].text for one in found] == EXPECTED
    for one in found:
        assert [t.score for t in one] == sorted((t.score for t in one), reverse=True)


def test_samples_depend_on_the_number_of_a_text_alone(guess: Translator) -> None:
    texts = random_texts(20)
    search = SearchConfig(sample=True, seed=5)
    together = guess.translate(texts, "en", "fr", search)
    small = SearchConfig(sample=True, seed=5, batch_tokens=16)
    assert guess.translate(texts[7:], "en", "fr", small, first=7) == together[7:]
    assert guess.translate(texts, "en", "fr", SearchConfig(sample=True, seed=6)) != together


def test_prefixes_and_allowed_words(folder: Path) -> None:
    translator = Translator.from_pretrained(folder)
    begun = translator.translate(["a b c", "d"], "en", "fr", prefixes=["H G", ""])
    assert begun[0].startswith("H G")
    assert begun[1] == "D"
    allowed = translator.allowed_words(["A B"], "fr")
    assert set(translator.translate(["c a b"], "en", "fr", allowed=allowed)[0]) <= set("A B")


@pytest.mark.parametrize("beam_size", [0, 3])
def test_a_prefix_is_never_cut(folder: Path, beam_size: int) -> None:
    translator = Translator.from_pretrained(folder)
    search = SearchConfig(beam_size=beam_size, length_ratio=0.01)
    bound = search.model_copy(update={"max_length": 8})
    prefix = "A B C D E F G H"
    for how in (search, bound):
        assert translator.translate(["a"], "en", "fr", how, prefixes=[prefix])[0].startswith(prefix)
    with pytest.raises(UserError, match="Prefix 2 has 9 tokens, but a translation has at most 8"):
        translator.translate(["a", "b"], "en", "fr", bound, prefixes=["A", f"{prefix} A"])
    with pytest.raises(UserError, match=r"Prefix 1 has 11 tokens, .* at most 10"):
        translator.translate(["a"], "en", "fr", prefixes=[f"{prefix} A B C"])


def test_a_prefix_comes_on_top_of_the_room_of_the_source(guess: Translator) -> None:
    engine, rows = guess.engine, guess.tokenizer.encode_batch(["a", "a"], "en")
    limits = longest_translations(rows, SearchConfig(), engine.longest + 90, [[FIRST] * 5, []])
    assert limits == [19, 14]


def test_constraints_that_leave_no_word_give_an_empty_translation(folder: Path) -> None:
    translator = Translator.from_pretrained(folder)
    allowed = translator.allowed_words(["A"], "fr")
    for how in ({"beam_size": 3}, {"beam_size": 0}):
        search = SearchConfig(min_length=3, no_repeat_ngram=1, **how)
        (found,) = translator.translations(["a b"], "en", "fr", search, allowed=allowed)
        assert found[0].log_probability == float("-inf")
        long = SearchConfig(min_length=50, **how)  # more than the model can write
        assert len(translator.translate(["a b"], "en", "fr", long)[0].split()) == 10


def test_a_long_text_is_cut_at_its_sentences(folder: Path) -> None:
    translator = Translator.from_pretrained(folder)
    sentences = ["a b c d .", "e f g h .", "b b ."]
    for room, lengths in ((10, [10, 3]), (9, [5, 8])):
        parts = cut(" ".join(sentences), "en", translator.tokenizer, room)
        assert [len(part) for part in parts] == lengths
    made = translator.translate([" ".join(sentences), "a"], "en", "fr")
    assert made[1] == "A"
    assert made[0].split()[-1] != ""


def test_the_sentences_of_a_text_are_translated_one_by_one(folder: Path) -> None:
    translator = Translator.from_pretrained(folder, capitals=False)
    sentences = ["a b!", "c d e!", "f"]
    search = SearchConfig(beam_size=3, n_best=2)
    alone = translator.translations(sentences, "en", "fr", search)
    (together,) = translator.translations([" ".join(sentences)], "en", "fr", search)
    for rank, made in enumerate(together):
        assert made.text == " ".join(several[rank].text for several in alone)
        assert made.score == pytest.approx(sum(several[rank].score for several in alone))
    (whole,) = translator.translate([" ".join(sentences)], "en", "fr", split=False)
    assert whole != together[0].text
    assert translator.translate(["a b! ", "! !"], "en", "fr")[0] == alone[0][0].text


def test_texts_stay_whole_where_the_folder_says_so(folder: Path, tmp_path: Path) -> None:
    bundle = Bundle.load(folder)
    replace(bundle, provenance={**bundle.provenance, "split_sentences": False}).save(tmp_path)
    translator, text = Translator.from_pretrained(tmp_path, capitals=False), "a b! c d e! f"
    (whole,) = translator.translate([text], "en", "fr")
    assert [whole] == translator.translate([text], "en", "fr", split=False)
    assert [whole] != translator.translate([text], "en", "fr", split=True)


def test_no_more_is_read_or_written_than_was_learned(folder: Path, tmp_path: Path) -> None:
    bundle = Bundle.load(folder)
    replace(bundle, provenance={"length": 6}).save(tmp_path / "short")
    translator = Translator.from_pretrained(tmp_path / "short")
    assert translator.longest == 6
    assert Translator.from_pretrained(folder).longest == 12
    (made,) = translator.translate(["a b c d e f"], "en", "fr")
    assert made == " ".join(translator.translate(["a b c d", "e f"], "en", "fr"))
    long = SearchConfig(min_length=50)
    assert len(translator.translate(["a b"], "en", "fr", long)[0].split()) == 4
    with pytest.raises(UserError, match=r"Pair 1 has 5 tokens on one side, .* reads at most 4"):
        translator.score(["a b c d e"], ["A"], "en", "fr")
    with pytest.raises(UserError, match=r"Prefix 1 has 5 tokens, .* at most 4"):
        translator.translate(["a"], "en", "fr", prefixes=["A B C D E"])


def test_a_sentence_without_an_end_is_cut_where_it_must_be(folder: Path) -> None:
    translator = Translator.from_pretrained(folder)
    parts = cut(" ".join("abcdefgh" * 3), "en", translator.tokenizer, 10)
    assert [len(part) for part in parts] == [10, 10, 4]


def test_lists_that_do_not_fit_are_refused(folder: Path) -> None:
    translator = Translator.from_pretrained(folder)
    with pytest.raises(UserError, match=r"The texts are to be a list; give one text as \[text\]"):
        translator.translate("a b", "en", "fr")
    with pytest.raises(UserError, match="There are 2 texts but 1 prefixes for them"):
        translator.translate(["a", "b"], "en", "fr", prefixes=["A"])
    with pytest.raises(UserError, match="The prefixes are to be a list"):
        translator.translate(["a"], "en", "fr", prefixes="A")
    with pytest.raises(UserError, match="There are 2 texts but 1 targets for them"):
        translator.score(["a", "b"], ["A"], "en", "fr")
    with pytest.raises(UserError, match="The texts are to be a list"):
        translator.allowed_words("a b", "fr")


def test_unknown_languages_and_other_models_are_refused(folder: Path, tmp_path: Path) -> None:
    translator = Translator.from_pretrained(folder)
    with pytest.raises(UserError, match="does not know the language 'de', only en, fr"):
        translator.translate(["a"], "en", "de")
    bundle = Bundle.load(folder)
    other = Bundle(bundle.architecture, bundle.tokenizer, {}, head=LANGUAGE_MODEL)
    with pytest.raises(UserError, match="not a translator"):
        Translator(other)
