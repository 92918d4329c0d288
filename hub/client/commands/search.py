"""`glossa search`: find embeddings by words, family, kind and owner."""

import argparse
from typing import Any

from hub.client import finding
from hub.client.commands import common
from hub.client.errors import Exit
from hub.client.finding import SORTS, Question
from hub.formats import FAMILIES

_KINDS = ("style", "object", "subject", "negative")
_COLUMNS = (("name", "NAME"), ("kind", "KIND"), ("family", "FAMILY"), ("trigger", "WORD"), ("version", "VERSION"),
            ("pulls", "PULLS"), ("title", "TITLE"))  # fmt: skip
_WIDEST = 40


def add(parser: argparse.ArgumentParser) -> None:
    """What to look for."""
    parser.add_argument("words", nargs="*", metavar="WORD", help="words that the name or the text has")
    parser.add_argument("--family", choices=FAMILIES, metavar="FAMILY", help=f"one of {', '.join(FAMILIES)}")
    parser.add_argument("--kind", choices=_KINDS, help="what it is of")
    parser.add_argument("--owner", help="whose")
    parser.add_argument(
        "--sort",
        choices=SORTS,
        help="order (words: the best first; else new)",
    )
    parser.add_argument("--limit", type=_limit, default=20, metavar="N", help="at most so many (%(default)s)")
    common.add_hub(parser)
    common.add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Ask, and show a table."""
    question = Question(
        words=" ".join(options.words),
        family=options.family,
        kind=options.kind,
        owner=(options.owner or "").lower() or None,
        sort=options.sort,
        limit=options.limit,
    )
    transport = common.connected(options, common.progress_of(options))
    found = finding.search(transport, question)
    if not found and not options.json:
        common.warn("Nothing was found.")
    common.tell(options, {"hub": transport.hub, "found": found}, *_table(found))
    return Exit.DONE


def _table(found: list[dict[str, Any]]) -> list[str]:
    """Columns as wide as what is in them; nothing for nothing."""
    if not found:
        return []
    rows = [[title for _, title in _COLUMNS]]
    rows += [[_cell(row[key]) for key, _ in _COLUMNS] for row in found]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _cell(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError("a number from 1 to 1000")
    return int(text)
