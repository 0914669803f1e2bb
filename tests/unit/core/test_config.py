import math
from pathlib import Path
from typing import Annotated, Literal, Self

import pytest
from pydantic import Field, ValidationError, field_validator, model_validator

from xlmkit.core.config import Config, load_config, to_yaml
from xlmkit.core.errors import UserError


class Text(Config):
    kind: Literal["text"] = "text"
    path: Path = Path("a.txt")
    language: str = "no"


class Table(Config):
    kind: Literal["tsv"]
    columns: tuple[str, ...]


class Model(Config):
    layers: int = Field(2, ge=1)
    """How many layers."""
    dropout: float = Field(0.1, ge=0, lt=1)
    pooling: Literal["mean", "first"] = "mean"
    shape: tuple[int, int] = (1, 1)
    limit: float = math.inf

    @field_validator("layers")
    @classmethod
    def _even(cls, layers: int) -> int:
        if layers == 13:
            raise ValueError("thirteen layers bring no luck")
        return layers


class Recipe(Config):
    name: str
    seed: int | None = None
    fast: bool = False
    steps: int | str = 1
    model: Model = Model()
    other: Model | None = None
    either: Text | list[int] = Text()
    sources: list[Annotated[Text | Table, Field(discriminator="kind")]] = Field(
        default_factory=list
    )
    weights: dict[str, float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.seed == 0 and self.fast:
            raise UserError("seed 0 is never fast.")
        return self


@pytest.fixture
def load(tmp_path: Path):
    def load(text: str, *overrides: str) -> Recipe:
        path = tmp_path / "r.yaml"
        path.write_text(text, encoding="utf-8")
        return load_config(path, Recipe, overrides)

    return load


def test_values_take_their_types(load) -> None:
    recipe = load(
        "name: ελληνικά\n"
        "seed: 3\n"
        "model: {dropout: 0, shape: [2, 3], layers: 1e1}\n"
        "sources:\n"
        "  - {kind: text, path: data/b.txt, language: no}\n"
        "  - {kind: tsv, columns: [no, on]}\n"
        "weights: {no: 1, zh: .5}\n"
    )
    assert recipe == Recipe(
        name="ελληνικά",
        seed=3,
        model=Model(dropout=0.0, shape=(2, 3), layers=10),
        sources=[
            Text(path=Path("data/b.txt"), language="no"),
            Table(kind="tsv", columns=("no", "on")),
        ],
        weights={"no": 1.0, "zh": 0.5},
    )


def test_settings_lie_over_the_file(load) -> None:
    assert load("name: a", "model.layers=5", "name=b").model.layers == 5


def test_sections_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Model().layers = 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # a misspelt key, before any other mistake
        (
            "name: a\nmodel:\n  layers: x\n  droput: 0.1\n",
            ":4: model has no key 'droput' (valid: layers, dropout, pooling, shape, limit); "
            "did you mean 'dropout'?",
        ),
        (
            "name: a\nother:\n  qqq: 1\n",
            ":3: other has no key 'qqq' (valid: layers, dropout, pooling, shape, limit).",
        ),
        ("name: a\nmodle: {}\n", ":2: the recipe has no key 'modle' (valid: name, seed,"),
        (
            "name: a\nsources:\n  - kind: tsv\n    colums: [a]\n",
            ":4: sources.0 has no key 'colums' (valid: kind, columns); did you mean 'columns'?",
        ),
        (
            "name: a\neither: {langage: fr}\n",
            ":2: either has no key 'langage' (valid: kind, path, language); "
            "did you mean 'language'?",
        ),
        # a missing key
        ("seed: 1\n", ": the recipe needs the key 'name'."),
        ("name: a\nsources:\n  - kind: tsv\n", ":3: sources.0 needs the key 'columns'."),
        (
            "name: a\nmodel:\n  shape: [1]\n",
            ":3: model.shape is a list that lacks its item 1, counted from 0.",
        ),
        # a wrong type
        (
            "name: a\nmodel:\n  layers: four\n",
            ":3: model.layers must be a whole number, not 'four'.",
        ),
        ("name: a\nmodel: {layers: 1.5}\n", ":2: model.layers must be a whole number, not 1.5."),
        ("name: a\nmodel: {layers: true}\n", ":2: model.layers must be a whole number, not true."),
        ("name: a\nmodel: {layers: '4'}\n", ":2: model.layers must be a whole number, not '4'."),
        ("name: a\nmodel: {dropout: '0'}\n", ":2: model.dropout must be a number, not '0'."),
        ("name: a\nfast: yes\n", ":2: fast must be true or false, not 'yes'."),
        ("name: 12\n", ":1: name must be a text, not 12; put it in quotes."),
        ("name:\n", ":1: name must be a text, not empty."),
        ("name: a\nmodel: 3\n", ":2: model must be a section with keys, not 3."),
        ("name: a\nsources: {}\n", ":2: sources must be a list, not a section."),
        ("name: a\nweights: {fr: x}\n", ":2: weights.fr must be a number, not 'x'."),
        ("name: a\nsteps: [1]\n", ":2: steps must be a whole number or a text, not a list."),
        # a wrong choice
        (
            "name: a\nsources:\n  - kind: txt\n",
            ":3: sources.0.kind cannot be 'txt' (valid: text, tsv); did you mean 'text'?",
        ),
        ("name: a\nsources: [{}]\n", ":2: sources.0 needs the key 'kind' (valid: text, tsv)."),
        (
            "name: a\nmodel: {pooling: frist}\n",
            ":2: model.pooling cannot be 'frist' (valid: mean, first); did you mean 'first'?",
        ),
        (
            "name: a\nmodel: {pooling: 1}\n",
            ":2: model.pooling must be 'mean' or 'first', not 1.",
        ),
        # out of range, and the section's own checks
        ("name: a\nmodel: {layers: 0}\n", ":2: model.layers must be at least 1, not 0."),
        ("name: a\nmodel: {dropout: 1.0}\n", ":2: model.dropout must be below 1.0, not 1.0."),
        ("name: a\nmodel: {layers: 13}\n", ":2: model.layers: thirteen layers bring no luck."),
        ("name: a\nseed: 0\nfast: true\n", ": seed 0 is never fast."),
    ],
)
def test_a_mistake_is_one_sentence(load, tmp_path, text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        load(text)
    sentence = str(caught.value)
    assert sentence.startswith(f"{tmp_path / 'r.yaml'}{message}")
    assert "\n" not in sentence
    assert sentence[-1] in ".?"


def test_a_mistake_in_a_setting_names_the_setting(load) -> None:
    with pytest.raises(UserError) as caught:
        load("name: a", "model.layers=0")
    assert str(caught.value) == "--set model.layers=0: model.layers must be at least 1, not 0."


def test_a_long_wrong_value_is_shortened(load) -> None:
    with pytest.raises(UserError) as caught:
        load(f"name: a\nseed: {'x' * 500}\n")
    assert len(str(caught.value)) < 250


def test_the_resolved_recipe_is_read_back_unchanged(tmp_path) -> None:
    recipe = Recipe(
        name="1e-4",
        model=Model(dropout=1e-5),
        sources=[Text(language="no"), Table(kind="tsv", columns=("~", "0o7", "中文"))],
        weights={"no": 1e20, "on": 0.3},
    )
    path = tmp_path / "resolved.yaml"
    path.write_text(to_yaml(recipe), encoding="utf-8")
    assert load_config(path, Recipe) == recipe
    assert "中文" in path.read_text(encoding="utf-8")


def test_help_of_a_field_stands_in_the_schema() -> None:
    schema = Model.model_json_schema()
    assert schema["properties"]["layers"]["description"] == "How many layers."
