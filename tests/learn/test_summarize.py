"""Summaries are learned: of a sentence, what stands before its comma."""

from typing import Any

import numpy as np
import torch

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import TRANSLATOR
from xlmkit.data.translations import DirectedPairs
from xlmkit.evaluate.rouge import rouge_scores
from xlmkit.generate.summarizer import Summarizer
from xlmkit.generate.translator import SearchConfig, Translator
from xlmkit.model.config import Architecture
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.objectives.config import SummaryConfig
from xlmkit.objectives.summarize import Summarization, summary_direction
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary

WORDS = list("bcdfghjklmnp")
SECTION = SummaryConfig.model_validate(
    {"train": [{"kind": "text", "path": "-", "language": "en"}], "length": 14, "summary_length": 8}
)


def texts(n: int, seed: int) -> tuple[list[str], list[str]]:
    """Return sentences, some of them longer than the model reads, and what is before the comma."""
    random = np.random.default_rng(seed)
    first = [list(random.choice(WORDS, random.integers(2, 6))) for _ in range(n)]
    rest = [list(random.choice(WORDS, random.integers(3, 12))) for _ in range(n)]
    whole = [f"{' '.join(a)}, {' '.join(b)}" for a, b in zip(first, rest, strict=True)]
    return whole, [" ".join(a) for a in first]


def test_the_first_clause_is_learned_to_a_high_rouge(learn: Any) -> None:
    symbols = [f"{word}</w>" for word in [*WORDS, ","]]
    tokenizer = Tokenizer(
        Vocabulary([*SPECIAL_TOKENS, *symbols]), Merges(()), {"en": 0, "sw": 1}, segmenters={}
    )
    torch.manual_seed(0)
    shape = Architecture(
        n_words=len(tokenizer), n_langs=2, n_layers=1, emb_dim=48, n_heads=4, dropout=0.0,
        attention_dropout=0.0, max_position_embeddings=16, embed_init_std=48**-0.5,
    )  # fmt: skip
    model = EncoderDecoder(shape)
    train = {
        f"{code}-{code}": summary_direction(
            *texts(2000, seed), f"{code}-{code}", tokenizer, SECTION
        )
        for seed, code in enumerate(("en", "sw"))
    }
    objective = Summarization(
        DirectedPairs(train, SECTION.length, alpha=1.0, alike=False), ["en", "sw"],
        tokens=640, seed=0,
    )  # fmt: skip
    sources, summaries = texts(200, 5)

    def rouge() -> float:
        bundle = Bundle(shape, tokenizer, model.state_dict(), head=TRANSLATOR)
        translator = Translator(bundle, capitals=False)
        summarizer = Summarizer(translator, SECTION.length, SECTION.summary_length)
        written = summarizer.summarize(sources, "sw", search=SearchConfig(beam_size=0))
        return rouge_scores(written, [summaries], "sw", ["rouge2"], resamples=0)["rouge2"].value

    before = rouge()
    lead = rouge_scores(sources, [summaries], "sw", ["rouge2"], resamples=0)["rouge2"].value
    learn(model, [objective], steps=300, lr=5e-3)
    after = rouge()
    assert before < 10
    assert lead < 60  # what the whole text would get
    assert after > 95, (before, lead, after)
