"""Sentences to vectors: xlmkit's SentenceEncoder against transformers' XLM, as people use it.

    python benchmarks/encoding.py --text FOLDER [--sentences 2000] [--turns 4] [--threads 2]

FOLDER has a folder for each language, named by its code, with .txt files of one text a line; it may
also stand in XLMKIT_REAL_TEXT. The model has 12 layers, 1024 wide, 8 heads and 95,000 words, its
weights are random. The peer reads padded batches of 32 in the order of the file, in float32, and is
given ids; xlmkit is given text. Each turn has its part of the sentences, so that all are encoded
once by each side. Checked first, on a few, and at the end on all: the cosine of every vector with
the peer's. Then one sentence at a time, for the latency. bfloat16 is measured where the processor
multiplies in it.
"""

import argparse
import os
from collections.abc import Callable, Sequence
from functools import partial
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
PEER = "transformers float32"
CHECKED = 64  # sentences, before anything is timed
LEARNED_FROM = 3000  # sentences of each language
SEGMENTED = {"zh", "th", "ja"}  # left out: their words need extras

Texts = list[tuple[str, str]]
Encode = Callable[[range], NDArray[np.float32]]
"""Returns the vectors of the sentences with these numbers."""


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
    parts: Sequence[range],
    peer: Encode,
    encoders: dict[str, Encode],
    flops: float,
    limit: dict[str, float],
    goals: dict[str, float],
) -> dict[str, Any]:
    """Let all sides encode a part of the texts in each turn."""

    def work(encode: Encode) -> Work:
        left = iter(parts)

        def turn() -> int:
            part = next(left)
            encode(part)
            return len(part)

        return turn

    sides = {PEER: work(peer)} | {f"xlmkit {name}": work(run) for name, run in encoders.items()}
    reached = {PEER: limit["float32"]} | {f"xlmkit {name}": limit[name] for name in encoders}
    # The check of the vectors has warmed everything up.
    return compare(
        title,
        "sentences",
        sides,
        turns=len(parts),
        warm_up=0,
        limit=Limit.of_operations(reached, flops),
        goals=[Goal(f"xlmkit {n}", PEER, goals[n]) for n in encoders if n in goals],
    )


class Contestants:
    """All sides on the same weights and texts, and the vectors that they have made.

    Attributes:
        peer: encodes by transformers, in batches of 32 in the order given.
        sides: precision to what encodes by xlmkit in it.
        lengths: tokens of each text.
    """

    def __init__(self, text: dict[str, list[str]], texts: Texts, precisions: list[str]) -> None:
        config = TokenizerConfig(vocabulary_size=30_000)
        tokenizer = Tokenizer.learn(text.items(), config, list(text))
        shape = Architecture(
            n_words=WORDS, n_langs=len(text), n_layers=LAYERS, emb_dim=WIDTH, n_heads=8
        )
        ids = tokenizer.lang2id
        torch.manual_seed(0)
        values = to_config_json(shape, ids, LANGUAGE_MODEL)
        self._theirs = transformers.XLMModel(transformers.XLMConfig(**values)).eval()
        self._rows = SegmentRows(
            [((tokenizer.encode_batch([text], code)[0], ids[code]),) for text, code in texts],
            shape.max_position_embeddings,
        )
        self.lengths = self._rows.lengths
        self._texts = texts
        bundle = Bundle(shape, tokenizer, self._theirs.state_dict())
        self._encoders = {name: SentenceEncoder(bundle, precision=name) for name in precisions}  # type: ignore[arg-type]
        self._made: dict[str, list[NDArray[np.float32]]] = {}
        self.sides: dict[str, Encode] = {name: partial(self._ours, name) for name in precisions}

    def peer(self, part: range) -> NDArray[np.float32]:
        """Return the vectors of transformers."""
        some = SegmentRows([self._rows.rows[number] for number in part], self._rows.max_length)
        return self._keep(PEER, peer_vectors(self._theirs, some, 32))

    def _ours(self, name: str, part: range) -> NDArray[np.float32]:
        texts, codes = zip(*self._texts[part.start : part.stop], strict=True)
        return self._keep(name, self._encoders[name].encode(list(texts), list(codes)))

    def _keep(self, name: str, made: NDArray[np.float32]) -> NDArray[np.float32]:
        self._made.setdefault(name, []).append(made)
        return made

    def check(self) -> dict[str, float]:
        """Return and print the least cosine of what each side has made since the last check."""
        made, self._made = self._made, {}
        expected = np.concatenate(made.pop(PEER))
        cosines = {}
        for name, parts in made.items():
            cosines[name] = least_cosine(expected, np.concatenate(parts))
            print(f"Least cosine of {len(expected)} with transformers, {name}: {cosines[name]:.6f}")
            if not cosines[name] >= LEAST_COSINE[name]:
                raise SystemExit(f"{name} does not compute the same.")
        return cosines


def one_by_one(encode: Encode, part: range) -> NDArray[np.float32]:
    """Encode each sentence of a part by itself."""
    return np.concatenate([encode(range(number, number + 1)) for number in part])


def known_precisions() -> list[str]:
    """Return what can be measured on this processor."""
    if choose_dtype("auto", torch.device("cpu")) == torch.bfloat16:
        return ["float32", "bfloat16", "int8"]
    print("bfloat16 is left out: this processor does not multiply in it.")
    return ["float32", "int8"]


def main() -> None:
    """Run the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", type=Path, default=os.environ.get(VARIABLE))
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    if arguments.text is None:
        print(f"Skipped: name a folder of real text with --text or in {VARIABLE}.")
        return
    set_up(arguments.threads)
    text = read_text(Path(arguments.text))
    texts = in_turn(text, arguments.sentences)
    precisions = known_precisions()
    all_of_them = Contestants(text, texts, precisions)
    peer, sides, lengths = all_of_them.peer, all_of_them.sides, all_of_them.lengths
    print(
        f"{len(texts)} sentences in {len(text)} languages: {lengths.mean():.0f} tokens on average, "
        f"at most {lengths.max()}"
    )
    few = range(min(CHECKED, len(texts)))
    for encode in (peer, *sides.values()):
        encode(few)
    all_of_them.check()
    size = -(-len(texts) // arguments.turns)
    parts = [range(start, min(start + size, len(texts))) for start in range(0, len(texts), size)]
    batches = contest(
        "Many sentences, batches",
        parts,
        peer,
        sides,
        FLOPS * float(lengths.mean()),
        limits(precisions, 4096),
        GOALS,
    )
    cosines = all_of_them.check()
    alone = range(min(20, len(texts)))
    single = contest(
        "One sentence at a time",
        [alone] * 2 * arguments.turns,
        partial(one_by_one, peer),
        {name: partial(one_by_one, encode) for name, encode in sides.items()},
        FLOPS * float(lengths[alone].mean()),
        limits(precisions, int(lengths[alone].mean())),
        LATENCY_GOALS,
    )
    all_of_them.check()
    record("encoding", [batches, single], cosines=cosines, sentences=len(texts))


if __name__ == "__main__":
    main()
