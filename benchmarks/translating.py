"""Translating: xlmkit's own search and its CTranslate2 export against transformers' Marian.

    python benchmarks/translating.py [--turns 5] [--threads 1] [--batches 3] [--words 32000]

All have 6+6 layers, 512 wide, 8 heads and the same vocabulary, in float32 (or int8 where a side's
name says so), and search with 5 beams in batches of 32 sentences of one length. The lengths are
spread as those of captions and news are; every side is made to write as many words as the source
has, since untrained weights do not end sentences sensibly. So nothing is gained here by sentences
that leave the batch. Checked first: xlmkit and its float32 export write
the same words.
"""

import argparse
import tempfile
from pathlib import Path

import ctranslate2
import numpy as np
import torch
import transformers
from _harness import Work, compare, record, set_up

from xlmkit import Bundle
from xlmkit.checkpoint.names import TRANSLATOR
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
Batch = list[np.ndarray]


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batches", type=int, default=3)
    parser.add_argument("--words", type=int, default=32_000)
    arguments = parser.parse_args()
    set_up(arguments.threads)
    torch.manual_seed(0)
    bundle = translator(arguments.words)
    batches = sentences(arguments.batches, arguments.words)
    with tempfile.TemporaryDirectory() as folder:
        exports = {}
        for kind in ("float32", "int8"):
            path = Path(folder) / kind
            export_ctranslate2(bundle, path, src="en", tgt="fr", quantization=kind)
            exports[kind] = CTranslate2Engine(path, bundle.tokenizer, threads=arguments.threads)
        own = TorchEngine(bundle)
        check(own, exports["float32"], batches[-1])
        sides = {
            "Marian": marian_side(marian(arguments.words), batches),
            "xlmkit": engine_side(own, batches),
            "CTranslate2 float32": engine_side(exports["float32"], batches),
            "CTranslate2 int8": engine_side(exports["int8"], batches),
        }
        title = f"{BEAMS} beams, batches of {BATCH} sentences, {arguments.words:,} words"
        result = compare(title, "target words", sides, turns=arguments.turns)
        record("translating", [result], ctranslate2=ctranslate2.__version__)


def translator(n_words: int) -> Bundle:
    """Return an untrained translator; half of its words are of the language that it writes."""
    symbols = [*SPECIAL_TOKENS, *(f"w{i}</w>" for i in range(n_words - len(SPECIAL_TOKENS)))]
    tokenizer = Tokenizer(Vocabulary(symbols), Merges(()), {"en": 0, "fr": 1}, segmenters={})
    shape = Architecture(
        n_words=n_words,
        n_langs=2,
        n_layers=6,
        emb_dim=512,
        n_heads=8,
        max_position_embeddings=256,
    )
    model = EncoderDecoder(shape)
    return Bundle(shape, tokenizer, model.state_dict(), head=TRANSLATOR)


def marian(n_words: int) -> transformers.MarianMTModel:
    """Return transformers' model of the same shape."""
    return transformers.MarianMTModel(
        transformers.MarianConfig(
            vocab_size=n_words,
            d_model=512,
            encoder_layers=6,
            decoder_layers=6,
            encoder_attention_heads=8,
            decoder_attention_heads=8,
            encoder_ffn_dim=2048,
            decoder_ffn_dim=2048,
            max_position_embeddings=256,
            pad_token_id=PAD,
            eos_token_id=EOS,
            decoder_start_token_id=PAD,
            forced_eos_token_id=None,
        )
    ).eval()


def sentences(n_batches: int, n_words: int) -> list[Batch]:
    """Return batches of similar lengths, which are spread log-normally about 20 tokens."""
    random = np.random.default_rng(0)
    lengths = np.exp(random.normal(np.log(20), 0.5, n_batches * BATCH)).clip(3, 100)
    ordered = np.sort(lengths.astype(int)).reshape(n_batches, BATCH)
    first = len(SPECIAL_TOKENS)
    return [[random.integers(first, n_words, n).astype(np.int32) for n in row] for row in ordered]


def search_of(batch: Batch) -> SearchConfig:
    """Return a search that writes exactly as many words as the sentences have."""
    n = max(map(len, batch))
    # The limit is that of the ratio, plus ten, with `</s>` at both ends.
    return SearchConfig(min_length=n, length_ratio=1e-6 + max(0, n - 8) / (n + 2))


def check(own: Engine, export: Engine, batch: Batch) -> None:
    """See that both write the same."""
    search = SearchConfig(beam_size=0, min_length=5, length_ratio=1e-6)
    first, second = (
        [found[0].ids for found in engine.search(batch[:4], 0, 1, search, Asked())]
        for engine in (own, export)
    )
    if [ids[:8] for ids in first] != [ids[:8] for ids in second]:
        raise SystemExit("xlmkit and its export do not write the same.")


def engine_side(engine: Engine, batches: list[Batch]) -> Work:
    """Translate all batches."""

    def work() -> int:
        words = 0
        for batch in batches:
            for found in engine.search(batch, 0, 1, search_of(batch), Asked()):
                words += len(found[0].ids)
        return words

    return work


def marian_side(model: transformers.MarianMTModel, batches: list[Batch]) -> Work:
    """Translate all batches."""

    def work() -> int:
        words = 0
        for batch in batches:
            n = max(map(len, batch))
            tokens = torch.full((len(batch), n + 1), PAD)
            for row, ids in zip(tokens, batch, strict=True):
                row[: len(ids)] = torch.from_numpy(ids)
                row[len(ids)] = EOS
            written = model.generate(
                tokens,
                attention_mask=(tokens != PAD).long(),
                num_beams=BEAMS,
                min_new_tokens=n,
                max_new_tokens=n,
            )
            words += (written.shape[1] - 1) * len(batch)
        return words

    return work


if __name__ == "__main__":
    main()
