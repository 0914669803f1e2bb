"""Mining from a recipe: the threshold is never chosen on what is scored."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xlmkit.core.errors import UserError
from xlmkit.evaluate.config import MinedFilesConfig, MinedPairConfig, MiningConfig
from xlmkit.evaluate.minings import known_pairs, measure_mining
from xlmkit.evaluate.protocols import Cut, Pooled
from xlmkit.evaluate.text_states import TextStates

N = 60


class Points:
    """An encoder of texts that are numbers: translations lie near each other, half of them less."""

    languages = ("de", "en")
    n_layers = 0

    def cut(self, texts: list[str], language: str) -> Cut:
        return Cut(len(texts), 0)

    def pooled_states(self, texts: list[str], language: str, stride: int | None = None) -> Pooled:
        rows = []
        for text in texts:
            random = np.random.default_rng(int(text))
            noise = random.normal(size=32) * (0.05 if int(text) < N // 2 else 1.3)
            point = random.normal(size=32)
            rows.append(point + (noise if language == "de" else 0))
        return Pooled(np.array(rows, np.float32)[:, None], 0, 9)


def files(folder: Path, name: str, gold: range) -> MinedFilesConfig:
    """Write sentences of which all are translations, and call only some of them so."""
    (folder / f"{name}.de").write_text("".join(f"{i}\n" for i in range(N)), "utf-8")
    (folder / f"{name}.en").write_text("".join(f"{i}\n" for i in range(N)[::-1]), "utf-8")
    pairs = "".join(f"{i + 1}\t{N - i}\n" for i in gold)
    (folder / f"{name}.gold").write_text(pairs, "utf-8")
    return MinedFilesConfig(source=f"{name}.de", target=f"{name}.en", gold=f"{name}.gold")


def measured(
    folder: Path,
    valid: MinedFilesConfig | None = None,
    gold: range = range(N // 2),
    **more: Any,
) -> dict[str, Any]:
    test = files(folder, "test", gold)
    pair = MinedPairConfig(source="de", target="en", test=test, valid=valid)
    config = MiningConfig(pairs=(pair,), **more)
    reader = TextStates(Points(), None, "evaluate.minings.bucc")
    found = measure_mining(reader, config, folder, 0)
    direction = found["directions"]["de-en"]
    assert found["average"] == {m: direction[m]["value"] for m in ("f1", "precision", "recall")}
    return direction


def test_the_threshold_is_that_of_other_files_and_all_gold_pairs_are_scored(
    tmp_path: Path,
) -> None:
    strict = measured(tmp_path, files(tmp_path, "strict", range(N // 2)))
    loose = measured(tmp_path, files(tmp_path, "loose", range(N)))
    assert strict["gold"] == loose["gold"] == N // 2
    assert strict["threshold"] > loose["threshold"]
    assert strict["precision"]["value"] > 0.9
    assert loose["precision"]["value"] < 0.6
    assert loose["recall"]["value"] == 1.0
    assert loose["sentences"] == [N, N]
    for metric in ("f1", "precision", "recall"):
        score = strict[metric]
        assert score["low"] <= score["value"] <= score["high"]
        assert f"mining-{metric}|k:4|threshold:valid|" in score["signature"]


def test_without_them_it_is_that_of_a_part_which_is_not_scored(tmp_path: Path) -> None:
    found = measured(tmp_path)
    assert 5 < found["gold"] < N // 2 - 5
    assert "threshold:tuning-0.5" in found["f1"]["signature"]
    given = measured(tmp_path, threshold=found["threshold"])
    assert given["gold"] == N // 2
    assert given["threshold"] == found["threshold"]
    assert "threshold:given" in given["f1"]["signature"]


def test_a_layer_may_be_chosen_on_pairs_that_are_not_scored(tmp_path: Path) -> None:
    test, valid = files(tmp_path, "test", range(N)), files(tmp_path, "valid", range(5))

    def known(threshold: float | None = None, **more: Any) -> list[dict[str, str]]:
        pair = MinedPairConfig(source="de", target="en", test=test, **more)
        config = MiningConfig(pairs=(pair,), threshold=threshold)
        return [dict(record.texts) for record in known_pairs(config, tmp_path)]

    assert known(valid=valid) == [{"de": str(i), "en": str(i)} for i in range(5)]
    assert len(known()) == N - measured(tmp_path, gold=range(N))["gold"]
    assert known(1.1) == []


def test_where_nothing_is_found_nothing_is_right(tmp_path: Path) -> None:
    found = measured(tmp_path, threshold=1e9)
    assert [found[m]["value"] for m in ("f1", "precision", "recall")] == [0, 0, 0]
    assert found["pairs"] == 0


def test_mistakes_are_told_with_their_place(tmp_path: Path) -> None:
    few = files(tmp_path, "few", range(N))
    with pytest.raises(UserError, match=r"bucc\.pairs\.0: test\.gold has 0 pairs to choose"):
        measured(tmp_path, tuning=1e-4)
    with pytest.raises(UserError, match=r"bucc\.pairs\.0: .*has no id and a tab.*leave out ids: t"):
        measured(tmp_path, few, ids=True)
    (tmp_path / "few.gold").write_text("x\ty\n", "utf-8")
    with pytest.raises(UserError, match="names no pair"):
        measured(tmp_path, few)
    pair = MinedPairConfig(source="de", target="en", test=few)
    with pytest.raises(ValueError, match="de-en is listed twice"):
        MiningConfig(pairs=(pair, pair))
