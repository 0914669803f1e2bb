"""Conversion between the original's `.pth` and a folder, checked by comparing what both compute."""

from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import TRANSLATOR
from xlmkit.checkpoint.original import check_form, load_original, save_original
from xlmkit.checkpoint.published import published
from xlmkit.core.errors import UserError
from xlmkit.core.files import explained_disk_errors
from xlmkit.core.log import say
from xlmkit.model.attention import real_tokens
from xlmkit.text.bpe_files import write_codes

_TOLERANCE = 1e-5  # of log-probabilities, float32


def convert(
    source: Path,
    target: Path,
    codes: Path | None = None,
    name: str | None = None,
    *,
    vocabulary: Path | None = None,
    keep_case: bool = False,
) -> None:
    """Turn a `.pth` into a folder, or a folder into a `.pth` with its codes beside it.

    Args:
        source: the checkpoint to read: a `.pth` file or a model's folder.
        target: where to write; ends in `.pth` if `source` is a folder.
        codes: BPE codes of a `.pth`.
        name: of a published model, which tells casing and languages.
        vocabulary: vocabulary file of a `.pth` without a dictionary.
        keep_case: the model's text was neither lower-cased nor stripped of accents.

    Raises:
        UserError: a file cannot be read, or the result does not compute the same.
    """
    to_file = source.is_dir()
    if to_file != (target.suffix == ".pth"):
        wanted = "end in .pth" if to_file else "be a folder"
        kind = "folder" if to_file else "file"
        raise UserError(f"{source} is a {kind}, so the target must {wanted}, unlike {target}.")
    _check_free(target)
    if to_file:
        bundle = Bundle.load(source)
        check_form(bundle)
    else:
        bundle = _read(source, codes, name, vocabulary, keep_case=keep_case)
    expected = log_probabilities(bundle)  # before anything is written: the parts must fit
    with explained_disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as aside:
            made = Path(aside) / target.name
            again = _write(bundle, made)
            difference = float((expected - log_probabilities(again)).abs().max())
            if not difference <= _TOLERANCE:
                raise UserError(
                    f"Nothing was written: what {source} was turned into does not compute the "
                    f"same; log-probabilities differ by {difference:.1e}."
                )
            for path in sorted(Path(aside).iterdir()):
                path.replace(target.parent / path.name)
    say(f"Wrote {target}; log-probabilities differ from {source} by at most {difference:.1e}.")
    if not to_file:
        _say_what_was_found(bundle, published(name).sequence_form if name else None)
        if codes is None:
            say("Without --codes only whole words and characters have ids; add them for text.")


def _check_free(target: Path) -> None:
    """See that nothing is written over.

    Raises:
        UserError: there is something in the target's place.
    """
    blocked = next((path for path in target.parents if path.is_file()), None)
    if blocked is not None:
        raise UserError(f"{blocked} is a file, so there can be no {target}.")
    for path in (target, target.with_suffix(".codes")) if target.suffix == ".pth" else (target,):
        if path.is_file() or (path.is_dir() and any(path.iterdir())):
            raise UserError(f"{path} is there already; remove it or name another target.")


def _write(bundle: Bundle, target: Path) -> Bundle:
    """Write the folder, or the `.pth` with its codes beside it, and read it again."""
    if target.suffix != ".pth":
        bundle.save(target)
        return Bundle.load(target)
    save_original(bundle, target)
    beside = target.with_suffix(".codes") if len(bundle.tokenizer.merges) else None
    if beside is not None:
        write_codes(beside, bundle.tokenizer.merges)
    return load_original(target, beside)


def _read(
    source: Path,
    codes: Path | None,
    name: str | None,
    vocabulary: Path | None,
    *,
    keep_case: bool,
) -> Bundle:
    if name is None:
        return load_original(
            source, codes, vocabulary=vocabulary, lowercase_and_remove_accent=not keep_case
        )
    known = published(name)
    if keep_case:
        raise UserError(f"The name {name} tells the casing of its text; leave out --keep-case.")
    bundle = load_original(
        source,
        codes,
        vocabulary=vocabulary,
        lowercase_and_remove_accent=known.lowercase_and_remove_accent,
        causal=known.causal,
        languages=known.languages,
    )
    if bundle.head == TRANSLATOR:
        raise UserError(f"{source} is not {name}: it is a translator, and {name} is none.")
    shape = bundle.architecture
    wanted = len(known.languages) if known.language_embeddings else 0
    found = shape.n_langs if shape.use_lang_emb else 0
    if wanted != found:
        raise UserError(
            f"{source} is not {name}: it has embeddings of {found} languages, not of {wanted}."
        )
    return bundle


def _say_what_was_found(bundle: Bundle, sequence_form: str | None) -> None:
    shape, tokenizer = bundle.architecture, bundle.tokenizer
    kind = "translator" if bundle.head == TRANSLATOR else "language model"
    kind = f"causal {kind}" if shape.causal else kind
    casing = "lower-cased without accents" if tokenizer.lowercase_and_remove_accent else "cased"
    say(
        f"A {kind} of {shape.n_layers} layers, {shape.emb_dim} wide, for {shape.n_words:,} words "
        f"({casing}) in {', '.join(tokenizer.lang2id)}"
        f"{f'; sequences of the {sequence_form} form' if sequence_form else ''}."
    )


@torch.inference_mode()
def log_probabilities(bundle: Bundle) -> Tensor:
    """Return a model's log-probabilities on a fixed batch with padding and languages, (N, V)."""
    shape = bundle.architecture
    generator = torch.Generator().manual_seed(0)
    length = min(16, shape.max_position_embeddings)
    tokens_BL = torch.randint(0, shape.n_words, (4, length), generator=generator)
    languages_BL = torch.randint(0, shape.n_langs, (4, length), generator=generator)
    lengths_B = torch.tensor([length, length, length // 2, 1])
    real_BL = real_tokens(lengths_B, length)
    if bundle.head == TRANSLATOR:
        translator = bundle.encoder_decoder()
        source_BSE = translator.encoder(tokens_BL, lengths_B, None, languages_BL)
        hidden_BLE = translator.decode(tokens_BL, languages_BL.flip(1), source_BSE, lengths_B)
        return torch.log_softmax(translator.pred_layer(hidden_BLE[real_BL]), dim=-1)
    model = bundle.language_model()
    hidden_BLE = model.transformer(tokens_BL, lengths_B, None, languages_BL)
    return torch.log_softmax(model.pred_layer(hidden_BLE[real_BL]), dim=-1)
