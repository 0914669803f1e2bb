"""A saved tagger opened by Hugging Face's library, and by our class, gives the same scores."""

from pathlib import Path

import pytest
import torch

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import TOKEN_CLASSIFIER
from xlmkit.data.words import encode_words
from xlmkit.huggingface.classification import XLMForTokenClassification
from xlmkit.model.config import Architecture
from xlmkit.model.heads import TokenClassifier
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary

transformers = pytest.importorskip("transformers")

TOKENIZER = Tokenizer(
    Vocabulary([*SPECIAL_TOKENS, *"abc", "a</w>", "b</w>", "c</w>"]),
    Merges(()),
    {"en": 0, "fr": 1},
    segmenters={},
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    shape = Architecture(
        n_words=20, n_langs=2, n_layers=2, emb_dim=16, n_heads=2, max_position_embeddings=32,
        embed_init_std=0.5,
    )  # fmt: skip
    weights = TokenClassifier(shape, 3).state_dict()
    Bundle(shape, TOKENIZER, weights, TOKEN_CLASSIFIER, ["O", "B-X", "I-X"]).save(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "theirs", [transformers.XLMForTokenClassification, XLMForTokenClassification]
)
def test_scores_agree(folder: Path, theirs: type) -> None:
    other = theirs.from_pretrained(folder).eval()
    assert other.config.id2label == {0: "O", 1: "B-X", 2: "I-X"}
    words = encode_words({"fr": [["ab", "c"], ["b"]], "en": [["cba"]]}, TOKENIZER, 32)
    model = Bundle.load(folder).token_classifier()
    for row in range(3):
        inputs = words.sequences.batch([row])
        with torch.inference_mode():
            expected = other(input_ids=inputs.tokens, langs=inputs.languages).logits
            scores = inputs.fed_to(model)
        torch.testing.assert_close(scores, expected, rtol=0, atol=1e-5)


def test_a_folder_that_their_library_saved_is_opened(folder: Path, tmp_path: Path) -> None:
    other = transformers.XLMForTokenClassification.from_pretrained(folder)
    other.save_pretrained(tmp_path / "theirs")
    TOKENIZER.save(tmp_path / "theirs")
    bundle = Bundle.load(tmp_path / "theirs")
    assert list(bundle.labels) == ["O", "B-X", "I-X"]
    assert torch.equal(bundle.token_classifier().classifier.weight, other.classifier.weight)
