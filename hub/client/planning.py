"""PURE: what a folder needs so that it holds what a lock says. Looks at facts, touches nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hub.client.errors import ClientError, Exit
from hub.client.lockfile import Member
from hub.client.state import State
from hub.client.tools import Placed, Tool, placed


@dataclass
class Wanted:
    """What a lock wants in the folder of a tool, and the members that the tool has no file of."""

    files: dict[str, Placed] = field(default_factory=dict)
    left_out: list[Member] = field(default_factory=list)


@dataclass
class Plan:
    """What to do. `fetch`: missing or not as it must be; `keep`: right already; `remove`: wanted no longer.

    `taken`: another file has the name, one that the client did not put there. `changed`: wanted no longer, but changed
    by somebody since it was put there, so it stays.
    """

    fetch: list[Placed] = field(default_factory=list)
    keep: list[Placed] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    taken: list[Placed] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


def wanted(members: Iterable[Member], tool: Tool | None, *, without: Sequence[str] = ()) -> Wanted:
    """The files of all members by name. ClientError when two members want the same name in one folder."""
    found, unknown = Wanted(), set(without)
    for member in members:
        if member.name in without:
            unknown.discard(member.name)
            continue
        files = placed(member, tool)
        if not files:
            found.left_out.append(member)
        for file in files:
            other = found.files.setdefault(file.filename, file)
            if other is not file and other.file.sha256 != file.file.sha256:
                raise _same_word(other.member, member)
    if unknown:
        names = ", ".join(sorted(unknown))
        raise ClientError(Exit.USAGE, "not_in_lock", f"--skip names what is not in the lock: {names}.")
    return found


def plan(
    wanted: Mapping[str, Placed],
    *,
    state: State,
    digest_of: Callable[[str], str | None],
    wanted_by: str,
    prune: bool = False,
    overwrite: bool = False,
) -> Plan:
    """Compare what is wanted with what is there. `digest_of` tells a file's SHA-256, None where there is none."""
    result = Plan()
    for filename, file in wanted.items():
        there = digest_of(filename)
        if there == file.file.sha256:
            result.keep.append(file)
        elif there is None or filename in state or overwrite:
            result.fetch.append(file)
        else:
            result.taken.append(file)
    for filename, entry in state.items() if prune else ():
        if filename in wanted or entry.wanted_by != wanted_by:
            continue
        there = digest_of(filename)
        if there is None or there in entry.digests:
            result.remove.append(filename)
        else:
            result.changed.append(filename)
    return result


def _same_word(one: Member, other: Member) -> ClientError:
    return ClientError(
        Exit.LOCAL,
        "same_word",
        f"{one.label} and {other.label} have the same word, {one.trigger}, and a folder holds one file of that name. "
        f"Leave one out: --skip {other.name}",
        names=[one.name, other.name],
    )
