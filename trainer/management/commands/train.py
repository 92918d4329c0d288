"""Train a word from a folder of pictures, without database, broker or site.

Progress goes to standard error; with --json one object about the result goes to standard output.
"""

import hashlib
import json
import secrets
import signal
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from hub import formats, sandbox
from hub.formats.errors import FormatError
from trainer import written
from trainer.advice import Look, advise
from trainer.base_folder import BaseFolder, BaseFolderError, find_base, read_base
from trainer.child import EngineChild, EngineDied
from trainer.management.outcome import facts_of, write_files, write_sheet
from trainer.management.picture_folder import CAPTIONS, pictures
from trainer.management.starting import Start, read_start
from trainer.options import LINES
from trainer.presets import PRESETS
from trainer.recipe import KINDS, MAX_SEED, Recipe, RecipeError

SILENCE_SECONDS = 24 * 3600.0
LOOKED_AT_SIDE = 1024


class Command(BaseCommand):
    """`manage.py train --base tiny --images DIR --trigger WORD --kind style --out DIR [--json]`."""

    help = (
        "Train an embedding from a folder of pictures. Beside a picture NAME.png may lie NAME.txt, its caption, "
        "NAME.mask.png, a mask (white counts), and NAME.focus, four shares: left, top, right, bottom."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """What to learn, from what, and how well."""
        parser.add_argument("--base", default="tiny", help="an installed base model's name, or a folder")
        parser.add_argument("--images", type=Path, required=True, help="folder of JPEG, PNG or WebP pictures")
        parser.add_argument("--trigger", required=True, help="the new word")
        parser.add_argument("--kind", choices=KINDS, required=True)
        parser.add_argument("--initializer", default="", help="word or words to start from")
        parser.add_argument(
            "--start", type=Path, metavar="FILE", help="an embedding of the same family to start from"
        )
        parser.add_argument("--preset", choices=PRESETS, default="standard")
        parser.add_argument("--vectors", type=int, help="vectors per token")
        parser.add_argument(
            "--captions", choices=CAPTIONS, default="text", help="where captions come from; text: .txt files"
        )
        parser.add_argument(
            "--template",
            action="append",
            default=[],
            metavar="LINE",
            help="a prompt with [name]; may be repeated",
        )
        parser.add_argument(
            "--preview-prompt",
            action="append",
            default=[],
            metavar="LINE",
            help=f"a prompt with [name] for the sheet; may be given {LINES['preview_prompts']} times",
        )
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="SETTING=VALUE",
            help="any setting of the table in docs/training.md, such as crop=buckets; may be repeated",
        )
        parser.add_argument("--steps", type=int, help="at most this many steps")
        parser.add_argument("--seed", type=int, help="default: drawn, and told in the result")
        parser.add_argument(
            "--tensorboard", type=Path, metavar="DIR", help="write the run's scalars there for TensorBoard"
        )
        parser.add_argument("--threads", type=int, help="processor threads for the engine")
        parser.add_argument("--out", type=Path, required=True, help="folder for the files, made if missing")
        parser.add_argument("--json", action="store_true", help="print the result as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Train, draw the sheet, write the files, say what came of it."""
        if options["tensorboard"] and find_spec("tensorboardX") is None:
            raise CommandError("--tensorboard needs tensorboardX: pip install 'glossa[tensorboard]'.")
        try:
            base = read_base(find_base(options["base"], settings.MODELS_DIR))
            images = pictures(options["images"], options["captions"])
            start = read_start(options["start"]) if options["start"] else None
            captions = any(image["caption"] for image in images)
            recipe = recipe_from(options, base, captions=captions, start=start)
            options["out"].mkdir(parents=True, exist_ok=True)
        except RecipeError as error:
            raise CommandError(f"{error.field}: {error.message}") from None
        except BaseFolderError as error:
            raise CommandError(error.message) from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}.") from None
        advice = advice_on(images, recipe)
        for warning in [*(finding["text"] for finding in advice), *warnings(recipe)]:
            self.tell(f"Warning: {warning}")
        with tempfile.TemporaryDirectory(prefix="glossa-train-") as work:
            engine = Session(Path(work), self.tell)
            try:
                facts = engine.run(base, recipe, images, options, start)
            finally:
                engine.child.stop()
        if options["json"]:
            self.stdout.write(json.dumps({**facts, "advice": advice}, ensure_ascii=False))
        else:
            for file in facts["files"]:
                self.stdout.write(file["path"])

    def tell(self, text: str) -> None:
        """A line of progress, beside the result."""
        self.stderr.write(text, self.style.NOTICE if text.startswith("Warning") else None)


class Session:
    """One training and its sheet in an engine child."""

    def __init__(self, work: Path, tell: Any) -> None:
        self.work = work
        self.tell = tell
        self.child = EngineChild(folder=work)
        self.interrupted = False

    def run(
        self,
        base: BaseFolder,
        recipe: Recipe,
        images: list[dict[str, Any]],
        options: dict[str, Any],
        start: Start | None,
    ) -> dict[str, Any]:
        """Train and draw; the facts of the result. Raises CommandError."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.interrupt)
        common: dict[str, Any] = {"base": str(base.path.resolve()), "workdir": str(self.work)}
        common["threads"] = options["threads"]
        train = {"do": "train", "id": "train", "recipe": recipe.to_dict(), "images": images, **common}
        if options["tensorboard"]:
            train["board"] = str(options["tensorboard"].resolve())
        if start:
            train["start"] = start.written_in(self.work)
        self.child.start()
        result = self.command(train)
        sheet = self.command(
            {
                "do": "sheet",
                "id": "sheet",
                "embedding": result["embedding"],
                "kind": recipe.kind,
                "trigger": recipe.trigger,
                "initializer": recipe.initializer,
                "growth": result["growth"],
                "prompts": recipe.preview_prompts,
                **common,
            }
        )
        files = write_files(result, recipe.trigger, options["out"])
        return facts_of(result, sheet, files, write_sheet(sheet, options["out"]))

    def interrupt(self, *_: Any) -> None:
        """Ask the engine to stop; the second time, make it."""
        if self.interrupted:
            self.child.kill()
        self.interrupted = True
        with suppress(EngineDied):
            for name in ("train", "sheet"):
                self.child.cancel(name)

    def command(self, command: dict[str, Any]) -> dict[str, Any]:
        """Send one command and report on it; the event that ends it. Raises CommandError."""
        try:
            self.child.send(command)
            for event in self.child.events(SILENCE_SECONDS):
                self.report(event)
        except EngineDied as error:
            raise CommandError(f"The engine ended with status {error.code}.\n{error.log}") from None
        if event["event"] == "failed":
            raise CommandError(event["message"] if event["fault"] == "recipe" else self.with_detail(event))
        if event["event"] == "stopped":
            raise CommandError("Stopped.", returncode=130)
        return event

    def with_detail(self, event: dict[str, Any]) -> str:
        """A failure of the machine, with what its owner needs to mend it."""
        return "\n".join(filter(None, (event["message"], event.get("detail"))))

    def report(self, event: dict[str, Any]) -> None:
        """One line about an event, if it is worth one."""
        match event["event"]:
            case "preparing" | "note":
                self.tell(event["text"])
            case "started":
                self.tell(f"Training on {event['pictures']} pictures for at most {event['steps']} steps")
            case "progress":
                loss = "-" if event["loss"] is None else f"{event['loss']:.4f}"
                self.tell(
                    f"step {event['step']}/{event['steps']}  loss {loss}  "
                    f"{event['samples_per_second']:.1f} samples/s  {event['seconds_left']:.0f} s left"
                )
            case "rendering" if event["done"] % 12 == 0:
                self.tell(f"Drawing the preview sheet: {event['done']} of {event['total']}")


def recipe_from(
    options: dict[str, Any], base: BaseFolder, *, captions: bool, start: Start | None = None
) -> Recipe:
    """The recipe that the options ask for. Raises RecipeError."""
    if start and options["vectors"] not in (None, start.vectors):
        raise RecipeError("vectors_per_token", f"The file to start from has {start.vectors} vectors.")
    chosen: dict[str, Any] = {
        "base": base.name,
        "resolution": base.resolution,
        "captions": captions,
        "seed": secrets.randbelow(MAX_SEED) if options["seed"] is None else options["seed"],
        "templates": tuple(options["template"]),
        "preview_prompts": tuple(options["preview_prompt"]),
        "vectors_per_token": options["vectors"],
        "max_steps": options["steps"],
        **(start.settings() if start else {}),
        **written.from_pairs(options["set"]),
    }
    return Recipe.for_preset(
        options["preset"],
        family=base.family,
        kind=options["kind"],
        trigger=options["trigger"],
        initializer=options["initializer"],
        **{name: value for name, value in chosen.items() if value is not None or name in written.OFF},
    )


def advice_on(images: list[dict[str, Any]], recipe: Recipe) -> list[dict[str, Any]]:
    """What the wizard would say about the pictures; one that cannot be read is the engine's to refuse."""
    looks = []
    for image in images:
        path = Path(image["path"])
        with suppress(FormatError, sandbox.SandboxUnavailable):
            facts = sandbox.read_picture(path, max_side=LOOKED_AT_SIDE, look=True).facts
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            looks.append((path.name, Look.of(facts, digest=digest, width=0, height=0)))
    found = advise([look for _name, look in looks], kind=recipe.kind, resolution=recipe.resolution)
    advice = []
    for finding in found:
        names = [looks[place][0] for place in finding.pictures]
        text = f"{finding.text} ({', '.join(names)})" if names else finding.text
        advice.append({"code": finding.code, "pictures": names, "text": text})
    return advice


def warnings(recipe: Recipe) -> list[str]:
    """What is allowed but should be known before the time is spent."""
    found = recipe.warnings()
    try:
        formats.check_trigger(recipe.trigger)
    except FormatError as error:
        found.append(f"This word could not be published. {error.message}")
    return found
