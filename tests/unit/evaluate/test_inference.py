import numpy as np
import pytest
import torch
from torch import Tensor

from xlmkit.data.batch import Inputs, SegmentRows, assemble
from xlmkit.evaluate import inference
from xlmkit.evaluate.inference import class_probabilities, pooled_states, run_batches
from xlmkit.model.config import Architecture
from xlmkit.model.heads import SequenceClassifier, mean_pool
from xlmkit.model.transformer import Transformer
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary

ALPHABETS = {"en": "abcdefgh", "ru": "абвгдежз"}
TOKENIZER = Tokenizer(
    Vocabulary([*SPECIAL_TOKENS, *(f"{c}</w>" for c in "".join(ALPHABETS.values()))]),
    Merges(()),
    {"en": 0, "ru": 1},
    segmenters={},
)
ARCHITECTURE = Architecture(
    n_words=30, n_langs=2, n_layers=2, emb_dim=8, n_heads=2, max_position_embeddings=16
)


def texts(language: str, n: int = 40, longest: int = 12) -> list[str]:
    random = np.random.default_rng(0)
    letters = list(ALPHABETS[language])
    return [" ".join(random.choice(letters, random.integers(1, longest))) for _ in range(n)]


def transformer() -> Transformer:
    torch.manual_seed(0)
    return Transformer(ARCHITECTURE)


@pytest.mark.parametrize("budget", [1, 30, 4096])
def test_rows_come_in_the_order_of_the_texts(monkeypatch: pytest.MonkeyPatch, budget: int) -> None:
    monkeypatch.setattr(inference, "_TOKENS", budget)
    sizes: list[tuple[int, int]] = []

    def compute(inputs: Inputs) -> Tensor:
        sizes.append((inputs.tokens.shape[0], inputs.tokens.shape[1]))
        return torch.stack([inputs.lengths, inputs.tokens[:, 1], inputs.languages[:, 0]], dim=1)

    given = texts("ru")
    encoded = TOKENIZER.encode_batch(given, "ru")
    rows = SegmentRows([((ids, 1),) for ids in encoded], 16)
    made = run_batches(transformer().train(), rows, compute)
    assert made.dtype == np.float32
    assert made.tolist() == [[len(ids) + 2, ids[0], 1] for ids in encoded]
    assert all(rows == 1 or rows * length <= budget for rows, length in sizes)
    assert [length for _, length in sizes] == sorted((n for _, n in sizes), reverse=True)


def test_the_model_is_put_into_evaluation_mode_and_learns_nothing() -> None:
    model = transformer().train()

    def compute(inputs: Inputs) -> Tensor:
        assert not model.training
        assert not torch.is_grad_enabled()
        return inputs.lengths

    run_batches(model, SegmentRows([((np.array([14, 15]), 0),)], 16), compute)


def test_no_texts_give_no_rows() -> None:
    assert len(pooled_states(transformer(), TOKENIZER, [], "en").states) == 0


def test_states_are_pooled_after_every_layer() -> None:
    model, given = transformer(), [*texts("en", 7), ""]
    made = pooled_states(model, TOKENIZER, given, "en").states
    assert made.shape == (8, 3, 8)
    for text, row in zip(given, made, strict=True):
        ids = np.array(TOKENIZER.encode(text, "en"), np.int64)
        inputs = assemble([((ids, 0),)], 16).tensors()
        states = model.states(inputs.tokens, inputs.lengths, inputs.positions, inputs.languages)
        alone = torch.cat([mean_pool(state, inputs.lengths) for state in states])
        np.testing.assert_allclose(row, alone.detach().numpy(), rtol=1e-4, atol=1e-5)


def test_texts_longer_than_the_model_lose_their_ends() -> None:
    model = transformer()
    long = texts("en", 1, 3)[0] + " a" * 40
    cut = " ".join(long.split()[:14])
    lost = pooled_states(model, TOKENIZER, [long, cut], "en")
    np.testing.assert_allclose(lost.states[0], lost.states[1], rtol=1e-5)
    assert (lost.n_cut, lost.max_length) == (1, 16)
    classifier = SequenceClassifier(ARCHITECTURE, 3)
    for longest in (16, 512):  # a task may allow more than the model
        made = class_probabilities(classifier, TOKENIZER, [long, cut], "en", longest)
        np.testing.assert_allclose(made[0], made[1], rtol=1e-5)


def test_with_a_stride_the_states_are_the_mean_of_the_windows() -> None:
    model = transformer()
    words = texts("en", 1, 60)[0].split() * 4
    long, short = " ".join(words[:24]), " ".join(words[:9])
    # 14 tokens and two </s> fit; the last window ends where the text ends.
    windows = [" ".join(words[start : start + 14]) for start in (0, 10)]
    read = pooled_states(model, TOKENIZER, [short, long], "en", 4)
    assert read.n_cut == 0
    parts = pooled_states(model, TOKENIZER, [short, *windows], "en").states
    np.testing.assert_allclose(read.states[0], parts[0], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(read.states[1], parts[1:].mean(axis=0), rtol=1e-4, atol=1e-6)


def test_probabilities_are_those_of_the_classes() -> None:
    torch.manual_seed(0)
    model = SequenceClassifier(ARCHITECTURE, 4)
    given = texts("ru", 9)
    made = class_probabilities(model, TOKENIZER, given, "ru", 16)
    assert made.shape == (9, 4)
    np.testing.assert_allclose(made.sum(axis=1), 1, rtol=1e-5)
    alone = [class_probabilities(model, TOKENIZER, [text], "ru", 16)[0] for text in given]
    np.testing.assert_allclose(made, alone, rtol=1e-4)
    english = class_probabilities(model, TOKENIZER, given, "en", 16)
    assert not np.allclose(made, english)  # the language is told to the model
