from pathlib import Path

import pytest

from xlmkit.core.errors import UserError
from xlmkit.core.layering import read_layers


@pytest.fixture
def write(tmp_path: Path):
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_sections_are_joined_and_lists_replaced(write) -> None:
    write("base.yaml", "model: {layers: 2, dim: 64}\nlanguages: [en, fr, de]\n")
    path = write("top.yaml", "extends: base.yaml\nmodel: {layers: 4}\nlanguages: [en]\n")
    assert read_layers(path).value == {
        "model": {"layers": 4, "dim": 64},
        "languages": ["en"],
    }


def test_later_files_lie_over_earlier_ones_and_the_own_file_over_all(write) -> None:
    write("a.yaml", "x: 1\ny: 1\nz: 1\n")
    write("b.yaml", "y: 2\nz: 2\n")
    path = write("c.yaml", "extends: [a.yaml, b.yaml]\nz: 3\n")
    assert read_layers(path).value == {"x": 1, "y": 2, "z": 3}


def test_files_are_found_beside_the_one_that_names_them(write) -> None:
    write("parts/inner.yaml", "x: 1\n")
    write("parts/base.yaml", "extends: inner.yaml\n")
    assert read_layers(write("top.yaml", "extends: parts/base.yaml\n")).value == {"x": 1}


def test_a_section_of_another_kind_replaces_the_whole(write) -> None:
    write("base.yaml", "source: {kind: text, path: a.txt}\n")
    other = write("other.yaml", "extends: base.yaml\nsource: {kind: tsv, columns: [1]}\n")
    same = write("same.yaml", "extends: base.yaml\nsource: {kind: text, language: no}\n")
    assert read_layers(other).value == {"source": {"kind": "tsv", "columns": [1]}}
    assert read_layers(same).value == {
        "source": {"kind": "text", "path": "a.txt", "language": "no"}
    }


def test_every_value_keeps_the_place_it_comes_from(write, tmp_path) -> None:
    write("base.yaml", "model:\n  layers: 2\n  dim: 64\n")
    path = write("top.yaml", "extends: base.yaml\nmodel:\n  layers: 4\n")
    tree = read_layers(path, ["model.dim=8"])
    assert tree.place(("model", "layers")) == f"{path}:3"
    assert tree.place(("model", "dim")) == "--set model.dim=8"
    assert read_layers(path).place(("model", "dim")) == f"{tmp_path / 'base.yaml'}:3"


def test_settings_are_yaml_values_and_the_last_wins(write) -> None:
    path = write("r.yaml", "sources: [{path: a}, {path: b}]\nmodel:\n")
    tree = read_layers(
        path,
        ["sources.1.path=c", "sources.1.path=d=e", "model.deep.on=[no, 1e-3]", "seed=", "t='1'"],
    )
    assert tree.value == {
        "sources": [{"path": "a"}, {"path": "d=e"}],
        "model": {"deep": {"on": ["no", 0.001]}},
        "seed": None,
        "t": "1",
    }


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("model", "write it as key=value"),
        ("=3", "write it as key=value"),
        ("a..b=3", "write it as key=value"),
        ("sources.2.path=c", "sources has 2 items, the first is sources.0"),
        ("sources.path=c", "sources is a list; name an item by its number, sources.0"),
        ("seed.x=1", "seed is a single value and has no key 'x'"),
        ("seed=[1", "not valid YAML"),
    ],
)
def test_a_setting_that_cannot_be_placed_is_named(write, setting: str, message: str) -> None:
    path = write("r.yaml", "sources: [{path: a}, {path: b}]\nseed: 1\n")
    with pytest.raises(UserError) as caught:
        read_layers(path, [setting])
    assert str(caught.value).startswith(f"--set {setting}: {message}")


def test_missing_files_are_named_with_the_nearest(write, tmp_path) -> None:
    path = write("quickstart.yaml", "x: 1\nextends: bse.yaml\n")
    write("base.yaml", "x: 1\n")
    with pytest.raises(UserError, match=r"quickstart\.yaml:2: .*bse\.yaml.*did you mean .*/base\."):
        read_layers(path)
    with pytest.raises(UserError, match=r"no file .*quikstart\.yaml; did you mean .*quickstart\."):
        read_layers(tmp_path / "quikstart.yaml")
    with pytest.raises(UserError, match=r"no file .*away/x\.yaml\.$"):
        read_layers(tmp_path / "away" / "x.yaml")


def test_a_circle_is_refused(write) -> None:
    write("a.yaml", "extends: b.yaml\n")
    with pytest.raises(UserError, match="extends itself"):
        read_layers(write("b.yaml", "extends: a.yaml\n"))


@pytest.mark.parametrize("text", ["- a\n- b\n", "word\n", "extends: 3\n", "extends: [a, 3]\n"])
def test_what_is_no_recipe_is_refused(write, text: str) -> None:
    path = write("r.yaml", text)
    with pytest.raises(UserError, match=r"r\.yaml:1: "):
        read_layers(path)
