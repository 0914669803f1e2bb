"""Translating: xlmkit's own search and its CTranslate2 export against transformers' Marian.

    python benchmarks/translating.py [--turns 5] [--threads 1] [--batches 3] [--pairs FILE ...]

All have 6+6 layers, 512 wide, 8 heads and the same vocabulary, in float32 (or int8 where a side's
name says so), and search with 5 beams in batches of 32 sentences, as they come. These are as long
as the sentences in the first column of TSV files, in tokens of a vocabulary that is learned from
the files, which --pairs or the environment variable XLMKIT_REAL_PAIRS names (with `:` between);
without files lengths are drawn, which is told. A translation has as many words as its source:
Marian is told so by a logits processor; the weights of xlmkit, which CTranslate2 gets as well, are
made such that `</s>` becomes the best word there, by the number in which each word of the source
carries its sentence's length. So the words themselves are drawn. A search ends by xlmkit's default
rule, which looks whether a better translation could still come, and where a side says `early` when
five have ended. What is counted are the words of the best translations. Checked first: all sides
write sentences of about the right lengths, and the two in float32 that have the same weights the
same words, one by one.
"""

import argparse
import tempfile
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import ctranslate2
import numpy as np
import torch
import transformers
from _arguments import PAIRS, add_pairs, positive, run
from _harness import (
    Goal,
    Limit,
    Work,
    compare,
    described,
    int8_limit,
    matrix_limit,
    record,
    set_up,
    show_profile,
)
from _pairs import read_pairs
from numpy.typing import NDArray

from xlmkit import Bundle
from xlmkit.checkpoint.names import TRANSLATOR
from xlmkit.core.files import open_lines
from xlmkit.export.ctranslate2 import export_ctranslate2
from xlmkit.generate.config import SearchConfig
from xlmkit.generate.ctranslate2_engine import CTranslate2Engine
from xlmkit.generate.engine import Engine, TorchEngine
from xlmkit.generate.search import Asked
from xlmkit.model.config import Architecture
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import EOS, PAD, SPECIAL_TOKENS, Vocabulary

BATCH, BEAMS = 32, 5
LONGEST = 64
SPREAD, ENDING = 0.1, 200.0  # of embeddings, and the weight of the counter in the score of `</s>`
SEARCH = SearchConfig(beam_size=BEAMS)
GOALS = {"xlmkit int8": 3.0, "CTranslate2 int8": 5.0}
LAYERS, WIDTH = 6, 512
EARLY = SearchConfig(beam_size=BEAMS, early_stopping=True)
Batch = list[np.ndarray]


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=positive, default=5)
    parser.add_argument("--threads", type=positive, default=1)
    parser.add_argument("--batches", type=positive, default=3)
    parser.add_argument("--words", type=positive, default=32_000)
    add_pairs(parser)
    arguments = parser.parse_args()
    if not arguments.pairs:
        print(f"Lengths are drawn, not real: name TSV files with --pairs or in {PAIRS}.")
    files = described({p.name: [line for _, line in open_lines(p)] for p in arguments.pairs})
    set_up(arguments.threads)
    torch.manual_seed(0)
    bundle = translator(arguments.words)
    lengths = lengths_of(arguments.pairs, arguments.batches, arguments.words)
    batches = sentences(lengths, arguments.words)
    told = f"{lengths.mean():.0f} words on average, {lengths.min()} to {lengths.max()}"
    print(f"{lengths.size} sentences of {told}")
    with tempfile.TemporaryDirectory() as folder:
        exports = {}
        for kind in ("float32", "int8"):
            path = Path(folder) / kind
            export_ctranslate2(bundle, path, src="en", tgt="fr", quantization=kind)
            exports[kind] = CTranslate2Engine(path, bundle.tokenizer, threads=arguments.threads)
        own, rounded = TorchEngine(bundle), TorchEngine(bundle, "int8")
        check([own, rounded, *exports.values()], batches[0])
        check_same(own, exports["float32"], batches[0])
        peer = marian(arguments.words)
        check_words(marian_side(peer, batches[:1])(), batches[0])
        sides = {
            "Marian": marian_side(peer, batches),
            "xlmkit": engine_side(own, batches),
            "xlmkit int8": engine_side(rounded, batches),
            "CTranslate2 float32": engine_side(exports["float32"], batches),
            "CTranslate2 int8": engine_side(exports["int8"], batches),
            "CTranslate2 int8, early": engine_side(exports["int8"], batches, EARLY),
        }
        title = f"{BEAMS} beams, batches of {BATCH} sentences, {arguments.words:,} words"
        result = compare(
            title,
            "target words",
            sides,
            turns=arguments.turns,
            limit=Limit.of_operations(partial(limits, sides), operations(arguments.words)),
            goals=[Goal(side, "Marian", least) for side, least in GOALS.items()],
        )
        own_sides = ("xlmkit", "xlmkit int8")
        result["profiles"] = {name: show_profile(name, sides[name]) for name in own_sides}
        record("translating", [result], ctranslate2=ctranslate2.__version__, pairs=files)


def operations(n_words: int) -> float:
    """Return those that a target word needs with its source word: products of linear layers."""
    encoder = LAYERS * 12 * WIDTH**2
    source = LAYERS * 2 * WIDTH**2  # its keys and values
    beam = LAYERS * 14 * WIDTH**2 + WIDTH * n_words
    return 2.0 * (encoder + source + BEAMS * beam)


def limits(sides: Iterable[str]) -> dict[str, float]:
    """Return the best product of a step's shape, in float32 and of our 8-bit layer."""
    rows = BATCH * BEAMS
    best = matrix_limit(rows, WIDTH, 4 * WIDTH, torch.float32)
    rounded = int8_limit(rows, WIDTH, 4 * WIDTH)
    return {side: rounded if "int8" in side else best for side in sides}


def translator(n_words: int) -> Bundle:
    """Return an untrained translator that writes about as many words as it reads.

    One dimension of the states counts: a source word carries the length of its sentence there, and
    a place of the decoder its number; the last cross-attention subtracts the one from the other,
    and `</s>` is scored by what is left. All other layers compute as always, but add little.
    """
    symbols = [*SPECIAL_TOKENS, *(f"w{i}</w>" for i in range(n_words - len(SPECIAL_TOKENS)))]
    tokenizer = Tokenizer(Vocabulary(symbols), Merges(()), {"en": 0, "fr": 1}, segmenters={})
    shape = Architecture(
        n_words=n_words,
        n_langs=2,
        n_layers=LAYERS,
        emb_dim=WIDTH,
        n_heads=8,
        max_position_embeddings=256,
        embed_init_std=SPREAD,
    )
    model = EncoderDecoder(shape).eval()
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(False)
        if name.endswith(("out_lin.weight", "lin2.weight")):
            parameter.mul_(1e-3)
        if name.endswith(("position_embeddings.weight", "lang_embeddings.weight", "bias")):
            parameter.zero_()
    step = 0.1 * SPREAD  # of the counter
    model.encoder.embeddings.weight[:, 0] = -step * (torch.arange(n_words) % LONGEST)
    model.encoder.embeddings.weight[EOS, 0] = 0
    words = model.decoder.embeddings.weight
    words[:, 0] = 0
    words[EOS, 0] = ENDING
    model.decoder.position_embeddings.weight[:, 0] = step * torch.arange(256)
    first = torch.randn(WIDTH) * SPREAD
    first[0] = -ENDING  # since the first word is `</s>`
    model.decoder.position_embeddings.weight[0] = first
    last = model.decoder.encoder_attn[-1]
    last.v_lin.weight[0] = last.out_lin.weight[0] = 0
    last.v_lin.weight[0, 0] = last.out_lin.weight[0, 0] = 1
    return Bundle(shape, tokenizer, model.state_dict(), head=TRANSLATOR)


def marian(n_words: int) -> transformers.MarianMTModel:
    """Return transformers' model of the same shape."""
    return transformers.MarianMTModel(
        transformers.MarianConfig(
            vocab_size=n_words,
            d_model=WIDTH,
            encoder_layers=LAYERS,
            decoder_layers=LAYERS,
            encoder_attention_heads=8,
            decoder_attention_heads=8,
            encoder_ffn_dim=4 * WIDTH,
            decoder_ffn_dim=4 * WIDTH,
            max_position_embeddings=256,
            pad_token_id=PAD,
            eos_token_id=EOS,
            decoder_start_token_id=PAD,
            forced_eos_token_id=None,
        )
    ).eval()


def lengths_of(paths: Sequence[Path], n_batches: int, n_words: int) -> NDArray[np.integer]:
    """Return how many words sentences have, (batches, 32): real ones, or drawn about 20."""
    if paths:
        found = [len(first) for first, _ in read_pairs(paths, n_words, 2 * n_batches * BATCH)]
        fitting = [n for n in found if n < LONGEST][: n_batches * BATCH]
        return np.array(fitting[: len(fitting) // BATCH * BATCH]).reshape(-1, BATCH)
    random = np.random.default_rng(0)
    drawn = np.exp(random.normal(np.log(20), 0.5, (n_batches, BATCH))).astype(int)
    return drawn.clip(3, LONGEST - 1)


def sentences(lengths: NDArray[np.integer], n_words: int) -> list[Batch]:
    """Return batches of sentences of these lengths, which each of their words tells the model."""
    random = np.random.default_rng(0)
    return [
        [random.integers(1, n_words // LONGEST, n).astype(np.int32) * LONGEST + n for n in row]
        for row in lengths.tolist()
    ]


def check(engines: Sequence[Engine], batch: Batch) -> None:
    """See that the engines write sentences of the right lengths."""
    for engine in engines:
        found = engine.search(batch, 0, 1, SEARCH, Asked())
        lengths = [len(one[0].ids) for one in found]
        wrong = [abs(n - len(ids)) for n, ids in zip(lengths, batch, strict=True)]
        print(f"{type(engine).__name__}: lengths differ by {np.mean(wrong):.1f} words on average")
        if np.mean(wrong) > 3:
            raise SystemExit("The sentences have not the right lengths.")


def check_same(one: Engine, other: Engine, batch: Batch) -> None:
    """See that two engines write the same words, each the best after those before it."""
    greedy = SearchConfig(beam_size=0)
    first, second = (engine.search(batch, 0, 1, greedy, Asked()) for engine in (one, other))
    same = [list(a[0].ids) == list(b[0].ids) for a, b in zip(first, second, strict=True)]
    print(f"Greedy search writes the same in float32: {sum(same)} of {len(same)} sentences")
    if not all(same):
        raise SystemExit("The export does not compute the same.")


def check_words(words: int, batch: Batch) -> None:
    """See that the peer writes about as many words as it reads."""
    read = sum(map(len, batch))
    print(f"Marian writes {words} words for {read}")
    if abs(words / read - 1) > 0.15:
        raise SystemExit("Marian's sentences have not the right lengths.")


class EndsThere(transformers.LogitsProcessor):
    """Lets a sentence end at its length, and not before."""

    def __init__(self, batch: Batch) -> None:
        """Take the sources."""
        lengths = torch.tensor([len(ids) for ids in batch])
        self.lengths = lengths.repeat_interleave(BEAMS)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Forbid `</s>`, or all else."""
        ends = self.lengths < input_ids.shape[1]
        kept = scores[ends, EOS]
        scores[:, EOS] = -torch.inf
        scores[ends] = -torch.inf
        scores[ends, EOS] = kept
        return scores


def engine_side(engine: Engine, batches: list[Batch], search: SearchConfig = SEARCH) -> Work:
    """Translate all batches."""

    def work() -> int:
        words = 0
        for batch in batches:
            for found in engine.search(batch, 0, 1, search, Asked()):
                words += len(found[0].ids)
        return words

    return work


def marian_side(model: transformers.MarianMTModel, batches: list[Batch]) -> Work:
    """Translate all batches."""

    def work() -> int:
        words = 0
        for batch in batches:
            n = max(map(len, batch))
            longest = LONGEST + 10
            tokens = torch.full((len(batch), n + 1), PAD)
            for row, ids in zip(tokens, batch, strict=True):
                row[: len(ids)] = torch.from_numpy(ids)
                row[len(ids)] = EOS
            written = model.generate(
                tokens,
                attention_mask=(tokens != PAD).long(),
                num_beams=BEAMS,
                max_new_tokens=longest,
                logits_processor=transformers.LogitsProcessorList([EndsThere(batch)]),
            )
            words += int((written[:, 1:] >= len(SPECIAL_TOKENS)).sum())
        return words

    return work


if __name__ == "__main__":
    run(main)
