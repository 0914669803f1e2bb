"""A long file through `xlmkit translate`: memory stays, and a killed run goes on."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import TRANSLATOR
from xlmkit.model.config import Architecture
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import EOS, SPECIAL_TOKENS, Vocabulary

pytestmark = pytest.mark.slow

LETTERS = "abcdefghijkl"
_PEAK = """
import resource, sys
from xlmkit.cli.app import app
try:
    app()
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    vocabulary = Vocabulary([*SPECIAL_TOKENS, *(f"{letter}</w>" for letter in LETTERS)])
    tokenizer = Tokenizer(vocabulary, Merges(()), {"en": 0, "fr": 1}, segmenters={})
    torch.manual_seed(0)
    shape = Architecture(
        n_words=len(vocabulary), n_langs=2, n_layers=1, emb_dim=8, n_heads=1,
        max_position_embeddings=32, embed_init_std=0.5,
    )  # fmt: skip
    weights = EncoderDecoder(shape).state_dict()
    weights["pred_layer.proj.bias"][: len(SPECIAL_TOKENS)] = -5.0
    weights["pred_layer.proj.bias"][EOS] = 1.0
    Bundle(shape, tokenizer, weights, head=TRANSLATOR).save(folder)
    return folder


def write(path: Path, n: int) -> Path:
    rng = random.Random(1)
    lines = (" ".join(rng.choices(LETTERS, k=rng.randint(0, 6))) + "\n" for _ in range(n))
    path.write_text("".join(lines), encoding="utf-8")
    return path


def command(model: Path, source: Path, target: Path, *more: str) -> list[str]:
    words = ["translate", model, source, "-s", "en", "-t", "fr", "-o", target, *more]
    return [sys.executable, "-c", _PEAK, *map(str, words), "--beam-size", "0"]


def peak(model: Path, source: Path, target: Path) -> int:
    """Translate, and return the most memory it took, in KiB."""
    made = subprocess.run(
        command(model, source, target), check=True, capture_output=True, text=True
    )
    return int(made.stderr.split()[-1])


@pytest.mark.timeout(600)
def test_memory_does_not_grow_with_the_file(model: Path, tmp_path: Path) -> None:
    short, long = (write(tmp_path / f"{n}", n) for n in (4_000, 40_000))
    before = peak(model, short, tmp_path / "short.out")
    after = peak(model, long, tmp_path / "long.out")
    assert after < before + 20_000
    assert len((tmp_path / "long.out").read_bytes().splitlines()) == 40_000


@pytest.mark.timeout(600)
def test_a_killed_run_goes_on(model: Path, tmp_path: Path) -> None:
    source, target, part = write(tmp_path / "text", 40_000), tmp_path / "out", tmp_path / "out.part"
    running = subprocess.Popen(command(model, source, target), stderr=subprocess.DEVNULL)
    while not part.exists() or part.stat().st_size < 1_000:
        assert running.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    done = part.read_bytes().count(b"\n")
    assert 0 < done < 40_000
    assert not target.exists()
    subprocess.run(command(model, source, target, "--resume"), check=True, capture_output=True)
    peak(model, source, tmp_path / "whole")
    assert target.read_bytes() == (tmp_path / "whole").read_bytes()
    assert not part.exists()
