"""A saved classifier opened by Hugging Face's library gives the same scores."""

from pathlib import Path

import numpy as np
import pytest
import torch

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.evaluate.inference import class_probabilities

transformers = pytest.importorskip("transformers")

TEXTS = {
    "en": [
        "The old dog sees the small cat.",
        "A radio, isn't it?",
        "The fast TRAIN near the river",
    ],
    "zh": ["老的狗在花园里看见小的猫。", "收音机", "快速的火车在路上跟着安静的汽车。"],
    "ar": ["يرى كلب قديم قط صغير في الحديقة.", "مذياع", "يتبع قِطارٌ سريع سيارة هادئة"],
}


@pytest.fixture(params=["first", "mean"])
def folder(request: pytest.FixtureRequest, finished: Path) -> Path:
    """A classifier from a finished run; other poolings are that of the saved configuration."""
    if request.param == "mean":
        from xlmkit.run import run

        setting = f"finetune.kind.summary_type={request.param}"
        run(finished / "recipe.yaml", [setting], finished / "out", False)
    return finished / "out" / "finetune" / "both" / "kind"


@pytest.mark.parametrize("language", list(TEXTS))
def test_scores_agree(folder: Path, language: str) -> None:
    bundle = Bundle.load(folder)
    model = bundle.classifier()
    theirs = transformers.XLMForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = transformers.XLMTokenizer.from_pretrained(folder)
    number = bundle.tokenizer.lang2id[language]
    assert theirs.config.lang2id[language] == number
    assert [theirs.config.id2label[i] for i in range(2)] == list(bundle.labels)
    for text in TEXTS[language]:
        words = ours = bundle.tokenizer.encode(text, language)
        if language != "zh":  # the reference segments Chinese by a library, this run by characters
            words = tokenizer.convert_tokens_to_ids(tokenizer._tokenize(text, lang=language))
        assert words == ours
        ids = torch.tensor([[bundle.tokenizer.eos, *words, bundle.tokenizer.eos]])
        languages = torch.full_like(ids, number)
        with torch.inference_mode():
            expected = theirs(input_ids=ids, langs=languages, attention_mask=torch.ones_like(ids))
            length = torch.tensor([ids.shape[1]])
            scores = model(ids, length, torch.arange(ids.shape[1])[None], languages)
        torch.testing.assert_close(scores, expected.logits, rtol=0, atol=1e-4)


def test_scores_agree_in_padded_batches(finished: Path) -> None:
    """For the first state; a mean over states is that of the real ones here, of all there."""
    folder = finished / "out" / "finetune" / "both" / "kind"
    bundle = Bundle.load(folder)
    theirs = transformers.XLMForSequenceClassification.from_pretrained(folder).eval()
    for language, texts in TEXTS.items():
        number = bundle.tokenizer.lang2id[language]
        rows = [[bundle.tokenizer.eos, *ids, bundle.tokenizer.eos]
                for ids in map(list, bundle.tokenizer.encode_batch(texts, language))]  # fmt: skip
        width = max(map(len, rows))
        ids = torch.tensor([row + [bundle.tokenizer.pad] * (width - len(row)) for row in rows])
        mask = ids != bundle.tokenizer.pad
        with torch.inference_mode():
            logits = theirs(
                input_ids=ids, langs=torch.full_like(ids, number), attention_mask=mask.long()
            ).logits
        ours = class_probabilities(bundle.classifier(), bundle.tokenizer, texts, language, 64)
        np.testing.assert_allclose(ours, torch.softmax(logits, dim=1).numpy(), atol=1e-4)
