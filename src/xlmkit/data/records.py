"""The one value that flows from the readers to the corpus: a text with its translations."""

import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    """One text, or several that are translations of one another.

    Attributes:
        texts: language -> text; at least one, and the first is the pivot: the text by which
            duplicates are found and splits are made.
        source: the name of the recipe's source that the record came from.
        where: the place in that source: "file:line", or "wheel!member" for a catalog in a wheel.
        label: the class of the record, if it has one.
        others: what a task reads beside its single text, in the same language: the second of a
            pair, or choices. The corpus does not keep them.
    """

    texts: Mapping[str, str]
    source: str
    where: str
    label: str | None = None
    others: tuple[str, ...] = ()

    @property
    def pivot(self) -> tuple[str, str]:
        """The language and the text of the pivot."""
        return next(iter(self.texts.items()))

    def to_json(self) -> str:
        """Return the record as one line of JSON, without a line end."""
        return json.dumps(
            {
                "texts": dict(self.texts),
                "source": self.source,
                "where": self.where,
                "label": self.label,
            },
            ensure_ascii=False,
        )

    @classmethod
    def from_json(cls, line: str) -> "Record":
        """Read what `to_json` wrote.

        Raises:
            ValueError: the line is not JSON.
            KeyError: a field is missing.
        """
        fields = json.loads(line)
        return cls(fields["texts"], fields["source"], fields["where"], fields["label"])
