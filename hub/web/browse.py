"""The home page: look up a word or a look, narrow it down, page through."""

from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.catalog import browse
from hub.catalog.shapes import Facet, Page

FACETS: Final = {
    "kind": "Kind",
    "family": "Family",
    "tag": "Tag",
    "licence": "Licence",
    "trained_here": "Origin",
}
SORTS: Final = {
    "best": "Best first",
    "newest": "Newest",
    "pulled": "Most pulled",
    "liked": "Most liked",
    "name": "A to Z",
}


@dataclass(frozen=True)
class Question:
    """What the address asks for; what makes no sense in it is left out."""

    query: str
    sort: str
    page: int
    chosen: dict[str, str]

    @classmethod
    def of(cls, request: HttpRequest) -> "Question":
        """Read the query string."""
        words = request.GET.get("q", "").strip()[:200]
        sort = request.GET.get("sort", "best")
        number = request.GET.get("page", "1")
        page = int(number) if number.isdecimal() and len(number) < 5 else 1
        chosen = {name: value for name in FACETS if (value := request.GET.get(name, "").strip()[:100])}
        return cls(words, sort if sort in SORTS else "best", min(max(page, 1), browse.COUNT_CAP), chosen)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The dictionary, searched, filtered, sorted and paged by plain links."""
    question = Question.of(request)
    chosen = question.chosen
    trained_here = True if "trained_here" in chosen else None
    page = browse.list_embeddings(
        request.viewer,  # type: ignore[attr-defined]  # set by the gate
        query=question.query,
        sort=question.sort,
        page=question.page,
        trained_here=trained_here,
        kind=chosen.get("kind"),
        family=chosen.get("family"),
        tag=chosen.get("tag"),
        licence=chosen.get("licence"),
    )
    context = {
        "page": page,
        "question": question,
        "facets": [
            (title, name, found) for name, title in FACETS.items() if (found := _worth_showing(page, name))
        ],
        "sorts": SORTS,
        "is_front": not question.query and not question.chosen and question.page == 1,
        "guide": _guide_words(page, question.sort),
    }
    return render(request, "browse/home.html", context)


def _worth_showing(page: Page, name: str) -> list[Facet]:
    """The values of a facet that lead somewhere, or back."""
    return [facet for facet in page.facets.get(name, ()) if facet.count or facet.selected]


def _guide_words(page: Page, sort: str) -> tuple[str, str] | None:
    """The first and last word of an alphabetical page, as at the head of a dictionary's page."""
    if sort != "name" or len(page.items) < 2:
        return None
    return page.items[0].title, page.items[-1].title
