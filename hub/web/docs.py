"""The repository's documentation, read in the browser."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from hub.errors import NotFound
from hub.wire import prose

FOLDER: Final = Path(settings.SHIPPED) / "docs"
# What a newcomer reads first; the rest follows by title.
ORDER: Final = ("quickstart", "publishing", "training", "tools")


@dataclass(frozen=True)
class Page:
    """One page: its name in the address, its title, its first words, its text; `parent` is the page it belongs to."""

    slug: str
    title: str
    summary: str
    text: str
    parent: str = ""


def _pages() -> list[Page]:
    """All pages, in reading order."""
    pages = []
    for path in (*FOLDER.glob("*.md"), *FOLDER.glob("tools/*.md")):
        text = path.read_text("utf-8")
        parent = "" if path.parent == FOLDER else path.parent.name
        slug = f"{parent}-{path.stem}" if parent else path.stem
        title, first = prose.heading(text) or path.stem, prose.first_paragraph(text)
        pages.append(Page(slug.lower(), title, first, text, parent))
    last = len(ORDER)
    return sorted(
        pages, key=lambda page: (ORDER.index(page.slug) if page.slug in ORDER else last, page.title)
    )


def index(request: HttpRequest) -> HttpResponse:
    """The list of pages."""
    return render(request, "docs/index.html", {"pages": _main(_pages())})


def page(request: HttpRequest, page: str) -> HttpResponse:
    """One page. NotFound for a name that is no file of the folder."""
    pages = _pages()
    found = next((one for one in pages if one.slug == page), None)
    if found is None:
        raise NotFound("There is no such page in the documentation.")
    context = {"page": found, "pages": _main(pages), "html": prose.documentation(found.text)}
    return render(request, "docs/page.html", context)


def _main(pages: list[Page]) -> list[Page]:
    """Those that lists name; the others are linked from the page they belong to."""
    return [page for page in pages if not page.parent]
