from typing import Any

import numpy as np
import pytest
import torch

from xlmkit.core.errors import UserError
from xlmkit.data.records import Record
from xlmkit.evaluate import retrieval
from xlmkit.evaluate.config import RetrievalConfig
from xlmkit.evaluate.inference import PlainEncoder
from xlmkit.evaluate.retrieval import measure_retrieval, picture, unit
from xlmkit.evaluate.text_states import TextStates
from xlmkit.model.config import Architecture
from xlmkit.model.transformer import Transformer
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary

ALPHABETS = {"en": "abcdefghijklmnop", "el": "αβγδεζηθικλμνξοπ", "ru": "абвгдежзийклмноп"}
LANGUAGES = list(ALPHABETS)
TOKENIZER = Tokenizer(
    Vocabulary([*SPECIAL_TOKENS, *(f"{c}</w>" for c in "".join(ALPHABETS.values()))]),
    Merges(()),
    {code: number for number, code in enumerate(LANGUAGES)},
    segmenters={},
)


def records(n: int, seed: int = 0, languages: tuple[str, ...] = ("en", "el", "ru")) -> list[Record]:
    random = np.random.default_rng(seed)
    made = []
    for number in range(n):
        choice = random.integers(0, 16, random.integers(12, 18))
        texts = {code: " ".join(ALPHABETS[code][i] for i in choice) for code in languages}
        made.append(Record(texts, "s", str(number)))
    return made


def encoder(*, aligned: bool) -> PlainEncoder:
    """A model whose words' embeddings are those of their translations, but for a shift."""
    torch.manual_seed(0)
    model = Transformer(
        Architecture(
            n_words=14 + 48,
            n_langs=3,
            n_layers=2,
            emb_dim=32,
            n_heads=2,
            max_position_embeddings=24,
            embed_init_std=1.0,
        )
    )
    if aligned:
        with torch.no_grad():
            words = model.embeddings.weight
            for number in (1, 2):
                words[14 + 16 * number : 30 + 16 * number] = words[14:30]
            model.lang_embeddings.weight[1] += 0.3
    return PlainEncoder(model, TOKENIZER, LANGUAGES)


def reader(model: PlainEncoder) -> TextStates:
    return TextStates(model, None, "evaluate.retrieval")


def measure(aligned: bool = True, **settings: Any) -> dict[str, Any]:
    found = measure_retrieval(
        encoder(aligned=aligned),
        records(40, 1),
        records(60, 2),
        RetrievalConfig(**settings),
    )
    assert found is not None
    return found


def test_a_model_with_one_space_finds_every_translation() -> None:
    found = measure()
    assert set(found["directions"]) == {"el-en", "en-el", "ru-en", "en-ru"}
    assert all(score["n"] == 60 for score in found["directions"].values())
    assert found["average"] > 0.95
    values = [score["value"] for score in found["directions"].values()]
    assert found["average"] == pytest.approx(np.mean(values))
    assert found["pivot"] == "en"


def test_an_untrained_model_finds_few() -> None:
    assert measure(aligned=False)["average"] < 0.3


def test_the_layer_is_the_best_of_validation_unless_it_is_given() -> None:
    found = measure()
    assert len(found["layers_on_validation"]) == 3
    assert found["layer"] == int(np.argmax(found["layers_on_validation"]))
    fixed = measure(layer=1)
    assert (fixed["layer"], fixed["layers_on_validation"]) == (1, [])


def test_a_layer_that_the_model_has_not_is_refused() -> None:
    measure(layer=2)
    with pytest.raises(UserError, match="layer is 3, but the model's last layer is 2"):
        measure(layer=3)


def test_candidates_are_at_most_those_asked_for_and_chosen_by_content() -> None:
    found = measure(candidates=10)
    assert all(score["n"] == 10 for score in found["directions"].values())
    model = encoder(aligned=False)
    test = records(60, 2)
    config = RetrievalConfig(candidates=20)
    forwards = measure_retrieval(model, records(40, 1), test, config)
    backwards = measure_retrieval(model, records(40, 1)[::-1], test[::-1], config)
    assert forwards is not None
    assert backwards is not None
    kept, again = forwards.pop("outcomes"), backwards.pop("outcomes")
    assert forwards == backwards
    for direction, score in forwards["directions"].items():
        assert kept[direction].same_examples(again[direction])
        assert kept[direction].columns["accuracy"].mean() == pytest.approx(score["value"])


def test_the_pivot_may_be_any_language() -> None:
    assert set(measure(pivot="ru")["directions"]) == {"en-ru", "ru-en", "el-ru", "ru-el"}


def test_without_translations_there_is_nothing_to_measure() -> None:
    alone = records(30, 3, ("en",)) + records(30, 4, ("ru",))
    model = encoder(aligned=True)
    assert measure_retrieval(model, [], alone, RetrievalConfig()) is None


def test_without_validation_a_middle_layer_is_taken() -> None:
    model = encoder(aligned=True)
    found = measure_retrieval(model, [], records(30, 3), RetrievalConfig())
    assert found is not None
    assert found["layer"] == 1


def test_vectors_are_centred_and_of_length_one() -> None:
    vectors = np.random.default_rng(0).normal(3.0, 1.0, (50, 8)).astype(np.float32)
    made = unit(vectors)
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, rtol=1e-5)
    centred = vectors - vectors.mean(axis=0)
    cosine = (made * centred).sum(axis=1) / np.linalg.norm(centred, axis=1)
    np.testing.assert_allclose(cosine, 1, rtol=1e-5)
    assert np.isfinite(unit(np.ones((4, 3), np.float32))).all()


def test_the_picture_shows_translations_near_each_other() -> None:
    model, given = encoder(aligned=True), records(30, 5)
    points = picture(reader(model), given, 0)
    assert len(points) == retrieval._SHOWN * 3
    places = np.array([[point["x"], point["y"]] for point in points])
    groups = np.array([point["group"] for point in points])
    spread = np.linalg.norm(places - places.mean(axis=0), axis=1).mean()
    for group in range(retrieval._SHOWN):
        mine = places[groups == group]
        assert np.linalg.norm(mine - mine.mean(axis=0), axis=1).mean() < 0.3 * spread
    texts = {(p["language"], p["text"]) for p in points if p["group"] == 0}
    assert len({code for code, _ in texts}) == 3
    assert any({(c, t) for c, t in record.texts.items()} == texts for record in given)
    assert points == picture(reader(model), given[::-1], 0)


def test_a_picture_needs_a_few_complete_messages() -> None:
    model = encoder(aligned=True)
    assert picture(reader(model), records(2, 5), 0) == []
    assert picture(reader(model), records(30, 5, ("en", "ru")), 0) == []


def test_the_margin_stands_beside_the_cosine() -> None:
    found = measure(aligned=False, neighbours=3)
    margin = found["margin"]
    assert set(margin["directions"]) == set(found["directions"])
    assert margin["neighbours"] == 3
    assert "by:margin|k:3" in margin["directions"]["en-el"]["signature"]
    assert measure()["margin"]["average"] > 0.95


def test_the_mean_of_a_language_may_be_left() -> None:
    shifted = encoder(aligned=True)
    with torch.no_grad():
        shifted.transformer.lang_embeddings.weight[1] += torch.randn(32) * 5
    made = {
        centre: measure_retrieval(
            shifted, [], records(60, 2), RetrievalConfig(centre=centre, layer=0)
        )
        for centre in (True, False)
    }
    assert made[True]["average"] > made[False]["average"]
    whitened = measure_retrieval(shifted, [], records(60, 2), RetrievalConfig(whiten=True, layer=0))
    assert whitened["average"] > 0.9


def test_ends_that_are_lost_are_told_once_a_language_and_read_with_a_stride(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Sentences that differ behind what the model reads are found by their windows alone."""
    model = encoder(aligned=True)
    same = {code: " ".join(ALPHABETS[code][:8] * 3) for code in LANGUAGES}
    long = [
        Record({code: f"{same[code]} {text}" for code, text in one.texts.items()}, "s", one.where)
        for one in records(20, 6)
    ]
    found = {
        stride: measure_retrieval(model, long, long, RetrievalConfig(layer=0, stride=stride))
        for stride in (None, 4)
    }
    assert found[None]["average"] < 0.1 < 0.9 < found[4]["average"]
    said = capfd.readouterr().err
    assert said.count("lose their ends") == len(LANGUAGES)
    assert (
        "20 of 20 sentences in el are longer than 24 tokens and lose their ends; "
        "evaluate.retrieval.stride reads them in windows." in " ".join(said.split())
    )


def test_what_is_told_of_lost_ends_is_of_the_sentences_that_are_measured(
    capfd: pytest.CaptureFixture[str],
) -> None:
    long = [
        Record({code: f"{text} {text}" for code, text in one.texts.items()}, "s", one.where)
        for one in records(20, 6)
    ]
    test = [*long, *records(10, 7)]
    measure_retrieval(encoder(aligned=True), long, test, RetrievalConfig())
    said = " ".join(capfd.readouterr().err.split())
    assert said.count("20 of 30 sentences in el are longer than 24 tokens") == 1
    assert "20 of 20" not in said


def test_a_language_that_the_vocabulary_lacks_is_told_once(
    capfd: pytest.CaptureFixture[str],
) -> None:
    model = encoder(aligned=True)
    strange = [
        Record({"en": one.texts["en"], "el": "х ъ ы ь " + one.texts["el"][:7]}, "s", one.where)
        for one in records(30, 7)
    ]
    measure_retrieval(model, strange, strange, RetrievalConfig())
    said = capfd.readouterr().err.splitlines()
    assert said == [
        "evaluate.retrieval: 50% of the tokens of the texts in el are unknown to the model, so "
        "that its scores there mean little; take one whose vocabulary has el."
    ]
