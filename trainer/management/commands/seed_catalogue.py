"""Give a new hub its bundled base model and its catalogue; on a hub that has them, do nothing."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hub.errors import HubError
from trainer.services import bases, catalogue
from trainer.sets import bundled


class Command(BaseCommand):
    """`manage.py seed_catalogue [--json]`; safe to repeat, and to run after an upgrade."""

    help = "Install the bundled base model and publish the bundled catalogue."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options."""
        parser.add_argument("--json", action="store_true", help="print what was done as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Install, publish, report."""
        folder = bundled() / "base"
        if not folder.is_dir():
            raise CommandError("This installation has no bundled base model.")
        try:
            base = bases.install(folder, copy=False, replace=True)
            viewer = catalogue.owner()
            seeded = [catalogue.seed(viewer, folder=entry, base=base) for entry in catalogue.entries()]
        except HubError as error:
            raise CommandError(f"The bundled files cannot be used: {error.message}") from None
        new = [one.name for one in seeded if one.is_new]
        if options["json"]:
            self.stdout.write(json.dumps({"base": base.name, "entries": len(seeded), "published": new}))
        elif new:
            self.stdout.write(f"Catalogue: {len(new)} embeddings published by {catalogue.OWNER}")
