"""The repository's documentation, read in the browser."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from hub.errors import NotFound
from hub.web import prose

FOLDER: Final = Path(settings.SHIPPED) / "docs"
# What a newcomer reads first; the rest follows by title.
ORDER: Final = ("quickstart", "publishing", "training", "tools")


@dataclass(frozen=True)
class Page:
    """One page: its name in the address, its title, its first words, its text."""

    slug: str
    title: str
    summary: str
    text: str


def _pages() -> list[Page]:
    """All pages, in reading order."""
    pages = []
    for path in FOLDER.glob("*.md"):
        text = path.read_text("utf-8")
        pages.append(
            Page(path.stem.lower(), prose.heading(text) or path.stem, prose.first_paragraph(text), text)
        )
    last = len(ORDER)
    return sorted(
        pages, key=lambda page: (ORDER.index(page.slug) if page.slug in ORDER else last, page.title)
    )


def index(request: HttpRequest) -> HttpResponse:
    """The list of pages."""
    return render(request, "docs/index.html", {"pages": _pages()})


def page(request: HttpRequest, page: str) -> HttpResponse:
    """One page. NotFound for a name that is no file of the folder."""
    pages = _pages()
    found = next((one for one in pages if one.slug == page), None)
    if found is None:
        raise NotFound("There is no such page in the documentation.")
    context = {"page": found, "pages": pages, "html": prose.documentation(found.text)}
    return render(request, "docs/page.html", context)
