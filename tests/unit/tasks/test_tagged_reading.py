import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from xlmkit.core.errors import UserError
from xlmkit.tasks.base import TaskInputs
from xlmkit.tasks.tagged_reading import files_of, read_tagged
from xlmkit.tasks.tagged_sources import TaggedSourceKind
from xlmkit.tasks.tagging import TaggingConfig

CONLLU = """\
# newdoc
# sent_id = 1
1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_
1\tde\tde\tADP\tE\t_\t3\tcase\t_\t_
2\tle\tle\tDET\t_\t_\t3\tdet\t_\t_
3\t10 000\t_\tNUM\tN\t_\t0\troot\t_\t_
3.1\tunsaid\t_\tVERB\t_\t_\t_\t_\t_\t_

# sent_id = 2
1\t#\t#\tSYM\tS\t_\t0\troot\t_\t_
"""


def read(folder: Path, text: str, languages: tuple[str, ...] = ("en", "fr"), **source: Any) -> Any:
    """Return (language, words, tags) of each sentence of a file."""
    (folder / "file").write_text(text, encoding="utf-8")
    section = TypeAdapter(TaggedSourceKind).validate_python(
        {"path": "file", "language": "fr", **source}
    )
    inputs = TaskInputs(folder, folder, languages)
    return [(s.language, s.words, s.tags) for s in read_tagged([section], inputs, languages)]


def test_words_of_a_treebank_are_read_without_tokens_of_several_and_unsaid_ones(
    tmp_path: Path,
) -> None:
    assert read(tmp_path, CONLLU, kind="conllu") == [
        ("fr", ["de", "le", "10 000"], ["ADP", "DET", "NUM"]),
        ("fr", ["#"], ["SYM"]),
    ]
    by_relation = read(tmp_path, CONLLU, kind="conllu", column="DEPREL")
    assert by_relation[0][2] == ["case", "det", "root"]


def test_a_sentence_with_an_untagged_word_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [s[1] for s in read(tmp_path, CONLLU, kind="conllu", column="XPOS")] == [["#"]]
    assert "1 sentence left out (a word without a tag): file:1" in capsys.readouterr().err


def test_no_features_are_a_tag_of_their_own(tmp_path: Path) -> None:
    text = "1\tdu\t_\tADP\t_\t_\n2\tjour\t_\tNOUN\t_\tNumber=Sing\n"
    assert read(tmp_path, text, kind="conllu", column="FEATS")[0][2] == ["_", "Number=Sing"]


@pytest.mark.parametrize(
    ("source", "anew"),
    [
        ({"kind": "conllu", "path": "a"}, False),
        ({"kind": "conll", "path": "a"}, False),
        ({"kind": "conllu", "path": "a", "column": "FEATS"}, True),
        ({"kind": "hub", "dataset": "a"}, True),
    ],
)
def test_only_models_that_read_untagged_words_otherwise_are_made_anew(
    source: dict[str, Any], anew: bool
) -> None:
    tagged = [{**source, "language": "en"}]
    config = TaggingConfig.model_validate({"kind": "tagging", "train": tagged, "test": tagged})
    assert ("untagged" in config.inputs()) == anew


def test_a_treebank_may_declare_its_columns(tmp_path: Path) -> None:
    text = "# global.columns = ID FORM SEM\n1\tdog\tanimal\n\n1\tcar\tthing\n"
    assert [s[2] for s in read(tmp_path, text, kind="conllu", column="SEM")] == [
        ["animal"],
        ["thing"],
    ]
    with pytest.raises(UserError, match="no column UPOS, only ID, FORM, SEM"):
        read(tmp_path, text, kind="conllu")


def test_columns_stand_between_tabs_or_blanks(tmp_path: Path) -> None:
    expected = [("fr", ["New York", "est"], ["B-LOC", "O"])]
    assert read(tmp_path, "New York\tB-LOC\nest\tO\n", kind="conll") == expected
    assert read(tmp_path, "EU NNP I-NP B-ORG\nsaid  VBD I-VP O\n\n\n", kind="conll") == [
        ("fr", ["EU", "said"], ["B-ORG", "O"])
    ]
    assert read(tmp_path, "1\tEU\tB-ORG\tx\n", kind="conll", token=1, tag=2)[0][1] == ["EU"]


def test_comments_and_marks_of_documents_are_no_words_but_a_hash_may_be(tmp_path: Path) -> None:
    text = "-DOCSTART- -X- -X- O\n\n# id 12\tdomain=en\n# _ _ O\nEU _ _ B-ORG\n# _ _ O\n\n# O\n"
    assert [s[1] for s in read(tmp_path, text, kind="conll")] == [["#", "EU", "#"], ["#"]]


def test_languages_before_words_are_taken_away(tmp_path: Path) -> None:
    text = "en:Paris\tB-LOC\nen::\tO\nen:10:30\tO\n"
    assert read(tmp_path, text, kind="conll", prefix=True)[0][1] == ["Paris", ":", "10:30"]
    assert read(tmp_path, text, kind="conll")[0][1][0] == "en:Paris"


def test_no_word_is_lost_and_words_are_normalised(tmp_path: Path) -> None:
    words = read(tmp_path, "e\u0301\tO\n\u200b\tO\n\xa0\tO\n", kind="conll")[0][1]
    assert words == ["é", "", ""]


def test_what_cannot_be_read_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(read(tmp_path, "a\tO\nb\n\nc\tO\n\nd\t\n", kind="conll")) == 1
    told = capsys.readouterr().err
    assert "1 sentence left out (too few columns): file:1" in told
    assert read(tmp_path, "\tO\nb\tO\n\nc\tO\n", kind="conll")[0][1] == ["c"]
    assert "1 sentence left out (an empty word): file:1" in capsys.readouterr().err
    assert "1 sentence left out (a word without a tag): file:6" in told
    with pytest.raises(UserError, match="'file' has no sentence that can be used"):
        read(tmp_path, "alone\n", kind="conll")


def test_lists_are_read_from_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[Any] = [
        {"in": {"words": ["a", "b"]}, "tags": ["X", 1]},
        {"in": {"words": ["a", "b"]}, "tags": ["X"]},
        {"in": {"words": [1]}, "tags": ["X"]},
        {"in": {"words": []}, "tags": []},
        {"in": "a b", "tags": ["X"]},
        {"in": {"words": ["a"]}, "tags": [None]},
        [],
    ]
    text = "".join(f"{json.dumps(row)}\n" for row in rows) + "{\n"
    assert read(tmp_path, text, kind="jsonl", tokens="in.words") == [("fr", ["a", "b"], ["X", "1"])]
    told = capsys.readouterr().err
    for reason in (
        "1 sentence left out (not as many tags as words)",
        "1 sentence left out (a word that is not a string)",
        "1 sentence left out (no words)",
        "2 sentences left out (no lists of words and tags)",
        "1 sentence left out (a word without a tag)",
        "1 sentence left out (invalid JSON): file:8",
    ):
        assert reason in told


def test_numbers_in_json_get_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [["to", "Rome"], [0, 1]], [["Rome"], ["1"]], [["a"], [2]], [["a"], [-1]], [["a"], ["O"]]
    text = "\n".join(json.dumps({"tokens": words, "tags": tags}) for words, tags in rows)
    assert read(tmp_path, text, kind="jsonl", names=["O", "B-LOC"]) == [
        ("fr", ["to", "Rome"], ["O", "B-LOC"]),
        ("fr", ["Rome"], ["B-LOC"]),
    ]
    told = capsys.readouterr().err
    assert "2 sentences left out (a tag without a name): file:3, file:5; `names` of the" in told
    assert "1 sentence left out (a word without a tag): file:4" in told
    assert [tags for *_, tags in read(tmp_path, text, kind="jsonl")][2:] == [["2"], ["-1"], ["O"]]


def test_models_of_sources_without_names_still_hold() -> None:
    for kind in ({"kind": "jsonl", "path": "a"}, {"kind": "hub", "dataset": "a"}):
        source = TypeAdapter(TaggedSourceKind).validate_python({**kind, "language": "en"})
        assert "names" not in source.model_dump()


def test_numbers_of_a_dataset_become_names(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    names = datasets.ClassLabel(names=["O", "B-LOC"])
    features = datasets.Features({"tokens": [datasets.Value("string")], "ner": [names]})
    rows = {"tokens": [["in", "Rome"], ["of", "Rome"], ["to"]], "ner": [[0, 1], [-1, 1], None]}
    datasets.Dataset.from_dict(rows, features).save_to_disk(str(tmp_path / "set-en"))
    source = {"kind": "hub", "dataset": "set-{language}", "tags": "ner", "languages": ["en"]}
    section = TypeAdapter(TaggedSourceKind).validate_python(source)
    found = list(read_tagged([section], TaskInputs(tmp_path, tmp_path, ("fr", "en")), ("en", "fr")))
    assert [(s.language, s.words, s.tags) for s in found] == [
        ("en", ["in", "Rome"], ["O", "B-LOC"])
    ]
    other = section.model_copy(update={"names": ("O", "B-GPE")})
    (named,) = read_tagged([other], TaskInputs(tmp_path, tmp_path, ("fr", "en")), ("en", "fr"))
    assert named.tags == ["O", "B-GPE"]
    missing = section.model_copy(update={"tags": "pos"})
    with pytest.raises(UserError, match="has no column 'pos'; it has tokens, ner"):
        list(read_tagged([missing], TaskInputs(tmp_path, tmp_path, ("en",)), ("en",)))


def test_each_language_may_have_its_file(tmp_path: Path) -> None:
    for name in ("english", "fra", "de"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "t.txt").write_text(f"{name}\tO\n")
    section = TypeAdapter(TaggedSourceKind).validate_python(
        {"kind": "conll", "path": "{language}/t.txt"}
    )
    inputs = TaskInputs(tmp_path, tmp_path, ("en", "fr"))
    found = {s.language: s.words for s in read_tagged([section], inputs, ("fr", "en"))}
    assert found == {"fr": ["fra"], "en": ["english"]}
    assert len(files_of([section], tmp_path)) == 3
    assert list(read_tagged([section], inputs, ())) == []
    assert list(read_tagged([section], TaskInputs(tmp_path, tmp_path, ("en", "tr")), ("tr",))) == []
    with pytest.raises(UserError, match="is of any of the languages tr"):
        list(read_tagged([section], TaskInputs(tmp_path, tmp_path, ("tr",)), ("tr",)))


def test_the_language_is_given_once() -> None:
    for wrong in ({"path": "a"}, {"path": "{language}", "language": "en"}):
        with pytest.raises(ValidationError, match="either the language or"):
            TypeAdapter(TaggedSourceKind).validate_python({"kind": "conllu", **wrong})
