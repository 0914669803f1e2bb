import struct

import pytest

from xlmkit.data.catalogs import Catalog, Entry, parse_catalog

_PO = r"""
# translator's comment
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"
"Language: ru\n"
"Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 ? 1 : 2);\n"

#: app.py:1
msgid "Open \"file\""
msgstr ""
"Открыть "
"«файл»\n"

#, fuzzy, c-format
#| msgid "Shut"
msgid "Close"
msgstr "Закрыто"
msgctxt "menu"
msgid "Save"
msgstr "Сохранить"

msgid "%d file"
msgid_plural "%d files"
msgstr[0] "%d файл"
msgstr[1] "%d файла"
msgstr[2] "%d файлов"

msgid "Untranslated"
msgstr ""

this is not a line
#~ msgid "Old"
#~ msgstr "Старый"
"""


def _mo(pairs: dict[str, str], order: str = "<") -> bytes:
    """Lay out a compiled catalog as the manual of GNU gettext says."""
    items = sorted((key.encode(), text.encode()) for key, text in pairs.items())
    start = 28 + 16 * len(items)
    tables: list[list[int]] = [[], []]
    blob = b""
    for column in (0, 1):
        for item in items:
            tables[column] += [len(item[column]), start + len(blob)]
            blob += item[column] + b"\0"
    head = struct.pack(f"{order}7I", 0x950412DE, 0, len(items), 28, 28 + 8 * len(items), 0, 0)
    return head + struct.pack(f"{order}{4 * len(items)}I", *tables[0], *tables[1]) + blob


def _ignore(number: int, reason: str) -> None:
    raise AssertionError((number, reason))


def test_po_entries_and_what_is_left_out() -> None:
    bad: list[int] = []
    catalog = parse_catalog(_PO.encode(), lambda number, _: bad.append(number))
    assert catalog.entries == (
        Entry(None, 'Open "file"', None, ("Открыть «файл»\n",)),
        Entry("menu", "Save", None, ("Сохранить",)),
        Entry(None, "%d file", "%d files", ("%d файл", "%d файла", "%d файлов")),
    )
    assert catalog.header["language"] == "ru"
    assert bad == [1 + _PO.split("\n").index("this is not a line")]


def test_three_plural_forms_give_only_the_singular() -> None:
    catalog = parse_catalog(_PO.encode(), lambda *_: None)
    assert dict(catalog.pairs())[None, "%d file"] == "%d файл"
    assert (None, "%d files") not in dict(catalog.pairs())


@pytest.mark.parametrize(
    ("rule", "forms", "expected"),
    [
        ("nplurals=2; plural=n != 1;", ("Datei", "Dateien"), {"file": "Datei", "files": "Dateien"}),
        ("nplurals=1; plural=0;", ("文件",), {"file": "文件"}),
        (  # Arabic has a form for nothing before the one for one thing
            "nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n<11 ? 3 : n<100 ? 4 : 5;",
            ("لا ملف", "ملف واحد", "ملفان", "ملفات", "ملفا", "ملف"),
            {"file": "ملف واحد"},
        ),
        ("nplurals=2; plural=__import__('os');", ("a", "b"), {"file": "a"}),
        ("", ("a", "b"), {"file": "a"}),
    ],
)
def test_plural_forms_by_the_rule_of_the_language(
    rule: str, forms: tuple[str, ...], expected: dict[str, str]
) -> None:
    catalog = Catalog((Entry(None, "file", "files", forms),), {"plural-forms": rule})
    assert {message: text for (_, message), text in catalog.pairs()} == expected


@pytest.mark.parametrize("order", ["<", ">"])
def test_mo_in_both_byte_orders(order: str) -> None:
    data = _mo(
        {
            "": "Content-Type: text/plain; charset=utf-8\nPlural-Forms: nplurals=2; plural=n>1;\n",
            "menu\x04Save": "Kaydet",
            "file\0files": "dosya\0dosyalar",
            "Empty": "",
            "context only\x04": "x",
        },
        order,
    )
    catalog = parse_catalog(data, _ignore)
    assert catalog.entries == (
        Entry(None, "file", "files", ("dosya", "dosyalar")),
        Entry("menu", "Save", None, ("Kaydet",)),
    )
    assert catalog.header["plural-forms"] == "nplurals=2; plural=n>1;"


@pytest.mark.parametrize("cut", [5, 20, 40, -1])
def test_a_cut_mo_is_damaged_but_never_crashes(cut: int) -> None:
    data = _mo({"": "Content-Type: text/plain; charset=utf-8\n", "One": "Eins", "Two": "Zwei"})
    with pytest.raises(ValueError, match="damaged"):
        parse_catalog(data[:cut] if cut > 0 else data[:-6], _ignore)


def test_charset_of_the_header() -> None:
    po = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=ISO-8859-9\\n"\n'
    po += 'msgid "Flag"\nmsgstr "İşaret"\n'
    catalog = parse_catalog(po.encode("iso-8859-9"), _ignore)
    assert catalog.entries[0].translations == ("İşaret",)
    with pytest.raises(ValueError, match="not utf-8"):
        parse_catalog('msgid "a"\nmsgstr "é"\n'.encode("latin-1"), _ignore)
    with pytest.raises(ValueError, match="unknown encoding"):
        parse_catalog(b'msgid ""\nmsgstr "charset=martian\\n"\n', _ignore)


def test_escapes() -> None:
    po = r'msgid "a"' + "\n" + r'msgstr "tab\tquote\"back\\slash\x41\101\?"'
    catalog = parse_catalog(po.encode(), _ignore)
    assert catalog.entries[0].translations == ('tab\tquote"back\\slashAA?',)


def test_an_obsolete_entry_takes_nothing_else_away() -> None:
    content = '#, fuzzy\n#~ msgid "Old"\n#~ msgstr "Alt"\n\nmsgid "Close"\nmsgstr "Zu"\n'
    assert [entry.message for entry in parse_catalog(content.encode(), _ignore).entries] == [
        "Close"
    ]
