"""`manage.py convert`: one file in the layout that a tool wants. Reads in the sandbox; no database is needed."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hub.formats import FAMILIES, LAYOUTS, FormatError, Limits, check_trigger, layouts_for, write_layout
from hub.formats.limits import MIB
from hub.sandbox import SandboxUnavailable, read_embedding


class Command(BaseCommand):
    """One layout is one file; `--layout` without a value lists them."""

    help = f"Write an embedding file in another layout: {', '.join(LAYOUTS)}."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Source, layout, target, and the word when it is not the one the file suggests."""
        parser.add_argument("file", metavar="FILE", nargs="?")
        parser.add_argument("--layout", nargs="?", const="", required=True, help="without a value: list them")
        parser.add_argument("--out", metavar="FILE")
        parser.add_argument("--trigger", help="the word; otherwise the one that the file suggests")
        parser.add_argument("--token", help="of a file with several words, the one to take out")
        parser.add_argument(
            "--dtype",
            choices=["F32", "source"],
            default="F32",
            help="F32 as every tool reads it, or as the values were stored in the source",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file; CommandError in words when it cannot be."""
        if not options["layout"]:
            self.stdout.write(_listing())
            return
        if not options["file"] or not options["out"]:
            raise CommandError("Give a FILE to convert and --out FILE to write.")
        try:
            data = _converted(Path(options["file"]), options)
            Path(options["out"]).write_bytes(data)
        except FormatError as error:
            raise CommandError(f"{error.message} [{error.rule or error.code}]") from error
        except SandboxUnavailable as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        self.stderr.write(f"{options['out']}: {len(data)} bytes, layout {options['layout']}")


def _converted(source: Path, options: dict[str, Any]) -> bytes:
    limits = Limits(settings.HUB["HUB_MAX_UPLOAD_MB"] * MIB, settings.HUB["HUB_MAX_VECTORS"])
    result = read_embedding(source, filename=source.name, limits=limits, token=options["token"])
    word = options["trigger"] or result.facts["trigger"]
    check_trigger(word)
    return write_layout(result.canonical, options["layout"], trigger=word, dtype=options["dtype"])


def _listing() -> str:
    lines = []
    for layout in LAYOUTS.values():
        families = ", ".join(family for family in FAMILIES if layout.id in dict(layouts_for(family)))
        name = layout.filename.format(trigger="<trigger>")
        served = "" if layout.is_served else "; by this command only"
        lines.append(f"{layout.id:12} {name:31} {layout.title}; families {families}{served}")
    return "\n".join(lines)
