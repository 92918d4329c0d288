"""`manage.py gc [--dry-run] [--grace-hours N] [--json]`: remove stored bytes that nobody needs."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from hub.errors import Unavailable
from hub.services.upkeep import gc


class Command(BaseCommand):
    """Collect garbage while the site runs."""

    help = "Remove stored bytes that nothing has referred to for the grace time. Safe while the site runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How long to wait, and whether to act."""
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument(
            "--grace-hours", type=float, default=gc.GRACE_HOURS, help="how long bytes may be unused"
        )
        parser.add_argument("--json", action="store_true", help="one object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Collect, and say what was done."""
        try:
            done = gc.collect(grace_hours=options["grace_hours"], dry_run=options["dry_run"])
        except Unavailable as error:
            self.stderr.write(f"Could not finish: {error.message}")
            sys.exit(2)
        if options["json"]:
            self.stdout.write(json.dumps(done.as_dict))
            return
        verb = "Would remove" if options["dry_run"] else "Removed"
        self.stdout.write(
            f"{verb} {done.removed} blobs of {done.bytes_removed} bytes, {done.temporary_files} temporary files; "
            f"let go of {done.released_versions} deleted or taken down versions; "
            f"{done.adopted} strays begin their grace time."
        )
