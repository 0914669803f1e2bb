"""Conversion between the original's `.pth` and a folder, checked by comparing what both compute."""

from pathlib import Path

import torch
from torch import Tensor

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.original import load_original, save_original
from xlmkit.checkpoint.published import published
from xlmkit.core.errors import UserError
from xlmkit.core.log import say
from xlmkit.text.bpe_files import write_codes

_TOLERANCE = 1e-5  # of log-probabilities, float32


def convert(
    source: Path, target: Path, codes: Path | None, name: str | None, *, keep_case: bool
) -> None:
    """Turn a `.pth` into a folder, or a folder into a `.pth` with its codes beside it.

    Args:
        source: the checkpoint to read: a `.pth` file or a model's folder.
        target: where to write; ends in `.pth` if `source` is a folder.
        codes: BPE codes of a `.pth`.
        name: of a published model, which tells casing and languages.
        keep_case: the model's text was neither lower-cased nor stripped of accents.

    Raises:
        UserError: a file cannot be read, or the result does not compute the same.
    """
    if source.is_dir():
        if target.suffix != ".pth":
            raise UserError(
                f"{source} is a folder, so the target must end in .pth, unlike {target}."
            )
        bundle = Bundle.load(source)
        save_original(bundle, target)
        beside = target.with_suffix(".codes") if len(bundle.tokenizer.merges) else None
        if beside is not None:
            write_codes(beside, bundle.tokenizer.merges)
        again = load_original(target, beside)
    else:
        known = published(name) if name else None
        bundle = load_original(
            source,
            codes,
            lowercase_and_remove_accent=known.lowercase_and_remove_accent
            if known
            else not keep_case,
            causal=known.causal if known else None,
        )
        if known and len(known.languages) != bundle.architecture.n_langs:
            raise UserError(
                f"{name} has {len(known.languages)} languages but {source} has "
                f"{bundle.architecture.n_langs}; they are not the same model."
            )
        bundle.save(target)
        again = Bundle.load(target)
    difference = float((log_probabilities(bundle) - log_probabilities(again)).abs().max())
    if not difference <= _TOLERANCE:
        raise UserError(
            f"{target} does not compute the same as {source}: log-probabilities differ by "
            f"{difference:.1e}."
        )
    say(f"Wrote {target}; log-probabilities differ from {source} by at most {difference:.1e}.")
    if not source.is_dir() and codes is None:
        say("Without --codes only whole words and single characters have ids; add them for text.")


@torch.inference_mode()
def log_probabilities(bundle: Bundle) -> Tensor:
    """Return a model's log-probabilities on a fixed batch with padding and languages, (N, V)."""
    shape = bundle.architecture
    generator = torch.Generator().manual_seed(0)
    length = min(16, shape.max_position_embeddings)
    tokens_BL = torch.randint(0, shape.n_words, (4, length), generator=generator)
    languages_BL = torch.randint(0, shape.n_langs, (4, length), generator=generator)
    lengths_B = torch.tensor([length, length, length // 2, 1])
    model = bundle.language_model()
    hidden_BLE = model.transformer(tokens_BL, lengths_B, None, languages_BL)
    real_BL = torch.arange(length) < lengths_B[:, None]
    return torch.log_softmax(model.pred_layer(hidden_BLE[real_BL]), dim=-1)
