import os
from pathlib import Path

import pytest

from xlmkit.core.files import read_json
from xlmkit.core.stages import Stage, file_inputs

INPUTS = {"seed": 1, "languages": ["en", "zh"], "title": "été 中文"}


def stage(tmp_path: Path, **changes: object) -> Stage:
    return Stage(tmp_path / "runs" / "corpus", {**INPUTS, **changes})


def fill(folder: Path) -> None:
    (folder / "train.jsonl").write_text("{}\n", encoding="utf-8")
    (folder / "inner").mkdir(exist_ok=True)
    (folder / "inner" / "empty").touch()


def make(made: Stage) -> Stage:
    made.make(fill, versions={"xlmkit": "1.0"})
    return made


def contents(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_stage_appears_whole_with_what_made_it(tmp_path: Path) -> None:
    made = stage(tmp_path)
    assert not made.finished
    seen = []

    def build(folder: Path) -> None:
        assert not made.folder.exists()
        assert folder == made.working
        seen.extend(contents(folder))
        fill(folder)

    made.make(build, versions={"xlmkit": "1.0"})
    assert seen == ["key"]
    assert made.finished
    assert contents(made.folder.parent) == [
        "corpus", "corpus/inner", "corpus/inner/empty", "corpus/stage.json", "corpus/train.jsonl",
    ]  # fmt: skip
    said = read_json(made.folder / "stage.json")
    assert said["key"] == made.key
    assert said["inputs"] == INPUTS
    assert said["versions"] == {"xlmkit": "1.0"}
    assert said["files"] == {"inner/empty": 0, "train.jsonl": 3}
    assert made.seconds == said["seconds"] >= 0


def test_keys_are_equal_where_inputs_are(tmp_path: Path) -> None:
    reordered = Stage(tmp_path / "other", dict(reversed(INPUTS.items())))
    assert stage(tmp_path).key == reordered.key
    keys = {stage(tmp_path, **change).key for change in ({}, {"seed": 2}, {"languages": ["zh"]})}
    assert len(keys) == 3


def test_other_inputs_make_a_stage_unfinished_and_replace_it(tmp_path: Path) -> None:
    make(stage(tmp_path))
    (tmp_path / "runs" / "corpus" / "left.txt").touch()
    other = stage(tmp_path, seed=2)
    assert not other.finished
    make(other)
    assert other.finished
    assert not stage(tmp_path).finished
    assert "left.txt" not in contents(other.folder)
    assert [path.name for path in other.folder.parent.iterdir()] == ["corpus"]


@pytest.mark.parametrize("damage", ["missing", "short", "long"])
def test_a_damaged_folder_counts_as_unmade(tmp_path: Path, damage: str) -> None:
    made = make(stage(tmp_path))
    path = made.folder / "train.jsonl"
    match damage:
        case "missing":
            path.unlink()
        case "short":
            path.write_bytes(b"{")
        case _:
            path.write_bytes(b"{}\n{}\n")
    assert not made.finished
    make(made)
    assert made.finished


def test_what_other_inputs_began_is_there_for_who_goes_back(tmp_path: Path) -> None:
    seen = []

    def stopped(folder: Path) -> None:
        seen.append(sorted(path.name for path in folder.glob("step*")))
        (folder / f"step{len(seen)}").touch()
        raise KeyboardInterrupt

    for seed in (1, 2, 1, 2):
        with pytest.raises(KeyboardInterrupt):
            stage(tmp_path, seed=seed).make(stopped, versions={})
    assert seen == [[], [], ["step1"], ["step2"]]
    assert make(stage(tmp_path, seed=3)).finished
    with pytest.raises(KeyboardInterrupt):
        stage(tmp_path, seed=2).make(stopped, versions={})
    assert seen[-1] == ["step2", "step4"]
    made = make(stage(tmp_path, seed=2))
    assert {"step2", "step4", "step5"} < set(contents(made.folder))
    assert [path.name for path in made.folder.parent.iterdir()] == ["corpus"]


def test_what_was_put_aside_survives_a_kill_of_what_came_between(tmp_path: Path) -> None:
    def stopped(folder: Path) -> None:
        (folder / "step").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage(tmp_path, seed=1).make(stopped, versions={})
    other = stage(tmp_path, seed=2)
    other._put_aside()
    other.working.mkdir()  # killed before it could say what it is made from
    (other.working / ".key.abc").touch()
    assert "step" in contents(make(stage(tmp_path, seed=1)).folder)


def test_a_file_added_later_does_no_harm(tmp_path: Path) -> None:
    made = make(stage(tmp_path))
    (made.folder / "notes.txt").touch()
    assert made.finished


def test_a_stopped_stage_goes_on_in_its_folder_and_adds_up_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 100.0, 500.0, 507.0])
    monkeypatch.setattr("xlmkit.core.stages.time.monotonic", lambda: next(clock))
    made = stage(tmp_path)

    def stopped(folder: Path) -> None:
        (folder / "checkpoint").write_text("half", encoding="utf-8")
        (folder / ".checkpoint.abcd").touch()  # was just being written
        (folder / ".preparing-xyz").mkdir()
        (folder / ".preparing-xyz" / "records").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made.make(stopped, versions={})
    assert not made.folder.exists()

    def goes_on(folder: Path) -> None:
        assert contents(folder) == ["checkpoint", "key"]
        fill(folder)

    made.make(goes_on, versions={})
    assert made.finished
    assert made.seconds == 107.0


def test_a_stopped_stage_of_other_inputs_begins_anew(tmp_path: Path) -> None:
    def stopped(folder: Path) -> None:
        (folder / "checkpoint").touch()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        stage(tmp_path).make(stopped, versions={})
    make(stage(tmp_path, seed=2))
    assert "checkpoint" not in contents(tmp_path / "runs" / "corpus")


def test_while_a_stage_is_made_again_the_old_one_stands(tmp_path: Path) -> None:
    old = make(stage(tmp_path))

    def fails(folder: Path) -> None:
        assert old.finished
        raise ValueError

    for again in (stage(tmp_path), stage(tmp_path, seed=2)):
        with pytest.raises(ValueError):  # noqa: PT011 - its own
            again.make(fails, versions={})
        assert old.finished


@pytest.mark.parametrize("nth", [1, 2])
def test_killed_while_renaming_nothing_is_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    make(stage(tmp_path))
    other = stage(tmp_path, seed=2)
    calls = 0
    replace = Path.replace

    def killed(self: Path, target: Path) -> Path:
        nonlocal calls
        if self in (other.folder, other.working):
            calls += 1
            if calls == nth:
                raise SystemExit
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(SystemExit):
            make(other)

    def build(folder: Path) -> None:
        raise AssertionError("it was built already")

    other.make(build, versions={})
    assert other.finished
    assert [path.name for path in other.folder.parent.iterdir()] == ["corpus"]
    assert contents(other.folder) == ["inner", "inner/empty", "stage.json", "train.jsonl"]


def test_files_are_told_by_path_size_and_time(tmp_path: Path) -> None:
    inside, outside = tmp_path / "base" / "sub" / "a.txt", tmp_path / "b.txt"
    inside.parent.mkdir(parents=True)
    for path in (inside, outside):
        path.write_text("кот", encoding="utf-8")
        os.utime(path, ns=(5, 7))
    told = file_inputs([inside, outside, tmp_path / "missing"], tmp_path / "base")
    assert told == [["sub/a.txt", 6, 7], [outside.as_posix(), 6, 7]]
    os.utime(inside, ns=(5, 8))
    assert file_inputs([inside], tmp_path / "base") == [["sub/a.txt", 6, 8]]
