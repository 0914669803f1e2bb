"""The recipes of the paper's XNLI, from the authors' form of checkpoints and the data's own layout.

Checkpoints and files are tiny; all else is as a reader types it.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("transformers")
pytest.importorskip("rjieba")
pytest.importorskip("pythainlp")

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.convert import convert
from xlmkit.checkpoint.published import published
from xlmkit.core.files import read_json
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary

ROOT = Path(__file__).parents[2]
TABLE = ["en", "fr", "es", "de", "el", "bg", "ru", "tr", "ar", "vi", "th", "zh", "hi", "sw", "ur"]
LABELS = ["entailment", "neutral", "contradiction"]
COLUMNS = [
    *("language", "gold_label", "sentence1_binary_parse", "sentence2_binary_parse"),
    *("sentence1_parse", "sentence2_parse", "sentence1", "sentence2", "promptID", "pairID"),
    *("genre", "label1", "label2", "label3", "label4", "label5"),
    *("sentence1_tokenized", "sentence2_tokenized", "match"),
]
MODELS = ["mlm_tlm", "mlm", "xlmr", "mbert"]


def write_checkpoint(folder: Path, name: str, seed: int) -> None:
    """Write a .pth and its codes as the authors publish them: fifteen languages, in small."""
    symbols = ["a", *(f"{letter}</w>" for letter in "abcdefghijklmnopqrstuvwxyz."), "ab</w>"]
    vocabulary = Vocabulary([*SPECIAL_TOKENS, *symbols])
    languages = published("xlm-mlm-tlm-xnli15-1024").languages
    tokenizer = Tokenizer(
        vocabulary, Merges((("a", "b</w>"),)), {code: i for i, code in enumerate(languages)}
    )
    torch.manual_seed(seed)
    shape = Architecture(
        n_words=len(vocabulary), n_langs=15, n_layers=1, emb_dim=16, n_heads=2,
        max_position_embeddings=32,
    )  # fmt: skip
    whole = Bundle(shape, tokenizer, LanguageModel(shape).state_dict())
    whole.save(folder / "whole")
    convert(folder / "whole", folder / f"{name}.pth", None, None, keep_case=False)
    (folder / f"{name}.codes").replace(folder / "codes_xnli_15")
    shutil.rmtree(folder / "whole")


def pairs(n: int) -> list[tuple[str, str, str]]:
    """Return premise, hypothesis and label; some have a quotation mark that nothing closes."""
    quoted = ['"', ""]
    return [(f"{quoted[i % 2]}a b {'cde'[i % 3]}", f"b {'cde'[i % 3]}", LABELS[i % 3])
            for i in range(n)]  # fmt: skip


def write_data(folder: Path) -> None:
    xnli, translated = folder / "XNLI-1.0", folder / "XNLI-MT-1.0" / "multinli"
    xnli.mkdir(parents=True)
    translated.mkdir(parents=True)
    for part, n in (("dev", 6), ("test", 9)):
        rows = ["\t".join(COLUMNS)]
        for code in sorted(TABLE):
            for first, second, label in pairs(n):
                cells = dict.fromkeys(COLUMNS, "x")
                cells |= {"language": code, "gold_label": label}
                cells |= {"sentence1": first, "sentence2": second}
                rows.append("\t".join(cells.values()))
        (xnli / f"xnli.{part}.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    for code in ("en", "fr"):
        rows = [
            "\t".join((first, second, label.replace("contradiction", "contradictory")))
            for first, second, label in pairs(30)
        ]
        text = "premise\thypo\tlabel\n" + "\n".join(rows) + "\n"
        (translated / f"multinli.train.{code}.tsv").write_text(text, encoding="utf-8")


def command(line: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *line.split()], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_paper_is_done_from_published_files(
    tmp_path: Path, make_encoder: Callable[..., Path]
) -> None:
    recipe = ROOT / "recipes" / "xnli-paper.yaml"
    for name in ("xnli-paper.yaml", "xnli-paper-translate-train.yaml"):
        shutil.copy(ROOT / "recipes" / name, tmp_path)
    write_data(tmp_path / "data" / "xnli")
    for seed, name in enumerate(("mlm_tlm_xnli15_1024", "mlm_xnli15_1024")):
        write_checkpoint(tmp_path, name, seed)
    typed = re.findall(r"#      (xlmkit convert .*)", recipe.read_text("utf-8"))
    assert len(typed) == 2
    for line in typed:
        command(line, tmp_path)
    make_encoder("xlm-roberta", tmp_path / "models" / "xlmr")
    make_encoder("bert", tmp_path / "models" / "mbert")
    small = ["finetune.xnli.epochs=2", "finetune.xnli.validate_every=1", "threads=1"]
    small += [
        f"pretrain.models.{m}.checkpoint=models/{m}" for m in ("mlm_tlm", "mlm", "xlmr", "mbert")
    ]
    settings = " ".join(f"--set {one}" for one in small)
    command(f"xlmkit run xnli-paper.yaml --output out {settings}", tmp_path)
    results = read_json(tmp_path / "out" / "results.json")
    assert results["languages"] == TABLE
    for model in MODELS:
        task = results["models"][model]["tasks"]["xnli"]
        assert sorted(task["labels"]) == sorted(LABELS)
        assert task["train_examples"] == 30
        assert {code: part["n"] for code, part in task["languages"].items()} == dict.fromkeys(
            TABLE, 9
        )
        assert task["average"]["over"] == TABLE[1:]
        assert set(task["own_selected"]["languages"]) == set(TABLE)
    scoring: dict[str, Any] = read_json(tmp_path / "out/finetune/mlm_tlm/xnli/scoring.json")
    assert (scoring["pair_form"], scoring["pairs"]) == ("joined", True)

    command(f"xlmkit run xnli-paper-translate-train.yaml --output translated {settings}", tmp_path)
    task = read_json(tmp_path / "translated" / "results.json")["models"]["mlm"]["tasks"]["xnli"]
    assert (task["source_language"], task["train_examples"]) == ("fr", 30)
    (tmp_path / "pairs.jsonl").write_text(
        json.dumps({"premise": "a b c", "hypothesis": "b c"}) + "\n", encoding="utf-8"
    )
    command(
        "xlmkit predict out/finetune/mlm_tlm/xnli pairs.jsonl --lang sw --text-column premise "
        "--second-column hypothesis --output said.jsonl",
        tmp_path,
    )
    assert json.loads((tmp_path / "said.jsonl").read_text("utf-8"))["label"] in LABELS
