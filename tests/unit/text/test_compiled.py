import gc
import os
import subprocess
import sys
import weakref

import pytest

from xlmkit.core.native_sources import VARIABLE
from xlmkit.text import compiled
from xlmkit.text.bpe import Merges
from xlmkit.text.encoder import TextEncoder

CODE = """
import sys
from xlmkit.text import compiled, tokenizer
print(compiled.in_use(), any(name in sys.modules for name in ("torch", "transformers")))
"""


@pytest.mark.parametrize("value", ["0", "1"])
def test_a_variable_turns_it_off_and_torch_is_never_imported(value: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**os.environ, VARIABLE: value},
        check=True,
        capture_output=True,
        text=True,
    )
    assert answer.stdout.split() == [str(value == "1" and compiled.available()), "False"]


def test_it_is_used_or_not_inside_a_block() -> None:
    before = compiled.in_use()
    with compiled.using(False):
        assert not compiled.in_use()
        with compiled.using(True):
            assert compiled.in_use() == compiled.available()
    assert compiled.in_use() == before


@pytest.mark.parametrize("wanted", [True, False])
def test_an_encoder_goes_with_all_that_it_remembers(wanted: bool) -> None:
    with compiled.using(wanted):
        encoder = TextEncoder(Merges(()), {"a</w>": 0}, unknown=1)
        for language in ("en", "th"):
            encoder.encode_batch(["a b"], language)
    known = weakref.ref(encoder)
    del encoder
    gc.collect()
    assert known() is None
