"""`glossa verify`: whether a folder holds what the lock says, without asking any hub."""

import argparse
from pathlib import Path

from hub.client import checking, lockfile, tools
from hub.client.commands import common
from hub.client.errors import Exit


def add(parser: argparse.ArgumentParser) -> None:
    """Which lock, which folder, how strict."""
    parser.add_argument(
        "--lock", default=lockfile.DEFAULT_NAME, metavar="FILE", help="the lock file (%(default)s)"
    )
    common.add_place(parser)
    parser.add_argument(
        "--skip", action="append", default=[], metavar="OWNER/NAME", help="leave this one out"
    )
    parser.add_argument(
        "--strict", action="store_true", help="files that the lock does not name are faults too"
    )
    common.add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Compare, and say what differs; exit 1 when something does."""
    lock = lockfile.read(Path(options.lock))
    tool = tools.tool_of(options.tool)
    folder = tools.place(tool, options.dir, make=False)
    found = checking.check(lock, tool=tool, folder=folder, without=tuple(options.skip))
    record = {
        "folder": str(folder),
        "right": [one.filename for one in found.right],
        "missing": [one.filename for one in found.missing],
        "changed": [one.filename for one in found.changed],
        "extra": found.extra,
        "foreign": found.foreign,
        "left_out": [one.label for one in found.left_out],
    }
    lines = [f"missing  {one.filename}  {one.member.label}" for one in found.missing]
    lines += [f"changed  {one.filename}  {one.member.label}" for one in found.changed]
    lines += [f"extra    {name}  put there by glossa, not in the lock" for name in found.extra]
    lines += [f"foreign  {name}  not put there by glossa" for name in found.foreign if options.strict]
    is_right = not (found.missing or found.changed or (options.strict and (found.extra or found.foreign)))
    right, wanted = len(found.right), len(found.right) + len(found.missing) + len(found.changed)
    total = f"{folder}: {right} of {wanted} as the lock says"
    common.tell(options, record, *lines, f"{total}{'.' if is_right else '. Put it right: glossa sync'}")
    return Exit.DONE if is_right else Exit.DIFFERENT
