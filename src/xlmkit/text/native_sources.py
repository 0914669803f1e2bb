"""Which sources the compiled part was built from: what is older than its Python is not to be used.

`hatch_build.py` loads this file by its path, so it imports nothing of xlmkit.
"""

import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent / "native"


def sources_number(folder: Path = FOLDER) -> int:
    """Return 60 bits that stand for all sources in a folder."""
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.h"), *folder.glob("*.cpp")]):
        data = path.read_bytes()
        digest.update(f"{path.name} {len(data)}\n".encode())
        digest.update(data)
    return int(digest.hexdigest()[:15], 16)
