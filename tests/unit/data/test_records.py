import pytest

from xlmkit.data.records import Record


def test_round_trip_keeps_order_scripts_and_missing_label() -> None:
    record = Record({"zh": "保存文件", "ar": "حفظ الملف"}, "menu", "a.tsv:3")
    line = record.to_json()
    assert "\n" not in line
    assert "保存" in line  # readable, not escaped
    again = Record.from_json(line)
    assert again == record
    assert again.pivot == ("zh", "保存文件")
    assert list(again.texts) == ["zh", "ar"]


def test_line_separators_inside_a_text_do_not_break_the_line() -> None:
    record = Record({"en": "one\ntwo\u2028three"}, "s", "w", "x")
    assert "\n" not in record.to_json()
    assert Record.from_json(record.to_json()) == record


def test_a_missing_field_is_an_error() -> None:
    with pytest.raises(KeyError):
        Record.from_json('{"texts": {"en": "a"}}')
