"""A masked-language-model training step: xlmkit against transformers' XLM, as people run it.

    python benchmarks/training_step.py [--turns 7] [--threads 2]

Forward, backward, clipping and AdamW, dropout 0.1, 15 % of the tokens predicted; the peer pads,
projects every position and takes -100 labels. Two shapes: streams of 32 x 256 tokens, and sentence
pairs (TLM) of mixed lengths in batches of 32, real tokens counted. First the losses of both sides
on the same weights and batch, without dropout, must agree in float32.
"""

import argparse
from collections.abc import Callable

import numpy as np
import torch
import transformers
from _harness import Work, compare, matrix_limit, record, set_up

from xlmkit.checkpoint.names import LANGUAGE_MODEL, to_config_json
from xlmkit.data.batch import Inputs, PredictionBatch, assemble
from xlmkit.data.masking import MaskingConfig, mask_tokens
from xlmkit.data.permutation import generator
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel
from xlmkit.objectives.prediction import prediction_loss
from xlmkit.train.config import OptimizerConfig
from xlmkit.train.optim import FlatOptimizer

LANGUAGES = {"en": 0, "fr": 1}
SHAPE = Architecture(n_words=8000, n_langs=2, n_layers=4, emb_dim=256, n_heads=4)


def streams(n_batches: int) -> list[PredictionBatch]:
    """Return batches of 32 full rows of 256 tokens."""
    random = generator("streams")
    rows = [
        [((random.integers(14, SHAPE.n_words, 254), 0),) for _ in range(32)]
        for _ in range(n_batches)
    ]
    return [masked(row, number) for number, row in enumerate(rows)]


def pairs(n_batches: int) -> list[PredictionBatch]:
    """Return batches of 32 pairs with lengths spread as in real text (mean about 57 tokens)."""
    random = generator("pairs")
    batches = []
    for number in range(n_batches):
        rows = []
        for _ in range(32):
            length = int(np.clip(random.lognormal(3.1, 0.6), 3, 120))
            sides = [random.integers(14, SHAPE.n_words, length) for _ in range(2)]
            rows.append(((sides[0], 0), (sides[1], 1)))
        batches.append(masked(rows, number))
    return batches


def masked(rows: list, number: int) -> PredictionBatch:
    """Mask 15 % of the tokens of some rows."""
    arrays = assemble(rows, 256)
    hidden = mask_tokens(arrays.tokens, MaskingConfig(), SHAPE.n_words, generator("mask", number))
    tensors = arrays.tensors()
    inputs = Inputs(
        torch.from_numpy(hidden.tokens), tensors.lengths, tensors.positions, tensors.languages
    )
    predict, targets = torch.from_numpy(hidden.predict), torch.from_numpy(hidden.targets)
    return PredictionBatch(inputs, predict, targets, torch.zeros_like(predict))


def by_length(batches: list[PredictionBatch]) -> list[PredictionBatch]:
    """Return the same sequences in batches of similar lengths, as xlmkit's sampler makes them."""
    rows = []
    for batch in batches:
        lengths = batch.inputs.lengths.tolist()
        rows += [(batch, row, length) for row, length in enumerate(lengths)]
    rows.sort(key=lambda item: item[2])
    return [_gather(rows[start : start + 32]) for start in range(0, len(rows), 32)]


def _gather(rows: list[tuple[PredictionBatch, int, int]]) -> PredictionBatch:
    longest = max(length for _, _, length in rows)
    fields = []
    for name in ("tokens", "positions", "languages"):
        parts = [getattr(batch.inputs, name)[row, :longest] for batch, row, _ in rows]
        padding = 2 if name == "tokens" else 0
        full = torch.full((len(rows), longest), padding)
        for place, part in enumerate(parts):
            full[place, : len(part)] = part
        fields.append(full)
    predict, targets = [], []
    for place, (batch, row, _) in enumerate(rows):
        width = batch.inputs.tokens.shape[1]
        mine = batch.predict // width == row
        predict.append(batch.predict[mine] % width + place * longest)
        targets.append(batch.targets[mine])
    lengths = torch.tensor([length for _, _, length in rows])
    predict_N, targets_N = torch.cat(predict), torch.cat(targets)
    inputs = Inputs(fields[0], lengths, fields[1], fields[2])
    return PredictionBatch(inputs, predict_N, targets_N, torch.zeros_like(predict_N))


def peer_model(dropout: float) -> transformers.XLMWithLMHeadModel:
    """Return transformers' model of the same shape."""
    values = to_config_json(SHAPE, LANGUAGES, LANGUAGE_MODEL)
    values |= {"dropout": dropout, "attention_dropout": dropout}
    return transformers.XLMWithLMHeadModel(transformers.XLMConfig(**values))


def peer_loss(model: transformers.XLMWithLMHeadModel, batch: PredictionBatch) -> torch.Tensor:
    """Return the peer's mean loss: scores of all positions, labels of -100 where none is asked."""
    inputs = batch.inputs
    labels = torch.full_like(inputs.tokens, -100)
    labels.view(-1)[batch.predict] = batch.targets
    return model(
        input_ids=inputs.tokens,
        lengths=inputs.lengths,
        position_ids=inputs.positions,
        langs=inputs.languages,
        labels=labels,
    ).loss


def peer(batches: list[PredictionBatch], *, autocast: bool) -> Work:
    """Return the peer's turn: one step on each batch."""
    model = peer_model(0.1).train()
    adam = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def turn() -> int:
        for batch in batches:
            with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
                loss = peer_loss(model, batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adam.step()
            adam.zero_grad()
        return sum(batch.inputs.n_tokens for batch in batches)

    return turn


def ours(batches: list[PredictionBatch], dtype: torch.dtype) -> Work:
    """Return xlmkit's turn: one step on each batch."""
    model = LanguageModel(SHAPE).train()
    optimizer = FlatOptimizer(model, OptimizerConfig(), dtype)

    def turn() -> int:
        for batch in batches:
            output = prediction_loss(model, batch, 2)
            output.sum.backward()
            optimizer.accumulate()
            optimizer.total.mul_(1.0 / output.count)
            optimizer.step(1e-4)
        return sum(batch.inputs.n_tokens for batch in batches)

    return turn


def check_equal(batch: PredictionBatch) -> None:
    """See that both sides give the same loss in float32 without dropout."""
    theirs = peer_model(0.0).eval()
    mine = LanguageModel(SHAPE).eval()
    mine.load_state_dict(theirs.state_dict())
    with torch.no_grad():
        output = prediction_loss(mine, batch, 2)
        torch.testing.assert_close(output.sum / output.count, peer_loss(theirs, batch))
    print("Equal losses on the same weights: yes")


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    set_up(arguments.threads)
    torch.manual_seed(1)
    makers: dict[str, Callable[[int], list[PredictionBatch]]] = {"stream": streams, "TLM": pairs}
    comparisons = []
    for name, make in makers.items():
        batches = make(4)
        check_equal(batches[0])
        packed = by_length(batches) if name == "TLM" else batches
        sides = {
            "transformers float32": peer(batches, autocast=False),
            "transformers bfloat16 autocast": peer(batches, autocast=True),
            "xlmkit float32": ours(packed, torch.float32),
            "xlmkit bfloat16": ours(packed, torch.bfloat16),
        }
        title = f"Training step S, {name}: 4 layers of 256, 8,000 words"
        comparisons.append(compare(title, "real tokens", sides, turns=arguments.turns))
    limits = {
        str(dtype): round(matrix_limit(8192, 256, 1024, dtype))
        for dtype in (torch.float32, torch.bfloat16)
    }
    print(f"Best matrix product of this machine, GFLOP/s: {limits}")
    record("training-step", comparisons, matrix_limit_gflops=limits)


if __name__ == "__main__":
    main()
