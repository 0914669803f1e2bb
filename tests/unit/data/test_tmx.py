import tracemalloc
from pathlib import Path

import pytest

from xlmkit.core.errors import UserError
from xlmkit.data.inputs import Reading
from xlmkit.data.records import Record
from xlmkit.data.sources import TmxSource
from xlmkit.data.tmx import read_tmx

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def _read(folder: Path, content: str, *languages: str) -> tuple[list[Record], Reading]:
    (folder / "m.tmx").write_text(content, encoding="utf-8")
    reading = Reading(folder, languages or ("en", "zh"))
    return list(read_tmx(TmxSource(kind="tmx", path="m.tmx"), reading)), reading


def test_units_variants_and_inline_markup(tmp_path: Path) -> None:
    content = f"""{_HEAD}<!DOCTYPE tmx SYSTEM "tmx14.dtd"><tmx version="1.4"><body>
<tu><tuv xml:lang="EN-us"><seg>Press <bpt i="1">&lt;b&gt;</bpt>any<ept i="1"/> <hi>key</hi>
 &amp; go</seg></tuv>
<tuv xml:lang="zh-CN"><seg>按任意键</seg></tuv><tuv xml:lang="zh-TW"><seg>按任意鍵</seg></tuv></tu>
<tu><tuv lang="fr"><seg>seul</seg></tuv></tu>
<tu><tuv xml:lang="en"><seg> </seg></tuv><tuv xml:lang="qq"><seg>?</seg></tuv></tu>
</body></tmx>"""
    records, reading = _read(tmp_path, content)
    assert records == [Record({"en": "Press any key\n & go", "zh": "按任意键"}, "m.tmx", "m.tmx:3")]
    assert reading.bad.counts == {"unknown language": 1}


def test_declared_entities_are_refused_before_they_expand(tmp_path: Path) -> None:
    laughs = "".join(
        f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' if i else '<!ENTITY l0 "ha">' for i in range(12)
    )
    content = f"{_HEAD}<!DOCTYPE tmx [{laughs}]><tmx><body><tu><tuv xml:lang='en'><seg>&l11;</seg>"
    tracemalloc.start()
    with pytest.raises(UserError, match="declares the XML entity l0"):
        _read(tmp_path, content)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_external_entities_are_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("password")
    content = (
        f'{_HEAD}<!DOCTYPE tmx [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
        "<tmx><body><tu><tuv xml:lang='en'><seg>&x;</seg></tuv></tu></body></tmx>"
    )
    with pytest.raises(UserError, match="declares the XML entity x"):
        _read(tmp_path, content)


@pytest.mark.parametrize("content", ["", "no xml", f"{_HEAD}<tmx><body><tu>"])
def test_what_is_not_xml_is_one_sentence(tmp_path: Path, content: str) -> None:
    with pytest.raises(UserError, match=r"m\.tmx is not a translation memory: .*line \d"):
        _read(tmp_path, content)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    unit = "<tu><tuv xml:lang='en'><seg>one two three four</seg></tuv></tu>\n"
    (tmp_path / "m.tmx").write_text(f"{_HEAD}<tmx><body>{unit * 20_000}</body></tmx>")
    tracemalloc.start()
    source = TmxSource(kind="tmx", path="m.tmx")
    assert sum(1 for _ in read_tmx(source, Reading(tmp_path, ("en",)))) == 20_000
    assert tracemalloc.get_traced_memory()[1] < 3_000_000
    tracemalloc.stop()
