"""What is wrong in a task's files: counted where they are read, and kept for the report."""

from collections import Counter
from dataclasses import dataclass, field

from xlmkit.data.inputs import BadLines


@dataclass(frozen=True, slots=True)
class BadInput:
    """How often what is wrong, in which files of a task.

    Attributes:
        counts: train, valid or test -> language, empty where a line does not tell it -> reason ->
            number of lines, sentences, questions or texts.
    """

    counts: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)

    def add(self, part: str, language: str, reason: str, n: int) -> None:
        """Count what is left out for a reason, or is odd but kept, as the reason then says.

        Args:
            part: train, valid or test.
            language: of all of it.
            reason: what is wrong.
            n: how many there are; none is nothing to be told.
        """
        if n:
            self.counts.setdefault(part, {}).setdefault(language, Counter())[reason] += n

    def take(self, part: str, bad: BadLines) -> None:
        """Count what a reader could not use of a source."""
        for language, reasons in bad.languages.items():
            for reason, n in reasons.items():
                self.add(part, language, reason, n)
        for language, n in bad.elsewhere.items():
            self.add(part, language, "a language that the recipe does not name", n)

    def to_json(self) -> dict[str, dict[str, dict[str, int]]]:
        """Return the counts as results.json has them."""
        return {
            part: {code: dict(reasons) for code, reasons in languages.items()}
            for part, languages in self.counts.items()
        }
