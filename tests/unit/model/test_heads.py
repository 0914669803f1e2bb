import pytest
import torch
from torch import Tensor
from torch.nn import functional

from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel, PredictionLayer, SequenceClassifier, mean_pool

ARCHITECTURE = Architecture(
    n_words=50, n_langs=2, n_layers=1, emb_dim=8, n_heads=2, max_position_embeddings=12
)


def batch() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    tokens = torch.tensor([[1, 20, 21, 22, 1], [1, 30, 1, 2, 2]])
    positions = torch.arange(5).expand(2, 5)
    languages = torch.tensor([[0] * 5, [1] * 5])
    return tokens, torch.tensor([5, 3]), positions, languages


def test_words_are_predicted_at_flat_places() -> None:
    torch.manual_seed(0)
    model = LanguageModel(ARCHITECTURE).eval()
    predict, targets = torch.tensor([1, 3, 6]), torch.tensor([20, 41, 17])
    losses, correct = model(*batch(), predict, targets)
    hidden = model.transformer(*batch())
    scores = model.pred_layer(torch.stack([hidden[0, 1], hidden[0, 3], hidden[1, 1]]))
    expected = functional.cross_entropy(scores, targets, reduction="none")
    torch.testing.assert_close(losses, expected)
    assert torch.equal(correct, scores.argmax(dim=1) == targets)


def test_predicting_everywhere_equals_predicting_a_few() -> None:
    torch.manual_seed(0)
    model = LanguageModel(ARCHITECTURE).eval()
    tokens = batch()[0]
    everywhere, _ = model(*batch(), torch.arange(10), tokens.flatten())
    few, _ = model(*batch(), torch.tensor([2, 5]), tokens.flatten()[[2, 5]])
    torch.testing.assert_close(few, everywhere[[2, 5]])


def test_output_weights_are_the_word_embeddings() -> None:
    model = LanguageModel(ARCHITECTURE)
    assert model.pred_layer.proj.weight is model.transformer.embeddings.weight
    assert isinstance(model.pred_layer, PredictionLayer)
    assert not model.pred_layer.proj.bias.any()
    names = {name for name, _ in model.named_parameters()}
    assert "pred_layer.proj.weight" not in names
    predict = torch.tensor([1])
    model(*batch(), predict, torch.tensor([44]))[0].sum().backward()
    gradient = model.transformer.embeddings.weight.grad
    assert gradient is not None
    assert gradient[44].any()  # a word that is only an answer
    assert gradient[21].any()  # a word that is only read


def test_classes_are_scored_from_the_first_state() -> None:
    torch.manual_seed(0)
    model = SequenceClassifier(ARCHITECTURE, 3).eval()
    scores = model(*batch())
    assert scores.shape == (2, 3)
    first = model.transformer(*batch())[:, 0]
    torch.testing.assert_close(scores, model.sequence_summary.summary(first))


def test_classes_are_scored_from_the_mean_of_real_states() -> None:
    torch.manual_seed(0)
    model = SequenceClassifier(ARCHITECTURE, 3, summary_type="mean").eval()
    hidden = model.transformer(*batch())
    mean = torch.stack([hidden[0].mean(0), hidden[1, :3].mean(0)])
    torch.testing.assert_close(model(*batch()), model.sequence_summary.summary(mean))


def test_the_classifiers_dropout_is_active_in_training_only() -> None:
    torch.manual_seed(0)
    calm = Architecture(
        n_words=50, n_langs=2, n_layers=1, emb_dim=8, n_heads=2, dropout=0.0, attention_dropout=0.0
    )
    model = SequenceClassifier(calm, 3, dropout=0.5).eval()
    assert torch.equal(model(*batch()), model(*batch()))
    model.train()
    assert not torch.equal(model(*batch()), model(*batch()))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_mean_leaves_padding_out_and_is_float32(dtype: torch.dtype) -> None:
    hidden = torch.arange(24, dtype=dtype).view(2, 3, 4)
    lengths = torch.tensor([3, 1])
    made = mean_pool(hidden, lengths)
    assert made.dtype == torch.float32
    assert made.tolist() == [[4, 5, 6, 7], [12, 13, 14, 15]]
