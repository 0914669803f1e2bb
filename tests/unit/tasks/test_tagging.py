"""Tagging: what is learned, how answers are judged and shown, and a whole run."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xlmkit.core.errors import UserError
from xlmkit.core.files import read_json
from xlmkit.evaluate.resampling import statistic
from xlmkit.run import run
from xlmkit.tasks.base import TaskInputs
from xlmkit.tasks.tagging import TaggingConfig, TaggingData


def load(folder: Path, lines: dict[str, str], **more: Any) -> TaggingData:
    """Load a task that learns the file `en`; all files of `lines` are tested."""
    for name, text in lines.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    section = {
        "kind": "tagging",
        "train": [{"kind": "conll", "path": "en.txt", "language": "en"}],
        "test": [{"kind": "conll", "path": "{language}.txt"}],
        **more,
    }
    return TaggingConfig.model_validate(section).load(TaskInputs(folder, folder, ("en", "zh")))


ENTITIES = "the O\nRed B-LOC\nSea I-LOC\n\nBob B-PER\n"


def test_tags_are_numbered_and_those_of_entities_known(tmp_path: Path) -> None:
    data = load(tmp_path, {"en": ENTITIES, "zh": "x B-PER\ny O\n"})
    assert data.labels == ["B-LOC", "B-PER", "I-LOC", "O"]
    assert data.train["en"].sentences == [["the", "Red", "Sea"], ["Bob"]]
    assert data.train_tags.tolist() == [3, 0, 2, 1]
    assert data.test["zh"].tags.tolist() == [1, 3]
    assert data.reading == "bio"
    assert data.metrics[0] == "entity_f1"
    assert load(tmp_path, {"en": ENTITIES}, entities="none").metrics == ("accuracy", "macro_f1")
    assert load(tmp_path, {"en": ENTITIES}, entities="iob2").reading == "iob2"
    assert load(tmp_path, {"en": "a NOUN\nb VERB\n"}).reading is None


def test_tags_never_learned_are_told_and_count_as_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = load(tmp_path, {"en": "a X\nb Y\n", "zh": "c X\nd Z\ne Z\n"})
    assert "never learned count as wrong: Z (2)" in capsys.readouterr().err
    judged = data.judge(data.test["zh"], np.array([0, 0, 1]))
    assert judged["unseen"] == {"Z": 2}
    assert judged["accuracy"]["value"] == pytest.approx(1 / 3)
    assert judged["macro_f1"]["value"] == pytest.approx((2 / 3 + 0 + 0) / 3)  # X, Y and Z
    assert judged["confusion"] == [[1, 0], [0, 0]]
    assert judged["tags"]["X"] == {
        "precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "support": 1,
    }  # fmt: skip
    assert judged["tags"]["Z"]["support"] == 2
    assert "entity_f1" not in judged


def test_languages_of_unlearned_entities_are_left_out_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = load(tmp_path, {"en": ENTITIES, "zh": "a b-loc\nb O\n\nc b-per\nd b-per\n"})
    assert set(data.test) == {"en"}
    assert data.unseen == []
    assert data.left_out == {"zh": {"b-loc": 1, "b-per": 2}}
    assert (
        "Languages of the test files none of whose tags were learned are left out: b-per (2), "
        "b-loc (1) in zh; learned are B-LOC, B-PER, I-LOC, O."
    ) in capsys.readouterr().err
    only = [{"kind": "conll", "path": "zh.txt", "language": "zh"}]
    with pytest.raises(UserError, match=r"no tag of its test files was learned: b-per \(2\), "):
        load(tmp_path, {"en": ENTITIES}, test=only)


def test_a_language_without_entities_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = (
        "zh has no entity in its test file, so its F1 is 0 by definition; are `token` and `tag` "
        "the right columns?"
    )
    load(tmp_path, {"en": ENTITIES, "zh": "a B-PER b O\n\nc O\n"})
    assert told in capsys.readouterr().err
    load(tmp_path, {"en": ENTITIES, "zh": "a O\n"}, entities="none")
    assert "no entity" not in capsys.readouterr().err


def test_entities_are_judged_and_illegal_tags_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = load(tmp_path, {"en": ENTITIES, "zh": "a I-LOC\nb O\nc B-PER\n"})
    assert "I- of the test files that continue no entity begin an entity: zh 1" in (
        capsys.readouterr().err
    )
    judged = data.judge(data.test["zh"], np.array([0, 2, 1]))  # B-LOC, I-LOC, B-PER
    assert judged["illegal"] == {"gold": 1, "predicted": 0}
    assert judged["entity_f1"]["value"] == 0.5
    assert judged["types"]["PER"] == {"precision": 1, "recall": 1, "f1": 1, "support": 1}
    assert (judged["n"], judged["words"]) == (1, 3)


class Oracle:
    """Gives every word its right tag, but for the words `wrong`."""

    languages = ("en", "zh")

    def __init__(self, data: TaggingData, wrong: set[str]) -> None:
        self.data, self.wrong = data, wrong

    def word_scores(self, sentences: list[list[str]], language: str) -> Any:
        words = [word for sentence in sentences for word in sentence]
        scores = np.eye(len(self.data.labels), dtype=np.float32)[self.data.test[language].tags]
        return np.array([-s if w in self.wrong else s for w, s in zip(words, scores, strict=True)])


def test_what_is_measured_and_shown(tmp_path: Path) -> None:
    text = "the O\nRed B-LOC\nSea I-LOC\n\nBob B-PER\n\n" + "so O\n" * 30
    data = load(tmp_path, {"en": ENTITIES, "zh": text})
    config = TaggingConfig.model_validate(
        {
            "kind": "tagging",
            "train": [{"kind": "conll", "path": "a", "language": "en"}],
            "test": [{"kind": "conll", "path": "a", "language": "en"}],
        }
    )
    done: list[int] = []
    measured = data.measured(Oracle(data, {"Red"}), config, ["en"], done.append)
    assert sum(done) == data.test_size
    assert measured["train_examples"] == 2
    assert measured["unit"] == "words"
    assert measured["average"]["over"] == ["zh"]
    assert measured["languages"]["zh"]["accuracy"]["value"] == pytest.approx(33 / 34)
    assert measured["average"]["entity_f1"] == pytest.approx(2 / 5)  # of 2, and 3 predicted, Bob
    # 33 words are right by a score of 1 to 0 for the other three tags; one is wrong, its right tag
    # having -1 and the three others 0.
    calibration = measured["languages"]["zh"]["calibration"]
    right, wrong = np.e / (np.e + 3), 1 / (3 + 1 / np.e)
    assert [(n, hits) for n, _, hits in calibration["bins"] if n] == [(1, 0), (33, 33)]
    assert calibration["ece"]["value"] == pytest.approx((33 * (1 - right) + wrong) / 34)
    *right, wrong = measured["examples"]["zh"]
    assert [one["text"] for one in right] == ["Bob", " ".join(["so"] * 30)]  # short ones first
    assert right[0]["label"] == right[0]["predicted"] == "Bob/B-PER"
    assert wrong["text"] == "the Red Sea"
    assert wrong["label"] == "the Red/B-LOC Sea/I-LOC"
    assert wrong["predicted"] != wrong["label"]
    columns = measured["outcomes"]["zh"].columns  # from which models are compared in pairs
    for metric in ("accuracy", "entity_f1"):
        value = statistic(metric, columns)
        assert value is not None
        expected = measured["languages"]["zh"][metric]["value"]
        assert value(np.arange(3)[None]) == pytest.approx([expected])


def test_there_is_something_to_learn_and_to_test(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="have 1 different tags in en, at least two"):
        load(tmp_path, {"en": "a X\n"})
    other = {"kind": "conll", "path": "en.txt", "language": "en", "languages": ["sw"]}
    with pytest.raises(UserError, match="its tags are not those of entities"):
        load(tmp_path, {"en": "a NOUN\nb O\n"}, entities="iob2")
    with pytest.raises(UserError, match="no sentence in any of the recipe's languages"):
        load(tmp_path, {"en": ENTITIES}, test=[other])


def test_entities_in_iob1_and_iobes_are_scored_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "the O\nRed I-LOC\nSea I-LOC\n\nBob I-PER\nRome I-LOC\n"
    data = load(tmp_path, {"en": text})
    assert data.reading == "bio"
    said = capsys.readouterr().err
    assert "No tag begins with B-: read as IOB1, where I- begins an entity as well." in said
    assert "continue no entity" not in said
    judged = data.judge(data.test["en"], np.array([2, 0, 0, 1, 2]))
    assert judged["entity_f1"]["value"] == pytest.approx(4 / 5)  # Rome is missed
    assert "illegal" not in judged

    data = load(tmp_path, {"en": "the O\nRed B-LOC\nSea E-LOC\n\nBob S-PER\nRome S-LOC\n"})
    assert data.reading == "bio"
    assert "Tags E- or S- end entities: read as IOBES" in capsys.readouterr().err
    judged = data.judge(data.test["en"], data.test["en"].tags)
    assert judged["types"]["LOC"]["support"] == 2
    assert judged["entity_f1"]["value"] == 1


@pytest.mark.parametrize(("scheme", "tags"), [("IOB1", "I-LOC"), ("IOBES", "S-LOC")])
def test_the_strict_reading_refuses_what_it_cannot_read(
    tmp_path: Path, scheme: str, tags: str
) -> None:
    with pytest.raises(UserError, match=f"in {scheme} .*say `entities: bio`, which reads them all"):
        load(tmp_path, {"en": f"the O\nSea {tags}\n"}, entities="iob2")
    assert load(tmp_path, {"en": f"the O\nSea {tags}\n"}, entities="bio").reading == "bio"


def test_tags_that_only_look_like_those_of_entities_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert load(tmp_path, {"en": "the O\nRed B-LOC\nSea L-LOC\nRome U-LOC\n"}).reading is None
    assert (
        "Its tags look like those of entities, but not all are O, B-, I-, E- or S- (L-LOC, "
        "U-LOC), so that entities get no F1; mend these tags, or say `entities: none`."
    ) in capsys.readouterr().err
    load(tmp_path, {"en": "the O\nRed B-LOC\nSea L-LOC\nRome U-LOC\n"}, entities="none")
    load(tmp_path, {"en": "a NOUN\nb 2\n"})
    load(tmp_path, {"en": "the 0\nRed 1\nSea 2\n"}, entities="none")
    assert "Its tags" not in capsys.readouterr().err
    assert load(tmp_path, {"en": "the 0\nRed 1\nSea 2\n\n? -100\n"}).reading is None
    assert (
        "Its tags are whole numbers (-100, 0, 1, 2), each read as a class of its own, so that "
        "entities get no F1; give tags their names with `names: [O, B-PER, ...]`"
    ) in capsys.readouterr().err


_TASK = """
  words:
    kind: tagging
    max_length: 8
    class_alpha: 0.5
    train: [{kind: conll, path: words.txt, language: en}]
    test:
      - {kind: conll, path: words.txt, language: zh}
      - {kind: conll, path: words.txt, language: en}
"""


def test_a_run_adapts_and_measures_any_model(project: Path, make_encoder: Any) -> None:
    words = "The O\nold O\ndog B-ANIMAL\n\u200b O\nnear O\nthe O\nred O\nhouse B-PLACE\n. O\n"
    (project / "words.txt").write_text(f"{words}\n" * 12, encoding="utf-8")
    make_encoder("bert", project / "bert")
    recipe = project / "recipe.yaml"
    recipe.write_text(recipe.read_text("utf-8").split("finetune:")[0] + "finetune:" + _TASK)
    models = {"none": {}, "bert": {"checkpoint": "bert"}}
    run(recipe, [f"pretrain.models={json.dumps(models)}"], project / "out", False)
    results = read_json(project / "out" / "results.json")
    for model in models:
        task = results["models"][model]["tasks"]["words"]
        assert task["metrics"][0] == "entity_f1"
        for code in ("en", "zh"):
            assert task["languages"][code]["words"] == 9 * 12
            assert sum(map(sum, task["languages"][code]["confusion"])) == 9 * 12
        config = read_json(project / "out" / "finetune" / model / "words" / "config.json")
        assert config["architectures"][0].endswith("ForTokenClassification")
        assert list(config["id2label"].values()) == ["B-ANIMAL", "B-PLACE", "O"]
    assert "house/B-PLACE" in (project / "out" / "report.html").read_text("utf-8")
