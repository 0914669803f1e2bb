"""Which folder holds a model, and what is said where another one is named."""

from pathlib import Path

from xlmkit.core.errors import UserError

_BELOW = ("*", "pretrain/*", "translation/*", "finetune/*/*")
"""Where a run, or a part of one, has models."""

_SHOWN = 3


def check_model_folder(folder: Path) -> None:
    """See that a folder is there and may hold a model.

    Raises:
        UserError: it is missing, a file, or holds models in folders of their own.
    """
    if not folder.exists():
        raise UserError(f"There is no folder {folder}.")
    if not folder.is_dir():
        raise UserError(f"{folder} is a file; name the folder of a model.")
    if (folder / "config.json").is_file():
        return
    models = sorted(path.parent for way in _BELOW for path in folder.glob(f"{way}/config.json"))
    if models:
        names = ", ".join(map(str, models[:_SHOWN]))
        raise UserError(f"{folder} is no model but holds some; name one, such as {names}.")
    raise UserError(f"{folder} has no config.json; is it a model's folder?")
