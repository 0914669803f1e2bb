import pytest

from xlmkit.data.markup import remove_markup, tidy
from xlmkit.data.source_base import ALL_MARKUP, Markup


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        # placeholders of printf and of template languages
        ("Deleted policies: %s.", "Deleted policies."),
        ("Файл «%(name)s» не найден", "Файл не найден"),
        ('Creating volume "%s"', "Creating volume"),
        ("%1$s von %2$d Dateien", "von Dateien"),
        ("Position #{posid} ({price}) créée", "Position créée"),
        ("{$ ctrl.files + 1 $} files in {{ folder|length }} folders", "files in folders"),
        ("${name}, %{count} und {0:>3}", "und"),
        ("Cannot find I%(person)s (Father=%(father))", "Cannot find I (Father=)"),
        ("耗时：%.2fs", "耗时：s"),
        ("%(start)sWeiter%(end)s klicken", "Weiter klicken"),
        ("100%% sicher", "100% sicher"),
        ("50% of sales", "50% of sales"),
        ("mehr als 20% davon", "mehr als 20% davon"),
        ("le %d/%m/%Y", "le"),
        ("%(name)s'in kardeşleri", "kardeşleri"),
        ("卷“{name}”已创建", "卷已创建"),
        ("无法为 %s 获取类型", "无法为获取类型"),
        ("图片'%s'已添加", "图片已添加"),
        # tags and entities
        ("Press <b>any</b> key<br/>now", "Press any key now"),
        ("H<sub>2</sub>O &amp; more", "H2O & more"),
        ("&laquo;&nbsp;Prev", "« Prev"),
        ("События, соответствующие <фильтру>", "События, соответствующие фильтру"),
        ("a <x id='1'/>b", "a b"),
        ("&lt;b&gt;bold&lt;/b&gt;", "bold"),
        ("Title: (Z -> A)", "Title: (Z -> A)"),
        ("<!-- hidden > --> shown", "shown"),
        # accelerators
        ("_File", "File"),
        ("Вкл_ючить всё", "Включить всё"),
        ("&Open folder", "Open folder"),
        ("Op&en", "Open"),
        ("AT&T and R&D", "AT&T and R&D"),
        ("文件(&F)...", "文件..."),
        ("打开（_O）", "打开"),
        # links and code
        ("Siehe https://example.org/a?b=1 dort", "Siehe dort"),
        ("Lisez [le manuel](https://example.org) ici", "Lisez le manuel ici"),
        ("Write to team@example.org now", "Write to now"),
        ("Use `git push` or --force=yes", "Use or"),
        ("Set ipv6_ra_mode and OS::Nova::Flavor", "Set and"),
        ("Look into /etc/app/app.conf.", "Look into."),
        ("Search term(s)/phrase, and/or", "Search term(s)/phrase, and/or"),
        ("well-known e-mail", "well-known e-mail"),
        # what is left of the frame goes
        ("Имя:", "Имя"),
        ("名称：", "名称"),
        ("* Requires restart", "Requires restart"),
        ("%s", ""),
        ("{a}: {b}", ""),
    ],
)
def test_messages(raw: str, clean: str) -> None:
    assert remove_markup(raw, ALL_MARKUP)[0] == clean


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ((), "<b>_Open</b> %s &amp; `x` a@b.org"),
        (("tags",), "_Open %s &amp; `x` a@b.org"),
        (("entities",), "<b>_Open</b> %s & `x` a@b.org"),
        (("accelerators",), "<b>Open</b> %s &amp; `x` a@b.org"),
        (("links",), "<b>_Open</b> %s &amp; `x` "),
        (("code",), "<b>_Open</b> %s &amp;  a@b.org"),
    ],
)
def test_each_kind_alone(kinds: tuple[Markup, ...], expected: str) -> None:
    assert remove_markup("<b>_Open</b> %s &amp; `x` a@b.org", kinds)[0] == expected


def test_placeholders_are_counted_also_nested_ones() -> None:
    assert remove_markup("{n, plural, one {# file} other {# files}}", ALL_MARKUP) == ("", 3)
    assert remove_markup("nothing here", ALL_MARKUP)[1] == 0


def test_running_text_keeps_its_punctuation() -> None:
    text = "«Да», — сказал он; (и ушёл). L'été 1999 : l’heure « H » !"
    assert remove_markup(text, ALL_MARKUP)[0] == text


def test_tidy_is_stable() -> None:
    once = tidy("was: \"\" , ( ) «» at , , the . '' end :")
    assert once == "was, at, the. end"
    assert tidy(once) == once
