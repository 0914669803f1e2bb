"""Languages by the codes that XLM uses, the scripts they are written in, and locale names."""

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass

from xlmkit.core.errors import UserError
from xlmkit.text.scripts import letter_share


@dataclass(frozen=True, slots=True)
class Language:
    """A language: its code, its English name, and the scripts it is written in."""

    code: str
    name: str
    scripts: tuple[str, ...]


_XNLI_15 = "ar bg de el en es fr hi ru sw th tr ur vi zh"
_XLM_17 = "en fr es de it pt nl sv pl ru ar tr zh ja ko hi vi"
_XLM_100 = """
en es fr de zh ru pt it ar ja id tr nl pl simple fa vi sv ko he ro no hi uk cs fi hu th da ca el bg
sr ms bn hr sl zh_yue az sk eo ta sh lt et ml la bs sq arz af ka mr eu tl ang gl nn ur kk be hy te
lv mk zh_classical als is wuu my sco mn ceb ast cy kn br an gu bar uz lb ne si war jv ga zh_min_nan
oc ku sw nds ckb ia yi fy scn gan tt am
"""

XNLI_15 = tuple(_XNLI_15.split())
"""The languages of the models trained for XNLI."""

XLM_17 = tuple(_XLM_17.split())
"""The languages of the model for 17 languages, in its order."""

XLM_100 = tuple(_XLM_100.split())
"""The languages of the model for 100 languages, in its order."""

CHINESE = frozenset({"zh", "zh_yue", "zh_classical", "wuu", "gan"})
"""Chinese and its relatives that are written in the same characters."""

WITHOUT_SPACES = CHINESE | {"ja", "th", "lo", "km", "my", "bo", "dz"}
"""Languages that put no spaces between words."""

# A line is a script, or several joined by +, and its languages as code=Name.
_TABLE = """
Latin: en=English, es=Spanish, fr=French, de=German, pt=Portuguese, it=Italian, id=Indonesian,
 tr=Turkish, nl=Dutch, pl=Polish, simple=Simple English, vi=Vietnamese, sv=Swedish, ro=Romanian,
 no=Norwegian, cs=Czech, fi=Finnish, hu=Hungarian, da=Danish, ca=Catalan, hr=Croatian,
 sl=Slovenian, sk=Slovak, eo=Esperanto, lt=Lithuanian, et=Estonian, la=Latin, sq=Albanian,
 af=Afrikaans, eu=Basque, tl=Tagalog, ang=Old English, gl=Galician, nn=Norwegian Nynorsk,
 lv=Latvian, als=Alemannic, is=Icelandic, sco=Scots, ceb=Cebuano, ast=Asturian, cy=Welsh,
 br=Breton, an=Aragonese, bar=Bavarian, lb=Luxembourgish, war=Waray, ga=Irish,
 zh_min_nan=Min Nan Chinese, oc=Occitan, sw=Swahili, nds=Low German, ia=Interlingua,
 fy=West Frisian, scn=Sicilian, ak=Akan, ay=Aymara, bm=Bambara, ban=Balinese, bcl=Central Bikol,
 co=Corsican, crh=Crimean Tatar, csb=Kashubian, dsb=Lower Sorbian, ee=Ewe, ff=Fula, fo=Faroese,
 fur=Friulian, gd=Scottish Gaelic, gn=Guarani, gv=Manx, haw=Hawaiian, hsb=Upper Sorbian,
 ht=Haitian Creole, ie=Interlingue, ig=Igbo, ilo=Ilocano, io=Ido, jbo=Lojban, kab=Kabyle,
 kl=Greenlandic, kw=Cornish, lg=Luganda, li=Limburgish, lij=Ligurian, lmo=Lombard, ln=Lingala,
 mg=Malagasy, mi=Maori, min=Minangkabau, mt=Maltese, nah=Nahuatl, nso=Northern Sotho, ny=Chichewa,
 om=Oromo, pam=Kapampangan, pap=Papiamento, pms=Piedmontese, qu=Quechua, rm=Romansh, rn=Rundi,
 rw=Kinyarwanda, sc=Sardinian, se=Northern Sami, sm=Samoan, sn=Shona, so=Somali, ss=Swati,
 st=Southern Sotho, su=Sundanese, szl=Silesian, tn=Tswana, to=Tongan, tpi=Tok Pisin, ts=Tsonga,
 tw=Twi, ty=Tahitian, ve=Venda, vec=Venetian, vo=Volapuk, wa=Walloon, wo=Wolof, xh=Xhosa,
 yo=Yoruba, zu=Zulu
Cyrillic: ru=Russian, uk=Ukrainian, bg=Bulgarian, be=Belarusian, mk=Macedonian, tt=Tatar,
 ab=Abkhaz, av=Avar, ba=Bashkir, ce=Chechen, cv=Chuvash, ky=Kyrgyz, os=Ossetian, sah=Yakut,
 tg=Tajik, tyv=Tuvan, udm=Udmurt
Latin+Cyrillic: sr=Serbian, sh=Serbo-Croatian, bs=Bosnian, az=Azerbaijani, uz=Uzbek, tk=Turkmen
Cyrillic+Latin: kk=Kazakh
Cyrillic+Mongolian: mn=Mongolian
Arabic: ar=Arabic, arz=Egyptian Arabic, ary=Moroccan Arabic, fa=Persian, ur=Urdu,
 ckb=Central Kurdish, azb=South Azerbaijani, pnb=Western Punjabi, ps=Pashto, sd=Sindhi, ug=Uyghur
Latin+Arabic: ku=Kurdish, ms=Malay, ha=Hausa
Latin+Javanese: jv=Javanese
Greek: el=Greek
Armenian: hy=Armenian
Hebrew: he=Hebrew, yi=Yiddish
Syriac: arc=Aramaic
Thaana: dv=Divehi
Devanagari: hi=Hindi, mr=Marathi, ne=Nepali, bho=Bhojpuri, mai=Maithili, new=Newar, sa=Sanskrit,
 gom=Konkani
Bengali: bn=Bengali, as=Assamese, bpy=Bishnupriya
Gurmukhi: pa=Punjabi
Gujarati: gu=Gujarati
Oriya: or=Odia
Tamil: ta=Tamil
Telugu: te=Telugu
Kannada: kn=Kannada
Malayalam: ml=Malayalam
Sinhala: si=Sinhala
Thai: th=Thai
Lao: lo=Lao
Tibetan: bo=Tibetan, dz=Dzongkha
Myanmar: my=Burmese
Georgian: ka=Georgian
Ethiopic: am=Amharic, ti=Tigrinya
Khmer: km=Khmer
Tifinagh+Latin: ber=Berber
Hangul+Han: ko=Korean
Kana+Han: ja=Japanese
Han+Bopomofo: zh=Chinese, zh_yue=Cantonese, zh_classical=Classical Chinese, wuu=Wu Chinese,
 gan=Gan Chinese
"""


def _read_table() -> dict[str, Language]:
    table = {}
    for line in _TABLE.strip().replace(",\n", ",").splitlines():
        scripts, _, entries = line.partition(":")
        for entry in entries.split(","):
            code, _, name = entry.strip().partition("=")
            table[code] = Language(code, name, tuple(scripts.split("+")))
    return table


LANGUAGES: dict[str, Language] = _read_table()
"""Code -> language."""

# Codes of other standards (BCP 47, ISO 639-3, gettext) for languages that XLM calls otherwise.
_OTHER_CODES = {
    "nb": "no",
    "nob": "no",
    "nno": "nn",
    "fil": "tl",
    "iw": "he",
    "in": "id",
    "ji": "yi",
    "jw": "jv",
    "mo": "ro",
    "cmn": "zh",
    "yue": "zh_yue",
    "nan": "zh_min_nan",
    "lzh": "zh_classical",
    "gsw": "als",
    "kmr": "ku",
    "ekk": "et",
    "lvs": "lv",
    "zsm": "ms",
    "pes": "fa",
    "prs": "fa",
    "arb": "ar",
    "npi": "ne",
    "ory": "or",
    "pbt": "ps",
    "swh": "sw",
    "uzn": "uz",
    "khk": "mn",
    "azj": "az",
    "ydd": "yi",
}
_ALIKE = 0.5  # below this, a guess would only confuse
_LOCALE = re.compile(r"([A-Za-z]{2,})(?:[-_][A-Za-z0-9-_]+)?(?:\.[\w-]+)?(?:@[\w-]+)?")


def language(code: str) -> Language:
    """Return the language that XLM gives this code.

    Raises:
        UserError: there is none; the nearest code is named.
    """
    if code in LANGUAGES:
        return LANGUAGES[code]
    raise UserError(f"There is no language with the code {code!r}; {_nearest(code)}")


def likely_code(text: str) -> str | None:
    """Return the code that someone meant who wrote a locale, a name or a misspelt code."""
    by_name = {known.name.lower(): known.code for known in LANGUAGES.values()}
    meant = from_locale(text) or by_name.get(text.strip().lower())
    if meant is None:
        near = max([*LANGUAGES, *by_name], key=lambda known: _likeness(text.lower(), known))
        meant = by_name.get(near, near) if _likeness(text.lower(), near) >= _ALIKE else None
    return meant


def _nearest(code: str) -> str:
    meant = likely_code(code)
    if meant is None:
        return "give an ISO 639-1 code such as en, fr or zh."
    return f"did you mean {meant!r} ({LANGUAGES[meant].name})?"


def _likeness(given: str, known: str) -> float:
    """Return how alike two codes or names are; a common first letter weighs a little more."""
    same_start = 0.1 if given[:1] == known[:1] else 0.0
    return difflib.SequenceMatcher(None, given, known).ratio() + same_start


def from_locale(locale: str) -> str | None:
    """Return the code of a locale's language, None if the locale names no known language.

    Understands gettext (`pt_BR`, `sr@latin`, `de_DE.UTF-8`), BCP 47 (`zh-Hant-TW`) and the codes
    that other standards give to the same languages (`nb`, `fil`, `cmn`).
    """
    name = locale.strip()
    if name.lower() in LANGUAGES:  # zh_yue and its like are codes, not locales of zh
        return name.lower()
    match = _LOCALE.fullmatch(name)
    if match is None:
        return None
    code = match[1].lower()
    code = _OTHER_CODES.get(code, code)
    return code if code in LANGUAGES else None


def script_share(text: str, code: str) -> float:
    """Return the share of a text's letters that the scripts of this language have, from 0 to 1.

    A text without letters gives 1.0: nothing in it speaks against the language.

    Raises:
        UserError: there is no language with this code.
    """
    return letter_share(text, language(code).scripts)


def check_known(code: str, known: Collection[str]) -> None:
    """See that a model knows a language.

    Raises:
        UserError: it does not.
    """
    if code not in known:
        raise UserError(f"The model does not know the language {code!r}, only {', '.join(known)}.")
