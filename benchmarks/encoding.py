"""Sentences to vectors: xlmkit's SentenceEncoder against transformers' XLM, as people use it.

    python benchmarks/encoding.py --text FOLDER [--sentences 2000] [--turns 4] [--threads 2]

FOLDER has a folder for each language, named by its code, with .txt files of one text a line; it may
also stand in XLMKIT_REAL_TEXT. The model has 12 layers, 1024 wide, 8 heads and 95,000 words, its
weights are random. The peer reads padded batches of 32 in the order of the file, in float32, and is
given ids; xlmkit is given text. Each turn has its part of the sentences, so that all are encoded
once by each side. Checked first, on a few, and at the end on all: the cosine of every vector with
the peer's. Then one sentence at a time, for the latency, and where the time goes. bfloat16, the
peer's autocast too, is measured where the processor multiplies in it.
"""

import argparse
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from _arguments import add_text, positive, run, text_folder
from _harness import (
    Goal,
    Limit,
    Work,
    attention_operations,
    compare,
    described,
    int8_limit,
    matrix_limit,
    record,
    set_up,
    show_profile,
)
from numpy.typing import NDArray

from xlmkit import Bundle, SentenceEncoder, Tokenizer
from xlmkit.checkpoint.names import LANGUAGE_MODEL, to_config_json
from xlmkit.core.device import choose_dtype
from xlmkit.core.files import open_lines
from xlmkit.data.batch import Inputs, SegmentRows
from xlmkit.model.config import Architecture
from xlmkit.model.heads import mean_pool
from xlmkit.text.languages import LANGUAGES
from xlmkit.text.tokenizer import TokenizerConfig

LEAST_COSINE = {"float32": 0.999999, "bfloat16": 0.999, "int8": 0.998}
GOALS = {"xlmkit bfloat16": 5.0, "xlmkit int8": 7.5}  # times the peer in float32
LATENCY_GOALS = {"xlmkit int8": 3.5}
LAYERS, WIDTH, WORDS = 12, 1024, 95_000
PEER, ROUNDED_PEER = "transformers float32", "transformers bfloat16 autocast"
CHECKED = 64  # sentences, before anything is timed
LEARNED_FROM = 3000  # sentences of each language
SEGMENTED = {"zh", "th", "ja"}  # left out: their words need extras

Texts = list[tuple[str, str]]
Encode = Callable[[range], NDArray[np.float32]]
"""Returns the vectors of the sentences with these numbers."""


def read_text(folder: Path) -> dict[str, list[str]]:
    """Return sentences of each language."""
    places = sorted({file.parent for file in folder.glob("*/*.txt")})
    places = [place for place in places if place.name in LANGUAGES]
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


def peer_vectors(model: Any, rows: SegmentRows, *, autocast: bool) -> NDArray[np.float32]:  # noqa: ANN401
    """Return the mean of the last states, from padded batches of 32 in the order given."""

    def pooled(inputs: Inputs) -> torch.Tensor:
        inputs = inputs.to(model.device)
        mask = torch.arange(inputs.tokens.shape[1], device=model.device) < inputs.lengths[:, None]
        states = model(
            input_ids=inputs.tokens, attention_mask=mask.long(), langs=inputs.languages
        ).last_hidden_state
        return mean_pool(states, inputs.lengths)

    count, kind = len(rows.rows), model.device.type
    # One context for all: at the end of it autocast forgets the weights that it has rounded.
    with torch.inference_mode(), torch.autocast(kind, torch.bfloat16, enabled=autocast):
        made = [
            pooled(rows.batch(range(start, min(start + 32, count))))
            for start in range(0, count, 32)
        ]
        return torch.cat(made).float().cpu().numpy()


def least_cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the least cosine of rows that belong together."""
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return float(((one * other).sum(axis=1) / lengths).min())


def limits(sides: Iterable[str], rows: int) -> dict[str, float]:
    """Return the machine's limit for each side's precision at so many tokens."""
    names = {side: precision(side) for side in sides}
    best = {
        name: int8_limit(rows, WIDTH, 4 * WIDTH)
        if name == "int8"
        else matrix_limit(rows, WIDTH, 4 * WIDTH, getattr(torch, name))
        for name in set(names.values())
    }
    return {side: best[name] for side, name in names.items()}


def contest(
    title: str,
    parts: Sequence[range],
    encoders: dict[str, Encode],
    flops: float,
    rows: int,
    goals: dict[str, float],
) -> dict[str, Any]:
    """Let all sides encode a part of the texts in each turn, and tell where our time goes.

    Args:
        title: what is compared.
        parts: of the texts, one for each turn.
        encoders: name of a side to what encodes a part.
        flops: useful operations of a sentence.
        rows: tokens of the product that is taken as limit.
        goals: name of a side to how many times as fast as the peer it is to be.
    """

    def work(encode: Encode) -> Work:
        left = iter(parts)

        def turn() -> int:
            part = next(left)
            encode(part)
            return len(part)

        return turn

    # The check of the vectors has warmed everything up.
    result = compare(
        title,
        "sentences",
        {name: work(encode) for name, encode in encoders.items()},
        turns=len(parts),
        warm_up=0,
        limit=Limit.of_operations(partial(limits, encoders, rows), flops),
        goals=[Goal(name, PEER, least) for name, least in goals.items() if name in encoders],
    )
    ours = [name for name in encoders if name.startswith("xlmkit")]
    result["profiles"] = {
        name: show_profile(f"{name}, {title.lower()}", work(encoders[name])) for name in ours
    }
    return result


def precision(side: str) -> str:
    """Return the precision that a side's name tells."""
    return next(name for name in LEAST_COSINE if name in side)


class Contestants:
    """All sides on the same weights and texts, and the vectors that they have made.

    Attributes:
        sides: name to what encodes the texts of a part; the peer, in batches of 32 in the order
            given, is first.
        lengths: tokens of each text.
        shape: of the model.
    """

    def __init__(self, text: dict[str, list[str]], texts: Texts, precisions: list[str]) -> None:
        config = TokenizerConfig(vocabulary_size=30_000)
        tokenizer = Tokenizer.learn(text.items(), config, list(text))
        self.shape = Architecture(
            n_words=WORDS, n_langs=len(text), n_layers=LAYERS, emb_dim=WIDTH, n_heads=8
        )
        ids = tokenizer.lang2id
        torch.manual_seed(0)
        values = to_config_json(self.shape, ids, LANGUAGE_MODEL)
        self._theirs = transformers.XLMModel(transformers.XLMConfig(**values)).eval()
        self._rows = SegmentRows(
            [((tokenizer.encode_batch([text], code)[0], ids[code]),) for text, code in texts],
            self.shape.max_position_embeddings,
        )
        self.lengths = self._rows.lengths
        self._texts = texts
        bundle = Bundle(self.shape, tokenizer, self._theirs.state_dict())
        self._made: dict[str, list[NDArray[np.float32]]] = {}
        self.sides: dict[str, Encode] = {PEER: partial(self._peer, PEER)}
        if "bfloat16" in precisions:
            self.sides[ROUNDED_PEER] = partial(self._peer, ROUNDED_PEER)
        for name in precisions:
            encoder = SentenceEncoder(bundle, precision=name)  # type: ignore[arg-type]
            self.sides[f"xlmkit {name}"] = partial(self._ours, f"xlmkit {name}", encoder)

    def _peer(self, name: str, part: range) -> NDArray[np.float32]:
        some = SegmentRows([self._rows.rows[number] for number in part], self._rows.max_length)
        return self._keep(name, peer_vectors(self._theirs, some, autocast=name == ROUNDED_PEER))

    def _ours(self, name: str, encoder: SentenceEncoder, part: range) -> NDArray[np.float32]:
        texts, codes = zip(*self._texts[part.start : part.stop], strict=True)
        return self._keep(name, encoder.encode(list(texts), list(codes)))

    def _keep(self, name: str, made: NDArray[np.float32]) -> NDArray[np.float32]:
        self._made.setdefault(name, []).append(made)
        return made

    def check(self, count: int) -> dict[str, float]:
        """Return and print the least cosine of the first vectors that each side has since made."""
        made, self._made = self._made, {}
        expected = np.concatenate(made.pop(PEER))[:count]
        cosines = {}
        for name, parts in made.items():
            cosines[name] = least_cosine(expected, np.concatenate(parts)[:count])
            print(f"Least cosine of {count} vectors with the peer's, {name}: {cosines[name]:.6f}")
            if name != ROUNDED_PEER and not cosines[name] >= LEAST_COSINE[precision(name)]:
                raise SystemExit(f"{name} does not compute the same.")
        return cosines


def one_by_one(encode: Encode, part: range) -> NDArray[np.float32]:
    """Encode each sentence of a part by itself."""
    return np.concatenate([encode(range(number, number + 1)) for number in part])


def operations(shape: Architecture, lengths: NDArray[np.integer]) -> float:
    """Return the useful operations of a sentence, on average."""
    linear = 2.0 * shape.n_layers * 12 * shape.emb_dim**2
    return float(lengths.mean()) * (linear + attention_operations(shape, lengths))


def known_precisions() -> list[str]:
    """Return what can be measured on this processor."""
    if choose_dtype("auto", torch.device("cpu")) == torch.bfloat16:
        return ["float32", "bfloat16", "int8"]
    print("bfloat16 is left out: this processor does not multiply in it.")
    return ["float32", "int8"]


def main() -> None:
    """Run the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_text(parser)
    parser.add_argument("--sentences", type=positive, default=2000)
    parser.add_argument("--turns", type=positive, default=4)
    parser.add_argument("--threads", type=positive, default=torch.get_num_threads())
    arguments = parser.parse_args()
    folder = text_folder(arguments)
    set_up(arguments.threads)
    text = read_text(folder)
    texts = in_turn(text, arguments.sentences)
    precisions = known_precisions()
    contestants = Contestants(text, texts, precisions)
    sides, lengths = contestants.sides, contestants.lengths
    print(
        f"{len(texts)} sentences in {len(text)} languages: {lengths.mean():.0f} tokens on average, "
        f"at most {lengths.max()}"
    )
    few = range(min(CHECKED, len(texts)))
    for encode in sides.values():
        encode(few)
    contestants.check(len(few))
    size = -(-len(texts) // arguments.turns)
    parts = [range(start, min(start + size, len(texts))) for start in range(0, len(texts), size)]
    batches = contest(
        "Many sentences, batches",
        parts,
        sides,
        operations(contestants.shape, lengths),
        4096,
        GOALS,
    )
    cosines = contestants.check(len(texts))
    alone = range(min(20, len(texts)))
    single = contest(
        "One sentence at a time",
        [alone] * 2 * arguments.turns,
        {name: partial(one_by_one, encode) for name, encode in sides.items()},
        operations(contestants.shape, lengths[alone]),
        int(lengths[alone].mean()),
        LATENCY_GOALS,
    )
    contestants.check(len(alone))
    record("encoding", [batches, single], cosines=cosines, text=described(text))


if __name__ == "__main__":
    run(main)
