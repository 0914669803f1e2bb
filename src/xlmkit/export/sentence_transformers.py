"""A model as a folder that sentence-transformers opens, checked against `SentenceEncoder`.

The folder holds xlmkit's own files, cut off behind the layer whose states are taken, and names
`xlmkit.huggingface.sentence_module.XLMSentences` and a pooling as its modules.
"""

import importlib
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.errors import UserError
from xlmkit.core.files import explained_disk_errors, write_json
from xlmkit.huggingface.loading import quietly
from xlmkit.inference.encoder import Pooling, SentenceEncoder
from xlmkit.model.transformer import Transformer
from xlmkit.text.languages import check_known

_TOLERANCE = 1e-5
_SAMPLES = 32
_MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "xlmkit.huggingface.sentence_module.XLMSentences"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
]


def export_sentence_transformers(
    bundle: Bundle,
    folder: Path,
    *,
    pooling: Pooling = "mean",
    layer: int | None = None,
    lang: str | None = None,
    samples: Sequence[str] = (),
) -> float:
    """Write a folder for sentence-transformers.

    Args:
        bundle: any model; its head is not used.
        folder: a new one.
        pooling: the `mean` of a text's states, or the `first`.
        layer: whose states, from 1; the last by default. The layers behind it are left out.
        lang: language of texts where a call names none.
        samples: texts to compare with; by default words of the vocabulary.

    Returns:
        The greatest difference of a number of a vector from `SentenceEncoder`'s.

    Raises:
        UserError: sentence-transformers is missing, the folder is not new, there is no such layer
            or language, or the export does not agree.
    """
    library = _import_library()
    languages = bundle.tokenizer.lang2id
    if folder.exists():
        raise UserError(f"{folder} exists already; name a new folder.")
    if lang is not None:
        check_known(lang, languages)
    cut = _cut(bundle, layer)
    texts = list(samples)[:_SAMPLES] or _sample_texts(bundle)
    code = lang or next(iter(languages))
    expected = SentenceEncoder(bundle, precision="float32", pooling=pooling, layer=layer)
    with explained_disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as hidden:
            made = Path(hidden) / "model"
            _write(cut, made, pooling, lang)
            with quietly(folder, "The export"):
                model = library.SentenceTransformer(str(made), device="cpu", trust_remote_code=True)
                vectors = model.encode(texts, lang=code, show_progress_bar=False)
            difference = float(np.abs(vectors - expected.encode(texts, code)).max())
            if not difference <= _TOLERANCE:
                raise UserError(
                    f"The export's vectors differ by {difference:.1e} from the model's; it was not "
                    "written. Please report it."
                )
            made.replace(folder)
    return difference


def _import_library() -> Any:  # noqa: ANN401 - an optional package
    try:
        return importlib.import_module("sentence_transformers")
    except ImportError:
        raise UserError(
            "This export needs an extra: pip install 'xlmkit[sentence-transformers]'."
        ) from None


def _cut(bundle: Bundle, layer: int | None) -> Bundle:
    """Return the bare Transformer up to a layer."""
    shape = bundle.architecture
    layer = shape.n_layers if layer is None else layer
    if not 1 <= layer <= shape.n_layers:
        raise UserError(
            f"The model has the layers 1 to {shape.n_layers} to export, but not {layer}."
        )
    if layer < shape.n_layers and shape.memory is not None:
        raise UserError("A model with product-key memories is exported whole; leave out --layer.")
    shape = replace(shape, n_layers=layer)
    kept = Transformer(shape).state_dict().keys()
    weights = bundle.transformer().state_dict()
    return Bundle(
        shape,
        bundle.tokenizer,
        {name: weights[name] for name in kept},
        head="XLMModel",
        provenance=bundle.provenance,
    )


def _write(bundle: Bundle, folder: Path, pooling: Pooling, lang: str | None) -> None:
    bundle.save(folder)
    settings = {"max_seq_length": bundle.architecture.max_position_embeddings, "lang": lang}
    write_json(folder / "sentence_xlm_config.json", settings)
    write_json(folder / "modules.json", _MODULES)
    mode = "cls" if pooling == "first" else "mean"
    write_json(
        folder / "1_Pooling" / "config.json",
        {"embedding_dimension": bundle.architecture.emb_dim, "pooling_mode": mode},
    )


def _sample_texts(bundle: Bundle) -> list[str]:
    """Return texts of different lengths, of the vocabulary's words."""
    random = np.random.default_rng(0)
    words = bundle.tokenizer.vocabulary.symbols[14:] or ["a"]
    longest = min(24, bundle.architecture.max_position_embeddings)
    drawn = (random.choice(words, n) for n in random.integers(1, longest + 1, _SAMPLES))
    return [" ".join(row).replace("</w>", "") for row in drawn]
