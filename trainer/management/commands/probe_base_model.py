"""Measure a base model on this machine: seconds a step, peak memory, the largest batch that fits."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hub.errors import HubError
from trainer.services import probing

LIMITS = {
    "memory": "more does not fit into memory",
    "most": "the most that a recipe may have",
    "time": "more was not tried in the time given",
}


class Command(BaseCommand):
    """`manage.py probe_base_model NAME`: a few steps in the engine; pages then say how long a run takes here."""

    help = "Measure a base model on this machine: seconds a step, memory, the largest batch that fits."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which base, at which resolutions, and how long."""
        parser.add_argument("name", help="an installed base model")
        parser.add_argument(
            "--resolution",
            type=int,
            action="append",
            metavar="PIXELS",
            help="may be repeated; default: its own",
        )
        parser.add_argument("--steps", type=int, default=probing.STEPS, help="timed steps of each batch")
        parser.add_argument(
            "--seconds", type=float, default=probing.SECONDS, help="larger batches are tried for so long"
        )
        parser.add_argument(
            "--beside-runs", action="store_true", help="measure although a run is being trained"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and say what was found."""
        for side in options["resolution"] or []:
            if side % 64 or not 64 <= side <= 1536:
                raise CommandError(f"{side} is no resolution: take a multiple of 64 from 64 to 1536.")
        if options["steps"] < 1:
            raise CommandError("Time at least one step.")
        try:
            found = probing.probe(
                options["name"],
                resolutions=options["resolution"],
                steps=options["steps"],
                seconds=options["seconds"],
                beside_runs=options["beside_runs"],
                tell=self.tell,
            )
        except HubError as error:
            raise CommandError(error.message) from None
        facts = {
            "base": options["name"],
            "host": found.host,
            "device": found.device,
            "precision": found.precision,
            "load_seconds": found.load_seconds,
            "resolutions": found.resolutions,
        }
        if options["json"]:
            self.stdout.write(json.dumps(facts))
            return
        self.stdout.write(f"{options['name']} on {found.device} ({found.precision})")
        for one in found.resolutions:
            self.stdout.write(
                f"{one['resolution']} px: largest batch {one['largest']} ({LIMITS[one['limit']]})"
                if one["batches"]
                else f"{one['resolution']} px: not even one picture fits into memory"
            )

    def tell(self, event: dict[str, Any]) -> None:
        """A line for each batch."""
        if event["event"] == "probing":
            self.stderr.write(
                f"{event['resolution']} px, batch {event['batch']}: {event['seconds']:.3g} s a step, "
                f"{event['peak_bytes'] / 2**30:.2f} GiB"
            )
