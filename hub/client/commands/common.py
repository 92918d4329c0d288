"""What several commands share: options, the connection to the hub, and how results are told."""

import argparse
import json
import sys
from typing import Any

from hub.client import settings
from hub.client.names import printable
from hub.client.progress import Progress
from hub.client.tools import TOOLS
from hub.client.transport import Transport


def add_hub(parser: argparse.ArgumentParser) -> None:
    """--hub."""
    parser.add_argument("--hub", metavar="URL", help="the hub (else GLOSSA_HUB, else that of the last login)")


def add_output(parser: argparse.ArgumentParser) -> None:
    """--json and --quiet."""
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    parser.add_argument("--quiet", "-q", action="store_true", help="no progress, only results and errors")


def add_place(parser: argparse.ArgumentParser) -> None:
    """--tool and --dir."""
    parser.add_argument(
        "--tool", choices=TOOLS, help="put files where this tool looks for them, in the form it loads"
    )
    parser.add_argument(
        "--dir",
        metavar="DIR",
        help="the tool's root folder, or its folder of embeddings (else the usual places); without --tool the "
        "folder for the files (else this one)",
    )


def connected(options: argparse.Namespace, progress: Progress, *, otherwise: str | None = None) -> Transport:
    """The hub that the options name, `otherwise` the one that a lock file names."""
    return Transport(settings.account(options.hub, otherwise=otherwise), note=progress.note)


def progress_of(options: argparse.Namespace) -> Progress:
    """Progress as the options want it."""
    return Progress(is_quiet=options.quiet)


def tell(options: argparse.Namespace, record: dict[str, Any], *lines: str) -> None:
    """The result: the record with --json, else the lines."""
    if options.json:
        sys.stdout.write(json.dumps(record) + "\n")
    else:
        for line in lines:
            say(line)


def say(line: str) -> None:
    """A line on standard output; foreign text cannot command the terminal."""
    sys.stdout.write(printable(line) + "\n")


def warn(line: str) -> None:
    """A line on standard error."""
    sys.stderr.write(printable(line) + "\n")


def some(names: list[str], most: int = 8) -> str:
    """Names in a sentence, the first of them if there are many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
