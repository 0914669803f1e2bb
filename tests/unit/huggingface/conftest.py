"""A small tokenizer of four languages, written as xlmkit and as Hugging Face write it."""

import json
from pathlib import Path

import pytest

from xlmkit.text.tokenizer import Tokenizer, TokenizerConfig

TEXTS = {
    "en": ["The cat sleeps on the mat.", "Don't wake the cats, please!", "The dog can't sleep."],
    "de": ["Die Katze schläft auf der Matte.", "Größere Katzen schlafen länger."],
    "fr": ["Le chat dort sur l'île.", "Qu'est-ce que c'est ?"],
    "zh": ["猫在垫子上睡觉。", "请不要叫醒猫！"],
}


@pytest.fixture(scope="session")
def original_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that xlmkit wrote."""
    config = TokenizerConfig(
        vocabulary_size=300, segmenters={"zh": "characters"}, character_coverage=1.0
    )
    folder = tmp_path_factory.mktemp("original")
    Tokenizer.learn(((k, v * 3) for k, v in TEXTS.items()), config, list(TEXTS)).save(folder)
    return folder


@pytest.fixture(scope="session")
def folder(original_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in Hugging Face's form."""
    folder = tmp_path_factory.mktemp("huggingface")
    for file in original_folder.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    del config["sequence_form"]
    config["bos_token"] = "<s>"
    path.write_text(json.dumps(config), encoding="utf-8")
    return folder
