"""Packs: made, described, put in order, deleted. `members` has what is done to the versions in one."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction

from hub.access import Viewer, require
from hub.errors import Conflict, Invalid, NotFound, Unacceptable
from hub.models import Collection, CollectionMember, CollectionRevision, FormerPackName, Owner
from hub.services import audit, texts
from hub.services.embeddings import names

DESCRIPTION_MAX = 8 * 1024


def create_pack(
    viewer: Viewer,
    *,
    name: str,
    owner: Owner | None = None,
    title: str = "",
    description: str = "",
    visibility: str = "public",
) -> Collection:
    """An empty pack under the viewer's own name, or that of an `owner` they may write for.

    Unacceptable with the field, Conflict for a name in use.
    """
    owner = names.owner_for(viewer, "create_pack", owner)
    names.check_embedding_name(owner, name)
    pack = Collection(owner=owner, name=name, look_alike=names.look_alike(name), created_by=viewer.user)
    _describe(pack, title=title or name, description=description, visibility=visibility)
    with transaction.atomic():
        names.hold(owner)
        names.check_embedding_name(owner, name)
        pack.save(force_insert=True)
        remember(pack)
        audit.record(viewer, "create_pack", pack, visibility=visibility)
    return pack


def update_pack(
    viewer: Viewer,
    *,
    pack: Collection,
    name: str | None = None,
    title: str | None = None,
    description: str | None = None,
    visibility: str | None = None,
    order: Sequence[int] | None = None,
) -> Collection:
    """Change what is given, all or nothing; an old name leads to the pack for ever. Raises as create_pack.

    `order` are members in their new order; those that it leaves out keep theirs, at the end. Invalid for a stranger's.
    """
    require(viewer, "edit_pack", pack)
    given = {"title": title, "description": description, "visibility": visibility}
    with transaction.atomic():
        row = locked(pack)
        if name is not None and name != row.name:
            require(viewer, "rename", row)
            _rename(row, name)
        if visibility is not None and visibility != row.visibility:
            require(viewer, "change_visibility", row)
        _describe(row, **{field: value for field, value in given.items() if value is not None})
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError:
            names.check_embedding_name(row.owner, row.name, besides=row)
            raise
        if order is not None:
            _order(row, order)
        remember(row)
        audit.record(viewer, "update_pack", row)
    return row


def delete_pack(viewer: Viewer, *, pack: Collection) -> None:
    """Delete a pack; its members stay where they are. Harmless to repeat."""
    require(viewer, "delete_pack", pack)
    with transaction.atomic():
        row = Collection.objects.select_for_update(of=("self",)).filter(pk=pack.pk).first()
        if row is not None and row.visibility == Collection.Visibility.HELD:
            raise Conflict("state_conflict", "Moderators hold this pack; it cannot be deleted meanwhile.")
        if row is not None:
            audit.record(viewer, "delete_pack", pack)
            row.delete()


def locked(pack: Collection) -> Collection:
    """The pack's row, held to the end of the caller's transaction. NotFound when it is gone."""
    rows = Collection.objects.select_for_update(of=("self",)).select_related("owner")
    row = rows.filter(pk=pack.pk).first()
    if row is None:
        raise NotFound("There is no pack of this name.", code="repo_not_found")
    return row


def remember(pack: Collection) -> None:
    """Write down the pack as it is now, in the caller's transaction; once where nothing has changed."""
    rows = CollectionMember.objects.filter(collection=pack).order_by("position", "pk")
    now = [[version, note] for version, note in rows.values_list("version", "note")]
    last = pack.revisions.last()
    if last and (last.title, last.description, last.members) == (pack.title, pack.description, now):
        return
    CollectionRevision.objects.create(
        collection=pack, title=pack.title, description=pack.description, members=now
    )


def put_in_order(members: Sequence[int]) -> None:
    """Number these members of a pack from one, in the caller's transaction."""
    for position, pk in enumerate(members, start=1):
        CollectionMember.objects.filter(pk=pk).update(position=position)


def _order(row: Collection, members: Sequence[int]) -> None:
    here = list(row.members.values_list("pk", flat=True))
    named = list(dict.fromkeys(members))
    if not set(named) <= set(here):
        raise Invalid("malformed_request", "The order names what is not in this pack.", field="order")
    put_in_order([*named, *[pk for pk in here if pk not in named]])


def _rename(row: Collection, name: str) -> None:
    names.hold(row.owner)
    names.check_embedding_name(row.owner, name, besides=row)
    row.former_names.filter(name=name).delete()
    FormerPackName.objects.get_or_create(
        owner=row.owner, name=row.name, defaults={"look_alike": row.look_alike, "collection": row}
    )
    row.name, row.look_alike = name, names.look_alike(name)


def _describe(pack: Collection, **fields: str) -> None:
    """Set texts and visibility, cleaned. Unacceptable with the field."""
    if "title" in fields:
        pack.title = texts.line(fields["title"], field="title", most=texts.TITLE_MAX, required=True)
    if "description" in fields:
        pack.description = texts.prose(fields["description"], field="description", most=DESCRIPTION_MAX)
    if "visibility" in fields:
        if fields["visibility"] not in (Collection.Visibility.PUBLIC, Collection.Visibility.PRIVATE):
            raise Unacceptable("field_invalid", "A pack is public or private.", field="visibility")
        if pack.visibility == Collection.Visibility.HELD:
            raise Conflict("state_conflict", "Moderators hold this pack; nobody else opens or closes it.")
        pack.visibility = fields["visibility"]
