"""Encoders of other families: what they read, that padding plays no part, and what is saved."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

transformers = pytest.importorskip("transformers")

from xlmkit.core.errors import UserError  # noqa: E402 - after the check for transformers
from xlmkit.core.files import read_json, sha256_file  # noqa: E402
from xlmkit.evaluate.calibration import softmax  # noqa: E402
from xlmkit.huggingface import encoders  # noqa: E402
from xlmkit.huggingface.encoders import (  # noqa: E402
    ClassScores,
    HuggingFaceBackbone,
    position_limit,
)
from xlmkit.huggingface.limits import NO_LIMIT  # noqa: E402
from xlmkit.huggingface.sequences import EncoderInputs, TextEncoder  # noqa: E402
from xlmkit.tasks.classification import ClassificationConfig, ClassificationData  # noqa: E402
from xlmkit.tasks.sequences import LabelledTexts  # noqa: E402

ENCODERS = ["bert", "xlm-roberta", "deberta-v2", "modernbert", "mbart"]
LANGUAGES = ["en", "zh"]
TEXTS = {
    "en": ["The old dog", "The small cat follows the quick brown horse near the river", ""],
    "zh": ["老的狗在花园里看见小的猫。", "火车"],
}
LABELS = ["animal", "machine"]
DATA = ClassificationData(
    LABELS,
    {code: LabelledTexts(texts, np.arange(len(texts)) % 2) for code, texts in TEXTS.items()},
    {},
)

Make = Callable[..., Path]


def opened(folder: Path, languages: list[str] = LANGUAGES) -> HuggingFaceBackbone:
    family = read_json(folder / "config.json")["model_type"]
    return HuggingFaceBackbone.open(folder, family, languages)


@pytest.fixture(params=ENCODERS)
def backbone(request: pytest.FixtureRequest, make_encoder: Make, tmp_path: Path) -> Any:
    return opened(make_encoder(request.param, tmp_path / "model"))


def test_states_are_those_of_each_text_alone(
    backbone: HuggingFaceBackbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    for language, texts in TEXTS.items():
        made = backbone.pooled_states(texts, language).states
        assert made.shape == (len(texts), backbone.n_layers + 1, 32)
        alone = [backbone.pooled_states([text], language).states[0] for text in texts]
        np.testing.assert_allclose(made, alone, rtol=1e-3, atol=1e-4)
    calls: list[EncoderInputs] = []
    with monkeypatch.context() as patch:
        patch.setattr(encoders, "run_batches", lambda _, encoded, __: calls.append(encoded))
        backbone.pooled_states(TEXTS["en"], "en")
    assert calls[0].lengths.tolist() == [5, 13, 2]  # native special tokens counted


def test_states_are_those_that_transformers_computes(
    backbone: HuggingFaceBackbone,
) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(backbone.folder)
    model = transformers.AutoModel.from_pretrained(backbone.folder).eval()
    if backbone.config.is_encoder_decoder:
        model = model.get_encoder()
    text = TEXTS["en"][1]
    with torch.inference_mode():
        states = model(**tokenizer(text, return_tensors="pt"), output_hidden_states=True)
    expected = [state.mean(dim=1)[0].numpy() for state in states.hidden_states]
    made = backbone.pooled_states([text], "en").states[0]
    np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-5)


def saved(backbone: HuggingFaceBackbone, folder: Path) -> Path:
    torch.manual_seed(3)
    adaptation = backbone.classification(DATA, ClassificationConfig(), 64, "seed")
    parameters = adaptation.model.named_parameters(remove_duplicate=False)
    weights = {name: parameter.detach().clone() for name, parameter in parameters}
    adaptation.save(folder, weights, {"seed": 1})
    return folder


def test_a_saved_classifier_is_an_ordinary_folder_with_its_labels(
    backbone: HuggingFaceBackbone, tmp_path: Path
) -> None:
    folder = saved(backbone, tmp_path / "saved")
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    assert theirs.config.id2label == {0: "animal", 1: "machine"}
    assert theirs.config.label2id == {"animal": 0, "machine": 1}
    assert theirs.dtype == torch.float32
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ours = backbone.classifier(folder, ClassificationConfig())
    for language, texts in TEXTS.items():
        if hasattr(tokenizer, "src_lang"):
            tokenizer.src_lang = {"en": "en_XX", "zh": "zh_CN"}[language]
        made = softmax(ours.scores(texts, language))
        with torch.inference_mode():
            logits = [theirs(**tokenizer(text, return_tensors="pt")).logits[0] for text in texts]
        expected = torch.softmax(torch.stack(logits), dim=1).numpy()
        np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-5)
    weights = folder / "model.safetensors"
    provenance = {"seed": 1, "sha256": sha256_file(weights)}
    assert read_json(folder / "xlmkit.json") == provenance
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(UserError, match="its checksum differs"):
        backbone.classifier(folder, ClassificationConfig())


def test_the_body_is_the_pretrained_one_and_the_head_follows_the_seed(
    backbone: HuggingFaceBackbone,
) -> None:
    models, prefix = [], ""
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        made = backbone.classification(DATA, ClassificationConfig(), 64, 0).model
        assert isinstance(made, ClassScores)
        models.append(made.model.state_dict())
        prefix = made.model.base_model_prefix
    assert all(torch.equal(models[0][name], models[1][name]) for name in models[0])
    fresh = {name for name in models[0] if not torch.equal(models[0][name], models[2][name])}
    assert fresh
    body = transformers.AutoModel.from_pretrained(backbone.folder)
    for name, value in body.state_dict().items():
        kept = models[0].get(f"{prefix}.{name}")
        if kept is not None and "pooler" not in name:
            assert torch.equal(kept, value), name
            assert f"{prefix}.{name}" not in fresh


def test_batches_go_through_the_common_objective(backbone: HuggingFaceBackbone) -> None:
    adaptation = backbone.classification(DATA, ClassificationConfig(max_length=8), 16, 0)
    objective = adaptation.objective
    assert objective.sequences.lengths.max() == 8
    batch = objective.batch(0)
    output = objective.loss(adaptation.model, batch)
    output.sum.backward()
    assert output.count == len(batch.labels) == len(batch.inputs.tensors["input_ids"])
    assert torch.isfinite(output.sum)
    assert objective.tokens(batch) == int(batch.inputs.tensors["attention_mask"].sum())


def test_dropout_is_that_of_the_recipe(backbone: HuggingFaceBackbone) -> None:
    config = ClassificationConfig(dropout=0.37)
    adaptation = backbone.classification(DATA, config, 64, 0)
    rates = {m.p for m in adaptation.model.modules() if isinstance(m, torch.nn.Dropout)}
    assert rates - {0.0} <= {0.37}
    settings = adaptation.model.model.config.to_dict()
    assert 0.37 in [value for name, value in settings.items() if "dropout" in name]
    assert backbone.config.to_dict() != settings  # the pretrained model's own stay as they were


@pytest.mark.parametrize(
    ("family", "limit"),
    [("bert", 64), ("xlm-roberta", 62), ("deberta-v2", 64), ("modernbert", 64), ("mbart", 64)],
)
def test_texts_are_cut_where_the_positions_end(
    make_encoder: Make, tmp_path: Path, family: str, limit: int
) -> None:
    backbone = opened(make_encoder(family, tmp_path / "model"))
    assert position_limit(backbone._base, backbone.encoder.tokenizer) == limit
    long = " ".join(["The old dog follows the small cat"] * 20)
    cut, read = (backbone.pooled_states([long, "dog"], "en", stride) for stride in (None, 8))
    assert (cut.n_cut, cut.max_length, read.n_cut) == (1, limit, 0)
    assert cut.states.shape == read.states.shape
    np.testing.assert_allclose(cut.states[1], read.states[1], rtol=1e-3, atol=1e-4)
    assert not np.allclose(cut.states[0], read.states[0], rtol=1e-3, atol=1e-4)
    adaptation = backbone.classification(
        ClassificationData(LABELS, {"en": LabelledTexts(["dog " * 200] * 2, np.arange(2))}, {}),
        ClassificationConfig(max_length=512), 64, 0,
    )  # fmt: skip
    assert adaptation.objective.sequences.lengths.tolist() == [limit, limit]
    assert torch.isfinite(adaptation.objective.loss(adaptation.model, batch_of(adaptation)).sum)


def batch_of(adaptation: Any) -> Any:
    return adaptation.objective.batch(0)


def test_a_limit_of_the_tokenizer_counts_too(make_encoder: Make, tmp_path: Path) -> None:
    backbone = opened(make_encoder("bert", tmp_path / "model"))
    backbone.encoder.tokenizer.model_max_length = 20
    assert position_limit(backbone._base, backbone.encoder.tokenizer) == 20


def test_a_family_may_say_that_it_has_no_limit() -> None:
    model = torch.nn.Linear(1, 1)
    model.config = SimpleNamespace(max_position_embeddings=-1)  # as XLNet does
    assert position_limit(model, SimpleNamespace(model_max_length=NO_LIMIT)) == NO_LIMIT


@pytest.mark.parametrize(("family", "expected"), [("bert", True), ("modernbert", False)])
def test_token_types_are_given_to_models_that_read_them(
    make_encoder: Make, tmp_path: Path, family: str, expected: bool
) -> None:
    backbone = opened(make_encoder(family, tmp_path / "model"))
    objective = backbone.classification(DATA, ClassificationConfig(), 64, 0).objective
    assert ("token_type_ids" in objective.batch(0).inputs.tensors) == expected


def test_every_text_of_mbart_is_marked_with_its_language(
    make_encoder: Make, tmp_path: Path
) -> None:
    tokenizer = opened(make_encoder("mbart", tmp_path / "model")).encoder.tokenizer
    encoded = TextEncoder(tokenizer, LANGUAGES).encode(TEXTS, 8, types=False)
    ends = [tokenizer.convert_ids_to_tokens(row[-2:].tolist()) for row in encoded.ids]
    assert ends == [["</s>", "en_XX"]] * 3 + [["</s>", "zh_CN"]] * 2
    assert encoded.lengths.max() == 8


def test_the_other_form_of_mbart_has_its_codes_in_front() -> None:
    tokenizer = transformers.MBart50Tokenizer()
    codes = ["sw", "fa", "tl", "pt"]
    encoded = TextEncoder(tokenizer, codes).encode({code: ["a"] for code in codes}, 8, types=False)
    starts = [tokenizer.convert_ids_to_tokens(int(row[0])) for row in encoded.ids]
    assert starts == ["sw_KE", "fa_IR", "tl_XX", "pt_XX"]


def test_a_language_without_a_mark_is_refused(make_encoder: Make, tmp_path: Path) -> None:
    folder = make_encoder("mbart", tmp_path / "model")
    with pytest.raises(UserError, match="the model does not know sw, only ar, cs, de"):
        opened(folder, ["en", "sw"])
    opened(make_encoder("bert", tmp_path / "other"), ["en", "sw"])


@pytest.mark.parametrize("family", ["bert", "mbart"])
def test_what_is_written_like_a_special_token_is_text(
    make_encoder: Make, tmp_path: Path, family: str
) -> None:
    backbone = opened(make_encoder(family, tmp_path / "model"))
    texts = {"en": ["dog </s> <mask> <pad> en_XX cat", "dog"]}
    encoded = backbone.encoder.encode(texts, 64, types=False)
    special = {*range(3), backbone.encoder.tokenizer.mask_token_id}
    inner = [row[1:-1] if family == "bert" else row[:-2] for row in encoded.ids]
    assert not special & {int(number) for row in inner for number in row}
    states = backbone.pooled_states(texts["en"], "en").states
    assert np.isfinite(states).all()


def test_a_model_without_a_token_for_padding_gets_one(make_encoder: Make, tmp_path: Path) -> None:
    folder = make_encoder("gpt2", tmp_path / "model", pad_token_id=None)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.pad_token = None
    tokenizer.save_pretrained(folder)
    backbone = opened(folder)
    assert backbone.encoder.tokenizer.pad_token_id == backbone.encoder.tokenizer.eos_token_id
    again = opened(saved(backbone, tmp_path / "saved"))
    assert again.config.pad_token_id == 2
    made = again.classifier(again.folder, ClassificationConfig()).scores(TEXTS["en"], "en")
    assert made.shape == (len(TEXTS["en"]), 2)
    assert np.isfinite(made).all()


def test_padding_on_the_left_is_masked_there(make_encoder: Make, tmp_path: Path) -> None:
    backbone = opened(make_encoder("bert", tmp_path / "model"))
    backbone.encoder.tokenizer.padding_side = "left"
    batch = backbone.encoder.encode(TEXTS, 64, types=True).batch([0, 1])
    assert batch.mask[0].tolist() == [0] * 8 + [1] * 5
    assert batch.tensors["input_ids"][0, :8].unique().tolist() == [1]


def test_frequencies_of_positions_are_never_rounded(make_encoder: Make, tmp_path: Path) -> None:
    backbone = opened(make_encoder("modernbert", tmp_path / "model"))
    model = backbone.classification(DATA, ClassificationConfig(), 64, 0).model
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    assert any(buffer.is_floating_point() for buffer in before.values())
    model.to(torch.bfloat16)
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    for name, buffer in model.named_buffers():
        assert torch.equal(buffer, before[name]), name


def test_a_head_for_other_classes_is_replaced(make_encoder: Make, tmp_path: Path) -> None:
    folder = saved(opened(make_encoder("xlm-roberta", tmp_path / "model")), tmp_path / "two")
    three = ClassificationData(["a", "b", "c"], DATA.train, {})
    model = opened(folder).classification(three, ClassificationConfig(), 64, 0).model
    assert model.model.config.num_labels == 3


def change(folder: Path, **values: Any) -> None:
    from xlmkit.core.files import write_json

    write_json(folder / "config.json", {**read_json(folder / "config.json"), **values})


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def as_pickle(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(content)


def without_tokenizer(folder: Path, *others: str) -> None:
    for path in folder.glob("tokenizer*.json"):
        path.unlink()
    for name in others:
        (folder / name).write_bytes(b"x")


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda f: cut(f / "model.safetensors"), "The weights of {} cannot be opened (Safetensor"),
        (lambda f: (f / "model.safetensors").unlink(), "The weights of {} cannot be opened (OSErr"),
        (partial(as_pickle, content=b"x" * 99), "The weights of {} cannot be opened (Unpickling"),
        (partial(change, hidden_size=64), "The weights of {} do not fit its config.json: 35 param"),
        (partial(change, num_hidden_layers=3), "The weights of {} do not fit its config.json: 16"),
        (partial(change, model_type="nonesuch"), "{} is of the family 'nonesuch', which transform"),
        (partial(change, model_type="vit"), "{} is of the family 'vit', of which transformers"),
        (partial(change, hidden_size="x"), "The configuration of {} cannot be opened"),
        (partial(change, vocab_size=20), "{}: the tokenizer has"),
        (without_tokenizer, "{} has no tokenizer; put its files beside the model."),
        (lambda f: (f / "tokenizer.json").write_text("{"), "The tokenizer of {} cannot be opened"),
    ],
)
def test_what_cannot_be_opened_is_one_sentence(
    make_encoder: Make,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    damage: Any,
    sentence: str,
) -> None:
    folder = make_encoder("bert", tmp_path / "model")
    capfd.readouterr()
    damage(folder)
    with pytest.raises(UserError) as caught:
        assert opened(folder).n_parameters
    said = str(caught.value)
    assert said.startswith(sentence.format(folder))
    assert said.endswith(".")
    assert "\n" not in said
    assert capfd.readouterr() == ("", "")


def test_a_sentencepiece_model_is_enough_of_a_tokenizer(make_encoder: Make, tmp_path: Path) -> None:
    sentencepiece = pytest.importorskip("sentencepiece")
    folder = make_encoder("deberta-v2", tmp_path / "model", vocab_size=80)
    without_tokenizer(folder)
    names = {"pad_piece": "[PAD]", "bos_piece": "[CLS]", "eos_piece": "[SEP]", "unk_piece": "[UNK]"}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS["en"] * 20), model_prefix=str(folder / "spm"),
        vocab_size=30, pad_id=0, bos_id=1, eos_id=2, unk_id=3, minloglevel=2,
        user_defined_symbols=["[MASK]"], **names,
    )  # fmt: skip
    encoded = opened(folder).encoder.encode({"en": ["The old dog"]}, 64, types=False)
    assert (encoded.ids[0][0], encoded.ids[0][-1], encoded.pad) == (1, 2, 0)
    assert len(encoded.ids[0]) > 4


def test_a_sentencepiece_model_names_the_packages_that_read_it(
    make_encoder: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_encoder("deberta-v2", tmp_path / "model")
    without_tokenizer(folder, "spm.model")
    from transformers.utils import import_utils

    monkeypatch.setattr(import_utils, "is_sentencepiece_available", lambda: False)
    with pytest.raises(UserError, match=r"sentencepiece and protobuf: pip install 'xlmkit\[hf\]'"):
        opened(folder)


def test_opening_says_nothing_and_leaves_the_settings_of_transformers(
    make_encoder: Make, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from transformers.utils import logging

    folder = make_encoder("bert", tmp_path / "model")
    logging.enable_progress_bar()
    capfd.readouterr()
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    saved(opened(folder), tmp_path / "saved")
    assert capfd.readouterr() == ("", "")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
