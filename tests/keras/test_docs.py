"""What docs/keras.md shows is run, on tiny models."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xlmkit.text.tokenizer import Tokenizer, TokenizerConfig

PAGE = Path(__file__).parents[2] / "docs" / "keras.md"
TEXTS = {
    "en": ["Good morning", "The river is wide"],
    "sw": ["Habari za leo", "Mto ni mpana", "Habari za asubuhi"],
}


def test_the_page_runs(
    make_model: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    backend: str,
) -> None:
    config = TokenizerConfig(vocabulary_size=60, character_coverage=1.0)
    batches = ((language, texts * 3) for language, texts in TEXTS.items())
    tokenizer = Tokenizer.learn(batches, config, list(TEXTS))
    for head, folder in (
        ("ForSequenceClassification", "runs/mine/finetune/model/topics"),
        ("WithLMHeadModel", "runs/mine/pretrain/model"),
    ):
        path = tmp_path / folder
        make_model(head, vocab_size=len(tokenizer), n_langs=2).save_pretrained(path)
        tokenizer.save(path)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python fragment\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    assert len(blocks) == 5
    names: dict[str, object] = {}
    for block in blocks:
        if backend == "tensorflow" or "import tensorflow" not in block:
            exec(compile(block, "keras.md", "exec"), names)  # noqa: S102
    assert (tmp_path / "saved" / "model.safetensors").exists()
