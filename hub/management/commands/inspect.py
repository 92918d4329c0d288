"""`manage.py inspect`: what a file is, by its bytes. Each file is read in the sandbox; no database is needed."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from hub.formats import Limits
from hub.formats.inspection import row
from hub.formats.limits import MIB
from hub.sandbox import inspect_embedding


class Command(BaseCommand):
    """One record a file, in order; exit code 1 when any is refused or leaves a question."""

    help = (
        "Say what embedding files are: family, encoders, vectors, trigger, digests, or why they are refused."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The files, and the form of the answer."""
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the records; leave with 1 unless all files are accepted."""
        limits = Limits(settings.HUB["HUB_MAX_UPLOAD_MB"] * MIB, settings.HUB["HUB_MAX_VECTORS"])
        accepted = True
        for name in options["files"]:
            record = _record(name, limits)
            accepted = accepted and record["verdict"] == "accept"
            self.stdout.write(json.dumps(record) if options["json"] else _in_words(record))
        if not accepted:
            sys.exit(1)


def _record(name: str, limits: Limits) -> dict[str, Any]:
    try:
        return inspect_embedding(name, limits=limits)
    except OSError as error:
        message = f"The file cannot be read: {error.strerror}."
        facts: dict[str, Any] = {
            "verdict": "refuse",
            "message": message,
            "encoders": [],
            "digests": {},
            "warnings": [],
        }
        return {"file": name, **row(facts)}


def _in_words(record: dict[str, Any]) -> str:
    lines = [f"{record['file']}: {record['verdict']}", f"  {record['message']}"]
    if record["rule"]:
        lines.append(f"  rule      {record['rule']}")
    for encoder in record["encoders"]:
        lines.append(
            f"  encoder   {encoder['name']}: {encoder['vectors']} x {encoder['width']}, {encoder['dtype']}"
        )
    for key in ("layout", "trigger", "step"):
        if record[key] is not None:
            lines.append(f"  {key:9} {record[key]}")
    lines += [f"  {name:9} {digest}" for name, digest in record["digests"].items()]
    lines += [f"  warning   {warning}" for warning in record["warnings"]]
    return "\n".join(lines)
