"""The files of mining: two texts that are not aligned, and gold pairs of their sentences."""

from pathlib import Path

from xlmkit.core.errors import UserError
from xlmkit.data.bitexts import GoldPairs, Sentences, check_gold, read_gold, read_sentences
from xlmkit.data.inputs import find_files
from xlmkit.evaluate.config import MinedFilesConfig, MiningConfig

_MEND = "ids: true"
_LOOKED_AT = 100  # lines of each file, before models are trained


def read_mined(
    files: MinedFilesConfig, config: MiningConfig, base: Path
) -> tuple[tuple[Sentences, Sentences], GoldPairs]:
    """Return the sentences of both languages, and their gold pairs.

    Raises:
        UserError: a file cannot be read, or there is no pair.
    """
    first, second = (
        read_sentences(_file(path, base), ids=config.ids, mend=_MEND)
        for path in (files.source, files.target)
    )
    return (first, second), read_gold(_file(files.gold, base), first, second)


def check_mined(config: MiningConfig, base: Path, place: str) -> None:
    """See that every path is one file, and that the files begin as they should.

    Args:
        config: the section.
        base: where relative paths start.
        place: where the section stands in the recipe.

    Raises:
        UserError: one is not.
    """
    for number, pair in enumerate(config.pairs):
        try:
            for files in filter(None, (pair.test, pair.valid)):
                for path in (files.source, files.target):
                    read_sentences(_file(path, base), ids=config.ids, mend=_MEND, most=_LOOKED_AT)
                check_gold(_file(files.gold, base), ids=config.ids, most=_LOOKED_AT)
        except UserError as error:
            raise UserError(f"{place}.pairs.{number}: {error}") from None


def _file(path: str, base: Path) -> Path:
    found = find_files(path, base)
    if len(found) > 1:
        raise UserError(f"{path} is {len(found)} files; name one.")
    return found[0]
