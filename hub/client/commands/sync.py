"""`glossa sync` and `glossa pull`: put files where a tool looks for them."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from hub.client import lockfile, names, remote, state, syncing, tools
from hub.client.commands import common
from hub.client.errors import ClientError, Exit, usage
from hub.client.lockfile import Lock, Member
from hub.client.names import Reference
from hub.client.progress import readable
from hub.client.settings import named_hub
from hub.client.syncing import Request, Result
from hub.client.tools import Tool
from hub.client.transport import Transport
from hub.formats import LAYOUTS, served_layouts
from hub.formats.loading import prompt_word

# A lock that is of no pack.
_NAMES = "lock"
# So many words are shown as they are typed.
_FEW = 5


def add(parser: argparse.ArgumentParser) -> None:
    """Which lock, where to, how."""
    parser.add_argument(
        "--lock", default=lockfile.DEFAULT_NAME, metavar="FILE", help="the lock file (%(default)s)"
    )
    common.add_place(parser)
    _add_manner(parser)
    parser.add_argument(
        "--prune",
        action="store_true",
        help="remove files that an earlier sync of this lock put there and it no longer names; never any other",
    )
    parser.add_argument(
        "--skip", action="append", default=[], metavar="OWNER/NAME", help="leave this one out (repeatable)"
    )
    common.add_hub(parser)
    common.add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Make the folder hold what the lock says."""
    lock = lockfile.read(Path(options.lock))
    tool = tools.tool_of(options.tool)
    folder = tools.place(tool, options.dir)
    progress = common.progress_of(options)
    lock = _moved(lock, named_hub(options.hub))
    transport = common.connected(options, progress, otherwise=lock.hub)
    request = Request(
        members=lock.members,
        tool=tool,
        folder=folder,
        wanted_by=lock.pack or _NAMES,
        jobs=options.jobs,
        prune=options.prune,
        overwrite=options.overwrite,
        without=tuple(options.skip),
    )
    return _told(options, request, syncing.sync(transport, request, progress))


def add_pull(parser: argparse.ArgumentParser) -> None:
    """Which ones, where to."""
    parser.add_argument(
        "names",
        nargs="+",
        metavar="NAME",
        help="owner/name, owner/name@v3, owner/name@<commit id or label>; a pack",
    )
    common.add_place(parser)
    parser.add_argument(
        "--layout",
        choices=[one.id for one in LAYOUTS.values() if one.is_served],
        help="the file in this layout, in place of the one that the tool loads best",
    )
    _add_manner(parser)
    common.add_hub(parser)
    common.add_output(parser)


def pull(options: argparse.Namespace) -> int:
    """Fetch single embeddings, by name and pin."""
    references = [names.reference(text) for text in options.names]
    tool = tools.tool_of(options.tool)
    if options.layout:
        tool = tools.with_layout(tool, options.layout)
    progress = common.progress_of(options)
    transport = common.connected(options, progress)
    found = _members(transport, references, layout=options.layout or "")
    usable = [member for member in found if tools.placed(member, tool)]
    if not usable or (len(usable) < len(found) and len(found) == len(references)):
        first = next((member for member in found if member not in usable), None)
        raise _unloadable(transport, first, tool, options.layout or "")
    folder = tools.place(tool, options.dir)
    request = Request(
        tuple(found), tool, folder, state.BY_HAND, jobs=options.jobs, overwrite=options.overwrite
    )
    return _told(options, request, syncing.sync(transport, request, progress))


def _add_manner(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jobs",
        "-j",
        type=_jobs,
        default=syncing.DEFAULT_JOBS,
        metavar="N",
        help="files at once (%(default)s)",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace files of the same name that glossa did not put there",
    )


def _jobs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= syncing.MOST_JOBS:
        raise argparse.ArgumentTypeError(f"a number from 1 to {syncing.MOST_JOBS}")
    return int(text)


def _moved(lock: Lock, hub: str | None) -> Lock:
    """The lock with the addresses of another hub: it has moved, or is reached by another name from here."""
    if hub is None or hub == lock.hub:
        return lock
    members = []
    for member in lock.members:
        files = []
        for file in member.files:
            if not file.url.startswith(f"{lock.hub}/"):
                raise usage(f"{file.url} is not below {lock.hub}, so --hub cannot stand in for it.")
            files.append(replace(file, url=hub + file.url[len(lock.hub) :]))
        members.append(replace(member, files=tuple(files)))
    return replace(lock, hub=hub, members=tuple(members))


def _members(transport: Transport, references: list[Reference], *, layout: str) -> list[Member]:
    """The versions that the names mean; one name alone may be that of a pack."""
    try:
        return remote.members(transport, references, layout=layout)
    except ClientError as error:
        if error.code != "repo_not_found" or len(references) > 1 or references[0].revision != "main":
            raise
        refusal = error
    try:
        data = remote.lock_of_pack(transport, references[0])
    except ClientError as error:
        raise refusal if error.exit_code is Exit.NOT_FOUND else error from None
    return list(lockfile.parse(data, source=f"What {transport.hub} sends").members)


def _unloadable(transport: Transport, member: Member | None, tool: Tool | None, layout: str) -> ClientError:
    if member is None:
        message = "There is nothing in it to pull."
    elif tool is None:
        message = f"{transport.hub} offers no file of {member.label}."
    elif layout and not member.file(layout):
        offered = ", ".join(one.id for one in served_layouts(member.family))
        message = f"{member.label} is not to be had as {layout}; there are {offered}."
    elif layout:
        message = f"{tool.title} does not load {layout}. Leave --tool out, and say the folder with --dir."
    else:
        message = (
            f"{tool.title} loads no embedding of the family {member.family}, which {member.label} is of."
        )
    return ClientError(Exit.NOT_FOUND, "no_such_layout", message)


def _told(options: argparse.Namespace, request: Request, result: Result) -> int:
    """Say what came of it; the exit code is that of the first thing that went wrong."""
    for filename, error in result.failed:
        common.warn(f"{filename}: {error.message}")
    if result.left_out and request.tool:
        names_left = common.some([one.label for one in result.left_out])
        why = f"{request.tool.title} does not load their family"
        why = why if request.tool.id else "their family has no such layout"
        common.warn(f"Left out, since {why}: {names_left}.")
    if result.changed:
        common.warn(f"Kept, since somebody has changed them: {common.some(result.changed)}.")
    common.tell(options, _record(request, result), *_summary(request, result))
    return result.failed[0][1].exit_code if result.failed else Exit.DONE


def _record(request: Request, result: Result) -> dict[str, Any]:
    return {
        "folder": str(request.folder),
        "tool": request.tool.id or None if request.tool else None,
        "placed": [
            {
                "file": one.filename,
                "path": str(request.folder / one.filename),
                "name": one.member.name,
                "version": one.member.version,
                "trigger": one.member.trigger,
                "sha256": one.file.sha256,
                "size": one.file.size,
            }
            for one in result.placed
        ],
        "kept": [one.filename for one in result.kept],
        "removed": result.removed,
        "changed": result.changed,
        "left_out": [one.label for one in result.left_out],
        "failed": [{"file": name, **error.record()["error"]} for name, error in result.failed],
        "seconds": round(result.seconds, 3),
    }


def _summary(request: Request, result: Result) -> list[str]:
    size = readable(sum(one.file.size for one in result.placed))
    parts = [f"{len(result.placed)} new ({size})" if result.placed else "nothing new"]
    parts += [f"{len(result.kept)} as they were"] if result.kept else []
    parts += [f"{len(result.removed)} removed"] if result.removed else []
    parts += [f"{len(result.failed)} FAILED"] if result.failed else []
    lines = [f"{request.folder}: {', '.join(parts)}, in {result.seconds:.1f} s."]
    if result.placed and request.tool and request.tool.id:
        words = dict.fromkeys(prompt_word(request.tool.id, one.member.trigger) for one in result.placed)
        lines += [f"In a prompt: {', '.join(words)}."] if len(words) <= _FEW else []
        lines += [request.tool.after] if request.tool.after else []
    return lines
