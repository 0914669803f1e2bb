"""Training and encoding on a GPU: xlmkit against transformers, at the shape of XLM-15.

    python benchmarks/gpu.py [--turns 5]
    python benchmarks/gpu.py --device cpu --tiny    # only to see that it runs

12 layers, 1024 wide, 8 heads, 95,000 words, streams of 256 tokens. First both sides must give the
same losses and vectors in float32; in bfloat16, packed and compiled too, ours must stay near them,
gradients of sentences of all lengths included. Then real tokens per second, and the share of the
best bfloat16 product measured on this device; one table at the end has all rows. The peer computes
attention eagerly, the only way its XLM has, in float32 as shipped and in bfloat16 autocast. It
takes less than ten minutes.
"""

import argparse
import time
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
import transformers
from _batches import drawn_pairs, pairs, streams
from _harness import Goal, Limit, Work, compare, matrix_limit, record, set_up
from encoding import least_cosine
from training_step import BFLOAT16, FLOAT32, check_equal, ours, peer, peer_model, step_flops

from xlmkit.core.tables import table
from xlmkit.data.batch import Inputs, PredictionBatch, SegmentRows
from xlmkit.data.permutation import generator
from xlmkit.evaluate.inference import run_batches
from xlmkit.inference.model import prepare
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel, mean_pool
from xlmkit.model.transformer import Transformer
from xlmkit.objectives.prediction import prediction_loss

XLM_15 = Architecture(n_words=95_000, n_langs=15, n_layers=12, emb_dim=1024, n_heads=8)
OURS, COMPILED = "xlmkit bfloat16", "xlmkit bfloat16, compiled"
NEAR = {"loss": 0.02, "gradient": 0.1, "cosine": 0.999}  # bfloat16 beside float32
LIMIT_SHARE = 0.45  # of the best bfloat16 product, the goal in training
TINY = replace(XLM_15, n_words=500, n_layers=2, emb_dim=32, n_heads=4)


def sentences(shape: Architecture, count: int) -> SegmentRows:
    """Return sentences with lengths spread as in real text."""
    random = generator("sentences")
    lengths = np.clip(random.lognormal(3.3, 0.7, count).astype(int), 3, 254)
    rows = [((random.integers(14, shape.n_words, length), 0),) for length in lengths]
    return SegmentRows(rows, 256)


def mean_vectors(model: Transformer, rows: SegmentRows) -> Any:  # noqa: ANN401
    """Return our vectors."""
    return run_batches(
        model, rows, lambda inputs: mean_pool(inputs.fed_to(model), inputs.lengths), 16_384
    )


def peer_vectors(model: Any, rows: SegmentRows, *, autocast: bool) -> Any:  # noqa: ANN401
    """Return the peer's vectors, from padded batches of 32 in the order given."""

    def pooled(inputs: Inputs) -> torch.Tensor:
        inputs = inputs.to(model.device)
        mask = torch.arange(inputs.tokens.shape[1], device=model.device) < inputs.lengths[:, None]
        with torch.autocast(model.device.type, torch.bfloat16, enabled=autocast):
            states = model(
                input_ids=inputs.tokens, attention_mask=mask.long(), langs=inputs.languages
            ).last_hidden_state
        return mean_pool(states, inputs.lengths)

    with torch.inference_mode():
        made = [
            pooled(rows.batch(range(start, min(start + 32, len(rows.rows)))))
            for start in range(0, len(rows.rows), 32)
        ]
        return torch.cat(made).cpu().numpy()


def loss_and_gradient(model: LanguageModel, batch: PredictionBatch) -> tuple[float, torch.Tensor]:
    """Return the mean loss of a batch, and its gradient as one vector in float32."""
    output = prediction_loss(model, batch, 2)
    (output.sum / output.count).backward()
    gradients = [p.grad.float().flatten() for p in model.parameters() if p.grad is not None]
    model.zero_grad()
    return float(output.sum.detach()) / output.count, torch.cat(gradients)


def check_bfloat16(shape: Architecture, device: str, compiler: str) -> None:
    """See that bfloat16 learns from sentences of all lengths as float32 does, causal ones too."""
    for causal in (False, True):
        torch.manual_seed(2)
        model = LanguageModel(replace(shape, n_layers=2, causal=causal)).eval().to(device)
        batch = pairs(shape, drawn_pairs(shape, 1))[0]
        loss, gradient = loss_and_gradient(model, batch)
        model.to(torch.bfloat16)
        for way in ("padded", "packed", "compiled"):
            model.transformer.packs = way == "packed"
            if way == "compiled":
                run = model.transformer.run
                model.transformer.run = torch.compile(run, backend=compiler)
            near, rounded = loss_and_gradient(model, batch)
            apart = float((rounded - gradient).norm() / gradient.norm())
            print(
                f"bfloat16, {way}{', causal' if causal else ''}: loss {near:.4f} beside "
                f"{loss:.4f}, gradients {apart:.3f} apart"
            )
            if abs(near / loss - 1) > NEAR["loss"] or not apart < NEAR["gradient"]:
                raise SystemExit("bfloat16 does not compute the same.")
    torch.compiler.reset()  # these shapes would make those that are timed dynamic


def first_turn(work: Work) -> float:
    """Return the seconds of a first turn, in which a compiler works."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def training(
    shape: Architecture, device: str, compiler: str, limit: float, turns: int
) -> dict[str, Any]:
    """Compare training steps."""
    batches = streams(shape, 2)
    check_equal(shape, batches[0], device)
    check_equal(shape, pairs(shape, drawn_pairs(shape, 1))[0], device)
    check_bfloat16(shape, device, compiler)
    ours_on, peer_on = (partial(side, shape, batches, device=device) for side in (ours, peer))
    sides = {
        FLOAT32: peer_on(autocast=False),
        BFLOAT16: peer_on(autocast=True),
        OURS: ours_on(torch.bfloat16),
        COMPILED: ours_on(torch.bfloat16, compiler=compiler),
    }
    seconds = first_turn(sides[COMPILED])
    print(f"First two steps of {COMPILED}: {seconds:.1f} s, the compiler's time included")
    result = compare(
        "Training, streams of 32 x 256",
        "real tokens",
        sides,
        turns=turns,
        warm_up=2,
        limit=Limit.of_operations(dict.fromkeys(sides, limit), step_flops(shape)),
        goals=[
            Goal(side, against, least)
            for side in (OURS, COMPILED)
            for against, least in ((FLOAT32, 4.0), (BFLOAT16, 2.0))
        ],
    )
    share = max(result["sides"][side]["share"] for side in (OURS, COMPILED))
    reached = "reached" if share >= LIMIT_SHARE else "not reached"
    print(f"{share:.0%} of the limit in training; the goal, {LIMIT_SHARE:.0%}, is {reached}.")
    return result | {"compile_seconds": seconds}


def encoding(
    shape: Architecture, device: str, limit: float, count: int, turns: int
) -> dict[str, Any]:
    """Compare the vectors of many sentences."""
    rows = sentences(shape, count)
    theirs = peer_model(shape, 0.0).eval().to(device)
    weights = {name: tensor.cpu() for name, tensor in theirs.transformer.state_dict().items()}
    models = {}
    for precision in ("float32", "bfloat16"):
        model = Transformer(shape)
        model.load_state_dict(weights)
        models[precision] = prepare(model, precision).to(device)  # type: ignore[arg-type]
    some = SegmentRows(rows.rows[:64], rows.max_length)
    expected = peer_vectors(theirs.transformer, some, autocast=False)
    np.testing.assert_allclose(
        mean_vectors(models["float32"], some), expected, rtol=1e-2, atol=1e-3
    )
    rounded = mean_vectors(models["bfloat16"], some)
    cosine = least_cosine(expected, rounded)
    print(f"Equal vectors on the same weights: yes; least cosine in bfloat16: {cosine:.5f}")
    if not cosine >= NEAR["cosine"]:
        raise SystemExit("bfloat16 does not compute the same.")
    total = int(rows.lengths.sum())

    def work(function: Any) -> Work:  # noqa: ANN401
        def turn() -> int:
            function()
            return total

        return turn

    peer_work = partial(peer_vectors, theirs.transformer, rows)
    sides = {
        FLOAT32: work(partial(peer_work, autocast=False)),
        BFLOAT16: work(partial(peer_work, autocast=True)),
        OURS: work(partial(mean_vectors, models["bfloat16"], rows)),
    }
    flops = 2.0 * shape.n_layers * 12 * shape.emb_dim**2
    limits = Limit.of_operations(dict.fromkeys(sides, limit), flops)
    title = f"Encoding {count} sentences"
    goals = [Goal(OURS, FLOAT32, 4.0), Goal(OURS, BFLOAT16, 2.0)]
    return compare(title, "real tokens", sides, turns=turns, limit=limits, goals=goals)


def show_all(comparisons: list[dict[str, Any]], device: str) -> None:
    """Print every row of all comparisons as one table."""
    rows = [
        [
            comparison["title"],
            name,
            f"{side['rate']:,.4g}",
            f"{side['ratio']:.2f}",
            f"{side['share']:.0%}",
        ]
        for comparison in comparisons
        for name, side in comparison["sides"].items()
    ]
    headings = ["work", "side", "real tokens/s", f"ratio to {FLOAT32}", "of limit"]
    table(f"All on the {device}", headings, rows)


def main() -> None:
    """Run both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--tiny", action="store_true", help="a model that any machine can run")
    arguments = parser.parse_args()
    device = arguments.device
    if device == "cuda" and not torch.cuda.is_available():
        print("Skipped: there is no GPU; --device cpu --tiny only shows that this runs.")
        return
    set_up(torch.get_num_threads())
    torch.manual_seed(1)
    transformers.logging.set_verbosity_error()
    shape = TINY if arguments.tiny else XLM_15
    size = 256 if arguments.tiny else 8192
    limit = matrix_limit(size, size, size, torch.bfloat16, device)
    name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    print(f"Best bfloat16 product of the {name}: {limit / 1000:,.1f} TFLOP/s")
    compiler = "inductor" if device == "cuda" else "aot_eager"
    comparisons = [
        training(shape, device, compiler, limit, arguments.turns),
        encoding(shape, device, limit, 100 if arguments.tiny else 4000, arguments.turns),
    ]
    show_all(comparisons, name)
    if not arguments.tiny:
        record("gpu", comparisons, device=name, matrix_limit_gflops=limit)


if __name__ == "__main__":
    main()
