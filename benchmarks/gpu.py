"""Training and encoding on a GPU: xlmkit against transformers, at the shape of XLM-15.

    python benchmarks/gpu.py [--turns 5]
    python benchmarks/gpu.py --device cpu --tiny    # only to see that it runs

12 layers, 1024 wide, 8 heads, 95,000 words, streams of 256 tokens. First both sides must give the
same losses and vectors. Then real tokens per second, and the share of the best bfloat16 product
measured on this device. The peer computes attention eagerly, the only way its XLM has, in float32
as shipped and in bfloat16 autocast. It takes less than ten minutes.
"""

import argparse
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
import transformers
from _batches import streams
from _harness import Work, compare, matrix_limit, record, set_up
from training_step import check_equal, ours, peer, peer_model, step_flops

from xlmkit.data.batch import Inputs, SegmentRows
from xlmkit.data.permutation import generator
from xlmkit.evaluate.inference import run_batches
from xlmkit.inference.model import prepare
from xlmkit.model.config import Architecture
from xlmkit.model.heads import mean_pool
from xlmkit.model.transformer import Transformer

XLM_15 = Architecture(n_words=95_000, n_langs=15, n_layers=12, emb_dim=1024, n_heads=8)
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


def training(
    shape: Architecture, device: str, compiler: str, limit: float, turns: int
) -> dict[str, Any]:
    """Compare training steps."""
    batches = streams(shape, 2)
    check_equal(shape, batches[0], device)
    ours_on, peer_on = (partial(side, shape, batches, device=device) for side in (ours, peer))
    sides = {
        "transformers float32": peer_on(autocast=False),
        "transformers bfloat16 autocast": peer_on(autocast=True),
        "xlmkit bfloat16": ours_on(torch.bfloat16),
        "xlmkit bfloat16, compiled": ours_on(torch.bfloat16, compiler=compiler),
    }
    return compare(
        "Training, streams of 32 x 256",
        "real tokens",
        sides,
        turns=turns,
        warm_up=2,
        flops=step_flops(shape),
        limits=dict.fromkeys(sides, limit),
    )


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
    print("Equal vectors on the same weights: yes")
    total = int(rows.lengths.sum())

    def work(function: Any) -> Work:  # noqa: ANN401
        def turn() -> int:
            function()
            return total

        return turn

    peer_work = partial(peer_vectors, theirs.transformer, rows)
    sides = {
        "transformers float32": work(partial(peer_work, autocast=False)),
        "transformers bfloat16 autocast": work(partial(peer_work, autocast=True)),
        "xlmkit bfloat16": work(partial(mean_vectors, models["bfloat16"], rows)),
    }
    flops = 2.0 * shape.n_layers * 12 * shape.emb_dim**2
    limits = dict.fromkeys(sides, limit)
    title = f"Encoding {count} sentences"
    return compare(title, "real tokens", sides, turns=turns, flops=flops, limits=limits)


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
    if not arguments.tiny:
        record("gpu", comparisons, device=name, matrix_limit_gflops=limit)


if __name__ == "__main__":
    main()
