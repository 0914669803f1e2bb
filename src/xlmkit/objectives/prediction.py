"""The loss that MLM, TLM and CLM share: cross-entropy of words at predicted positions."""

from xlmkit.data.batch import PredictionBatch
from xlmkit.model.heads import LanguageModel
from xlmkit.objectives.base import LossOutput, grouped


def prediction_loss(model: LanguageModel, batch: PredictionBatch, n_groups: int) -> LossOutput:
    """Return the sum over predicted positions of -log p(word), in nats."""
    device = model.transformer.embeddings.weight.device
    inputs = batch.inputs.to(device)
    loss_N, correct_N = model(
        inputs.tokens,
        inputs.lengths,
        inputs.positions,
        inputs.languages,
        batch.predict.to(device),
        batch.targets.to(device),
    )
    parts = grouped(loss_N, correct_N, batch.groups.to(device), n_groups)
    return LossOutput(loss_N.sum(), len(batch.targets), parts)
