"""Words as other families read them: as their own tokenizers do with given words, none lost."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

transformers = pytest.importorskip("transformers")

from xlmkit.core.errors import UserError  # noqa: E402 - after the check for transformers
from xlmkit.core.files import read_json  # noqa: E402
from xlmkit.huggingface.encoders import HuggingFaceBackbone  # noqa: E402
from xlmkit.huggingface.sequences import TextEncoder  # noqa: E402
from xlmkit.huggingface.taggers import HuggingFaceTagger  # noqa: E402
from xlmkit.huggingface.words import encode_native_words  # noqa: E402
from xlmkit.tasks.tagging import TaggedSentences, TaggingConfig, TaggingData  # noqa: E402

SENTENCES = {
    "en": [["The", "old-dog", "sees", ",", "near"], ["small"], ["the", "red", "horse"] * 9],
    "zh": [["老的", "狗", "在"], ["火车"]],
}
SOURCE = {"kind": "conll", "path": "-", "language": "en"}
CONFIG = TaggingConfig(kind="tagging", train=[SOURCE], test=[SOURCE], max_length=32)

Make = Callable[..., Path]


def opened(folder: Path) -> HuggingFaceBackbone:
    family = read_json(folder / "config.json")["model_type"]
    return HuggingFaceBackbone.open(folder, family, list(SENTENCES))


def test_features_are_those_of_the_tokenizer_with_given_words(
    make_encoder: Make, tmp_path: Path
) -> None:
    encoder = opened(make_encoder("bert", tmp_path / "model")).encoder
    made = encode_native_words(encoder, SENTENCES, 64, types=False)
    sentences = [words for part in SENTENCES.values() for words in part]
    assert len(made.words) == len(sentences)
    for row, words in enumerate(sentences):
        expected = encoder.tokenizer(words, is_split_into_words=True)
        batch = made.sequences.batch([row])
        assert batch.tensors["input_ids"][0].tolist() == expected["input_ids"]
        owners = expected.word_ids()
        assert made.places[row].tolist() == [owners.index(n) for n in range(len(words))]
    assert np.concatenate(made.words).tolist() == list(range(sum(map(len, sentences))))


def byte_level() -> TextEncoder:
    """Return a tokenizer whose tokens begin with the space before them, as GPT-2's."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    symbols = ["<s>", "<pad>", "</s>", "<unk>", "a", "\u0120a", "b", "\u0120"]
    vocabulary = {symbol: number for number, symbol in enumerate(symbols)}
    tokenizer = Tokenizer(models.BPE(vocabulary, [("\u0120", "a")], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    made = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)
    return TextEncoder(made, ["en"])


def test_a_token_with_the_space_before_it_is_of_the_word_behind() -> None:
    made = encode_native_words(byte_level(), {"en": [["a", "ab", "a"]]}, 16, types=False)
    assert made.sequences.batch([0]).tensors["input_ids"].tolist() == [[0, 4, 5, 6, 5, 2]]
    assert made.places[0].tolist() == [1, 2, 4]


def sentencepiece() -> TextEncoder:
    """Return a tokenizer in which a mark of spaces may be a token of its own, as XLM-R's."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    pieces = ["<s>", "<pad>", "</s>", "<unk>", "\u2581a", "\u2581", "(", "b"]
    tokenizer = Tokenizer(models.Unigram([(piece, -1.0) for piece in pieces], unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    made = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)
    return TextEncoder(made, ["en"])


def test_a_mark_of_spaces_that_stands_alone_is_of_the_word_behind() -> None:
    encoder, words = sentencepiece(), ["(", "a", "(b", "a"]
    made = encode_native_words(encoder, {"en": [words]}, 16, types=False)
    expected = encoder.tokenizer(words, is_split_into_words=True)
    assert made.sequences.batch([0]).tensors["input_ids"][0].tolist() == expected["input_ids"]
    assert expected["input_ids"] == [0, 5, 6, 4, 5, 6, 7, 4, 2]
    assert made.places[0].tolist() == [expected.word_ids().index(n) for n in range(4)]


def test_no_word_is_lost(make_encoder: Make, tmp_path: Path) -> None:
    encoder = opened(make_encoder("bert", tmp_path / "model")).encoder
    words = ["", "the", "", "", "<s>", "\u200b", "horse", ""]
    made = encode_native_words(encoder, {"en": [words]}, 64, types=False)
    ids = made.sequences.batch([0]).tensors["input_ids"][0].numpy()
    unknown, known = encoder.tokenizer.unk_token_id, encoder.tokenizer.get_vocab()
    first = ids[made.places[0]].tolist()
    assert len(first) == len(words)
    assert (first[1], first[6]) == (known["the"], known["horse"])
    assert [first[i] for i in (0, 2, 3, 7)] == [unknown] * 4
    assert known["<s>"] not in ids[1:-1]  # a word that is written so is text like any other


@pytest.mark.parametrize("family", ["bert", "xlm-roberta", "deberta-v2", "modernbert", "gpt2"])
def test_a_tagger_is_trained_saved_and_opened(
    family: str, make_encoder: Make, tmp_path: Path
) -> None:
    backbone = opened(make_encoder(family, tmp_path / "model"))
    part = TaggedSentences(SENTENCES["en"], np.arange(5 + 1 + 27) % 3)
    data = TaggingData(["A", "B", "C"], [], {"en": part}, {"en": part})
    torch.manual_seed(0)
    adaptation = backbone.tagging(data, CONFIG, 64, 1)
    batch = adaptation.objective.batch(0)
    loss = adaptation.objective.loss(adaptation.model, batch)
    assert loss.count == len(batch.tags)
    loss.sum.backward()
    assert all(parameter.grad is not None for parameter in adaptation.model.model.parameters()
               if parameter.requires_grad)  # fmt: skip
    weights = dict(adaptation.model.named_parameters(remove_duplicate=False))
    adaptation.save(tmp_path / "saved", weights, {})
    tagger = backbone.tagger(tmp_path / "saved", CONFIG)
    scores = tagger.word_scores(SENTENCES["en"], "en")
    assert scores.shape == (33, 3)

    theirs = transformers.AutoModelForTokenClassification.from_pretrained(tmp_path / "saved")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "saved")
    assert theirs.config.id2label == {0: "A", 1: "B", 2: "C"}
    encoded = tokenizer(
        SENTENCES["en"][0],
        is_split_into_words=True,
        return_tensors="pt",
        return_token_type_ids=tagger.types,
    )
    owners = encoded.word_ids()
    with torch.inference_mode():
        logits = theirs.eval()(**encoded).logits[0]
    expected = logits[[owners.index(n) for n in range(5)]]
    np.testing.assert_allclose(scores[:5], expected, rtol=1e-3, atol=1e-4)


def test_padding_on_the_left_plays_no_part(make_encoder: Make, tmp_path: Path) -> None:
    backbone = opened(make_encoder("bert", tmp_path / "model"))
    model = transformers.AutoModelForTokenClassification.from_pretrained(backbone.folder)
    found = []
    for side in ("right", "left"):
        backbone.encoder.tokenizer.padding_side = side
        tagger = HuggingFaceTagger(model, backbone.encoder, ["en"], 40, types=False)
        if side == "right":
            found.append(tagger.word_scores(SENTENCES["en"][:2], "en"))
        made = encode_native_words(backbone.encoder, {"en": SENTENCES["en"][:2]}, 40, types=False)
        ids = made.sequences.batch([0, 1]).tensors["input_ids"].flatten()
        found.append(ids[torch.from_numpy(made.flat_places([0, 1]))].numpy())
    assert found[1].tolist() == found[2].tolist()
    assert found[0].shape[0] == len(found[1])


def test_a_family_without_a_tagger_is_refused(make_encoder: Make, tmp_path: Path) -> None:
    backbone = opened(make_encoder("mbart", tmp_path / "model"))
    part = TaggedSentences([["a"]], np.zeros(1, np.int64))
    data = TaggingData(["A", "B"], [], {"en": part}, {"en": part})
    with pytest.raises(UserError, match=r"'mbart', of which transformers .* has no tagger"):
        backbone.tagging(data, CONFIG, 64, 1)
