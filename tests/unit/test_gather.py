"""What a run's figures are gathered to."""

from types import SimpleNamespace
from typing import Any

from xlmkit.gather import _durations


def test_a_translator_and_a_model_of_one_title_have_durations_of_their_own() -> None:
    one = SimpleNamespace(title="Ours", ready=False)
    plan: Any = SimpleNamespace(
        recipe=SimpleNamespace(finetune={}),
        stages=lambda _: [],
        models=lambda: {"a": one},
        translators=lambda: {"b": one},
        pretrained=lambda _: SimpleNamespace(seconds=1),
        measured=lambda _: SimpleNamespace(seconds=2),
        translated=lambda _: SimpleNamespace(seconds=3),
        tested=lambda _: SimpleNamespace(seconds=4),
    )
    assert list(_durations(plan).values()) == [1, 2, 3, 4]
