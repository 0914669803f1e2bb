"""Opening what others have saved, by the Auto classes of `transformers`: quietly, or one sentence.

Only files on this machine are read, no code that lies beside a model is run, and weights come as
float32. Missing weights are a mistake here, not a reason to go on with random ones.
"""

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from xlmkit.core.errors import UserError

_POOLER = "pooler"  # of a base model; those that were pretrained without one get a fresh one


@contextmanager
def quietly(folder: Path, what: str) -> Iterator[None]:
    """Keep reports, bars and warnings of `transformers` away, and tell a failure in one sentence.

    Args:
        folder: what is opened.
        what: the part of it that is, for the sentence.

    Raises:
        UserError: anything but a stop by the user went wrong in the block.
    """
    from transformers.utils import logging as their_logging

    verbosity, bars = their_logging.get_verbosity(), their_logging.is_progress_bar_enabled()
    their_logging.set_verbosity(logging.CRITICAL)
    their_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except UserError:
        raise
    except Exception as error:  # of any kind: it is their code, on files of unknown origin
        said = re.split(r"[.:]?(?:\s*\n|\.\s|$)", str(error).strip(), maxsplit=1)[0]
        raise UserError(
            f"{what} of {folder} cannot be opened ({type(error).__name__}: {said}); see that all "
            "its files are there, whole, and of a version that transformers reads."
        ) from error
    finally:
        their_logging.set_verbosity(verbosity)
        if bars:
            their_logging.enable_progress_bar()


def open_config(folder: Path, model_type: str) -> Any:  # noqa: ANN401 - their class
    """Open the configuration of a model that can be made a classifier.

    Raises:
        UserError: `transformers` is missing, does not know the family, or has no classifier of it.
    """
    try:
        import transformers
        from transformers.models.auto.modeling_auto import (
            MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
        )
    except ImportError:
        raise UserError(
            "models of other families than XLM need an extra: pip install 'xlmkit[hf]'."
        ) from None
    if model_type not in transformers.CONFIG_MAPPING:
        raise UserError(
            f"{folder} is of the family {model_type!r}, which transformers "
            f"{transformers.__version__} does not know."
        )
    with quietly(folder, "The configuration"):
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    if type(config) not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        raise UserError(
            f"{folder} is of the family {model_type!r}, of which transformers "
            f"{transformers.__version__} has no classifier."
        )
    return config


def open_tokenizer(folder: Path, config: Any) -> Any:  # noqa: ANN401 - their class
    """Open the tokenizer that belongs to a model; one without a token for padding gets one.

    Raises:
        UserError: there is none, it cannot be opened, or it has more tokens than the model.
    """
    from transformers import AutoTokenizer

    _check_sentencepiece(folder)
    with quietly(folder, "The tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    # Where the files are missing, an empty one is made up.
    if len(tokenizer) <= len(tokenizer.all_special_tokens):
        raise UserError(f"{folder} has no tokenizer; put its files beside the model.")
    known = getattr(config, "vocab_size", None)
    if known is not None and len(tokenizer) > known:
        raise UserError(
            f"{folder}: the tokenizer has {len(tokenizer):,} tokens but the model only {known:,}; "
            "use the tokenizer that the model was trained with."
        )
    if tokenizer.pad_token_id is None:  # padding is masked, so that any token will do
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
        if tokenizer.pad_token_id is None:
            raise UserError(f"{folder}: the tokenizer has no token for padding; give it one.")
    if config.pad_token_id is None:
        config.pad_token_id = tokenizer.pad_token_id
    return tokenizer


def _check_sentencepiece(folder: Path) -> None:
    """See that what reads a sentencepiece model is there, where there is no other tokenizer."""
    from transformers.utils.import_utils import is_protobuf_available, is_sentencepiece_available

    if (folder / "tokenizer.json").is_file() or not any(folder.glob("*.model")):
        return
    if not (is_sentencepiece_available() and is_protobuf_available()):
        raise UserError(
            f"{folder} has a sentencepiece tokenizer, which needs the packages sentencepiece and "
            "protobuf: pip install 'xlmkit[hf]'."
        )


def open_model(auto_class: Any, folder: Path, config: Any) -> Any:  # noqa: ANN401 - their classes
    """Open a model with its weights in float32; a head that the checkpoint has not is fresh.

    Args:
        auto_class: the name of an Auto class, such as "AutoModel".
        folder: where it is.
        config: its configuration, perhaps changed.

    Raises:
        UserError: weights are missing, damaged, or do not fit the configuration.
    """
    import torch
    import transformers

    with quietly(folder, "The weights"):
        model, report = getattr(transformers, auto_class).from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            local_files_only=True,
            ignore_mismatched_sizes=True,  # of a head for other classes; the others are seen below
            output_loading_info=True,
        )
    prefix = f"{model.base_model_prefix}." if model.base_model is not model else ""
    strange = {str(key[0]) for key in report["mismatched_keys"]} | set(report["missing_keys"])
    strange = {name for name in strange if name.startswith(prefix) and _POOLER not in name}
    if strange:
        raise UserError(
            f"The weights of {folder} do not fit its config.json: {len(strange)} parameters, such "
            f"as {min(strange)}, are missing or of another size."
        )
    return model
