"""What is seen to of the lists that the Python classes are given."""

from collections.abc import Sequence

from xlmkit.core.errors import UserError


def check_list(texts: object, name: str = "texts") -> None:
    """See that texts are several, since a text alone would be read as a list of its letters.

    Raises:
        UserError: it is one text.
    """
    if isinstance(texts, str):
        raise UserError(f"The {name} are to be a list; give one text as [text].")


def check_as_many(others: Sequence[object], name: str, texts: Sequence[object]) -> None:
    """See that there is one of `others` for each text.

    Raises:
        UserError: there is not, or `others` is one text.
    """
    check_list(others, name)
    if len(others) != len(texts):
        raise UserError(f"There are {len(texts)} texts but {len(others)} {name} for them.")
