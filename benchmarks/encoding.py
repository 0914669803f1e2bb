"""Sentences to vectors: xlmkit's SentenceEncoder against transformers' XLM, as people use it.

    python benchmarks/encoding.py --text FOLDER [--sentences 2000] [--turns 3] [--threads 2]

FOLDER has a folder for each language, named by its code, with .txt files of one text a line; it may
also stand in XLMKIT_REAL_TEXT. The model has 12 layers, 1024 wide, 8 heads and 95,000 words, its
weights are random. The peer reads padded batches of 32 in the order of the file, in float32, and is
given ids; xlmkit is given text. Checked first: the cosine of every vector with the peer's. Then one
sentence at a time, for the latency. bfloat16 is measured where the processor multiplies in it.
"""

import argparse
import os
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from _harness import Goal, Limit, Work, compare, int8_limit, matrix_limit, record, set_up
from numpy.typing import NDArray

from xlmkit import Bundle, SentenceEncoder, Tokenizer
from xlmkit.checkpoint.names import LANGUAGE_MODEL, to_config_json
from xlmkit.core.device import choose_dtype
from xlmkit.core.files import open_lines
from xlmkit.data.batch import SegmentRows
from xlmkit.model.config import Architecture
from xlmkit.text.tokenizer import TokenizerConfig

VARIABLE = "XLMKIT_REAL_TEXT"
LEAST_COSINE = {"float32": 0.999999, "bfloat16": 0.999, "int8": 0.998}
GOALS = {"bfloat16": 5.0, "int8": 7.5}  # times the peer in float32
LATENCY_GOALS = {"int8": 3.5}
LAYERS, WIDTH, WORDS = 12, 1024, 95_000
FLOPS = 2 * LAYERS * 12 * WIDTH**2  # of a token, without attention's own products
LEARNED_FROM = 3000  # sentences of each language
SEGMENTED = {"zh", "th", "ja"}  # left out: their words need extras

Texts = list[tuple[str, str]]


def read_text(folder: Path) -> dict[str, list[str]]:
    """Return sentences of each language."""
    places = [place for place in sorted(folder.iterdir()) if place.is_dir()]
    text = {}
    for place in [place for place in places if place.name not in SEGMENTED][:15]:
        file = max(place.glob("*.txt"), key=lambda path: path.stat().st_size)
        lines = (line for _, line in open_lines(file) if 20 < len(line) < 400)
        text[place.name] = list(islice(lines, LEARNED_FROM))
    return text


def in_turn(text: dict[str, list[str]], count: int) -> Texts:
    """Return sentences of all languages in turn, and their languages."""
    rounds = zip(*([(line, code) for line in lines] for code, lines in text.items()), strict=False)
    return list(islice((pair for together in rounds for pair in together), count))


def peer_vectors(model: Any, rows: SegmentRows, size: int) -> NDArray[np.float32]:  # noqa: ANN401
    """Return the mean of the last states, from padded batches in the given order."""
    made = []
    for start in range(0, len(rows.rows), size):
        inputs = rows.batch(range(start, min(start + size, len(rows.rows))))
        mask = torch.arange(inputs.tokens.shape[1]) < inputs.lengths[:, None]
        with torch.inference_mode():
            states = model(
                input_ids=inputs.tokens, attention_mask=mask.long(), langs=inputs.languages
            ).last_hidden_state
            made.append((states * mask[..., None]).sum(1) / inputs.lengths[:, None])
    return torch.cat(made).numpy()


def least_cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the least cosine of rows that belong together."""
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return float(((one * other).sum(axis=1) / lengths).min())


def limits(precisions: list[str], rows: int) -> dict[str, float]:
    """Return the machine's limit for each precision at so many tokens."""
    return {
        name: int8_limit(rows, WIDTH, 4 * WIDTH)
        if name == "int8"
        else matrix_limit(rows, WIDTH, 4 * WIDTH, getattr(torch, name))
        for name in precisions
    }


def contest(
    title: str,
    texts: Texts,
    peer: Callable[[], object],
    encoders: dict[str, Callable[[], object]],
    flops: float,
    limit: dict[str, float],
    goals: dict[str, float],
    turns: int,
) -> dict[str, Any]:
    """Let all sides encode the texts."""

    def work(encode: Callable[[], object]) -> Work:
        def turn() -> int:
            encode()
            return len(texts)

        return turn

    theirs = "transformers float32"
    sides = {theirs: work(peer)} | {f"xlmkit {name}": work(run) for name, run in encoders.items()}
    reached = {theirs: limit["float32"]} | {f"xlmkit {name}": limit[name] for name in encoders}
    # The check of the vectors has warmed everything up.
    return compare(
        title,
        "sentences",
        sides,
        turns=turns,
        warm_up=0,
        limit=Limit.of_operations(reached, flops),
        goals=[Goal(f"xlmkit {n}", theirs, goals[n]) for n in encoders if n in goals],
    )


def main() -> None:
    """Run the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", type=Path, default=os.environ.get(VARIABLE))
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    if arguments.text is None:
        print(f"Skipped: name a folder of real text with --text or in {VARIABLE}.")
        return
    set_up(arguments.threads)
    text = read_text(Path(arguments.text))
    texts = in_turn(text, arguments.sentences)
    sentences, codes = [text for text, _ in texts], [code for _, code in texts]
    tokenizer = Tokenizer.learn(text.items(), TokenizerConfig(vocabulary_size=30_000), list(text))
    shape = Architecture(
        n_words=WORDS, n_langs=len(text), n_layers=LAYERS, emb_dim=WIDTH, n_heads=8
    )
    ids = tokenizer.lang2id
    config = transformers.XLMConfig(**to_config_json(shape, ids, LANGUAGE_MODEL))
    torch.manual_seed(0)
    peer = transformers.XLMModel(config).eval()
    rows = SegmentRows(
        [((tokenizer.encode_batch([text], code)[0], ids[code]),) for text, code in texts],
        shape.max_position_embeddings,
    )
    lengths = rows.lengths
    print(
        f"{len(texts)} sentences in {len(ids)} languages: {lengths.mean():.0f} tokens on average, "
        f"at most {lengths.max()}"
    )
    precisions = ["float32", "bfloat16", "int8"]
    if choose_dtype("auto", torch.device("cpu")) != torch.bfloat16:
        precisions.remove("bfloat16")
        print("bfloat16 is left out: this processor does not multiply in it.")
    bundle = Bundle(shape, tokenizer, peer.state_dict())
    encoders = {name: SentenceEncoder(bundle, precision=name) for name in precisions}  # type: ignore[arg-type]
    expected = peer_vectors(peer, rows, 32)
    cosines = {}
    for name, encoder in encoders.items():
        cosines[name] = least_cosine(expected, encoder.encode(sentences, codes))
        print(f"Least cosine with transformers, {name}: {cosines[name]:.6f}")
        if not cosines[name] >= LEAST_COSINE[name]:
            raise SystemExit(f"{name} does not compute the same.")
    one = range(min(20, len(texts)))
    alone = [SegmentRows([rows.rows[i]], rows.max_length) for i in one]
    batches = contest(
        "Many sentences, batches",
        texts,
        lambda: peer_vectors(peer, rows, 32),
        {n: lambda e=e: e.encode(sentences, codes) for n, e in encoders.items()},
        FLOPS * float(lengths.mean()),
        limits(precisions, 4096),
        GOALS,
        arguments.turns,
    )
    single = contest(
        "One sentence at a time",
        texts[:20],
        lambda: [peer_vectors(peer, row, 1) for row in alone],
        {
            n: lambda e=e: [e.encode([sentences[i]], codes[i]) for i in one]
            for n, e in encoders.items()
        },
        FLOPS * float(lengths[:20].mean()),
        limits(precisions, int(lengths[:20].mean())),
        LATENCY_GOALS,
        2 * arguments.turns,
    )
    record("encoding", [batches, single], cosines=cosines, sentences=len(texts))


if __name__ == "__main__":
    main()
