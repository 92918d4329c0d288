"""`manage.py import_folder DIR --owner NAME [--dry-run] [--json]`: a folder of embeddings becomes entries of somebody.

The report goes to stderr as a table; with --json each embedding is one object a line on stdout, a summary last.
"""

import json
import sys
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hub.access import Viewer
from hub.catalog.licences import LICENCES
from hub.errors import HubError
from hub.models import User
from hub.models.registry import Visibility
from hub.services import importing

_COLUMNS = (("action", 9), ("family", 7), ("trigger", 24), ("name", 32))
_UNAVAILABLE = 2


class Command(BaseCommand):
    """Exit code 0 when every embedding is there, 1 when any was refused, 2 when the hub could not go on."""

    help = (
        "Import a folder as A1111, ComfyUI, InvokeAI, Stability Matrix, Civitai Helper or sd-concepts-library "
        "leave it: sidecars, previews and pairs included. Safe to run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The folder, whose it becomes, who may see it."""
        parser.add_argument("folder", metavar="DIR", type=Path)
        parser.add_argument("--owner", required=True, metavar="NAME")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, write nothing")
        parser.add_argument("--visibility", choices=Visibility.values, default=Visibility.PRIVATE.value)
        parser.add_argument("--licence", choices=sorted(LICENCES), default="unknown")
        parser.add_argument("--json", action="store_true", help="one object a line on stdout, a summary last")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import, reporting as it goes."""
        folder, user = options["folder"], User.objects.select_related("owner")
        owner = user.filter(username=options["owner"].lower()).first()
        if owner is None:
            raise CommandError(f"There is nobody called {options['owner']}.")
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder.")
        counts: Counter[str] = Counter()
        chosen = importing.Options(options["dry_run"], options["visibility"], options["licence"])
        try:
            for row in importing.run(Viewer(owner), folder=folder, options=chosen):
                counts[row.action] += 1
                self._tell(row, as_json=options["json"])
        except HubError as error:
            self._sum_up(counts, options)
            self.stderr.write(f"Stopped: {error.message} Run it again later; what is done stays done.")
            sys.exit(_UNAVAILABLE)
        self._sum_up(counts, options)
        if counts["refused"] or counts["failed"]:
            sys.exit(1)

    def _tell(self, row: importing.Row, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(row.as_dict))
        cells = [f"{getattr(row, column)!s:{width}}"[: max(width, 40)] for column, width in _COLUMNS]
        self.stderr.write("  ".join([*cells, row.file]))
        if row.reason:
            rule = f" [{row.rule}]" if row.rule else ""
            self.stderr.write(f"           {row.reason}{rule}")
        for warning in row.warnings:
            self.stderr.write(f"           warning: {warning}")

    def _sum_up(self, counts: Counter[str], options: dict[str, Any]) -> None:
        summary = {"dry_run": options["dry_run"], "total": counts.total(), **dict(sorted(counts.items()))}
        if options["json"]:
            self.stdout.write(json.dumps({"summary": summary}))
        told = ", ".join(f"{number} {action}" for action, number in sorted(counts.items())) or "no embeddings"
        self.stderr.write(f"{'Dry run: ' if options['dry_run'] else ''}{told}.")
