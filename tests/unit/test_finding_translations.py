"""Sets of sentences and dictionaries from a recipe, by xlmkit's models and those of others."""

from collections.abc import Callable
from pathlib import Path

import pytest

from xlmkit.core.errors import UserError
from xlmkit.core.files import read_json
from xlmkit.run import run

_SECTIONS = """
evaluate:
  retrievals:
    held:
      title: Held out
      sources: [{kind: parallel, paths: {en: text.en, zh: text.zh}, lines: [1, 40]}]
  lexicons:
    words: {dictionaries: [{path: words.txt, source: en, target: ar}]}
  minings:
    bucc:
      title: BUCC
      ids: true
      layer: 0
      pairs:
        - source: en
          target: zh
          test: {source: mined.en, target: mined.zh, gold: mined.gold}
          valid: {source: sample.en, target: sample.zh, gold: sample.gold}
"""


def _unaligned(project: Path, name: str, lines: range) -> None:
    """Write translations of the corpus in opposite orders, the last tenth of them no gold pairs."""
    for code in ("en", "zh"):
        texts = (project / f"text.{code}").read_text("utf-8").splitlines()
        rows = [f"{code}-{number}\t{texts[number]}\n" for number in lines]
        rows = rows if code == "en" else rows[::-1]
        (project / f"{name}.{code}").write_text("".join(rows), encoding="utf-8")
    pairs = [f"en-{number}\tzh-{number}\n" for number in lines[: len(lines) * 9 // 10]]
    (project / f"{name}.gold").write_text("".join(pairs), encoding="utf-8")


def _recipe(project: Path, extra: str = "") -> Path:
    path = project / "sets.yaml"
    path.write_text(f"extends: recipe.yaml\n{_SECTIONS}{extra}", encoding="utf-8")
    _unaligned(project, "mined", range(40, 80))
    _unaligned(project, "sample", range(20, 40))
    (project / "words.txt").write_text("dog كلب\ncat قط\nbird طائر\ncar سيارة\n", encoding="utf-8")
    return path


def test_sets_and_words_stand_in_results_and_report(finished: Path) -> None:
    run(_recipe(finished), [], finished / "out", False)
    model = read_json(finished / "out" / "results.json")["models"]["both"]
    held = model["retrievals"]["held"]
    assert set(held["directions"]) == {"zh-en", "en-zh"}
    assert held["candidates"] == 40
    assert held["layers_on_validation"]
    assert set(model["lexicons"]["words"]["directions"]) == {"en-ar"}
    page = (finished / "out" / "report.html").read_text(encoding="utf-8")
    assert "Finding translations: Held out, by margin" in page
    assert "Finding words: words" in page
    assert "Finding translations, by margin" in page
    assert "Mining translations: BUCC" in page
    mined = model["minings"]["bucc"]["directions"]["en-zh"]
    assert 0 < mined["gold"] <= 36 < max(mined["sentences"])
    assert "threshold:valid" in mined["f1"]["signature"]
    rows = (finished / "out" / "results.csv").read_text(encoding="utf-8").splitlines()
    assert any(row.startswith("both,minings.bucc,en-zh,f1,") for row in rows)
    assert any(row.startswith("both,retrieval,en-zh,accuracy by margin,") for row in rows)


def test_a_model_of_another_family_is_asked_the_same(
    project: Path, make_encoder: Callable[..., Path]
) -> None:
    make_encoder("xlm-roberta", project / "other")
    _recipe(project)
    path = project / "ready.yaml"
    path.write_text(
        "name: ready\nlanguages: [ar, en, zh]\npretrain: {models: {r: {checkpoint: other}}}\n"
        "data: {sources: [{kind: text, path: text.en, language: en}]}\n"  # no two languages
        + _SECTIONS.strip("\n"),
        encoding="utf-8",
    )
    settings = ["evaluate.minings.bucc.layer=null", "evaluate.retrievals.held.pivot=en"]
    run(path, settings, project / "out", False)
    model = read_json(project / "out" / "results.json")["models"]["r"]
    assert model["retrievals"]["held"]["layer"] == 1  # the middle, without validation
    assert model["lexicons"]["words"]["directions"]["en-ar"]["n"] > 0
    mined = model["minings"]["bucc"]["directions"]["en-zh"]
    assert len(model["minings"]["bucc"]["layers_on_validation"]) == 3  # chosen on sample.gold
    assert 0 < mined["gold"] <= 36
    assert "mining-f1" in mined["f1"]["signature"]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("evaluate.retrievals.held.pivot=fr", "retrievals.held names the language fr"),
        ("evaluate.lexicons.words.layer=9", "lexicons.words.layer is 9"),
        ("evaluate.lexicons.words.dictionaries.0.path=no.txt", "no.txt"),
        ("evaluate.minings.bucc.pairs.0.target=fr", "minings.bucc.pairs.0 names the language fr"),
        ("evaluate.minings.bucc.pairs.0.test.gold=no.txt", "no.txt"),
        ("evaluate.minings.bucc.ids=false", "bucc.pairs.0: .*mined.gold names no pair"),
        ("evaluate.retrievals.held.pivot=ar", "retrievals.held: no two sentences stand in ar"),
    ],
)
def test_mistakes_are_told(finished: Path, setting: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        run(_recipe(finished), [setting], finished / "out", False)
