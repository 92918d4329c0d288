"""`glossa lock`: write down which bytes a pack, or a list of names, stands for today."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from hub.client import lockfile, names, remote
from hub.client.commands import common
from hub.client.errors import ClientError, Exit, local
from hub.client.files import write_atomically
from hub.client.names import Reference
from hub.client.transport import Transport


def add(parser: argparse.ArgumentParser) -> None:
    """What, and where to."""
    parser.add_argument(
        "names", nargs="+", metavar="NAME", help="a pack, or embeddings: owner/name, owner/name@v3"
    )
    parser.add_argument(
        "--out",
        "-o",
        default=lockfile.DEFAULT_NAME,
        metavar="FILE",
        help="the file (%(default)s); - prints it",
    )
    common.add_hub(parser)
    common.add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Ask the hub, and write the file."""
    transport = common.connected(options, common.progress_of(options))
    data = made(transport, [names.reference(text) for text in options.names])
    lock = lockfile.parse(data, source="The new lock")
    if options.out == "-":
        sys.stdout.write(data.decode())
        return Exit.DONE
    path = Path(options.out)
    before = path.read_bytes() if path.is_file() else None
    if before != data:
        try:
            write_atomically(path, data)
        except OSError as error:
            raise local("unwritable", f"{path}: {error.strerror}.") from None
    count = f"{len(lock.members)} embedding{'' if len(lock.members) == 1 else 's'}"
    said = "is up to date" if before == data else "written"
    common.tell(
        options,
        {
            "lock": str(path),
            "pack": lock.pack,
            "hub": lock.hub,
            "changed": before != data,
            "members": [one.label for one in lock.members],
        },
        f"{path} {said}: {count}{f' of the pack {lock.pack}' if lock.pack else ''}.",
    )
    return Exit.DONE


def made(transport: Transport, references: Sequence[Reference]) -> bytes:
    """The bytes of the lock: of a pack where there is one name and a pack has it, else of embeddings."""
    if len(references) == 1 and references[0].revision == "main":
        try:
            return remote.lock_of_pack(transport, references[0])
        except ClientError as error:
            if error.exit_code is not Exit.NOT_FOUND or error.detail.get("status") != 404:
                raise
    return lockfile.written(remote.lock_of_names(transport, references))
