"""Install a base model from a local diffusers folder or a single-file checkpoint; list and remove those installed."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hub.errors import HubError
from hub.models import BaseModel
from trainer.services import bases


class Command(BaseCommand):
    """`manage.py install_base_model PATH`: install it, or say what it is with `--dry-run`; `--list`, `--remove`."""

    help = (
        "Install a base model from a local diffusers folder or .safetensors checkpoint. Nothing is fetched."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """What to install, or what to do with those that are."""
        parser.add_argument("path", type=Path, nargs="?", help="the diffusers folder or .safetensors file")
        parser.add_argument("--list", action="store_true", help="list the bases that are installed")
        parser.add_argument("--remove", metavar="NAME", default="", help="remove an installed base")
        parser.add_argument("--name", default="", help="name on this hub; default: its own")
        parser.add_argument("--title", default="", help="title for people; default: its own")
        parser.add_argument(
            "--licence", default="", help="the licence its makers give it; default: what it says"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what it is and install nothing")
        parser.add_argument(
            "--prediction",
            default="",
            choices=["", "epsilon", "v_prediction"],
            help="for a single SD 2.x file that does not say: v_prediction for a 768 model, epsilon for a 512 base",
        )
        parser.add_argument("--in-place", action="store_true", help="use the folder where it is")
        parser.add_argument("--replace", action="store_true", help="take the place of another base so named")
        parser.add_argument("--json", action="store_true", help="print facts as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the one thing that was asked for."""
        asked = [name for name in ("path", "list", "remove") if options[name]]
        if len(asked) != 1:
            raise CommandError("Give the path of a folder or file, or --list, or --remove NAME.")
        actions = {"path": self.install, "list": self.list, "remove": self.remove}
        try:
            actions[asked[0]](options)
        except HubError as error:
            raise CommandError(error.message) from None

    def install(self, options: dict[str, Any]) -> None:
        """Install and say what it is."""
        path = options["path"]
        if options["prediction"] and path.is_dir():
            raise CommandError(
                "--prediction answers for a single file; a folder says its prediction type itself, "
                "in scheduler/scheduler_config.json."
            )
        if options["in_place"] and path.is_file():
            raise CommandError("A single file is converted into a folder of its own; leave --in-place out.")
        if options["dry_run"]:
            self.say(options)
            return
        base = bases.install(
            path,
            name=options["name"],
            title=options["title"],
            copy=not options["in_place"],
            replace=options["replace"],
            prediction=options["prediction"],
            licence=options["licence"],
            tell=self.tell,
        )
        if options["json"]:
            self.stdout.write(json.dumps(facts_of(base)))
        else:
            self.stdout.write(f"Installed {base.name} ({base.family}, {base.digest[:12]}) in {base.folder}")

    def tell(self, said: str) -> None:
        """What goes on, apart from the answer."""
        self.stderr.write(said)

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

    def list(self, options: dict[str, Any]) -> None:
        """The installed bases, a line each."""
        found = bases.installed()
        if options["json"]:
            self.stdout.write(json.dumps([facts_of(base) for base in found]))
            return
        if not found:
            self.stdout.write(
                "No base model is installed. `manage.py seed_catalogue` installs the bundled one."
            )
        for base in found:
            self.stdout.write(
                f"{base.name}\t{base.family}\t{base.resolution} px\t{base.prediction_type}\t"
                f"{base.digest[:12]}\t{base.folder}"
            )

    def remove(self, options: dict[str, Any]) -> None:
        """Remove one, and say what became of its files."""
        gone = bases.remove(options["remove"])
        said = "its files are deleted" if gone else "its files lie where they were: they were used in place"
        self.stdout.write(f"Removed {options['remove']}; {said}. What was published on it stays.")


def facts_of(base: BaseModel) -> dict[str, Any]:
    """A base as plain values."""
    return {
        "name": base.name,
        "title": base.title,
        "family": base.family,
        "digest": base.digest,
        "folder": base.folder,
        "resolution": base.resolution,
        "prediction_type": base.prediction_type,
    }
