"""Words with their translations, as MUSE and others give them: two columns, a pair on each line."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from xlmkit.core.errors import UserError
from xlmkit.core.files import open_lines
from xlmkit.core.log import say
from xlmkit.data.inputs import find_files
from xlmkit.data.measures import normalize
from xlmkit.evaluate.config import DictionaryConfig


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A dictionary of one direction.

    Attributes:
        source: language of the words.
        target: language of the translations.
        translations: word to its translations, in the order of the file.
        candidates: the words among which a translation is sought, each once.
    """

    source: str
    target: str
    translations: Mapping[str, tuple[str, ...]]
    candidates: tuple[str, ...]


def read_dictionary(config: DictionaryConfig, base: Path) -> Dictionary:
    """Read a dictionary; lines that are no pair are counted and told.

    Args:
        config: the section.
        base: where relative paths start.

    Raises:
        UserError: a file is missing or not UTF-8, or has no pair of words.
    """
    found: dict[str, dict[str, None]] = {}
    bad: list[str] = []
    for path in find_files(config.path, base):
        for number, line in open_lines(path):
            cells = line.split("\t") if "\t" in line else line.split()
            words = [normalize(cell) for cell in cells]
            if len(words) == 2 and all(words):
                found.setdefault(words[0], {})[words[1]] = None
            elif any(words):
                bad.append(f"{path.name}:{number}")
    if bad:
        say(
            f"{config.path}: {len(bad)} line{'s' * (len(bad) > 1)} left out, not two words with a "
            f"tab or a space between: {', '.join(bad[:5])}"
        )
    if not found:
        raise UserError(
            f"{config.path} has no pair of words; give a file with a word and its translation on "
            "each line, with a tab or a space between."
        )
    translations = {word: tuple(meanings) for word, meanings in found.items()}
    candidates = dict.fromkeys(one for meanings in translations.values() for one in meanings)
    if config.words is not None:
        # What is to be found stands among the candidates, whatever the list says.
        candidates |= dict.fromkeys(_words(config.words, base))
    return Dictionary(config.source, config.target, translations, tuple(candidates))


def _words(pattern: str, base: Path) -> list[str]:
    lines = [line for path in find_files(pattern, base) for _, line in open_lines(path)]
    return [word for word in map(normalize, lines) if word]
