"""`manage.py fsck [--read-data] [--repair] [--json]`: check the hub's invariants; exit 0 clean, 1 findings."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from hub.errors import Unavailable
from hub.services.upkeep import fsck


class Command(BaseCommand):
    """Check that rows and stored bytes agree, and that nothing that was promised is broken."""

    help = "Check rows against stored bytes, commits, counts and the audit log. Changes nothing without --repair."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How deep, and whether to put things right."""
        parser.add_argument(
            "--read-data", action="store_true", help="compare every stored byte with its name"
        )
        parser.add_argument("--repair", action="store_true", help="put right what loses nothing")
        parser.add_argument("--json", action="store_true", help="one object for each finding, then a summary")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print every finding; the exit code says whether any is left."""
        left = repaired = 0
        try:
            for finding in fsck.findings(read_data=options["read_data"]):
                mends = options["repair"] and finding.repair is not None
                if mends and finding.repair is not None:
                    finding.repair()
                repaired, left = repaired + mends, left + (not mends)
                self._tell(finding, mends, options["json"])
        except Unavailable as error:
            self.stderr.write(f"Could not finish: {error.message}")
            sys.exit(2)
        if options["json"]:
            self.stdout.write(json.dumps({"findings": left, "repaired": repaired}))
        else:
            self.stdout.write(f"{left} findings, {repaired} repaired." if left or repaired else "Clean.")
        if left:
            sys.exit(1)

    def _tell(self, finding: fsck.Finding, mended: bool, as_json: bool) -> None:
        if as_json:
            told = {
                "rule": finding.rule,
                "subject": finding.subject,
                "message": finding.message,
                "repaired": mended,
            }
            self.stdout.write(json.dumps(told))
        else:
            note = " (repaired)" if mended else ""
            self.stdout.write(f"{finding.rule}: {finding.subject} {finding.message}{note}")
