"""What is seen to of the lists that the Python classes are given."""

from collections.abc import Iterable, Sequence

from xlmkit.core.errors import UserError


def check_list(texts: object, name: str = "texts") -> None:
    """See that texts are several, since a text alone would be read as a list of its letters.

    Raises:
        UserError: it is one text.
    """
    if isinstance(texts, str):
        raise UserError(f"The {name} are to be a list; give one text as [text].")


def checked_texts(texts: object, name: str = "texts") -> list[str]:
    """Return texts as a list.

    Raises:
        UserError: it is one text, no list, or has something that is no text.
    """
    check_list(texts, name)
    if not isinstance(texts, Iterable):
        raise UserError(f"The {name} are to be a list of texts, and not {texts!r}.")
    made = list(texts)
    for number, text in enumerate(made):
        if not isinstance(text, str):
            raise UserError(
                f"{name}[{number}] is {text!r} and no text; give every place a str, an empty one "
                "where there is nothing."
            )
    return made


def check_as_many(others: Sequence[object], name: str, texts: Sequence[object]) -> None:
    """See that there is one of `others` for each text.

    Raises:
        UserError: there is not, or `others` is one text.
    """
    check_list(others, name)
    if len(others) != len(texts):
        raise UserError(f"There are {len(texts)} texts but {len(others)} {name} for them.")
