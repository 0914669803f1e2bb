"""Checkpoints go both ways between xlmkit and Hugging Face's transformers, with equal results."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import LANGUAGE_MODEL, SEQUENCE_CLASSIFIER
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel, SequenceClassifier
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary

transformers = pytest.importorskip("transformers")

N_WORDS = 40
TOKENIZER = Tokenizer(
    Vocabulary([*SPECIAL_TOKENS, *(f"{chr(0x430 + n)}</w>" for n in range(N_WORDS - 14))]),
    Merges(()),
    {"en": 0, "ru": 1, "zh": 2},
    segmenters={},
)
TOLERANCE: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-5}


def architecture(**choices: Any) -> Architecture:
    sizes: dict[str, Any] = {"n_words": N_WORDS, "n_langs": 3, "n_layers": 2, "emb_dim": 24}
    return Architecture(
        **{**sizes, "n_heads": 3, "max_position_embeddings": 20, "embed_init_std": 0.3, **choices}
    )


def batch() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Tokens, lengths, restarting positions and languages of pairs, with padding."""
    generator = torch.Generator().manual_seed(0)
    lengths = torch.tensor([11, 7, 4])
    padding = torch.arange(11) >= lengths[:, None]
    tokens = torch.randint(14, N_WORDS, (3, 11), generator=generator).masked_fill(padding, 2)
    positions = (torch.arange(11) % 5).repeat(3, 1).masked_fill(padding, 0)
    languages = (torch.arange(11) // 5).repeat(3, 1).masked_fill(padding, 0)
    return tokens, lengths, positions, languages


def shaken(model: torch.nn.Module) -> torch.nn.Module:
    """Give every parameter, biases and norms too, a value that matters."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
    return model.eval()


def theirs_on_batch(model: Any) -> Any:
    tokens, lengths, positions, languages = batch()
    with torch.no_grad():
        return model(tokens, lengths=lengths, position_ids=positions, langs=languages)


def real() -> Tensor:
    return torch.arange(11) < batch()[1][:, None]


@torch.no_grad()
def our_scores(model: LanguageModel) -> Tensor:
    scores: Tensor = model.pred_layer(model.transformer(*batch()))
    return scores


@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"causal": True},
        {"sinusoidal_embeddings": True, "gelu_activation": False},
        {"use_lang_emb": False},
        {"layer_norm_eps": 1e-5},
    ],
)
def test_transformers_opens_our_language_models(tmp_path: Path, choices: dict[str, Any]) -> None:
    shape = architecture(**choices)
    model = shaken(LanguageModel(shape))
    assert isinstance(model, LanguageModel)
    Bundle(shape, TOKENIZER, model.state_dict()).save(tmp_path)
    theirs, report = transformers.XLMWithLMHeadModel.from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    assert theirs.config.lang2id == {"en": 0, "ru": 1, "zh": 2}
    found, expected = theirs_on_batch(theirs.eval()).logits[real()], our_scores(model)[real()]
    torch.testing.assert_close(found, expected, **TOLERANCE)


def test_transformers_opens_our_classifiers(tmp_path: Path) -> None:
    shape, labels = architecture(), ["новости", "sport", "天气", "other"]
    model = shaken(SequenceClassifier(shape, 4))
    weights = model.state_dict()
    Bundle(shape, TOKENIZER, weights, head=SEQUENCE_CLASSIFIER, labels=labels).save(tmp_path)
    theirs, report = transformers.XLMForSequenceClassification.from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    with torch.no_grad():
        expected = model(*batch())
    assert expected.std() > 0.1
    torch.testing.assert_close(theirs_on_batch(theirs.eval()).logits, expected, **TOLERANCE)
    assert [theirs.config.id2label[number] for number in range(4)] == labels
    auto = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert type(auto) is transformers.XLMForSequenceClassification


def test_transformers_pools_the_mean_of_full_sequences_as_we_do(tmp_path: Path) -> None:
    """With padding it averages that too, ours does not."""
    shape = architecture()
    model = shaken(SequenceClassifier(shape, 2, summary_type="mean"))
    Bundle(
        shape,
        TOKENIZER,
        model.state_dict(),
        head=SEQUENCE_CLASSIFIER,
        labels=["a", "b"],
        summary_type="mean",
    ).save(tmp_path)
    theirs = transformers.XLMForSequenceClassification.from_pretrained(tmp_path).eval()
    tokens = torch.randint(14, N_WORDS, (2, 6))
    lengths = torch.tensor([6, 6])
    with torch.no_grad():
        expected = model(tokens, lengths)
        found = theirs(tokens, lengths=lengths).logits
    torch.testing.assert_close(found, expected, **TOLERANCE)


def hugging_face_config(**choices: Any) -> Any:
    return transformers.XLMConfig(
        vocab_size=N_WORDS,
        emb_dim=24,
        n_layers=2,
        n_heads=3,
        n_langs=3,
        max_position_embeddings=20,
        lang2id={"en": 0, "ru": 1, "zh": 2},
        id2lang={0: "en", 1: "ru", 2: "zh"},
        **choices,
    )


@pytest.mark.parametrize("choices", [{}, {"causal": True}, {"gelu_activation": False}])
def test_we_open_language_models_that_transformers_saved(
    tmp_path: Path, choices: dict[str, Any]
) -> None:
    theirs = transformers.XLMWithLMHeadModel(hugging_face_config(**choices))
    shaken(theirs)
    theirs.save_pretrained(tmp_path)
    TOKENIZER.save(tmp_path)
    bundle = Bundle.load(tmp_path)
    assert bundle.head == LANGUAGE_MODEL
    assert bundle.architecture.causal == choices.get("causal", False)
    found = our_scores(bundle.language_model())[real()]
    torch.testing.assert_close(found, theirs_on_batch(theirs).logits[real()], **TOLERANCE)


@pytest.mark.parametrize("n_labels", [2, 5])
def test_we_open_classifiers_that_transformers_saved(tmp_path: Path, n_labels: int) -> None:
    theirs = transformers.XLMForSequenceClassification(hugging_face_config(num_labels=n_labels))
    shaken(theirs)
    theirs.save_pretrained(tmp_path)
    TOKENIZER.save(tmp_path)
    bundle = Bundle.load(tmp_path)
    assert bundle.labels == [f"LABEL_{number}" for number in range(n_labels)]
    with torch.no_grad():
        found = bundle.classifier()(*batch())
    torch.testing.assert_close(found, theirs_on_batch(theirs).logits, **TOLERANCE)


def test_a_model_goes_round_by_transformers_unchanged(tmp_path: Path) -> None:
    shape = architecture()
    model = shaken(LanguageModel(shape))
    Bundle(shape, TOKENIZER, model.state_dict()).save(tmp_path / "ours")
    theirs = transformers.XLMWithLMHeadModel.from_pretrained(tmp_path / "ours")
    theirs.save_pretrained(tmp_path / "theirs")
    TOKENIZER.save(tmp_path / "theirs")
    again = Bundle.load(tmp_path / "theirs")
    assert again.architecture == shape
    for name, value in again.language_model().state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name
