"""A masked-language-model training step: xlmkit against transformers' XLM, as people run it.

    python benchmarks/training_step.py [--turns 5] [--threads 2] [--shapes S M] [--pairs FILE ...]

Forward, backward, clipping and fused AdamW, dropout 0.1, 15 % of the tokens predicted; the peer
pads, projects every position and takes -100 labels. Two models, S and M; for each, streams of
32 x 256 tokens, and sentence pairs (TLM) in random order in batches of 32, real tokens counted. The
pairs are those of TSV files with a sentence and its translation in a row, named by --pairs or by
the environment variable XLMKIT_REAL_PAIRS (with `:` between), tokenized with a vocabulary that is
learned from them; without files their lengths are drawn as real ones are spread, which is told.

First the losses and gradients of both sides on the same weights and batch, without dropout, must
agree in float32, and the losses nearly in bfloat16, which is measured where the processor
multiplies in it. Then it is told where the time of a step goes, and what the settings of the
allocator and the compiled kernels are worth, each in processes of its own.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import torch
import transformers
from _apart import Apart, apart, do_apart
from _arguments import PAIRS, add_pairs, positive, run
from _batches import by_length, drawn_pairs, pairs, streams
from _harness import (
    Goal,
    Limit,
    Work,
    attention_operations,
    compare,
    described,
    matrix_limit,
    record,
    set_up,
)
from _pairs import read_pairs

from xlmkit.checkpoint.names import LANGUAGE_MODEL, to_config_json
from xlmkit.core.device import choose_dtype, tune_allocator
from xlmkit.core.files import open_lines
from xlmkit.core.native_sources import VARIABLE
from xlmkit.core.tables import table
from xlmkit.data.batch import PredictionBatch
from xlmkit.model import kernels
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel
from xlmkit.objectives.prediction import prediction_loss
from xlmkit.train.config import OptimizerConfig
from xlmkit.train.optim import FlatOptimizer

LANGUAGES = {"en": 0, "fr": 1}
SHAPES = {
    "S": Architecture(n_words=8000, n_langs=2, n_layers=4, emb_dim=256, n_heads=4),
    "M": Architecture(n_words=32_000, n_langs=2, n_layers=6, emb_dim=512, n_heads=8),
}
FLOAT32, BFLOAT16 = "transformers float32", "transformers bfloat16 autocast"
GOALS = {  # at least so many times as fast as each of the two
    ("S", "stream"): (4.5, 1.8),
    ("S", "TLM"): (6.0, 3.2),
    ("M", "stream"): (4.5, 2.2),
    ("M", "TLM"): (8.0, 4.0),
}
HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


def peer_model(shape: Architecture, dropout: float) -> transformers.XLMWithLMHeadModel:
    """Return transformers' model of the same shape."""
    values = to_config_json(shape, LANGUAGES, LANGUAGE_MODEL)
    values |= {"dropout": dropout, "attention_dropout": dropout}
    return transformers.XLMWithLMHeadModel(transformers.XLMConfig(**values))


def peer_loss(model: transformers.XLMWithLMHeadModel, batch: PredictionBatch) -> torch.Tensor:
    """Return the peer's mean loss: scores of all positions, labels of -100 where none is asked."""
    inputs = batch.inputs.to(model.device)
    labels = torch.full_like(inputs.tokens, -100)
    labels.view(-1)[batch.predict.to(model.device)] = batch.targets.to(model.device)
    return model(
        input_ids=inputs.tokens,
        lengths=inputs.lengths,
        position_ids=inputs.positions,
        langs=inputs.languages,
        labels=labels,
    ).loss


def peer(
    shape: Architecture, batches: list[PredictionBatch], autocast: bool, device: str = "cpu"
) -> Work:
    """Return the peer's turn: one step on each batch."""
    model = peer_model(shape, 0.1).train().to(device)
    adam = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)  # as its Trainer does

    def turn() -> int:
        for batch in batches:
            with torch.autocast(device, torch.bfloat16, enabled=autocast):
                loss = peer_loss(model, batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adam.step()
            adam.zero_grad()
        float(loss.detach())  # waits for a GPU
        return sum(batch.inputs.n_tokens for batch in batches)

    return turn


def ours(
    shape: Architecture,
    batches: list[PredictionBatch],
    dtype: torch.dtype,
    packs: bool = False,
    *,
    device: str = "cpu",
    compiler: str | None = None,
) -> Work:
    """Return xlmkit's turn: one step on each batch."""
    model = LanguageModel(shape).train().to(device)
    model.transformer.packs = packs
    if compiler is not None:
        model.transformer.run = torch.compile(
            model.transformer.run, backend=compiler, fullgraph=True
        )
    optimizer = FlatOptimizer(model, OptimizerConfig(), dtype)

    def turn() -> int:
        for batch in batches:
            output = prediction_loss(model, batch, 2)
            output.sum.backward()
            optimizer.accumulate()
            optimizer.total.mul_(1.0 / output.count)
            optimizer.step(1e-4)
        if device != "cpu":
            torch.cuda.synchronize()  # else its last work would count as the next side's
        return sum(batch.inputs.n_tokens for batch in batches)

    return turn


def check_equal(shape: Architecture, batch: PredictionBatch, device: str = "cpu") -> None:
    """See that both sides give the same loss and gradients without dropout.

    In bfloat16 the losses are to be equal up to rounding.
    """
    theirs = peer_model(shape, 0.0).eval().to(device)
    mine = LanguageModel(shape).eval().to(device)
    mine.load_state_dict(theirs.state_dict())
    expected = peer_loss(theirs, batch)
    expected.backward()
    wanted = {name: value.grad for name, value in theirs.named_parameters()}
    for packs in (False, True):
        mine.transformer.packs = packs
        mine.zero_grad()
        output = prediction_loss(mine, batch, 2)
        loss = output.sum / output.count
        torch.testing.assert_close(loss, expected)
        loss.backward()
        for name, value in mine.named_parameters():
            torch.testing.assert_close(value.grad, wanted[name], rtol=1e-3, atol=1e-6)
    with torch.no_grad():
        rounded = prediction_loss(mine.to(torch.bfloat16), batch, 2)
    torch.testing.assert_close(rounded.sum / rounded.count, expected, rtol=0.01, atol=0)
    print("Equal losses and gradients on the same weights, padded and packed: yes")


def step_operations(shape: Architecture, batches: Sequence[PredictionBatch]) -> float:
    """Return the useful operations of a token: forward and twice that backward, 15 % predicted."""
    lengths = torch.cat([batch.inputs.lengths for batch in batches]).numpy()
    linear = 2.0 * shape.n_layers * 12 * shape.emb_dim**2
    predicting = 2.0 * 0.15 * shape.emb_dim * shape.n_words
    return 3.0 * (linear + attention_operations(shape, lengths) + predicting)


def effects(shape: str, threads: int, turns: int) -> dict[str, list[float]]:
    """Time steps in fresh processes that take turns: each allocator, and kernels or none."""
    none = {VARIABLE: "0"}
    kinds: dict[str, tuple[str, dict[str, str]]] = {
        "malloc as shipped, no kernels": ("shipped", none),
        "huge pages alone, no kernels": ("shipped", HUGE_PAGES | none),
        "xlmkit's malloc, no kernels": ("xlmkit", none),
    }
    if kernels.available():
        kinds["xlmkit's malloc and kernels"] = ("xlmkit", {VARIABLE: "1"})
    else:
        print("The compiled kernels are not here, so that what they are worth is not measured.")
    seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(turns):
        for kind, (allocator, environment) in kinds.items():
            command = [sys.executable, __file__, "--shapes", shape, "--threads", str(threads)]
            command += ["--allocator", allocator]
            done = subprocess.run(  # noqa: S603 - this very file
                command, env={**os.environ, **environment}, check=True, capture_output=True
            )
            seconds[kind].append(float(done.stdout))
    first = seconds[next(iter(kinds))]
    rows = []
    for kind, values in seconds.items():
        ratios = sorted(one / other for one, other in zip(first, values, strict=True))
        rows.append(
            [
                kind,
                f"{np.median(values):.3f}",
                f"{np.median(ratios):.2f}",
                f"{ratios[0]:.2f} to {ratios[-1]:.2f}",
            ]
        )
    precision = str(used_precision()).removeprefix("torch.")
    columns = ["allocator and kernels", "s", "ratio", "least to most"]
    table(f"Step {shape}, {precision}", columns, rows)
    return seconds


def used_precision() -> torch.dtype:
    """Return what a training here computes in."""
    return choose_dtype("auto", torch.device("cpu"))


def time_steps(shape: Architecture) -> float:
    """Return the best seconds of a few steps, in this process."""
    turn = ours(shape, streams(shape, 1), used_precision())
    best = float("inf")
    for _ in range(4):
        began = time.perf_counter()
        turn()
        best = min(best, time.perf_counter() - began)
    return best


def goals_of(sides: Mapping[str, Work], at_least: tuple[float, float]) -> list[Goal]:
    """Return the goals against each kind of peer that is there, of what a training here uses."""
    used = "xlmkit bfloat16" if "xlmkit bfloat16" in sides else "xlmkit float32"
    peers = zip((FLOAT32, BFLOAT16), at_least, strict=True)
    return [Goal(used, peer, least) for peer, least in peers if peer in sides]


def contest(
    name: str, kind: str, batches: list[PredictionBatch], threads: int, turns: int
) -> dict[str, Any]:
    """Let both sides train on the same batches, each in a process of its own."""
    shape = SHAPES[name]
    do_apart(check_equal, shape, batches[0])
    mine = by_length(batches) if kind == "TLM" else batches
    with ExitStack() as processes:

        def theirs(autocast: bool) -> Apart:
            return processes.enter_context(apart(threads, False, peer, shape, batches, autocast))

        def of_xlmkit(dtype: torch.dtype, packs: bool = False) -> Apart:
            return processes.enter_context(apart(threads, True, ours, shape, mine, dtype, packs))

        sides = {FLOAT32: theirs(False), "xlmkit float32": of_xlmkit(torch.float32)}
        if kind == "TLM":
            sides["xlmkit float32, packed"] = of_xlmkit(torch.float32, packs=True)
        if used_precision() == torch.bfloat16:
            sides[BFLOAT16] = theirs(True)
            if kind == "TLM":
                sides["xlmkit bfloat16, packed"] = of_xlmkit(torch.bfloat16, packs=True)
            sides["xlmkit bfloat16"] = of_xlmkit(torch.bfloat16)
        else:
            print("bfloat16 is left out: this processor does not multiply in it.")
        result = compare(
            f"Training step {name}, {kind}: {shape.n_layers} layers of {shape.emb_dim}, "
            f"{shape.n_words:,} words",
            "real tokens",
            sides,
            turns=turns,
            limit=limit_of(shape, batches, sides),
            goals=goals_of(sides, GOALS[name, kind]),
        )
        used = list(sides)[-1]
        result["profile"] = sides[used].profile(f"{used}, {name}, {kind}")
    return result


def limit_of(
    shape: Architecture, batches: Sequence[PredictionBatch], sides: Iterable[str]
) -> Limit:
    """Return the best product of the feed-forward layers' shape in each side's precision."""
    rows = int(np.mean([batch.inputs.n_tokens for batch in batches]))
    kinds = {side: torch.bfloat16 if "bfloat16" in side else torch.float32 for side in sides}

    def limits() -> dict[str, float]:
        product = rows, shape.emb_dim, 4 * shape.emb_dim
        best = {kind: matrix_limit(*product, kind) for kind in set(kinds.values())}
        return {side: best[kind] for side, kind in kinds.items()}

    return Limit.of_operations(limits, step_operations(shape, batches))


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=positive, default=5)
    parser.add_argument(
        "--batches", type=positive, default=8, help="of pairs; of streams a quarter"
    )
    parser.add_argument("--threads", type=positive, default=torch.get_num_threads())
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--kinds", nargs="+", choices=["stream", "TLM"], default=["stream", "TLM"])
    add_pairs(parser)
    parser.add_argument("--allocator", choices=["shipped", "xlmkit"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.allocator:
        torch.set_num_threads(arguments.threads)
        if arguments.allocator == "xlmkit":
            tune_allocator()
        print(time_steps(SHAPES[arguments.shapes[0]]))
        return
    if "TLM" in arguments.kinds and not arguments.pairs:
        print(f"The pairs are drawn, not real: name TSV files with --pairs or in {PAIRS}.")
    files = described({p.name: [line for _, line in open_lines(p)] for p in arguments.pairs})
    set_up(arguments.threads)
    torch.manual_seed(1)
    comparisons = []
    for name in arguments.shapes:
        shape = SHAPES[name]
        rows = (
            read_pairs(arguments.pairs, shape.n_words, 32 * arguments.batches)
            if arguments.pairs
            else drawn_pairs(shape, arguments.batches)
        )
        full = streams(shape, max(1, arguments.batches // 4))  # about as many tokens
        made = {"stream": full, "TLM": pairs(shape, rows)}
        for kind in arguments.kinds:
            batches = made[kind]
            comparisons.append(contest(name, kind, batches, arguments.threads, arguments.turns))
    seconds = effects(arguments.shapes[0], arguments.threads, arguments.turns)
    record("training-step", comparisons, effect_seconds=seconds, pairs=files)


if __name__ == "__main__":
    run(main)
