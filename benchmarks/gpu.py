"""Training and encoding on a GPU: xlmkit against transformers, at the shape of XLM-15.

    python benchmarks/gpu.py [--turns 5]
    python benchmarks/gpu.py --device cpu --tiny    # only to see that it runs

12 layers, 1024 wide, 8 heads, 95,000 words, streams of 256 tokens and sentence pairs. First both
sides must give the same losses and vectors in float32; in bfloat16, unpadded and compiled too, ours
must stay near them, gradients of sentences of all lengths included. Then real tokens per second,
and the share of the best bfloat16 product measured on this device; one table at the end has all
rows. The peer computes attention eagerly, the only way its XLM has, in float32 as shipped and in
bfloat16 autocast. No turn begins when its part of ten minutes is over. What fails is told and
written down, and keeps nothing else from being measured; the benchmark then ends with 1.
"""

import argparse
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
import transformers
from _arguments import positive, run
from _batches import by_length, drawn_pairs, pairs, streams
from _harness import Goal, Limit, Work, compare, matrix_limit, record, set_up
from encoding import least_cosine, operations, peer_vectors
from training_step import BFLOAT16, FLOAT32, check_equal, ours, peer, peer_model, step_operations

from xlmkit.core.tables import table
from xlmkit.data.batch import PredictionBatch, SegmentRows
from xlmkit.data.permutation import generator
from xlmkit.evaluate.inference import run_batches
from xlmkit.inference.model import prepare
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel, mean_pool
from xlmkit.model.packing import Packing
from xlmkit.model.transformer import Transformer
from xlmkit.objectives.prediction import prediction_loss

XLM_15 = Architecture(n_words=95_000, n_langs=15, n_layers=12, emb_dim=1024, n_heads=8)
OURS, UNPADDED, COMPILED = (f"xlmkit bfloat16{way}" for way in ("", ", unpadded", ", compiled"))
MINUTES = 10.0  # for everything
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
        for way in ("padded", "unpadded", "compiled"):
            model.transformer.packs = way == "unpadded"
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


def check_dropout(shape: Architecture, device: str) -> None:
    """See that attention without padding drops the share of weights asked for, backward too."""
    size = (1, shape.n_heads, 32 * 256, shape.emb_dim // shape.n_heads)
    ones_1HND = torch.ones(size, device=device, dtype=torch.bfloat16)
    attend = partial(
        Packing(torch.full((32,), 256, device=device), 256).attend,
        ones_1HND,
        ones_1HND,
        mask_B1QK=None,
        dropout=0.5,
        causal=False,
    )
    # Of 256 equal weights each is 0 or doubled, so that their sum is 1, give or take 1/16.
    sums = attend(value_BHKD=ones_1HND).float()
    mean, spread = float(sums.mean()), float(sums.std())
    # What attention gives is linear in the values, if the same weights are dropped backward.
    value_1HND = torch.randn(size, device=device, dtype=torch.bfloat16, requires_grad=True)
    context_1HND = attend(value_BHKD=value_1HND)
    (gradient,) = torch.autograd.grad(context_1HND, value_1HND, context_1HND.detach())
    forward = float(context_1HND.detach().float().square().sum())
    backward = float((value_1HND.detach().float() * gradient.float()).sum())
    print(
        f"Half of the weights of attention dropped: sums of {mean:.3f}, {spread:.4f} apart; "
        f"backward {backward / forward:.3f} of forward"
    )
    if abs(mean - 1) > 0.01 or abs(spread * 16 - 1) > 0.08 or abs(backward / forward - 1) > 0.02:
        raise SystemExit("Attention does not drop the share that it is asked to.")


def goals_of(sides: Iterable[str]) -> list[Goal]:
    """Return the goals of all our sides."""
    return [
        Goal(side, against, least)
        for side in sides
        if side not in (FLOAT32, BFLOAT16)
        for against, least in ((FLOAT32, 4.0), (BFLOAT16, 2.0))
    ]


def check_training(shape: Architecture, device: str, compiler: str) -> None:
    """See that both sides learn the same."""
    for batch in (streams(shape, 1)[0], pairs(shape, drawn_pairs(shape, 1))[0]):
        check_equal(shape, batch, device)
    check_bfloat16(shape, device, compiler)
    check_dropout(shape, device)


class Contest:
    """Training steps of both sides on the same batches, each side made when it is asked for."""

    def __init__(self, shape: Architecture, device: str, limit: float, turns: int) -> None:
        self.shape, self.device, self.limit, self.turns = shape, device, limit, turns

    def ours(self, batches: list[PredictionBatch], **how: Any) -> Work:  # noqa: ANN401
        """Return xlmkit's side."""
        return ours(self.shape, batches, torch.bfloat16, device=self.device, **how)

    def __call__(
        self, title: str, batches: list[PredictionBatch], sides: dict[str, Work], minutes: float
    ) -> dict[str, Any]:
        """Compare our sides with the peer's on these batches."""
        side = partial(peer, self.shape, batches, device=self.device)
        sides = {FLOAT32: side(autocast=False), BFLOAT16: side(autocast=True), **sides}
        operations = step_operations(self.shape, batches)
        return compare(
            title,
            "real tokens",
            sides,
            turns=self.turns,
            limit=Limit.of_operations(lambda: dict.fromkeys(sides, self.limit), operations),
            goals=goals_of(sides),
            minutes=minutes,
        )


def on_streams(
    contest: Contest, compiler: str, batches: int, minutes: Callable[[], float]
) -> dict[str, Any]:
    """Compare training steps on streams; none has padding, so that none is unpadded."""
    learned = streams(contest.shape, batches)
    compiled = contest.ours(learned, compiler=compiler)
    seconds = first_turn(compiled)
    print(f"First turn of {COMPILED}: {seconds:.1f} s, the compiler's time included")
    sides = {OURS: contest.ours(learned), COMPILED: compiled}
    result = contest("Training, streams of 32 x 256", learned, sides, minutes())
    share = max(result["sides"][side]["share"] for side in sides)
    reached = share >= LIMIT_SHARE
    told = "reached" if reached else "not reached"
    print(f"{share:.0%} of the limit in training; the goal, {LIMIT_SHARE:.0%}, is {told}.")
    goal = {"at_least": LIMIT_SHARE, "share": share, "reached": reached}
    return result | {"compile_seconds": seconds, "limit_goal": goal}


def on_pairs(contest: Contest, batches: int, minutes: float) -> dict[str, Any]:
    """Compare training steps on pairs of all lengths."""
    learned = pairs(contest.shape, drawn_pairs(contest.shape, batches))
    sides = {
        OURS: contest.ours(by_length(learned)),
        UNPADDED: contest.ours(by_length(learned), packs=True),
    }
    return contest("Training, TLM on pairs", learned, sides, minutes)


def encoding(
    shape: Architecture, device: str, limit: float, count: int, turns: int, minutes: float
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
    of_token = operations(shape, rows.lengths) / float(rows.lengths.mean())
    return compare(
        f"Encoding {count} sentences",
        "real tokens",
        sides,
        turns=turns,
        limit=Limit.of_operations(lambda: dict.fromkeys(sides, limit), of_token),
        goals=goals_of(sides),
        minutes=minutes,
    )


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


def main() -> int:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=positive, default=5)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--tiny", action="store_true", help="a model that any machine can run")
    arguments = parser.parse_args()
    device = arguments.device
    if device == "cuda" and not torch.cuda.is_available():
        print("Skipped: there is no GPU; --device cpu --tiny only shows that this runs.")
        return 0
    ends = time.perf_counter() + 60 * MINUTES

    def left(share: float) -> float:
        """Return a share of the minutes that are left."""
        return share * max(0.0, ends - time.perf_counter()) / 60

    set_up(torch.get_num_threads())
    torch.manual_seed(1)
    transformers.logging.set_verbosity_error()
    shape = TINY if arguments.tiny else XLM_15
    size = 256 if arguments.tiny else 8192
    limit = matrix_limit(size, size, size, torch.bfloat16, device)
    name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    print(f"Best bfloat16 product of the {name}: {limit / 1000:,.1f} TFLOP/s")
    compiler = "inductor" if device == "cuda" else "aot_eager"
    batches, count = (1, 100) if arguments.tiny else (8, 4000)
    contest = Contest(shape, device, limit, arguments.turns)
    comparisons, failures = done_one_by_one(
        {
            "training, checked": lambda: check_training(shape, device, compiler),
            "streams": lambda: on_streams(contest, compiler, batches, partial(left, 0.4)),
            "pairs": lambda: on_pairs(contest, batches, left(0.5)),
            "encoding": lambda: encoding(shape, device, limit, count, arguments.turns, left(0.9)),
        }
    )
    if comparisons:
        show_all(comparisons, name)
    if not arguments.tiny:
        record("gpu", comparisons, device=name, matrix_limit_gflops=limit, failures=failures)
    return 1 if failures else 0


def done_one_by_one(
    parts: Mapping[str, Callable[[], dict[str, Any] | None]],
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return what the parts have measured, and of those that failed the reason.

    A machine with a GPU is at hand for minutes only: one part's failure must not cost the others.
    """
    measured, failures = [], {}
    for name, part in parts.items():
        try:
            result = part()
        except (Exception, SystemExit) as error:
            failures[name] = f"{type(error).__name__}: {error}"
            print(f"Failed: {name}: {failures[name]}")
        else:
            measured += [result] if result else []
    return measured, failures


if __name__ == "__main__":
    run(main)
