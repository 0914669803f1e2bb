import pytest

from xlmkit.text import pieces
from xlmkit.text.cuts import cutter
from xlmkit.text.moses import moses_words
from xlmkit.text.pieces import LONGEST_PIECE, PieceEncoder


class Recorder:
    """Gives each word its length as id, and notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, rows: list[list[str]]) -> list[list[int]]:
        self.asked += rows
        return [[len(word) for word in row] for row in rows]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def encoder(recorder: Recorder) -> PieceEncoder:
    return PieceEncoder(cutter("en"), lambda text: moses_words(text, "en"), recorder)


def test_a_piece_is_worked_out_once(encoder: PieceEncoder, recorder: Recorder) -> None:
    assert encoder.encode(["one, two", "two one,", ""]) == [[3, 1, 3], [3, 3, 1], []]
    assert recorder.asked == [["one", ","], ["two"], []]
    assert encoder.encode(["two two"]) == [[3, 3]]
    assert len(recorder.asked) == 3


def test_a_text_that_stays_whole_is_not_remembered(
    encoder: PieceEncoder, recorder: Recorder
) -> None:
    for _ in range(2):
        assert encoder.encode(["four  five", "four"]) == [[4, 4], [4]]
    assert recorder.asked == [["four"], ["four", "five"], ["four", "five"]]


def test_memory_is_bounded(
    encoder: PieceEncoder, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "MAXIMUM_PIECES", 1)
    for text in ("one two", "three", "one"):
        encoder.encode([text])
    assert [row[0] for row in recorder.asked] == ["one", "two", "three", "one"]


def test_long_pieces_are_not_remembered(encoder: PieceEncoder, recorder: Recorder) -> None:
    texts = [f"{'a' * LONGEST_PIECE} {'b' * (LONGEST_PIECE + 1)}"]
    for _ in range(2):
        assert encoder.encode(texts) == [[LONGEST_PIECE, LONGEST_PIECE + 1]]
    assert [row[0][0] for row in recorder.asked] == ["a", "b", "b"]
