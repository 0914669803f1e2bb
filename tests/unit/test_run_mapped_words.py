"""Models whose words begin near their translations."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from typer.testing import CliRunner

from xlmkit.build.mapped_words import MappedWords, map_words_of
from xlmkit.cli.app import app
from xlmkit.core.config import load_config
from xlmkit.core.errors import UserError
from xlmkit.core.files import read_json
from xlmkit.data.shards import Sentences
from xlmkit.data.word_mapping import WordMappingConfig
from xlmkit.data.word_vectors import Floats
from xlmkit.recipe import Recipe
from xlmkit.text.bpe import END_OF_WORD
from xlmkit.text.vocabulary import SPECIAL_TOKENS

MEANINGS, NAMES, WIDTH = 80, 16, 40


class Languages:
    """Two languages in which meanings follow one another alike, each with words of its own.

    Only the last meanings, the names, are written alike.
    """

    def __init__(self) -> None:
        random = np.random.default_rng(2)
        self.symbols = [
            *SPECIAL_TOKENS,
            *(f"{code}{meaning}{END_OF_WORD}" for code in "xy" for meaning in range(MEANINGS)),
        ]
        for name in range(MEANINGS - NAMES, MEANINGS):
            self.symbols[len(SPECIAL_TOKENS) + name] = f"name{name}{END_OF_WORD}"
        follows = random.dirichlet(np.full(MEANINGS, 0.05), MEANINGS)
        self.languages = ["xx", "yy"]
        self._text = {
            "xx": self._made(random, follows, 0, 6000),
            "yy": self._made(random, follows, MEANINGS, 4000),
        }

    def _made(
        self, random: np.random.Generator, follows: Floats, own: int, n_sentences: int
    ) -> Sentences:
        length = 8
        meanings = np.zeros((n_sentences, length), np.int64)
        meanings[:, 0] = random.integers(MEANINGS, size=n_sentences)
        for place in range(1, length):
            reached = follows[meanings[:, place - 1]].cumsum(axis=1)
            chance = random.random((n_sentences, 1))
            meanings[:, place] = (reached < chance).sum(axis=1).clip(max=MEANINGS - 1)
        words = meanings + np.where(meanings < MEANINGS - NAMES, own, 0) + len(SPECIAL_TOKENS)
        ended = np.concatenate([words, np.ones((n_sentences, 1), np.int64)], axis=1)
        starts = np.arange(n_sentences + 1) * (length + 1)
        return Sentences(ended.ravel().astype(np.uint16), starts)

    def sentences(self, split: str, code: str) -> Sentences:
        assert split == "train"
        return self._text[code]

    def __len__(self) -> int:
        return len(self.symbols)

    def tokens(self, ids: list[int]) -> list[str]:
        return [self.symbols[number] for number in ids]


@pytest.fixture(scope="module")
def languages() -> Languages:
    return Languages()


def mapped(languages: Languages, **choices: int) -> MappedWords:
    config = WordMappingConfig.model_validate({"words": 100, **choices})
    seen: list[str] = []
    made = map_words_of(languages, languages, config, WIDTH, 1, seen.append)  # type: ignore[arg-type]
    assert seen == ["xx", "yy"]  # the larger first
    return made


def test_words_come_to_their_translations(languages: Languages) -> None:
    made = mapped(languages)
    table = torch.zeros(len(languages), WIDTH)
    made.put_into(table, std=0.1)
    own, first = MEANINGS - NAMES, len(SPECIAL_TOKENS)
    ours, theirs = table[first : first + own], table[first + MEANINGS :][:own]
    right = (ours @ theirs.T).argmax(1) == torch.arange(own)
    assert right.float().mean() > 0.8  # by chance 1 in 64
    torch.testing.assert_close(ours.norm(dim=1), torch.full((own,), 0.1 * WIDTH**0.5))
    assert not table[:first].any()  # special tokens have no place
    figures = made.figures
    assert figures["centre"] == "xx"  # it has more text
    assert figures["languages"]["yy"]["alike"] == NAMES
    assert figures["languages"]["yy"]["mutual"] > own / 2
    assert all(x[1:] == y[1:] for y, x in figures["languages"]["yy"]["examples"])


def test_short_words_alike_are_chance_but_numbers_are_not(languages: Languages) -> None:
    with pytest.raises(UserError, match=r"no word that yy and xx write alike.*; leave it out"):
        mapped(languages, letters=9)


def test_a_language_of_rare_words_only_stays_as_it_is() -> None:
    class Rare(Languages):
        def __init__(self) -> None:
            super().__init__()
            text = self._text["yy"]
            self._text["yy"] = Sentences(text.tokens[:9], text.starts[:2])

    figures = mapped(Rare(), least=20).figures
    assert figures == {"centre": "xx", "languages": {}}


def test_one_language_has_nothing_to_map(languages: Languages) -> None:
    class One(Languages):
        def __init__(self) -> None:
            super().__init__()
            self.languages = ["xx"]

    with pytest.raises(UserError, match="text in one only"):
        mapped(One())


def test_a_recipe_says_so(project: Path) -> None:
    """The model is saved with the words where pretraining brought them, from where it was told."""
    recipe = project / "recipe.yaml"
    models = "pretrain.models={plain: {}, mapped: {map_words: {least: 2, letters: 1}}}"
    arguments = ["--set", models, "--output", str(project / "out")]
    for verb in ("prepare", "pretrain"):
        result = CliRunner().invoke(app, [verb, str(recipe), *arguments])
        assert result.exit_code == 0, result.output
    assert "mapped: words brought to those of" in result.output
    plain, mapped = (
        load_file(project / "out" / "pretrain" / name / "model.safetensors")[
            "transformer.embeddings.weight"
        ]
        for name in ("plain", "mapped")
    )
    moved = (plain != mapped).any(axis=1)
    assert not moved[: len(SPECIAL_TOKENS)].any()
    assert moved.mean() > 0.2
    figures = read_json(project / "out" / "pretrain" / "mapped" / "figures.json")
    assert set(figures["map_words"]["languages"]) | {figures["map_words"]["centre"]} == {
        "en", "ar", "zh",
    }  # fmt: skip


def test_a_checkpoint_has_its_own_words(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "name: x\nlanguages: [en, fr]\n"
        "pretrain: {models: {one: {checkpoint: folder, map_words: {}}}}\n",
        encoding="utf-8",
    )
    with pytest.raises(UserError, match="has its own words"):
        load_config(recipe, Recipe, [])
