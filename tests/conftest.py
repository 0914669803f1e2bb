"""Marks every test with the kind of its folder, and makes a project that all kinds of tests run."""

import random
import shutil
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from xlmkit.core.log import forget_said

_HERE = Path(__file__).parent
_KINDS = ("unit", "reference", "equivalence", "learn", "golden", "keras")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        kind = item.path.relative_to(_HERE).parts[0]
        if kind in _KINDS:
            item.add_marker(kind)


@pytest.fixture(autouse=True)
def _as_in_a_new_run() -> None:
    forget_said()


_WORDS = {
    "en": {
        "which": ["old", "small", "red", "quiet", "fast", "broken"],
        "animal": ["dog", "cat", "bird", "horse"],
        "machine": ["train", "car", "engine", "radio"],
        "does": ["sees", "follows", "hears", "likes"],
        "where": ["in the garden", "near the river", "behind the house", "on the road"],
    },
    "zh": {
        "which": ["老", "小", "红色", "安静", "快速", "坏掉"],
        "animal": ["狗", "猫", "鸟", "马"],
        "machine": ["火车", "汽车", "发动机", "收音机"],
        "does": ["看见", "跟着", "听到", "喜欢"],
        "where": ["在花园里", "在河边", "在房子后面", "在路上"],
    },
    "ar": {
        "which": ["قديم", "صغير", "أحمر", "هادئ", "سريع", "مكسور"],
        "animal": ["كلب", "قط", "طائر", "حصان"],
        "machine": ["قطار", "سيارة", "محرك", "مذياع"],
        "does": ["يرى", "يتبع", "يسمع", "يحب"],
        "where": ["في الحديقة", "قرب النهر", "خلف البيت", "على الطريق"],
    },
}
_FORMS = {
    "en": "The {a} {first} {does} the {b} {second} {where}.",
    "zh": "{a}的{first}{where}{does}{b}的{second}。",
    "ar": "{does} {first} {a} {second} {b} {where}.",
}
_RECIPE = """\
name: tiny
languages: [en, zh, ar]
data:
  sources:
    - {kind: parallel, paths: {en: text.en, zh: text.zh, ar: text.ar}}
tokenizer: {vocabulary_size: 300, segmenters: {zh: characters}}
model: {n_layers: 1, emb_dim: 32, n_heads: 2, max_position_embeddings: 64}
precision: float32
threads: 1
pretrain:
  steps: 24
  tokens_per_batch: 256
  optimizer: {lr: 1.0e-2, warmup: 4}
  models:
    none: {title: No pretraining}
    both: {title: MLM + TLM, mlm: {length: 32, form: sentence}, tlm: {length: 64}}
finetune:
  kind:
    train: [{kind: tsv, path: train.tsv, text: 0, language_column: 1, label_column: 2}]
    test: [{kind: tsv, path: test.tsv, text: 0, language_column: 1, label_column: 2}]
    epochs: 2
    tokens_per_batch: 128
"""


def _sentences(n: int) -> list[tuple[str, dict[str, str]]]:
    """Return `n` different sentences in all languages, each with what it is about."""
    rng = random.Random(5)
    found: dict[str, tuple[str, dict[str, str]]] = {}
    while len(found) < n:
        label = rng.choice(["animal", "machine"])
        picks = {"a": "which", "first": label, "does": "does", "b": "which", "second": label}
        numbers = {
            place: (key, rng.randrange(len(_WORDS["en"][key])))
            for place, key in (*picks.items(), ("where", "where"))
        }
        texts = {
            code: _FORMS[code].format(
                **{place: words[key][number] for place, (key, number) in numbers.items()}
            )
            for code, words in _WORDS.items()
        }
        found.setdefault(texts["en"], (label, texts))
    return list(found.values())


def _write_project(folder: Path) -> None:
    sentences = _sentences(400)
    for code in _WORDS:
        lines = [texts[code] + "\n" for _, texts in sentences[:300]]
        (folder / f"text.{code}").write_text("".join(lines), encoding="utf-8")
    for name, part, codes in (
        ("train", sentences[300:360], ["en"]),
        ("test", sentences[360:], list(_WORDS)),
    ):
        rows = [f"{texts[code]}\t{code}\t{label}\n" for code in codes for label, texts in part]
        (folder / f"{name}.tsv").write_text("".join(rows), encoding="utf-8")
    (folder / "recipe.yaml").write_text(_RECIPE, encoding="utf-8")


@pytest.fixture(scope="session")
def _project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    _write_project(folder)
    return folder


@pytest.fixture(scope="session")
def _finished_project(_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from xlmkit.run import run

    folder = tmp_path_factory.mktemp("finished") / "project"
    shutil.copytree(_project, folder)
    run(folder / "recipe.yaml", [], folder / "out", False)
    return folder


@pytest.fixture
def project(_project: Path, tmp_path: Path) -> Path:
    """A folder with recipe.yaml and its data: three languages, translations and a labelled task."""
    return Path(shutil.copytree(_project, tmp_path / "project"))


@pytest.fixture
def finished(_finished_project: Path, tmp_path: Path) -> Path:
    """The same after `xlmkit run`, with its results in the folder out."""
    return Path(shutil.copytree(_finished_project, tmp_path / "finished"))


@pytest.fixture(scope="session")
def make_shards(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Return what makes shards and their tokenizer of two languages in which words are letters."""
    from xlmkit.data.encode import encode_corpus
    from xlmkit.data.records import Record
    from xlmkit.data.shards import Shards
    from xlmkit.text.bpe import Merges
    from xlmkit.text.tokenizer import Tokenizer
    from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary

    def make(
        letters: dict[str, str], splits: dict[str, Iterable[Iterable[int]]]
    ) -> tuple[Any, Any, dict[str, list[Any]]]:
        """Write shards; a split is a list of sentences, each the numbers of its letters."""
        folder = tmp_path_factory.mktemp("shards")
        records: dict[str, list[Any]] = {}
        for split, sentences in splits.items():
            records[split] = [
                Record(
                    {code: " ".join(own[i] for i in numbers) for code, own in letters.items()},
                    "cipher",
                    str(place),
                )
                for place, numbers in enumerate(map(list, sentences))
            ]
            lines = "".join(record.to_json() + "\n" for record in records[split])
            (folder / f"{split}.jsonl").write_text(lines, encoding="utf-8")
        symbols = [f"{letter}</w>" for own in letters.values() for letter in own]
        lang2id = {code: number for number, code in enumerate(letters)}
        tokenizer = Tokenizer(
            Vocabulary([*SPECIAL_TOKENS, *symbols]), Merges(()), lang2id, segmenters={}
        )
        encode_corpus(folder, tokenizer, folder / "shards")
        return Shards(folder / "shards"), tokenizer, records

    return make


@pytest.fixture(scope="session")
def shards(make_shards: Callable[..., Any]) -> Any:
    """Shards of two languages in which letter 0 is far more frequent than the others."""
    import numpy as np

    random = np.random.default_rng(0)
    splits = {
        split: [
            random.integers(0, 12, random.integers(2, 9)) * random.integers(0, 2) for _ in range(n)
        ]
        for split, n in (("train", 150), ("valid", 30), ("test", 0))
    }
    return make_shards({"en": "abcdefghijkl", "el": "αβγδεζηθικλμ"}, splits)[0]


_SHAPE = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
}  # fmt: skip
_DISENTANGLED = {
    "relative_attention": True, "position_buckets": 8, "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False, "type_vocab_size": 0, "share_att_key": True,
    "norm_rel_ebd": "layer_norm",
}  # fmt: skip
_SEQ2SEQ = {
    "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2,
    "decoder_attention_heads": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64,
    "decoder_start_token_id": 2, "forced_eos_token_id": 2,
}  # fmt: skip
_FAMILIES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "bert": ("BertConfig", "BertForMaskedLM", _SHAPE),
    "xlm-roberta": ("XLMRobertaConfig", "XLMRobertaForMaskedLM", {**_SHAPE, "type_vocab_size": 1}),
    "deberta-v2": ("DebertaV2Config", "DebertaV2ForMaskedLM", {**_SHAPE, **_DISENTANGLED}),
    "modernbert": ("ModernBertConfig", "ModernBertForMaskedLM", _SHAPE),
    "mbart": ("MBartConfig", "MBartForConditionalGeneration", _SEQ2SEQ),
    "gpt2": ("GPT2Config", "GPT2LMHeadModel", {"n_embd": 32, "n_layer": 2, "n_head": 2}),
}
_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
_SPECIAL_NAMES = ("bos_token", "pad_token", "eos_token", "unk_token", "mask_token")


def _word_tokenizer(texts: Iterable[str]) -> Any:
    """Return a tokenizer of whole words and, for what has no spaces, of characters."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel(unk_token=_SPECIAL[3]))
    split = pre_tokenizers.Split(Regex(r"\p{Han}"), "isolated")
    words.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), split])
    trainer = trainers.WordLevelTrainer(special_tokens=_SPECIAL, show_progress=False)
    words.train_from_iterator(texts, trainer)
    words.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = [*_SPECIAL_NAMES, "cls_token", "sep_token"]
    tokens = dict(zip(names, [*_SPECIAL, _SPECIAL[0], _SPECIAL[2]], strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=words, **tokens)


def _mbart_tokenizer(texts: Iterable[str]) -> Any:
    from transformers import MBartTokenizer

    pieces = sorted({f"\u2581{word}" for text in texts for word in text.split()})
    vocabulary = [(token, 0.0) for token in _SPECIAL[:4]]
    return MBartTokenizer(vocab=[*vocabulary, *((piece, -1.0) for piece in pieces)])


@pytest.fixture(scope="session")
def _encoders(_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    transformers = pytest.importorskip("transformers")
    import torch

    transformers.utils.logging.disable_progress_bar()
    base = tmp_path_factory.mktemp("encoders")

    @cache
    def write(family: str, **changes: Any) -> Path:
        texts = [(_project / f"text.{code}").read_text("utf-8").splitlines() for code in _WORDS]
        lines = [line for part in texts for line in part]
        tokenizer = (_mbart_tokenizer if family == "mbart" else _word_tokenizer)(lines)
        config, model, shape = _FAMILIES[family]
        ids = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
        if family == "modernbert":
            ids |= {"cls_token_id": 0, "sep_token_id": 2}
        sizes = {"vocab_size": len(tokenizer), "max_position_embeddings": 64}
        torch.manual_seed(0)
        settings = getattr(transformers, config)(**{**ids, **sizes, **shape, **changes})
        folder = base / str(len(list(base.iterdir())))
        getattr(transformers, model)(settings).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return write


@pytest.fixture
def make_encoder(_encoders: Callable[..., Path]) -> Callable[..., Path]:
    """Return what writes a tiny untrained model of a family, with a tokenizer for the project."""

    def make(family: str, folder: Path, **changes: Any) -> Path:
        return Path(shutil.copytree(_encoders(family, **changes), folder))

    return make
