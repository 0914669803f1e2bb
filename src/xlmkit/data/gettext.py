"""Reader of trees of gettext catalogs: messages and their translations into many languages.

A catalog's locale is said by its path: `fr/LC_MESSAGES/app.mo`, `po/fr.po`, `locale/fr/app.po`, or,
for a file alone, by its header. Catalogs that differ only in the locale belong together.
"""

import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from xlmkit.core.errors import UserError
from xlmkit.data.catalogs import Catalog, parse_catalog
from xlmkit.data.inputs import Reading
from xlmkit.data.records import Record
from xlmkit.data.sources import CatalogSource, GettextSource
from xlmkit.text.languages import from_locale

LARGEST_CATALOG = 64 << 20  # bytes; guards against archives that unpack to far more than they are
_CATALOG = re.compile(r"(?P<stem>.*)\.(?P<form>po|mo)$")
_BY_FOLDER = re.compile(r"(?P<head>(?:.*/)?)(?P<locale>[^/]+)(?P<tail>/LC_MESSAGES/[^/]+)$")
_BY_STEM = re.compile(r"(?P<head>(?:.*/)?)(?P<locale>[^/]+)(?P<tail>)$")
_BY_PARENT = re.compile(r"(?P<head>(?:.*/)?)(?P<locale>[^/]+)(?P<tail>/[^/]+)$")
_LOCALE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]+)*(@[a-z]+)?$")
_USUAL_LOCALES = {"zh": ("zh_Hans", "zh_CN", "zh_Hans_CN", "zh_SG", "zh"), "pt": ("pt", "pt_BR")}

Members = Mapping[str, Callable[[], bytes]]  # path of a catalog -> how to read it
Key = tuple[str | None, str]  # (context, message)


def read_gettext(source: GettextSource, reading: Reading) -> Iterator[Record]:
    """Yield the messages of a catalog, a folder of catalogs or a zip archive of them.

    Raises:
        UserError: there is no such path, or no catalog in it that can be read.
    """
    path = Path(source.path).expanduser()
    path = path if path.is_absolute() else reading.base / path
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix in (".po", ".mo"))
        folder: Members = {file.relative_to(path).as_posix(): file.read_bytes for file in files}
        yield from read_members(source, folder, reading, f"{reading.shown(path)}/")
    elif path.suffix in (".zip", ".whl"):
        yield from read_archive(source, path, reading, reading.shown(path))
    elif path.is_file():
        yield from read_members(source, {path.as_posix(): path.read_bytes}, reading, "")
    else:
        raise UserError(f"There is no file or folder {path}.")


def read_archive(
    source: CatalogSource, path: Path, reading: Reading, shown: str
) -> Iterator[Record]:
    """Yield the messages of the catalogs in a zip archive; nothing of it is written to disk.

    Args:
        source: the source in the recipe.
        path: the archive.
        reading: the languages to read, and where bad catalogs are counted.
        shown: how the archive is called in the records' places.

    Raises:
        UserError: the archive is missing or damaged, or no catalog in it can be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:

            def member(name: str) -> Callable[[], bytes]:
                return lambda: _unpack(archive, name)

            names = sorted(name for name in archive.namelist() if _CATALOG.match(name))
            members = {name: member(name) for name in names}
            yield from read_members(source, members, reading, f"{shown}!")
    except FileNotFoundError:
        raise UserError(f"There is no file {path}.") from None
    except PermissionError:
        raise UserError(f"{path} must not be read; change its permissions.") from None
    except zipfile.BadZipFile as error:
        raise UserError(f"{path} is not a zip archive or is damaged: {error}.") from None


def _unpack(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as stream:
        data = stream.read(LARGEST_CATALOG + 1)
    if len(data) > LARGEST_CATALOG:
        raise ValueError(f"larger than {LARGEST_CATALOG >> 20} MiB")
    return data


def read_members(
    source: CatalogSource, members: Members, reading: Reading, prefix: str
) -> Iterator[Record]:
    """Yield the messages of catalogs, those of one group (same path but for the locale) at a time.

    Raises:
        UserError: no catalog could be read.
    """
    groups: dict[str, dict[str, str]] = defaultdict(dict)
    for name in members:
        if not any(fnmatchcase(name, pattern) for pattern in source.exclude):
            group, locale = _locate(name)
            other = groups[group].setdefault(locale, name)
            if other.endswith(".po"):  # the compiled form holds the same and is faster to read
                groups[group][locale] = name
    good = 0
    for group, by_locale in sorted(groups.items()):
        catalogs = list(_catalogs(source, by_locale, members, reading, prefix))
        good += len(catalogs)
        yield from _join(source, catalogs, reading, f"{prefix}{group}")
    if not good:
        languages = ", ".join(reading.languages)
        raise UserError(
            f"The source {source.title!r} holds no readable message catalog (.po, .mo) in any of "
            f"the languages {languages}."
        )


def _locate(name: str) -> tuple[str, str]:
    """Return the group of a catalog and its locale ("" if the path does not say it)."""
    match = _CATALOG.match(name)
    stem = match["stem"] if match else name
    for pattern in (_BY_FOLDER, _BY_STEM, _BY_PARENT):
        match = pattern.match(stem)
        if match and _language_of(match["locale"]):
            return f"{match['head']}*{match['tail']}", match["locale"]
    return stem, ""


def _language_of(locale: str) -> str | None:
    """Return the language of a locale's name, or nothing if it is not one."""
    return from_locale(locale) if _LOCALE.match(locale) else None


def _catalogs(
    source: CatalogSource,
    by_locale: Mapping[str, str],
    members: Members,
    reading: Reading,
    prefix: str,
) -> Iterator[tuple[str, Catalog]]:
    """Yield (language, catalog) of a group: of each language its best locale."""
    best: dict[str, str] = {}
    for locale in sorted(by_locale):
        code = _language_of(locale) or ""
        preference = source.locales.get(code)
        if preference is not None and locale not in preference:
            continue
        if code not in best or _rank(locale, code, preference) < _rank(
            best[code], code, preference
        ):
            best[code] = locale
    for code, locale in best.items():
        if code and code not in reading.languages:
            continue
        name = by_locale[locale]
        place = f"{prefix}{name}"

        def bad_line(number: int, reason: str, place: str = place) -> None:
            reading.bad.add(reason, f"{place}:{number}")

        try:
            catalog = parse_catalog(members[name](), bad_line)
        except (
            ValueError,
            RuntimeError,
            OSError,
            EOFError,
            zipfile.BadZipFile,
            zlib.error,
        ) as error:
            reading.bad.add(f"damaged catalog ({error})", place)
            continue
        spoken = code or _language_of(catalog.header.get("language", ""))
        if spoken in reading.languages:
            yield spoken, catalog


def _rank(locale: str, code: str, preference: tuple[str, ...] | None) -> tuple[int, int, str]:
    order = preference or _USUAL_LOCALES.get(code, (code,))
    name = locale.replace("-", "_")
    place = order.index(locale) if locale in order else order.index(name) if name in order else 99
    return place, len(locale), locale


def _join(
    source: CatalogSource, catalogs: list[tuple[str, Catalog]], reading: Reading, where: str
) -> Iterator[Record]:
    """Yield one record per message with all its translations."""
    joined: dict[Key, dict[str, str]] = {}
    for code, catalog in catalogs:
        if code != source.message_language:
            for key, translation in catalog.pairs():
                joined.setdefault(key, {})[code] = translation
    for (_, message), texts in joined.items():
        if source.message_language is not None:
            texts[source.message_language] = message
        if ordered := reading.in_order(texts):
            yield Record(ordered, source.title, where, source.label)
