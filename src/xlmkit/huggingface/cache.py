"""Hugging Face's caches, as the attention of `xlmkit.model` asks for them."""

from typing import Any

from torch import Tensor
from transformers.cache_utils import Cache, DynamicCache, EncoderDecoderCache

from xlmkit.model.cache import KeysAndValues


class HuggingFacePast:
    """A `transformers` cache, of itself or with the source's beside it."""

    def __init__(self, cache: Cache) -> None:
        both = cache if isinstance(cache, EncoderDecoderCache) else None
        self._both = both
        self._own: Cache = cache if both is None else both.self_attention_cache

    @property
    def length(self) -> int:
        """How many positions are held."""
        return int(self._own.get_seq_length())

    def extend(self, layer: int, key_BHLD: Tensor, value_BHLD: Tensor) -> KeysAndValues:
        """Add a layer's keys and values, and return all of them."""
        key, value = self._own.update(key_BHLD, value_BHLD, layer)
        n_filled = int(self._own.get_seq_length(layer))  # a static cache returns empty places too
        return key[:, :, :n_filled], value[:, :, :n_filled]

    def source(self, layer: int) -> KeysAndValues | None:
        """Return a layer's keys and values of the source, None before they were kept."""
        if self._both is None or not self._both.is_updated.get(layer):
            return None
        kept: Any = self._both.cross_attention_cache.layers[layer]
        return kept.keys, kept.values

    def keep_source(self, layer: int, key_BHKD: Tensor, value_BHKD: Tensor) -> None:
        """Keep a layer's keys and values of the source."""
        if self._both is not None:
            self._both.cross_attention_cache.update(key_BHKD, value_BHKD, layer)
            self._both.is_updated[layer] = True


def new_cache(*, with_source: bool) -> Cache:
    """Return an empty cache."""
    if with_source:
        return EncoderDecoderCache(DynamicCache(), DynamicCache())
    return DynamicCache()
