"""What the original project's code computed on its own checkpoints; skipped without them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from xlmkit.checkpoint.original import load_original
from xlmkit.generate.config import SearchConfig
from xlmkit.generate.search import search_sentences
from xlmkit.generate.steps import TranslationSteps
from xlmkit.model.attention import real_tokens
from xlmkit.model.encoder_decoder import EncoderDecoder

GOLDEN = Path(__file__).parents[2].parent / "shared" / "golden"
NAMES = [
    "mlm_tlm",
    "clm",
    "mlm_sinusoidal_relu",
    "mlm_no_lang_emb",
    "mlm_adaptive_softmax",
    "mlm_product_key_memory",
]

pytestmark = pytest.mark.skipif(not GOLDEN.is_dir(), reason="the golden files are absent")


@pytest.mark.parametrize("name", NAMES)
@torch.inference_mode()
def test_states_scores_and_loss(name: str) -> None:
    golden = {
        key: torch.from_numpy(value) for key, value in np.load(GOLDEN / f"{name}.npz").items()
    }
    bundle = load_original(GOLDEN / f"{name}.pth")
    causal = bool(golden["causal"])
    model = replace(
        bundle, architecture=replace(bundle.architecture, causal=causal)
    ).language_model()

    tokens, lengths = golden["stream_ids"], golden["stream_lengths"]
    languages = torch.full_like(tokens, int(golden["stream_lang"]))
    hidden = model.transformer(tokens, lengths, None, languages)
    real = torch.arange(tokens.shape[1]) < lengths[:, None]
    torch.testing.assert_close(hidden[real], golden["stream_hidden"][real], atol=1e-4, rtol=0)

    lengths, positions, langs = (golden[f"pair_{k}"] for k in ("lengths", "positions", "langs"))
    real = torch.arange(positions.shape[1]) < lengths[:, None]
    for ids, expected in (("pair_ids", "pair_hidden"), ("masked_ids", "masked_hidden")):
        hidden = model.transformer(golden[ids], lengths, positions, langs)
        torch.testing.assert_close(hidden[real], golden[expected][real], atol=1e-4, rtol=0)

    # The original lists predicted positions by position first, then by sentence.
    predicted = hidden.transpose(0, 1)[golden["pred_mask"].bool().t()]
    scores = model.pred_layer(predicted)
    torch.testing.assert_close(scores, golden["scores_slen_major"], atol=1e-4, rtol=0)
    loss, _ = model.pred_layer.loss(predicted, golden["targets_slen_major"])
    torch.testing.assert_close(loss.mean(), golden["loss"], atol=1e-4, rtol=0)


@pytest.fixture(scope="module")
def translation() -> tuple[EncoderDecoder, dict[str, torch.Tensor], torch.Tensor]:
    """The translator, what the original computed, and our encoder's states."""
    golden = {
        key: torch.from_numpy(value) for key, value in np.load(GOLDEN / "translator.npz").items()
    }
    model = load_original(GOLDEN / "translator.pth").encoder_decoder()
    languages = torch.full_like(golden["src_ids"], int(golden["src_lang"]))
    with torch.inference_mode():
        source = model.encoder(golden["src_ids"], golden["src_lengths"], None, languages)
    return model, golden, source


@torch.inference_mode()
def test_translator_states(
    translation: tuple[EncoderDecoder, dict[str, torch.Tensor], torch.Tensor],
) -> None:
    model, golden, source = translation
    real = real_tokens(golden["src_lengths"], source.shape[1])
    torch.testing.assert_close(source[real], golden["encoder_hidden"][real], atol=1e-4, rtol=0)
    target = golden["tgt_ids"]
    languages = torch.full_like(target, int(golden["tgt_lang"]))
    hidden = model.decode(target, languages, source, golden["src_lengths"])
    real = real_tokens(golden["tgt_lengths"], target.shape[1])
    torch.testing.assert_close(hidden[real], golden["decoder_hidden"][real], atol=1e-4, rtol=0)


def test_translator_decodes_token_for_token(
    translation: tuple[EncoderDecoder, dict[str, torch.Tensor], torch.Tensor],
) -> None:
    model, golden, source = translation
    limits = torch.full((len(source),), 30)

    def find(**choices: Any) -> torch.Tensor:
        language = torch.full((len(source),), int(golden["tgt_lang"]))
        steps = TranslationSteps(model, source, golden["src_lengths"], language)
        search = SearchConfig(rules="original", **choices)
        return search_sentences(steps, limits, search).best(1).words[:, 0]

    assert torch.equal(find(beam_size=0), golden["greedy_ids"])
    searches = [key for key in golden if key.startswith("beam") and key.endswith("_ids")]
    assert len(searches) == 4
    for key in searches:
        size, penalty, early, _ = key.split("_")
        found = find(
            beam_size=int(size.removeprefix("beam")),
            length_penalty=float(penalty.removeprefix("lp")),
            early_stopping=early == "es1",
        )
        assert torch.equal(found, golden[key]), key


@pytest.mark.parametrize("name", NAMES)
@torch.inference_mode()
def test_language_models_by_hugging_faces_class(name: str, tmp_path: Path) -> None:
    """From the `.pth` through a folder to the class that people use."""
    pytest.importorskip("transformers")
    from xlmkit import XLMWithLMHeadModel

    golden = {
        key: torch.from_numpy(value) for key, value in np.load(GOLDEN / f"{name}.npz").items()
    }
    load_original(GOLDEN / f"{name}.pth", causal=bool(golden["causal"])).save(tmp_path)
    model, report = XLMWithLMHeadModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    output = model.eval()(
        golden["masked_ids"],
        lengths=golden["pair_lengths"],
        position_ids=golden["pair_positions"],
        langs=golden["pair_langs"],
        output_hidden_states=True,
    )
    real = real_tokens(golden["pair_lengths"], golden["pair_ids"].shape[1])
    torch.testing.assert_close(
        output.hidden_states[-1][real], golden["masked_hidden"][real], atol=1e-4, rtol=0
    )
    scores = output.logits.transpose(0, 1)[golden["pred_mask"].bool().t()]
    torch.testing.assert_close(scores, golden["scores_slen_major"], atol=1e-4, rtol=0)


@torch.inference_mode()
def test_the_translator_by_hugging_faces_class(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    from xlmkit import XLMForConditionalGeneration

    golden = {
        key: torch.from_numpy(value) for key, value in np.load(GOLDEN / "translator.npz").items()
    }
    load_original(GOLDEN / "translator.pth").save(tmp_path)
    model, report = XLMForConditionalGeneration.from_pretrained(tmp_path, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    n = len(golden["src_ids"])
    given = {
        "attention_mask": real_tokens(golden["src_lengths"], golden["src_ids"].shape[1]).long(),
        "langs": torch.full((n,), int(golden["src_lang"])),
        "decoder_langs": torch.full((n,), int(golden["tgt_lang"])),
        "max_length": 30,
    }
    model.eval()
    assert torch.equal(model.generate(golden["src_ids"], **given), golden["greedy_ids"])
    beams = model.generate(golden["src_ids"], num_beams=4, **given)
    assert torch.equal(beams, golden["beam4_lp1.0_es0_ids"])
