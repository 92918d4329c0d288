"""The versions in a pack: added, pinned anew, described, moved, taken out. Each change is a revision of the pack."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, cast

from django.db import transaction

from hub import jobs
from hub.access import Viewer, require, visible
from hub.catalog.downloads import Download
from hub.catalog.pack_shapes import Pack
from hub.errors import Conflict, NotFound
from hub.models import Collection, CollectionMember, Version
from hub.models.registry import VersionQuerySet
from hub.services import audit, texts
from hub.services.packs import packs
from hub.services.versions import converting

MEMBERS_MAX: Final = 200


def add_member(viewer: Viewer, *, pack: Collection, version: Version, note: str = "") -> CollectionMember:
    """Pin a version that the viewer may pull, at the end of the pack; harmless to repeat.

    Conflict `member_exists` for another version of the same embedding, `trigger_in_pack` where a member has the
    same word, `pack_full`; NotFound for a version that the viewer may not see.
    """
    note = texts.line(note, field="note", most=texts.SUMMARY_MAX)
    with _changed(viewer, pack, "add_to_pack", version=str(version)) as row:
        _check_pullable(viewer, version)
        members = list(row.members.select_related("version", "embedding__owner"))
        for member in members:
            if member.version_id == version.pk:
                return member
            if member.embedding_id == version.embedding_id:
                raise _other_version(member)
        _check_trigger(viewer, version, members)
        if len(members) >= MEMBERS_MAX:
            raise Conflict(
                "pack_full", f"A pack has up to {MEMBERS_MAX} members. Take one out, or make another."
            )
        jobs.enqueue("make_files", version.pk)
        return CollectionMember.objects.create(
            collection=row, embedding_id=version.embedding_id, version=version, note=note,
            trigger=version.trigger.lower(), position=members[-1].position + 1 if members else 1,
        )  # fmt: skip


def bump_member(
    viewer: Viewer, *, pack: Collection, member: int, number: int | None = None
) -> CollectionMember:
    """Pin a member to the newest version that is offered, or to that number. Raises as add_member."""
    with _changed(viewer, pack, "bump_in_pack", member=member) as row:
        found = _member(row, member)
        versions = _pullable(viewer).filter(embedding=found.embedding_id)
        version = versions.filter(number=number).first() if number else _newest(versions)
        if version is None:
            raise NotFound("There is no version that could be pinned instead.", code="revision_not_found")
        others = list(row.members.exclude(pk=found.pk).select_related("version", "embedding__owner"))
        _check_trigger(viewer, version, others)
        found.version, found.trigger = version, version.trigger.lower()
        found.save(update_fields=["version", "trigger"])
        jobs.enqueue("make_files", version.pk)
        return found


def describe_member(viewer: Viewer, *, pack: Collection, member: int, note: str) -> CollectionMember:
    """Say why it is in the pack. Unacceptable `field_invalid`."""
    note = texts.line(note, field="note", most=texts.SUMMARY_MAX)
    with _changed(viewer, pack, "describe_in_pack", member=member) as row:
        found = _member(row, member)
        found.note = note
        found.save(update_fields=["note"])
        return found


def remove_member(viewer: Viewer, *, pack: Collection, member: int) -> None:
    """Take a member out, seen or not; harmless to repeat."""
    with _changed(viewer, pack, "remove_from_pack", member=member) as row:
        row.members.filter(pk=member).delete()


def move_member(viewer: Viewer, *, pack: Collection, member: int, by: int) -> None:
    """Move a member up (`by` below 0) or down among those that the viewer sees; at the ends it stays."""
    with _changed(viewer, pack, "move_in_pack", member=member) as row:
        _member(row, member)
        pins = dict(row.members.values_list("pk", "version"))
        seen = set(_pullable(viewer).filter(pk__in=pins.values()).values_list("pk", flat=True))
        shown = [pk for pk, version in pins.items() if pk == member or version in seen]
        place = shown.index(member)
        shown.insert(max(0, min(place + by, len(shown) - 1)), shown.pop(place))
        # What is hidden keeps its place: a step past it would change nothing that anybody sees.
        following = iter(shown)
        packs.put_in_order([next(following) if pk in shown else pk for pk in pins])


def make_files(viewer: Viewer, *, pack: Pack) -> Pack:
    """The pack with size and digest of every file that its lock names; those that nobody asked for yet are made.

    Where nothing can be kept they are made all the same, since a lock of fewer files would be another lock.
    """
    return replace(
        pack,
        members=tuple(
            replace(member, files=tuple(_made(viewer, member.version, one) for one in member.files))
            for member in pack.members
        ),
    )


def _made(viewer: Viewer, version: Version, one: Download) -> Download:
    if one.sha256 is not None:
        return one
    file = converting.file_in(viewer, version=version, layout=one.layout)
    return replace(one, sha256=file.sha256, size=file.size)


@contextmanager
def _changed(viewer: Viewer, pack: Collection, act: str, **told: Any) -> Iterator[Collection]:
    """One change of a pack: its row held, a revision and an audit entry written."""
    require(viewer, "edit_pack", pack)
    with transaction.atomic():
        row = packs.locked(pack)
        yield row
        row.save(update_fields=["updated_at"])
        packs.remember(row)
        audit.record(viewer, act, row, **told)


def _pullable(viewer: Viewer) -> VersionQuerySet:
    return cast(VersionQuerySet, visible(Version.objects.resolvable(), viewer))


def _newest(versions: VersionQuerySet) -> Version | None:
    return versions.published().order_by("-number").first()


def _check_pullable(viewer: Viewer, version: Version) -> None:
    if not _pullable(viewer).filter(pk=version.pk).exists():
        raise NotFound("There is no such version to add.", code="revision_not_found")


def _check_trigger(viewer: Viewer, version: Version, members: Sequence[CollectionMember]) -> None:
    """Conflict when one of these has the same word: their files would have one name, and prompts one meaning."""
    same = next((member for member in members if member.trigger == version.trigger.lower()), None)
    if same is None:
        return
    seen = _pullable(viewer).filter(pk=same.version_id).exists()
    holder = (
        f"{same.embedding.full_name} {same.version.name}" if seen else "a member that you cannot see any more"
    )
    raise Conflict(
        "trigger_in_pack",
        f"The word “{version.trigger}” is in this pack already: {holder} has it. Two files of one name cannot lie "
        "in one folder; take that one out first.",
        field="version",
    )


def _other_version(member: CollectionMember) -> Conflict:
    name = member.embedding.full_name
    return Conflict(
        "member_exists",
        f"{name} is in this pack as {member.version.name}. Pin another version of it instead.",
        field="version",
    )


def _member(pack: Collection, pk: int) -> CollectionMember:
    found = pack.members.select_related("version", "embedding__owner").filter(pk=pk).first()
    if found is None:
        raise NotFound("This pack has no such member.")
    return found
