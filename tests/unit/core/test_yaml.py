import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlmkit.core.errors import UserError
from xlmkit.core.yaml import dump_yaml, parse_yaml, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e-4", 1e-4),
        ("1.5E3", 1500),
        ("2e6", 2_000_000),
        (".5", 0.5),
        ("-.inf", -math.inf),
        ("12:30:45", "12:30:45"),
        ("2020-01-01", "2020-01-01"),
        ("1_000", "1_000"),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("!!int '12'", 12),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    read = parse_yaml(f"a: {text}", "x").value["a"]
    assert read == value
    assert type(read) is type(value)


def test_not_a_number_is_read() -> None:
    assert math.isnan(parse_yaml("a: .nan", "x").value["a"])


def test_language_codes_stay_texts_as_keys_and_items() -> None:
    tree = parse_yaml("languages: [no, en, 'on']\ntexts: {no: nei, 日本: はい}", "x")
    assert tree.value == {
        "languages": ["no", "en", "on"],
        "texts": {"no": "nei", "日本": "はい"},
    }


def test_places_are_lines_of_keys_and_items() -> None:
    tree = parse_yaml("a:\n  b: 1\n  c:\n    - x\n    - y: 2\n", "f.yaml")
    assert tree.place(("a", "b")) == "f.yaml:2"
    assert tree.place(("a", "c", 1, "y")) == "f.yaml:5"
    assert tree.place(("a", "c", 7)) == "f.yaml:3"  # the section around it


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb:\n  c: 2\n  c: 3\n", "f.yaml:4: the key 'c' stands already in line 3; keep one."),
        ("a: [1, 2\n", "f.yaml:2: not valid YAML"),
        ("a: 1\n\tb: 2\n", "f.yaml:2: not valid YAML"),
        ("a: &x [*x]\n", "f.yaml:1: an alias stands inside what it repeats."),
        ("a: !!python/name:os.system ''\n", "f.yaml:1: the tag 'python/name:os.system'"),
        ("? [a, b]\n: 1\n", "f.yaml:1: a key must be one word"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2: not valid YAML"),
        ("a: !!int x\n", "f.yaml:1: 'x' is not a value of the tag 'int'"),
        ("a: \x01\n", "f.yaml: not valid YAML"),
    ],
)
def test_mistakes_name_file_and_line(text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_yaml(text, "f.yaml")
    assert str(caught.value).startswith(message)


def test_an_alias_repeats_a_value() -> None:
    assert parse_yaml("a: &x [1, 2]\nb: *x\n", "x").value == {"a": [1, 2], "b": [1, 2]}


def test_reading_names_what_is_wrong_with_the_file(tmp_path) -> None:
    missing, empty, latin = tmp_path / "none.yaml", tmp_path / "empty.yaml", tmp_path / "l.yaml"
    empty.write_text("# nothing\n", encoding="utf-8")
    latin.write_bytes(b"a: 1\nb: \xe9t\xe9\n")
    with pytest.raises(UserError, match=r"There is no file .*none\.yaml"):
        read_yaml(missing)
    with pytest.raises(UserError, match=r"empty\.yaml is empty"):
        read_yaml(empty)
    with pytest.raises(UserError, match=r"l\.yaml:2: the file is not UTF-8"):
        read_yaml(latin)
    with pytest.raises(UserError, match="is a folder"):
        read_yaml(tmp_path)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_bytes("\ufeffmodel: 1\n".encode())
    assert read_yaml(path).value == {"model": 1}


_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]))
    | st.sampled_from(["no", "1e-4", "0o7", "~", "null", "12", ".5", "", " a ", "- b", "été: x"])
)
_keys = st.text(st.characters(categories=["L", "N"]), min_size=1)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=8,
)


@given(_values)
def test_what_is_printed_is_read_back(value: object) -> None:
    assert parse_yaml(dump_yaml(value), "x").value == value
