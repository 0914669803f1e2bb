import pytest

from xlmkit.core.errors import UserError
from xlmkit.text.vocabulary import BOS, EOS, MASK, PAD, SPECIAL_TOKENS, UNK, Vocabulary


def test_special_tokens_have_the_ids_of_xlm() -> None:
    vocabulary = Vocabulary.from_counts({"a": 1})
    named = {"<s>": BOS, "</s>": EOS, "<pad>": PAD, "<unk>": UNK, "<special1>": MASK}
    assert {symbol: vocabulary.id(symbol) for symbol in named} == named
    assert (BOS, EOS, PAD, UNK, MASK) == (0, 1, 2, 3, 5)
    assert vocabulary.id("<special9>") == 13


def test_symbols_are_ordered_by_count_and_then_by_themselves() -> None:
    vocabulary = Vocabulary.from_counts({"b": 2, "в</w>": 5, "a": 2, "<unk>": 9, "中": 2.5})
    assert vocabulary.symbols[14:] == ("в</w>", "中", "a", "b")
    assert len(vocabulary) == 18
    assert list(vocabulary) == list(vocabulary.symbols)


def test_what_is_not_there_is_unknown() -> None:
    vocabulary = Vocabulary.from_counts({"a": 1})
    assert vocabulary.id("b") == UNK
    assert vocabulary.symbol(14) == "a"
    assert vocabulary.symbol(15) == vocabulary.symbol(-1) == "<unk>"
    assert "a" in vocabulary
    assert "b" not in vocabulary


@pytest.mark.parametrize(
    ("symbols", "message"),
    [(["a", *SPECIAL_TOKENS], "special"), ([*SPECIAL_TOKENS, "a", "b", "a"], "'a' twice")],
)
def test_a_wrong_order_is_refused(symbols: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Vocabulary(symbols)
