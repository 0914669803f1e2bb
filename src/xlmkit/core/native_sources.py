"""Whether a compiled part is to be used: if it is wanted, and of the sources that lie here.

`hatch_build.py` loads this file by its path, so it imports nothing of xlmkit.
"""

import hashlib
import os
import warnings
from pathlib import Path

VARIABLE = "XLMKIT_COMPILED"
WANTED = os.environ.get(VARIABLE, "1") != "0"
"""Whether the environment leaves them on."""


def sources_number(folder: Path) -> int:
    """Return 60 bits that stand for all sources in a folder."""
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.h"), *folder.glob("*.cpp")]):
        data = path.read_bytes()
        digest.update(f"{path.name} {len(data)}\n".encode())
        digest.update(data)
    return int(digest.hexdigest()[:15], 16)


def is_built_from(folder: Path, number: int | None) -> bool:
    """Tell whether a compiled part is of the sources that lie here, if they do; warn if not.

    Args:
        folder: where they lie.
        number: what it was told about its sources when it was built; None if nothing.
    """
    if not folder.is_dir() or number == sources_number(folder):
        return True
    warnings.warn(
        f"The compiled part of xlmkit for {folder.parent.name} is of another version and left out, "
        "which makes it slower; install xlmkit again.",
        RuntimeWarning,
        stacklevel=3,
    )
    return False
