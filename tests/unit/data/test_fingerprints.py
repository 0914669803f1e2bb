import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlmkit.data.fingerprints import BANDS, LONG, bands, fingerprint, mix, skeleton


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Save as...", "save AS", True),
        ("Straße 12", "STRASSE 9", True),
        ("保存 文件。", "保存文件", True),
        ("हिन्दी", "हिन्द", False),  # the vowel sign makes another word
        ("saved", "save", False),
    ],
)
def test_skeleton(one: str, other: str, same: bool) -> None:
    assert (skeleton(one) == skeleton(other)) is same


def test_fingerprints_depend_on_the_language_and_never_change() -> None:
    assert fingerprint("no", "es") != fingerprint("no", "it")
    assert fingerprint("файл", "ru") == 0x72C5797A11504633  # on any machine


def _share_a_band(one: str, other: str) -> bool:
    first, second = bands(one, "en"), bands(other, "en")
    assert first is not None
    assert second is not None
    return bool((first == second).any())


def test_bands_tell_near_from_far() -> None:
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(4000)]
    near = far = 0
    for _ in range(100):
        text = list(rng.choice(words, 60))
        one_changed, half_changed = text.copy(), text.copy()
        one_changed[30] = "changed"
        half_changed[:30] = rng.choice(words, 30)
        near += _share_a_band(" ".join(text), " ".join(one_changed))  # Jaccard 57 / 61
        far += _share_a_band(" ".join(text), " ".join(half_changed))  # Jaccard about 1 / 3
    assert near >= 98
    assert far == 0


def test_only_long_texts_have_bands() -> None:
    assert bands("word " * (LONG - 1), "en") is None
    keys = bands("word " * LONG, "en")
    assert keys is not None
    assert keys.shape == (BANDS,)
    assert bands("字" * LONG, "zh") is not None
    other = bands("word " * LONG, "de")
    assert other is not None
    assert not (keys == other).any()


@given(st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=50, unique=True))
def test_mix_keeps_different_keys_different(values: list[int]) -> None:
    mixed = mix(np.array(values, dtype=np.uint64))
    assert len(np.unique(mixed)) == len(values)
