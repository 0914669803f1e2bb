"""Hugging Face's other libraries take the models: Trainer, pipelines, peft."""

from pathlib import Path
from typing import Any

import pytest
import torch

import xlmkit
from xlmkit import XLMConfig, XLMForSequenceClassification

transformers = pytest.importorskip("transformers")

SIZES: dict[str, Any] = {"vocab_size": 50, "emb_dim": 16, "n_layers": 1, "n_heads": 2, "n_langs": 3}


def examples(n: int) -> list[dict[str, torch.Tensor]]:
    """Sequences of two kinds of words, told apart by them."""
    random = torch.Generator().manual_seed(0)
    rows = []
    for number in range(n):
        kind = number % 2
        tokens = torch.randint(10 + 20 * kind, 30 + 20 * kind, (6,), generator=random)
        rows.append({"input_ids": tokens, "langs": tokens % 3, "labels": torch.tensor(kind)})
    return rows


def test_trainer_learns_and_keeps_langs(tmp_path: Path) -> None:
    pytest.importorskip("accelerate")
    torch.manual_seed(0)
    model = XLMForSequenceClassification(XLMConfig(**SIZES))
    seen: list[bool] = []
    model.register_forward_pre_hook(
        lambda _, __, named: seen.append("langs" in named), with_kwargs=True
    )
    arguments = transformers.TrainingArguments(
        str(tmp_path),
        max_steps=60,
        per_device_train_batch_size=8,
        gradient_accumulation_steps=2,
        learning_rate=1e-2,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        save_strategy="no",
        dataloader_pin_memory=False,
    )
    trainer = transformers.Trainer(model=model, args=arguments, train_dataset=examples(64))
    trainer.train()
    assert all(seen)
    batch = {key: torch.stack([row[key] for row in examples(40)]) for key in examples(1)[0]}
    labels = batch.pop("labels")
    with torch.no_grad():
        right = model.eval()(**batch).logits.argmax(dim=1) == labels
    assert right.float().mean() > 0.9


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*is deprecated")
def test_low_rank_adaptation() -> None:
    peft = pytest.importorskip("peft")
    torch.manual_seed(0)
    model = XLMForSequenceClassification(XLMConfig(**SIZES))
    settings = peft.LoraConfig(
        task_type="SEQ_CLS",
        target_modules=["q_lin", "v_lin", "lin1"],
        modules_to_save=["sequence_summary"],
        init_lora_weights=False,
    )
    adapted = peft.get_peft_model(model, settings).eval()
    tokens = torch.randint(6, 50, (3, 5))
    loss = adapted(input_ids=tokens, langs=tokens % 3, labels=torch.tensor([0, 1, 0])).loss
    loss.backward()
    changed = {name for name, p in adapted.named_parameters() if p.grad is not None}
    assert all("lora_" in name or "sequence_summary" in name for name in changed)
    with torch.no_grad():
        expected = adapted(input_ids=tokens).logits
        torch.testing.assert_close(adapted.merge_and_unload()(tokens).logits, expected)


@pytest.mark.parametrize("name", ["XLMModel", "XLMWithLMHeadModel", "XLMForTokenClassification"])
def test_half_precision_and_copies(name: str) -> None:
    import copy

    model = getattr(xlmkit, name)(XLMConfig(**SIZES)).eval()
    tokens = torch.randint(6, 50, (2, 5))
    with torch.no_grad():
        expected = model(tokens)[0]
        assert torch.equal(copy.deepcopy(model)(tokens)[0], expected)
        low = model.to(torch.bfloat16)(tokens)[0]
    assert low.dtype == torch.bfloat16
    torch.testing.assert_close(low.float(), expected, rtol=0.1, atol=0.05)
