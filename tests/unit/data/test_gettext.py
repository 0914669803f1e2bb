import zipfile
from pathlib import Path

import pytest

from xlmkit.core.errors import UserError
from xlmkit.data import gettext
from xlmkit.data.inputs import Reading
from xlmkit.data.readers import read_source
from xlmkit.data.records import Record
from xlmkit.data.sources import GettextSource


def po(*pairs: tuple[str, str], language: str = "") -> str:
    head = "Content-Type: text/plain; charset=UTF-8\\n"
    if language:
        head += f"Language: {language}\\n"
    entries = [f'msgid "{message}"\nmsgstr "{text}"\n' for message, text in pairs]
    return f'msgid ""\nmsgstr "{head}"\n\n' + "\n".join(entries)


def _tree(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def _read(
    base: Path, path: str, languages: tuple[str, ...] = ("en", "fr", "zh"), **fields: object
) -> tuple[list[Record], Reading]:
    source = GettextSource.model_validate({"kind": "gettext", "path": path, **fields})
    reading = Reading(base, languages)
    return list(read_source(source, reading)), reading


def test_translations_of_a_message_are_joined(tmp_path: Path) -> None:
    _tree(
        tmp_path / "locale",
        {
            "fr/LC_MESSAGES/app.po": po(("Save", "Enregistrer"), ("Open", "Ouvrir")),
            "zh_CN/LC_MESSAGES/app.po": po(("Open", "打开")),
            "de/LC_MESSAGES/app.po": po(("Open", "Öffnen")),
            "fr/LC_MESSAGES/other.po": po(("Open", "Ouvert")),
        },
    )
    records, _ = _read(tmp_path, "locale", label="app")
    assert records == [
        Record(texts, "locale", f"locale/*/LC_MESSAGES/{domain}", "app")
        for domain, texts in [
            ("app", {"en": "Save", "fr": "Enregistrer"}),
            ("app", {"en": "Open", "fr": "Ouvrir", "zh": "打开"}),
            ("other", {"en": "Open", "fr": "Ouvert"}),
        ]
    ]


@pytest.mark.parametrize("name", ["po/fr.po", "locale/fr/app.po", "fr.po"])
def test_other_layouts(tmp_path: Path, name: str) -> None:
    _tree(tmp_path / "src", {name: po(("Open", "Ouvrir"))})
    records, _ = _read(tmp_path, "src")
    assert [record.texts for record in records] == [{"en": "Open", "fr": "Ouvrir"}]


def test_a_file_alone_says_its_language_in_its_header(tmp_path: Path) -> None:
    _tree(tmp_path, {"messages.po": po(("Open", "Ouvrir"), language="fr_CA")})
    records, _ = _read(tmp_path, "messages.po")
    assert records[0].texts == {"en": "Open", "fr": "Ouvrir"}


def test_the_usual_locale_of_a_language_is_taken(tmp_path: Path) -> None:
    _tree(
        tmp_path / "l",
        {
            f"{locale}/LC_MESSAGES/a.po": po(("Open", text))
            for locale, text in [
                ("zh", "開"),
                ("zh_Hans", "打开"),
                ("zh_Hant", "打開"),
                ("fr", "Ouvrir"),
                ("fr_CA", "Ouvre"),
                ("en_GB", "Open, please"),
            ]
        },
    )
    assert _read(tmp_path, "l")[0][0].texts == {"en": "Open", "fr": "Ouvrir", "zh": "打开"}
    chosen = _read(tmp_path, "l", locales={"zh": ("zh_Hant",), "fr": ("fr_BE",)})[0][0]
    assert chosen.texts == {"en": "Open", "zh": "打開"}


def test_messages_that_are_mere_keys(tmp_path: Path) -> None:
    _tree(
        tmp_path / "l",
        {"en/a.po": po(("menu.open", "Open")), "fr/a.po": po(("menu.open", "Ouvrir"))},
    )
    records, _ = _read(tmp_path, "l", message_language=None)
    assert records[0].texts == {"en": "Open", "fr": "Ouvrir"}


def test_archives_are_read_without_unpacking(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("../../evil/locale/fr/LC_MESSAGES/app.po", po(("Open", "Ouvrir")))
        archive.writestr("app/tests/locale/fr/LC_MESSAGES/t.po", po(("Test", "Essai")))
        archive.writestr("app/code.py", "raise SystemExit")
    before = set(tmp_path.parent.rglob("*"))
    records, _ = _read(tmp_path, "a.zip", exclude=("*/tests/*",))
    assert [record.texts["fr"] for record in records] == ["Ouvrir"]
    assert records[0].where == "a.zip!../../evil/locale/*/LC_MESSAGES/app"
    assert set(tmp_path.parent.rglob("*")) == before


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gettext, "LARGEST_CATALOG", 1 << 20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("fr/LC_MESSAGES/bomb.po", "#" * (8 << 20))
        archive.writestr("fr/LC_MESSAGES/app.po", po(("Open", "Ouvrir")))
    records, reading = _read(tmp_path, "a.zip")
    assert len(records) == 1
    assert reading.bad.places == {
        "damaged catalog (larger than 1 MiB)": ["a.zip!fr/LC_MESSAGES/bomb.po"]
    }


def test_a_damaged_catalog_is_counted_and_the_others_are_read(tmp_path: Path) -> None:
    _tree(tmp_path / "l", {"fr/a.po": po(("Open", "Ouvrir")) + "msgid nonsense\n"})
    (tmp_path / "l/fr/b.mo").write_bytes(b"\xde\x12\x04\x95\0\0")
    records, reading = _read(tmp_path, "l")
    assert [record.texts["fr"] for record in records] == ["Ouvrir"]
    assert reading.bad.counts == {
        "damaged catalog (damaged tables)": 1,
        "not a line of a .po file": 1,
    }
    assert reading.bad.places["not a line of a .po file"] == ["l/fr/a.po:6"]


def test_nothing_to_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no file or folder"):
        _read(tmp_path, "missing")
    (tmp_path / "a.zip").write_bytes(b"not a zip")
    with pytest.raises(UserError, match="not a zip archive"):
        _read(tmp_path, "a.zip")
    _tree(tmp_path / "l", {"de/a.po": po(("Open", "Öffnen"))})
    with pytest.raises(UserError, match=r"no readable message catalog .* en, fr, zh"):
        _read(tmp_path, "l")


@pytest.mark.parametrize("order", [("a.mo", "a.po"), ("a.po", "a.mo")])
def test_of_both_forms_the_compiled_one_is_read(tmp_path: Path, order: tuple[str, str]) -> None:
    """A text in the place of a compiled catalog is parsed too, which tells which one was read."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in order:
            archive.writestr(f"fr/LC_MESSAGES/{name}", po(("Open", name)))
    assert [record.texts["fr"] for record in _read(tmp_path, "a.zip")[0]] == ["a.mo"]
