"""The package is there without keras, and says what its names need."""

import importlib.util
import subprocess
import sys

import pytest

import xlmkit.keras


def test_importing_the_package_takes_no_keras() -> None:
    script = "import sys, xlmkit.keras; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = set(result.stdout.split())
    assert "xlmkit.keras" in loaded
    assert not loaded & {"keras", "tensorflow", "jax", "torch", "transformers"}


def test_a_missing_keras_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.delitem(vars(xlmkit.keras), "TFXLMModel", raising=False)
    with pytest.raises(ImportError, match=r"TFXLMModel needs keras;.*'xlmkit\[keras\]'"):
        _ = xlmkit.keras.TFXLMModel


def test_other_names_are_not_there() -> None:
    assert "TFXLMForTokenClassification" in dir(xlmkit.keras)
    with pytest.raises(AttributeError, match="no attribute 'TFXLMFor'"):
        _ = xlmkit.keras.TFXLMFor
