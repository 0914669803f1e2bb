"""The ten models that the original project published: what their files do not say.

Languages stand in the order of their ids, which is the alphabet's: the original sorts them. Source:
the READMEs of facebookresearch/XLM and of the models' cards.
"""

from dataclasses import dataclass
from difflib import get_close_matches

from xlmkit.core.errors import UserError
from xlmkit.text.languages import XLM_17, XLM_100, XNLI_15


@dataclass(frozen=True, slots=True)
class Published:
    """What has to be known of a published model.

    Attributes:
        languages: in the order of their ids.
        lowercase_and_remove_accent: whether its text was lower-cased and stripped of accents.
        causal: whether it is a left-to-right model (CLM).
        language_embeddings: whether tokens carry their language.
        sequence_form: what it was trained on: `original` is `</s> A </s>`.
    """

    languages: tuple[str, ...]
    lowercase_and_remove_accent: bool = True
    causal: bool = False
    language_embeddings: bool = True
    sequence_form: str = "original"


PUBLISHED = {
    "xlm-mlm-en-2048": Published(("en",), language_embeddings=False),
    "xlm-mlm-ende-1024": Published(("de", "en")),
    "xlm-mlm-enfr-1024": Published(("en", "fr")),
    "xlm-mlm-enro-1024": Published(("en", "ro")),
    "xlm-mlm-xnli15-1024": Published(tuple(sorted(XNLI_15))),
    "xlm-mlm-tlm-xnli15-1024": Published(tuple(sorted(XNLI_15))),
    "xlm-clm-enfr-1024": Published(("en", "fr"), causal=True),
    "xlm-clm-ende-1024": Published(("de", "en"), causal=True),
    "xlm-mlm-17-1280": Published(
        tuple(sorted(XLM_17)), lowercase_and_remove_accent=False, language_embeddings=False
    ),
    "xlm-mlm-100-1280": Published(
        tuple(sorted(XLM_100)), lowercase_and_remove_accent=False, language_embeddings=False
    ),
}


def published(name: str) -> Published:
    """Return what is known of a published model.

    Raises:
        UserError: there is none of this name; the nearest is named.
    """
    if name not in PUBLISHED:
        near = get_close_matches(name, PUBLISHED, n=1, cutoff=0.0)
        raise UserError(
            f"There is no published model {name!r}; did you mean {near[0]}? The names are "
            f"{', '.join(PUBLISHED)}."
        )
    return PUBLISHED[name]
