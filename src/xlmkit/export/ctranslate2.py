"""A translator of one direction for CTranslate2, checked against xlmkit's own before it is kept.

XLM's encoder-decoder is CTranslate2's Transformer with layer norms behind the layers and one on the
embeddings. What it lacks is the embedding of a language; in one direction that is the same for
every word, so it is added to the table of positions, once for the encoder and once for the decoder.

What cannot be expressed, and is refused: product-key memories and adaptive softmax.
"""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.errors import UserError
from xlmkit.core.files import explained_disk_errors, write_json
from xlmkit.generate.config import SearchConfig
from xlmkit.generate.ctranslate2_engine import (
    ENGINE_FILE,
    CTranslate2Engine,
    import_ctranslate2,
    symbols,
)
from xlmkit.generate.directions import (
    DIRECTIONS,
    LENGTH,
    SPLIT,
    SUMMARY,
    check_learned,
    learned_to_write,
    of_direction,
)
from xlmkit.generate.engine import Ids, TorchEngine, longest_translations
from xlmkit.generate.search import Asked
from xlmkit.model.attention import MultiHeadAttention
from xlmkit.model.transformer import FeedForward, Transformer
from xlmkit.text.languages import check_known
from xlmkit.text.vocabulary import EOS, SPECIAL_TOKENS, UNK

Quantization = Literal["float32", "int8"]
M = TypeVar("M", bound=nn.Module)

_SAMPLES = 32
_TOLERANCE = 1e-3
"""Most by which log-probabilities of a whole sentence may differ, relative to one."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How an export compares with xlmkit's own modules on sample sentences.

    Attributes:
        sentences: how many were compared.
        same: how many translations are the same tokens, by greedy search.
        same_beams: the same with five beams by `rules: original`, which CTranslate2 follows.
        difference: mean absolute difference of the log-probability of a token.
    """

    sentences: int
    same: int
    same_beams: int
    difference: float


def export_ctranslate2(
    bundle: Bundle,
    folder: Path,
    *,
    src: str,
    tgt: str,
    quantization: Quantization = "float32",
    samples: Sequence[str] = (),
) -> Agreement:
    """Write a translator for CTranslate2, with its tokenizer.

    The float32 model must agree with xlmkit's own token for token; then it is stored as asked for.

    Args:
        bundle: a translator.
        folder: a new one.
        src: the language to read.
        tgt: the language to write.
        quantization: how weights are stored and multiplied.
        samples: texts to compare with; without any, sentences of random tokens.

    Returns:
        How the stored model compares.

    Raises:
        UserError: the folder is not new, the model is no translator or cannot be expressed, a
            language is unknown, the direction was not learned, or the export does not agree.
    """
    library = import_ctranslate2()
    _check(bundle, folder, src, tgt)
    own = TorchEngine(bundle)
    own.device = torch.device("cpu")
    own.model.cpu()
    source, target = bundle.tokenizer.lang2id[src], bundle.tokenizer.lang2id[tgt]
    rows = _sample_rows(bundle, samples, src)
    with explained_disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as hidden:
            made = Path(hidden) / "model"
            _write(library, own, bundle, made, src, tgt, "float32")
            agreement = _compare(
                own, CTranslate2Engine(made, bundle.tokenizer), rows, source, target
            )
            if agreement.same < agreement.sentences or agreement.difference > _TOLERANCE:
                raise UserError(
                    f"The export does not agree with the model on {_differing(agreement)}; it was "
                    "not written. Please report it."
                )
            if quantization != "float32":
                shutil.rmtree(made)
                _write(library, own, bundle, made, src, tgt, quantization)
                engine = CTranslate2Engine(made, bundle.tokenizer)
                agreement = _compare(own, engine, rows, source, target)
            made.replace(folder)
    return agreement


def _check(bundle: Bundle, folder: Path, src: str, tgt: str) -> None:
    """Refuse what cannot be exported."""
    if folder.exists():
        raise UserError(f"{folder} exists already; name a new folder.")
    a = bundle.architecture
    lacking = {"product-key memories": a.memory is not None, "adaptive softmax": a.asm}
    for name, used in lacking.items():
        if used:
            raise UserError(f"CTranslate2 has no {name}, which this model uses.")
    for code in (src, tgt):
        check_known(code, bundle.tokenizer.lang2id)
    check_learned(learned_to_write(bundle.provenance), src, tgt, "write")


def _write(
    library: Any,  # noqa: ANN401 - an untyped module
    own: TorchEngine,
    bundle: Bundle,
    folder: Path,
    src: str,
    tgt: str,
    quantization: Quantization,
) -> None:
    """Write the folder of one direction."""
    languages = bundle.tokenizer.lang2id
    spec = _specification(library, own, languages[src], languages[tgt])
    names = symbols(bundle.tokenizer.vocabulary, bundle.architecture.n_words)
    spec.register_source_vocabulary(names)
    spec.register_target_vocabulary(names)
    spec.config.add_attribute("add_source_bos", False)
    end = SPECIAL_TOKENS[EOS]
    for name in ("bos_token", "eos_token", "decoder_start_token"):
        spec.config.add_attribute(name, end)
    spec.config.add_attribute("unk_token", SPECIAL_TOKENS[UNK])
    spec.config.add_attribute("layer_norm_epsilon", bundle.architecture.layer_norm_eps)
    spec.validate()
    spec.optimize(quantization=None if quantization == "float32" else quantization)
    folder.mkdir()
    spec.save(str(folder))
    bundle.tokenizer.save(folder)
    about = {
        "engine": "ctranslate2",
        "src": src,
        "tgt": tgt,
        "longest": own.longest,
        "n_words": len(names),
        "quantization": quantization,
    }
    told = bundle.provenance
    about |= {key: told[key] for key in (DIRECTIONS, LENGTH, SPLIT) if key in told}
    if SUMMARY in told:
        about[SUMMARY] = of_direction(told[SUMMARY], f"{src}-{tgt}")
    write_json(folder / ENGINE_FILE, of_direction(about, f"{src}-{tgt}"))


def _specification(library: Any, own: TorchEngine, source: int, target: int) -> Any:  # noqa: ANN401
    """Return CTranslate2's specification, filled."""
    a = own.model.encoder.architecture
    kinds = library.specs.common_spec.Activation
    spec = library.specs.TransformerSpec.from_config(
        a.n_layers,
        a.n_heads,
        pre_norm=False,
        activation=kinds.GELU if a.gelu_activation else kinds.RELU,
        layernorm_embedding=True,
    )
    _fill_embeddings(spec.encoder, spec.encoder.embeddings[0], own.model.encoder, source)
    _fill_embeddings(spec.decoder, spec.decoder.embeddings, own.model.decoder, target)
    for number, layer in enumerate(spec.encoder.layer):
        _fill_layer(layer, own.model.encoder, number)
    for number, layer in enumerate(spec.decoder.layer):
        _fill_layer(layer, own.model.decoder, number)
        attention = _module(own.model.decoder.encoder_attn[number], MultiHeadAttention)
        _fill_linear(layer.attention.linear[0], attention.q_lin)
        _fill_linear(layer.attention.linear[1], attention.k_lin, attention.v_lin)
        _fill_linear(layer.attention.linear[2], attention.out_lin)
        _fill_norm(layer.attention.layer_norm, own.model.decoder.layer_norm15[number])
    _fill_linear(spec.decoder.projection, _module(own.model.pred_layer.proj, nn.Linear))
    return spec


def _fill_embeddings(spec: Any, words: Any, model: Transformer, language: int) -> None:  # noqa: ANN401
    """Fill what comes before the layers, with the language in the table of positions."""
    spec.scale_embeddings = False
    words.weight = _array(model.embeddings.weight)
    positions = model.position_embeddings.weight
    if hasattr(model, "lang_embeddings"):
        positions = positions + model.lang_embeddings.weight[language]
    spec.position_encodings.encodings = _array(positions)
    _fill_norm(spec.layernorm_embedding, model.layer_norm_emb)


def _fill_layer(spec: Any, model: Transformer, number: int) -> None:  # noqa: ANN401
    """Fill self-attention and feed-forward part."""
    attention = _module(model.attentions[number], MultiHeadAttention)
    _fill_linear(spec.self_attention.linear[0], attention.q_lin, attention.k_lin, attention.v_lin)
    _fill_linear(spec.self_attention.linear[1], attention.out_lin)
    _fill_norm(spec.self_attention.layer_norm, model.layer_norm1[number])
    inner = _module(model.ffns[str(number)], FeedForward)
    _fill_linear(spec.ffn.linear_0, inner.lin1)
    _fill_linear(spec.ffn.linear_1, inner.lin2)
    _fill_norm(spec.ffn.layer_norm, model.layer_norm2[number])


def _fill_linear(spec: Any, *linears: nn.Linear) -> None:  # noqa: ANN401
    """Fill a linear layer with one, or with several whose outputs lie side by side."""
    spec.weight = _array(torch.cat([linear.weight for linear in linears]))
    spec.bias = _array(torch.cat([linear.bias for linear in linears]))


def _fill_norm(spec: Any, norm: nn.Module) -> None:  # noqa: ANN401
    norm = _module(norm, nn.LayerNorm)
    spec.gamma, spec.beta = _array(norm.weight), _array(norm.bias)


def _module(module: nn.Module, kind: type[M]) -> M:
    if not isinstance(module, kind):
        raise TypeError(f"A {kind.__name__} is exported, not a {type(module).__name__}.")
    return module


def _array(tensor: Tensor) -> np.ndarray[Any, Any]:
    return tensor.detach().float().numpy().copy()


def _sample_rows(bundle: Bundle, samples: Sequence[str], language: str) -> list[Ids]:
    """Return tokens to compare with: those of texts, or random ones, of different lengths."""
    room = bundle.architecture.max_position_embeddings - 2
    texts = list(islice((text for text in samples if text.strip()), _SAMPLES))
    rows = [ids[:room] for ids in bundle.tokenizer.encode_batch(texts, language) if len(ids)]
    if rows:
        return rows
    random = np.random.default_rng(0)
    first = min(len(SPECIAL_TOKENS), len(bundle.tokenizer) - 1)
    lengths = random.integers(1, min(room, 24) + 1, _SAMPLES)
    return [random.integers(first, len(bundle.tokenizer), n).astype(np.int32) for n in lengths]


def _compare(
    own: TorchEngine, other: CTranslate2Engine, rows: Sequence[Ids], source: int, target: int
) -> Agreement:
    """Translate with both, and let both score what xlmkit wrote by greedy search."""
    written: list[Ids] = []
    same = []
    for search in (SearchConfig(), SearchConfig(beam_size=0)):
        plain = search.model_copy(update={"rules": "original"}) if search.beam_size else search
        ours, theirs = (
            [found[0].ids for found in engine.search(rows, source, target, how, Asked())]
            for engine, how in ((own, plain), (other, search))
        )
        limits = longest_translations(rows, search, own.longest)
        same.append(sum(map(_alike, ours, theirs, limits)))
        written = [np.array(ids, np.int32) for ids in ours]
    differences = [
        abs(mine - others) / (len(ids) + 1)
        for ids, mine, others in zip(
            written,
            own.score(rows, written, source, target),
            other.score(rows, written, source, target),
            strict=True,
        )
    ]
    return Agreement(len(rows), same[1], same[0], float(np.mean(differences)))


def _alike(mine: list[int], its: list[int], limit: int) -> bool:
    """Tell whether both wrote the same, at most `limit` tokens with `</s>` at both ends.

    CTranslate2 has one limit for a batch, so that a sentence may go on where ours must end.
    """
    return its == mine or (len(mine) + 2 >= limit and its[: len(mine)] == mine)


def _differing(agreement: Agreement) -> str:
    if agreement.same < agreement.sentences:
        return f"{agreement.sentences - agreement.same} of {agreement.sentences} sentences"
    return f"log-probabilities, by {agreement.difference:.1e} a token"
