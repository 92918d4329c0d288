"""Install a base model from a local diffusers folder: safetensors and JSON only, nothing is fetched."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hub.errors import HubError
from trainer.services import bases


class Command(BaseCommand):
    """`manage.py install_base_model PATH`: install a folder, or say with `--dry-run` what a folder or file is."""

    help = "Install a base model from a local diffusers folder (safetensors and JSON only)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Folder and options."""
        parser.add_argument("path", type=Path, help="the diffusers folder")
        parser.add_argument("--name", default="", help="name on this hub; default: the folder's own")
        parser.add_argument("--title", default="", help="title for people; default: the folder's own")
        parser.add_argument("--dry-run", action="store_true", help="say what it is and install nothing")
        parser.add_argument(
            "--prediction",
            default="",
            choices=["", "epsilon", "v_prediction"],
            help="with --dry-run: for a single SD 2.x file that does not say",
        )
        parser.add_argument("--in-place", action="store_true", help="use the folder where it is")
        parser.add_argument("--replace", action="store_true", help="take the place of another base so named")
        parser.add_argument("--json", action="store_true", help="print facts as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Install and say what it is."""
        try:
            if options["prediction"] and options["path"].is_dir():
                raise CommandError(
                    "--prediction answers for a single file with --dry-run; a folder says its prediction type itself, "
                    "in scheduler/scheduler_config.json."
                )
            if options["dry_run"]:
                self.say(options)
                return
            base = bases.install(
                options["path"],
                name=options["name"],
                title=options["title"],
                copy=not options["in_place"],
                replace=options["replace"],
            )
        except HubError as error:
            raise CommandError(error.message) from None
        facts = {
            "name": base.name,
            "title": base.title,
            "family": base.family,
            "digest": base.digest,
            "folder": base.folder,
            "resolution": base.resolution,
            "prediction_type": base.prediction_type,
        }
        if options["json"]:
            self.stdout.write(json.dumps(facts))
        else:
            self.stdout.write(f"Installed {base.name} ({base.family}, {base.digest[:12]}) in {base.folder}")

    def say(self, options: dict[str, Any]) -> None:
        """What the folder or single file is, as one line or one JSON object."""
        facts = bases.look(options["path"], prediction=options["prediction"])
        said = {
            "title": options["title"] or facts.title,
            "family": facts.family,
            "encoders": list(facts.encoders),
            "prediction_type": facts.prediction,
            "resolution": facts.resolution,
        }
        if options["json"]:
            self.stdout.write(json.dumps(said))
        else:
            self.stdout.write(
                f"{said['title']}: {facts.family}, {facts.prediction}, {facts.resolution} pixels; nothing installed"
            )
