"""What Python callers give in another form than is read is told in one sentence."""

from pathlib import Path
from typing import Any

import pytest
import torch

from xlmkit.core.errors import UserError
from xlmkit.generate.translator import SearchConfig, Translator


@pytest.mark.parametrize(
    ("texts", "how", "message"),
    [
        ([None], {}, r"texts\[0\] is None and no text"),
        (None, {}, "are to be a list of texts, and not None"),
        (["a", 3], {}, r"texts\[1\] is 3 and no text"),
        (["a"], {"search": {"beam_size": 2}}, "such as SearchConfig.*, and no dict"),
        (["a"], {"allowed": ["A"]}, "are to be what Translator.allowed_words"),
        (["a"], {"allowed": torch.ones(3, dtype=torch.bool)}, "Translator.allowed_words"),
        (["a"], {"prefixes": [None]}, r"prefixes\[0\] is None"),
        (["a"], {"first": -1, "search": SearchConfig(sample=True)}, "counts from 0"),
    ],
)
def test_what_is_of_another_form_is_refused(
    reversing_translator: Path, texts: Any, how: dict[str, Any], message: str
) -> None:
    translator = Translator.from_pretrained(reversing_translator)
    with pytest.raises(UserError, match=message):
        translator.translate(texts, "en", "fr", **how)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"beam": 2}, "^SearchConfig: the search has no key 'beam'"),
        ({"beam_size": -1}, "beam_size must be at least 0, not -1"),
        ({"rules": "own"}, "rules cannot be 'own'"),
        ({"beam_size": "many"}, "beam_size"),
    ],
)
def test_a_search_that_cannot_be_is_one_sentence(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        SearchConfig(**values)
