"""Corpora larger than the real text at hand, of the same words."""

from collections.abc import Iterator

MEGABYTE = 1_000_000


def larger(texts: dict[str, list[str]], megabytes: float) -> Iterator[tuple[str, str]]:
    """Yield (language, line) of so much text, spread over the languages as it is.

    After the text itself come copies that join the first half of each line to the second half of
    another one, so that no line repeats another, though the words do.
    """
    whole = sum(len(line.encode()) + 1 for lines in texts.values() for line in lines)
    copies = megabytes * MEGABYTE / whole
    for language, lines in texts.items():
        for copy in range(int(copies) + 1):
            wanted = len(lines) if copy < int(copies) else int(copies % 1 * len(lines))
            for line in _crossed(lines, wanted, copy):
                yield language, line


def _crossed(lines: list[str], count: int, copy: int) -> Iterator[str]:
    for number, line in enumerate(lines[:count]):
        words = line.split()
        other = lines[(number + 7919 * copy) % len(lines)].split()
        yield " ".join(words[: len(words) // 2] + other[len(other) // 2 :] if copy else words)
