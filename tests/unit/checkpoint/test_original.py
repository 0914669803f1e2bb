"""Checkpoints of the original project: read safely, converted both ways, or refused."""

import io
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.convert import convert, log_probabilities
from xlmkit.checkpoint.names import TRANSLATOR
from xlmkit.checkpoint.original import load_original, save_original
from xlmkit.checkpoint.published import PUBLISHED, published
from xlmkit.core.errors import UserError
from xlmkit.model.config import Architecture, MemoryShape
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.model.heads import LanguageModel
from xlmkit.text.bpe import Merges
from xlmkit.text.bpe_files import write_vocabulary_file
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary

SYMBOLS = ["a", "b</w>", "c", "d</w>", "ab</w>", "é</w>"]
MERGES = Merges((("a", "b</w>"),))


def bundle(languages: tuple[str, ...] = ("en", "fr"), **shape: object) -> Bundle:
    torch.manual_seed(1)
    vocabulary = Vocabulary([*SPECIAL_TOKENS, *SYMBOLS])
    architecture = Architecture(
        **{
            "n_words": len(vocabulary),
            "n_langs": len(languages),
            "n_layers": 2,
            "emb_dim": 16,
            "n_heads": 2,
            "max_position_embeddings": 24,
            **shape,
        }
    )
    tokenizer = Tokenizer(vocabulary, MERGES, {code: i for i, code in enumerate(languages)})
    weights = LanguageModel(architecture).eval().state_dict()
    return Bundle(architecture, tokenizer, weights)


def translator_bundle(**shape: object) -> Bundle:
    base = bundle(**shape)
    weights = EncoderDecoder(base.architecture).eval().state_dict()
    weights["encoder_pred_layer.proj.bias"] = torch.arange(20.0)
    return replace(base, weights=weights, head=TRANSLATOR)


SHAPES = {
    "plain": {},
    "untied": {"tie_word_embeddings": False},
    "relu and sinusoidal": {"gelu_activation": False, "sinusoidal_embeddings": True},
    "no language embeddings": {"use_lang_emb": False},
    "causal": {"causal": True},
    "adaptive softmax": {"asm": True, "asm_cutoffs": (14, 17), "asm_div_value": 2.0},
    "memory": {
        "memory": MemoryShape(
            positions=((0, "in"), (1, "after")), n_heads=2, n_keys=4, key_dim=8, n_neighbors=3
        )
    },
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_there_and_back(tmp_path: Path, shape: dict[str, object]) -> None:
    """The folder, the .pth made from it and the folder made from that compute the same."""
    first = bundle(**shape)
    first.save(tmp_path / "folder")
    convert(tmp_path / "folder", tmp_path / "back.pth", None, None, keep_case=False)
    convert(
        tmp_path / "back.pth",
        tmp_path / "again",
        tmp_path / "back.codes",
        None,
        keep_case=False,
    )
    second = Bundle.load(tmp_path / "again")
    assert replace(second.architecture, embed_init_std=first.architecture.embed_init_std) == (
        first.architecture
    )
    assert second.tokenizer.vocabulary.symbols == first.tokenizer.vocabulary.symbols
    assert second.tokenizer.merges == first.tokenizer.merges
    torch.testing.assert_close(log_probabilities(second), log_probabilities(first))


TRANSLATOR_SHAPES = {
    "plain": {},
    "untied": {"tie_word_embeddings": False},
    "adaptive softmax": SHAPES["adaptive softmax"],
    "memories": {
        "memory": MemoryShape(
            positions=((0, "in"),),
            decoder_positions=((0, "after"), (1, "in")),
            n_heads=2,
            n_keys=4,
            key_dim=8,
            n_neighbors=3,
        )
    },
    "memory in the decoder only": {
        "memory": MemoryShape(positions=(), decoder_positions=((1, "in"),), n_keys=4, key_dim=8,
                              n_neighbors=3)
    },
}  # fmt: skip


@pytest.mark.parametrize("shape", TRANSLATOR_SHAPES.values(), ids=TRANSLATOR_SHAPES)
def test_a_translator_goes_there_and_back(tmp_path: Path, shape: dict[str, object]) -> None:
    first = translator_bundle(**shape)
    first.save(tmp_path / "folder")
    convert(tmp_path / "folder", tmp_path / "back.pth")
    convert(tmp_path / "back.pth", tmp_path / "again", tmp_path / "back.codes")
    second = Bundle.load(tmp_path / "again")
    assert second.head == TRANSLATOR
    assert replace(second.architecture, embed_init_std=first.architecture.embed_init_std) == (
        first.architecture
    )
    kept = second.weights["encoder_pred_layer.proj.bias"]
    assert kept.tolist() == list(range(20))
    torch.testing.assert_close(log_probabilities(second), log_probabilities(first))


def test_a_translator_of_two_shapes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    save_original(translator_bundle(), path)
    data = torch.load(path, weights_only=True)
    del data["decoder"]["lang_embeddings.weight"]
    torch.save(data, path)
    with pytest.raises(UserError, match="encoder and decoder are of different shapes"):
        load_original(path)


def test_a_vocabulary_file_stands_for_a_missing_dictionary(tmp_path: Path) -> None:
    first = bundle()
    save_original(first, tmp_path / "model.pth")
    longer = Vocabulary([*first.tokenizer.vocabulary.symbols, "zz</w>"])
    write_vocabulary_file(tmp_path / "vocab", longer)
    data = torch.load(tmp_path / "model.pth", weights_only=True)
    for name in ("dico_id2word", "dico_word2id", "dico_counts"):
        del data[name]
    torch.save(data, tmp_path / "model.pth")
    with pytest.raises(UserError, match="20 words but a dictionary of 0"):
        load_original(tmp_path / "model.pth")
    loaded = load_original(tmp_path / "model.pth", vocabulary=tmp_path / "vocab")
    assert loaded.tokenizer.vocabulary.symbols == first.tokenizer.vocabulary.symbols
    write_vocabulary_file(tmp_path / "vocab", Vocabulary(longer.symbols[:17]))
    with pytest.raises(UserError, match="has only 17; the two are not of one model"):
        load_original(tmp_path / "model.pth", vocabulary=tmp_path / "vocab")


def test_several_gpus_and_a_long_dictionary(tmp_path: Path) -> None:
    """`module.` prefixes are taken off, and words beyond `max_vocab` are left out."""
    path = tmp_path / "model.pth"
    save_original(bundle(), path)
    data = torch.load(path, weights_only=True)
    data["model"] = {f"module.{name}": tensor for name, tensor in data["model"].items()}
    data["best_metrics"] = {"valid_ppl": np.float64(12.5), "steps": np.int64(3)}
    data["dico_id2word"] |= {20: "rare", 21: "rarer@@"}
    torch.save(data, path)
    loaded = load_original(path)
    assert loaded.tokenizer.vocabulary.symbols[14:] == tuple(SYMBOLS)
    torch.testing.assert_close(log_probabilities(loaded), log_probabilities(bundle()))


class _Command:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("touch executed",)


def test_a_malicious_pickle_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "evil.pth"
    for protocol in (2, 4):
        path.write_bytes(pickle.dumps({"model": _Command()}, protocol=protocol))
        with pytest.raises(UserError, match=r"refused and nothing in it was run"):
            load_original(path)
    buffer = io.BytesIO()
    torch.save({"model": _Command()}, buffer)
    path.write_bytes(buffer.getvalue())
    with pytest.raises(UserError, match=r"refused and nothing in it was run: it asks for .*system"):
        load_original(path)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("protocol", [4, 5])
def test_a_newer_pickle_is_told_with_the_mend(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "model.pth"
    save_original(bundle(), path)
    data = torch.load(path)
    path.write_bytes(pickle.dumps(data, protocol=protocol))
    with pytest.raises(UserError, match=r"pickle of protocol 4 or newer.*or of pickle\.load"):
        load_original(path)
    torch.save(data, path, pickle_protocol=protocol)
    with pytest.raises(UserError, match=r"pickle of protocol 4 or newer.*If you trust"):
        load_original(path)
    torch.save(torch.load(path, weights_only=False), path)  # the mend
    assert load_original(path).weights.keys() == bundle().weights.keys()


@pytest.mark.parametrize("protocol", [2, 3])
def test_what_pickle_wrote_alone_is_told_with_the_mend(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "model.pth"
    save_original(bundle(), path)
    path.write_bytes(pickle.dumps(torch.load(path), protocol=protocol))
    with pytest.raises(UserError, match=r"written with pickle instead of torch\.save\. If you"):
        load_original(path)


def test_damaged_and_foreign_files(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    save_original(bundle(), path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:10], b""):
        path.write_bytes(content)
        with pytest.raises(UserError, match="damaged or not a checkpoint"):
            load_original(path)
    for content in (b"no pickle at all", b"\x80\x02}q\x00\xfe"):
        path.write_bytes(content)
        with pytest.raises(UserError, match="damaged or not a checkpoint"):
            load_original(path)
    path.write_bytes(b"\x80\x02i__main__\nClass\n.")
    with pytest.raises(UserError, match="asks for the pickle operation INST, no plain data"):
        load_original(path)
    with pytest.raises(UserError, match="There is no file"):
        load_original(tmp_path / "missing.pth")
    torch.save({"encoder": {}, "decoder": {}}, path)
    with pytest.raises(UserError, match="no word or position embeddings"):
        load_original(path)
    torch.save({"optimizer": {}}, path)
    with pytest.raises(UserError, match=r"has no model: .* and this one optimizer"):
        load_original(path)
    torch.save([1, 2], path)
    with pytest.raises(UserError, match="holds a list"):
        load_original(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data["model"].pop("embeddings.weight"), "no word or position embeddings"),
        (lambda data: data["params"].pop("n_heads"), "does not say n_heads"),
        (lambda data: data["params"].update(n_heads="many"), "n_heads .* is 'many', no number"),
        (lambda data: data.update(model={}), "no word or position embeddings"),
        (lambda data: data.update(params=[1]), "params are a list"),
        (lambda data: data["params"].update(id2lang=["en"]), "does not map ids to names"),
        (lambda data: data["params"].update(id2lang={0: "en", 1: "en"}), "a language twice"),
        (lambda data: data["params"].update(n_heads=0), "must be a multiple"),
        (
            lambda data: data["dico_id2word"].update({30: data["dico_id2word"].pop(16)}),
            "dictionary has no word 16",
        ),
        (
            lambda data: data["model"].update({"attentions.x.weight": torch.zeros(1)}),
            "tensors do not fit one another",
        ),
        (
            lambda data: data["model"].update({"position_embeddings.weight": torch.tensor(1.0)}),
            "no word or position embeddings",
        ),
        (
            lambda data: data["model"].update({"memories.0_in.values.weight": torch.zeros(1)}),
            "tensors do not fit one another",
        ),
        (lambda data: data["dico_id2word"].pop(19), "20 words but a dictionary of 19"),
    ],
)
def test_parts_that_do_not_fit(tmp_path: Path, change: object, message: str) -> None:
    path = tmp_path / "model.pth"
    save_original(bundle(), path)
    data = torch.load(path, weights_only=True)
    change(data)  # type: ignore[operator]
    torch.save(data, path)
    with pytest.raises(UserError, match=message):
        load_original(path)


def test_a_wrong_shape_names_the_tensor(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    save_original(bundle(), path)
    data = torch.load(path, weights_only=True)
    data["model"]["layer_norm_emb.bias"] = torch.zeros(3)
    torch.save(data, path)
    with pytest.raises(UserError, match=r"layer_norm_emb\.bias"):
        convert(path, tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


def forget_names(path: Path) -> None:
    """Take from a checkpoint what the published ones may lack."""
    data = torch.load(path, weights_only=True)
    for name in ("id2lang", "lang2id", "n_langs", "causal"):
        del data["params"][name]
    torch.save(data, path)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_models_by_name(tmp_path: Path, name: str) -> None:
    """A tiny checkpoint of the published shape is converted with its casing and direction."""
    known = published(name)
    shape = {"use_lang_emb": known.language_embeddings, "causal": known.causal}
    save_original(bundle(known.languages, **shape), tmp_path / "model.pth")
    forget_names(tmp_path / "model.pth")
    convert(tmp_path / "model.pth", tmp_path / "folder", None, name, keep_case=False)
    loaded = Bundle.load(tmp_path / "folder")
    assert tuple(loaded.tokenizer.lang2id) == known.languages
    assert loaded.architecture.n_langs == len(known.languages)
    assert loaded.architecture.causal == known.causal
    fold = loaded.tokenizer.lowercase_and_remove_accent
    assert fold == known.lowercase_and_remove_accent == (name[8:10] not in ("17", "10"))


def test_published_names_are_checked(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean xlm-mlm-xnli15-1024"):
        published("xlm-mlm-xnli-1024")
    save_original(bundle(), tmp_path / "model.pth")
    with pytest.raises(UserError, match=r"embeddings of 2 languages, not of 0"):
        convert(tmp_path / "model.pth", tmp_path / "f", None, "xlm-mlm-en-2048", keep_case=False)


def test_languages_may_be_keyed_by_text(tmp_path: Path) -> None:
    save_original(bundle(), tmp_path / "model.pth")
    data = torch.load(tmp_path / "model.pth", weights_only=True)
    data["params"]["id2lang"] = {"0": "en", "1": "fr"}
    torch.save(data, tmp_path / "model.pth")
    assert load_original(tmp_path / "model.pth").tokenizer.lang2id == {"en": 0, "fr": 1}


def test_nothing_is_left_or_written_over(tmp_path: Path) -> None:
    save_original(bundle(), tmp_path / "model.pth")
    data = torch.load(tmp_path / "model.pth", weights_only=True)
    data["model"]["layer_norm_emb.bias"].fill_(torch.nan)
    torch.save(data, tmp_path / "nan.pth")
    with pytest.raises(UserError, match="Nothing was written"):
        convert(tmp_path / "nan.pth", tmp_path / "nan")
    convert(tmp_path / "model.pth", tmp_path / "folder")
    for source, target in (("model.pth", "folder"), ("folder", "model.pth")):
        with pytest.raises(UserError, match="is there already"):
            convert(tmp_path / source, tmp_path / target)
    with pytest.raises(UserError, match=r"nan.pth is a file, so there can be no"):
        convert(tmp_path / "model.pth", tmp_path / "nan.pth" / "folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "model.pth", "nan.pth"]


def test_a_classifier_has_no_form_in_the_original(tmp_path: Path) -> None:
    other = replace(bundle(), head="XLMForSequenceClassification", labels=["a", "b"])
    other.save(tmp_path / "folder")
    with pytest.raises(UserError, match="has no form in the original project"):
        convert(tmp_path / "folder", tmp_path / "model.pth")


def test_a_name_tells_casing_and_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_original(translator_bundle(), tmp_path / "model.pth")
    for keep_case, message in ((True, "leave out --keep-case"), (False, "it is a translator")):
        with pytest.raises(UserError, match=message):
            convert(
                tmp_path / "model.pth", tmp_path / "f", None, "xlm-mlm-enfr-1024",
                keep_case=keep_case,
            )  # fmt: skip
    save_original(bundle(), tmp_path / "lm.pth")
    convert(tmp_path / "lm.pth", tmp_path / "f", None, "xlm-mlm-enfr-1024")
    assert "sequences of the original form" in capsys.readouterr().err
