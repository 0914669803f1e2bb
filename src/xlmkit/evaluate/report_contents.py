"""The list of contents of a page: a link to each section, made from the page itself."""

import re
from itertools import count

_SECTION = re.compile("<section>\n<h2>(.*?)</h2>", re.DOTALL)
_FEWEST = 3  # sections that are worth a list


def with_contents(page: str) -> str:
    """Return a page whose sections have names and, before `<main>`, a list of links to them.

    Texts of users are escaped in it, so that nothing else looks like a section.

    Args:
        page: HTML whose sections begin with a heading of the second level.
    """
    titles = [heading[1] for heading in _SECTION.finditer(page)]
    if len(titles) < _FEWEST:
        return page
    number = count(1)
    named = _SECTION.sub(
        lambda found: f'<section id="section-{next(number)}">\n<h2>{found[1]}</h2>', page
    )
    links = "\n".join(
        f'<li><a href="#section-{place}">{title}</a></li>'
        for place, title in enumerate(titles, start=1)
    )
    nav = f'<nav aria-label="Contents">\n<ul>\n{links}\n</ul>\n</nav>\n'
    return named.replace("<main>", f"{nav}<main>", 1)
