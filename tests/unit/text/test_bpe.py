import random

from xlmkit.text.bpe import BytePairEncoder, Merges, apply_merges, initial_symbols

UNKNOWN = 99


def ids_of(merges: Merges, *without: str) -> dict[str, int]:
    symbols = {s for a, b in merges.pairs for s in (a, b, a + b)} - set(without)
    return {symbol: index for index, symbol in enumerate(sorted(symbols))}


def test_the_last_character_carries_the_end_of_word() -> None:
    assert initial_symbols("язык") == ["я", "з", "ы", "к</w>"]
    assert initial_symbols("x") == ["x</w>"]


def test_merges_apply_in_the_order_of_their_ranks() -> None:
    merges = Merges((("a", "b"), ("b", "a"), ("ab", "ab</w>"), ("a", "b</w>")))
    assert apply_merges("bab", merges.ranks()) == ["ba", "b</w>"]
    assert apply_merges("aba", merges.ranks()) == ["ab", "a</w>"]
    assert apply_merges("abab", merges.ranks()) == ["abab</w>"]


def test_all_occurrences_merge_from_left_to_right() -> None:
    ranks = Merges((("a", "a"),)).ranks()
    assert apply_merges("aaaaaa", ranks) == ["aa", "aa", "a", "a</w>"]


def test_the_encoder_maps_pieces_without_an_id_to_unknown() -> None:
    merges = Merges((("a", "b"), ("ab", "c</w>")))
    vocabulary = ids_of(merges, "abc</w>", "b")
    encoder = BytePairEncoder(merges, vocabulary, UNKNOWN)
    assert encoder.encode(["abc", "ab", "b?a", "ac"]) == [
        [UNKNOWN],
        [vocabulary["a"], UNKNOWN],
        [UNKNOWN, UNKNOWN, UNKNOWN],
        [vocabulary["a"], vocabulary["c</w>"]],
    ]


def test_a_space_in_a_word_ends_as_pieces_that_no_vocabulary_has() -> None:
    encoder = BytePairEncoder(Merges((("a", "b</w>"),)), {"a": 0, "b</w>": 1}, UNKNOWN)
    assert encoder.encode([" ", "a b"]) == [[UNKNOWN] * 2, [0, UNKNOWN, UNKNOWN, 1]]


def test_repeated_pairs_merge_as_in_the_reference_where_an_earlier_merge_waits() -> None:
    # "ab" comes about by rank 3, and rank 2 consumes it: one at a time, "ab"+"a" would win.
    merges = Merges((("x", "x"), ("y", "y"), ("ab", "a"), ("a", "b")))
    vocabulary = ids_of(merges)
    encoder = BytePairEncoder(merges, vocabulary, UNKNOWN)
    pieces = apply_merges("ababy", merges.ranks())
    assert pieces == ["ab", "ab", "y</w>"]
    assert encoder.encode(["ababy"]) == [[vocabulary["ab"], vocabulary["ab"], UNKNOWN]]


def test_any_merges_give_what_the_reference_gives() -> None:
    rng = random.Random(7)
    repeated = 0
    for _ in range(150):
        symbols = ["a", "b", "c", "a</w>", "b</w>", "c</w>"]
        pairs: dict[tuple[str, str], None] = {}
        for _ in range(rng.randint(1, 15)):
            inner = [symbol for symbol in symbols if not symbol.endswith("</w>")]
            pair = (rng.choice(inner), rng.choice(symbols))
            pairs[pair] = None
            symbols.append(pair[0] + pair[1])
        order = list(pairs)
        rng.shuffle(order)
        merges = Merges(tuple(order))
        vocabulary = ids_of(merges)
        encoder = BytePairEncoder(merges, vocabulary, UNKNOWN)
        words = [
            "".join(rng.choices("abcz", (9, 9, 9, 1), k=rng.randint(1, 14))) for _ in range(40)
        ]
        ranks = merges.ranks()
        expected = [[vocabulary.get(p, UNKNOWN) for p in apply_merges(w, ranks)] for w in words]
        assert encoder.encode(words) == expected
        repeated += sum(any(w.count(a + b) > 1 for a, b in order) for w in words)
    assert repeated > 1000


def test_half_surrogates_are_unknown() -> None:
    encoder = BytePairEncoder(Merges((("a", "b"),)), {"a": 0, "ab": 1, "a</w>": 2}, UNKNOWN)
    assert encoder.encode(["ab\ud800a", "\udfff"]) == [[1, UNKNOWN, 2], [UNKNOWN]]
    assert encoder.pieces(["ab\ud800a", "\udfff"]) == [["ab", "\ud800", "a</w>"], ["\udfff</w>"]]
