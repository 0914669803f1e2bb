"""Numbers and names as people read them."""

import math

PLUS_MINUS = "\N{PLUS-MINUS SIGN}"
MISSING = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
_WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)


def hundredths(share: float) -> str:
    """Return a share in percent without the sign: 0.7123 is "71.2"."""
    if not math.isfinite(share):
        return MISSING
    text = f"{share * 100:.1f}".replace("-", _MINUS)
    return text if text != f"{_MINUS}0.0" else "0.0"


def percent(share: float) -> str:
    """Return a share in percent: 0.7123 is "71.2%"."""
    return f"{hundredths(share)}%" if math.isfinite(share) else MISSING


def points(difference: float) -> str:
    """Return a difference of shares in signed percentage points: -0.123 is "\N{MINUS SIGN}12.3"."""
    if not math.isfinite(difference):
        return MISSING
    text = f"{abs(difference) * 100:.1f}"
    if text == "0.0":
        return text
    return ("+" if difference > 0 else _MINUS) + text


def number(value: float) -> str:
    """Return a number with three figures or more: 3.217 is "3.22", 15900.4 is "15,900"."""
    if not math.isfinite(value):
        return MISSING
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{min(digits, 6)}f}".replace("-", _MINUS)


def count(value: float) -> str:
    """Return a whole number with its thousands parted: 15900 is "15,900"."""
    return f"{round(value):,}"


def large(value: float) -> str:
    """Return a large number in short: 2600000 is "2.6 million"."""
    for size, name in ((1e9, "billion"), (1e6, "million")):
        if value >= size:
            return f"{value / size:.3g} {name}"
    return count(value)


def duration(seconds: float) -> str:
    """Return a time: 372 is "6 min 12 s", 3840 is "1 h 04 min", 4.2 is "4.2 s"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def words(value: int) -> str:
    """Return a small number in words: 6 is "six", 15 is "15"."""
    return _WORDS[value] if 0 <= value < len(_WORDS) else count(value)


def listed(names: list[str]) -> str:
    """Return names as a list in a sentence: "French, German and Russian"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
