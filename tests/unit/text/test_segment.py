import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from xlmkit.core.errors import UserError
from xlmkit.text.segment import check_segmenter_name, segmenter


@pytest.fixture(autouse=True)
def _forget_segmenters() -> Iterator[None]:
    segmenter.cache_clear()
    yield
    segmenter.cache_clear()


def test_characters_stand_alone_and_other_runs_stay() -> None:
    segment = segmenter("characters")
    assert segment is not None
    assert segment("我用 Python3，かな カナ!") == [
        "我", "用", "Python3，", "か", "な", "カ", "ナ", "!",
    ]  # fmt: skip


def test_none_is_no_segmenter() -> None:
    assert segmenter("none") is None


@pytest.mark.parametrize("name", ["jieba", "", "rjieba:model", "kytea2:x"])
def test_an_unknown_name_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(UserError, match="rjieba, pythainlp, kytea"):
        check_segmenter_name(name)


@pytest.mark.parametrize(
    ("name", "module", "extra"),
    [
        ("rjieba", "rjieba", "zh"),
        ("pythainlp", "pythainlp.tokenize", "th"),
        ("fugashi", "fugashi", "ja"),
        ("kytea", "Mykytea", "ja"),
        ("sudachi", "sudachipy", "ja-sudachi"),
    ],
)
def test_a_missing_library_names_its_extra(
    name: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=rf"xlmkit\[{extra}\]") as raised:
        segmenter(name)
    assert isinstance(raised.value, ImportError)


def test_kytea_takes_the_path_of_its_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class StandIn:
        def __init__(self, options: str) -> None:
            self.options = options

        def getWS(self, text: str) -> tuple[str, ...]:  # noqa: N802 - KyTea's name
            return (self.options, *text)

    module = ModuleType("Mykytea")
    module.Mykytea = StandIn  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "Mykytea", module)
    missing = tmp_path / "none.bin"
    with pytest.raises(UserError, match=r"none\.bin"):
        segmenter(f"kytea:{missing}")
    model = tmp_path / "model.bin"
    model.touch()
    segment = segmenter(f"kytea:{model}")
    assert segment is not None
    assert segment("語彙") == [f"-model {model}", "語", "彙"]


def test_rjieba_finds_words_and_survives_lone_surrogates() -> None:
    pytest.importorskip("rjieba")
    segment = segmenter("rjieba")
    assert segment is not None
    assert segment("我们喜欢学习语言") == ["我们", "喜欢", "学习", "语言"]
    assert segment("语言\ud800") == ["语言"]


def test_pythainlp_finds_words() -> None:
    pytest.importorskip("pythainlp")
    segment = segmenter("pythainlp")
    assert segment is not None
    assert segment("ฉันรักภาษาไทย") == ["ฉัน", "รัก", "ภาษาไทย"]


def test_fugashi_finds_words() -> None:
    pytest.importorskip("fugashi")
    pytest.importorskip("unidic_lite")
    segment = segmenter("fugashi")
    assert segment is not None
    assert segment("言語を学ぶ") == ["言語", "を", "学ぶ"]


def test_sudachi_finds_words_without_white_space_in_texts_of_any_length() -> None:
    pytest.importorskip("sudachipy")
    pytest.importorskip("sudachidict_core")
    segment = segmenter("sudachi")
    assert segment is not None
    assert segment("言語を学ぶ\u3000人") == ["言語", "を", "学ぶ", "人"]
    assert segment("言語を" * 10_000) == ["言語", "を"] * 10_000
