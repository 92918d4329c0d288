"""Markdown that people wrote, as HTML that is safe to show: cards, notes, and the hub's own documentation."""

import re
from itertools import pairwise
from typing import Final

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

_TEXT_TAGS: Final = "p br hr h1 h2 h3 h4 h5 h6 ul ol li strong em del s code pre blockquote a"
_TAGS: Final = frozenset(f"{_TEXT_TAGS} table thead tbody tr th td".split())
# A wide table scrolls by itself, by keyboard too.
_TABLE: Final = '<div class="table-scroll" tabindex="0" role="region" aria-label="Table"><table>'
_ATTRIBUTES: Final = {
    "a": {"href", "title"},
    "h1": {"id"},
    "h2": {"id"},
    "h3": {"id"},
    "h4": {"id"},
    "th": set(),
}
_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(
    ["table", "strikethrough"]
)


def card(text: str) -> SafeString:
    """A card: no pictures, no raw HTML, links marked as the publisher's; headings below those of the page."""
    tokens = _MARKDOWN.parse(text)
    _lower_headings(tokens, by=2)
    return _html(tokens, link_rel="nofollow ugc noopener")


def documentation(text: str) -> SafeString:
    """A page of the repository's documentation: links between pages lead to `/docs/…`."""
    tokens = _MARKDOWN.parse(text)
    for token in _walk(tokens):
        if token.type == "link_open":
            token.attrSet("href", _docs_address(str(token.attrGet("href") or "")))
    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            before.attrSet("id", _anchor(token.content))
    return _html(tokens, link_rel=None)


def heading(text: str) -> str:
    """The first heading of a Markdown text, or nothing."""
    found = re.search(r"^#\s+(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def first_paragraph(text: str) -> str:
    """The first paragraph of a Markdown text as plain words, or nothing."""
    tokens = _MARKDOWN.parse(text)
    for before, token in pairwise(tokens):
        if before.type == "paragraph_open" and token.children:
            parts = [" " if child.type == "softbreak" else child.content for child in token.children]
            return "".join(parts).strip()
    return ""


def _html(tokens: list[Token], *, link_rel: str | None) -> SafeString:
    html = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    clean = nh3.clean(html, tags=set(_TAGS), attributes=_ATTRIBUTES, link_rel=link_rel)
    clean = clean.replace("<table>", _TABLE).replace("</table>", "</table></div>")
    return mark_safe(clean)  # noqa: S308  # nh3 cleaned it


def _docs_address(href: str) -> str:
    """`settings.md#x`, `docs/settings.md` and `tools/forge.md` lead to the page of that name; the rest stays."""
    found = re.fullmatch(r"(?:\./|\.\./|docs/|decisions/)*(tools/)?([\w-]+)\.md(#.*)?", href)
    if not found:
        return href
    return f"/docs/{'tools-' if found[1] else ''}{found[2].lower()}{found[3] or ''}"


def _anchor(heading_text: str) -> str:
    """What links call a heading, as code hosts do: `Every setting` is `every-setting`."""
    return re.sub(r"[^\w\- ]", "", heading_text.lower()).strip().replace(" ", "-")


def _lower_headings(tokens: list[Token], *, by: int) -> None:
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + by, 6)}"


def _walk(tokens: list[Token]) -> list[Token]:
    """Every token, those inside of inline tokens too."""
    return [child for token in tokens for child in (token, *(token.children or []))]
