"""`/packs`: the list, one pack with its members, its lock file; and `/embeddings/…/like`."""

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from rest_framework.request import Request

from hub.access import Viewer
from hub.api import asked, payloads
from hub.api.answers import check_unchanged, json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.pack_shapes import (
    LikesShape,
    LockShape,
    MemberChangesForm,
    NewMemberForm,
    NewPackForm,
    PackChangesForm,
    PackShape,
    PacksQuery,
    PacksShape,
)
from hub.api.pages import following_page
from hub.catalog import cursors, downloads, locks, pack_lists, resolve, teams
from hub.catalog import packs as reads
from hub.errors import NotFound
from hub.models import Collection
from hub.services.embeddings import sharing
from hub.services.packs import members as writes
from hub.services.packs import packs as services
from hub.wire.hosts import public_url
from hub.wire.idempotency import once


@documented("listPacks", "List public packs.", asks=PacksQuery, gives=PacksShape)
@documented(
    "createPack",
    "Make an empty pack.",
    method="POST",
    takes={"application/json": NewPackForm},
    gives=PackShape,
    status=201,
)
@endpoint("GET", "POST")
@once
def packs(request: Request) -> HttpResponse:
    """The list, or a new pack."""
    viewer = viewer_of(request)
    if request.method == "POST":
        fields = asked.body(NewPackForm, request.data)
        fields["owner"] = teams.owner(viewer, name=fields["owner"], act="create_pack")
        pack = services.create_pack(viewer, **fields)
        response = json_answer(request._request, _told(request._request, viewer, pack), status=201)
        response["Location"] = payloads.address(request._request, "api_pack", pack.owner.name, pack.name)
        return response
    return _list(request, viewer)


@documented("getPack", "One pack and its members in order.", gives=PackShape)
@documented(
    "updatePack",
    "Change what is said of it, or its order.",
    method="PATCH",
    takes={"application/json": PackChangesForm},
    gives=PackShape,
    refuses=(412,),
)
@documented(
    "deletePack", "Delete it; its members stay.", method="DELETE", gives=None, status=204, refuses=(412,)
)
@endpoint("GET", "PATCH", "DELETE")
def pack(request: Request, owner: str, name: str) -> HttpResponse:
    """One pack: read, changed, or deleted."""
    viewer = viewer_of(request)
    if request.method in ("GET", "HEAD"):
        row = reads.get(viewer, owner=owner, name=name)
        return json_answer(request._request, _told(request._request, viewer, row))
    row = reads.own(viewer, owner=owner, name=name)
    check_unchanged(request._request, lambda: _told(request._request, viewer, row))
    if request.method == "DELETE":
        services.delete_pack(viewer, pack=row)
        return HttpResponse(status=204)
    changes = asked.body(PackChangesForm, request.data)
    row = services.update_pack(viewer, pack=row, **changes)
    return json_answer(request._request, _told(request._request, viewer, row))


@documented(
    "getLock", "The lock file of a pack: exact bytes of every member for every tool.", gives=LockShape
)
@endpoint("GET", bucket="pull")
def lock(request: Request, owner: str, name: str) -> HttpResponse:
    """The lock file, byte for byte the same for the same pack; 304 for who has it."""
    viewer = viewer_of(request)
    found = reads.whole(viewer, collection=reads.get(viewer, owner=owner, name=name))
    data = locks.lock(writes.make_files(viewer, pack=found), hub=public_url(request._request))
    response = HttpResponse(data, content_type="application/json")
    response["ETag"] = f'"{hashlib.sha256(data).hexdigest()}"'
    response["Vary"] = "Authorization, Cookie"
    response["Content-Disposition"] = f'attachment; filename="{locks.LOCK_NAME}"'
    answered: HttpResponse | None = get_conditional_response(
        request._request, etag=response["ETag"], response=response
    )
    return answered or response


@documented(
    "addMember",
    "Pin a version at the end.",
    method="POST",
    takes={"application/json": NewMemberForm},
    gives=PackShape,
    status=201,
    refuses=(412,),
)
@endpoint("POST")
@once
def members(request: Request, owner: str, name: str) -> HttpResponse:
    """One member more."""
    viewer = viewer_of(request)
    row = reads.own(viewer, owner=owner, name=name)
    check_unchanged(request._request, lambda: _told(request._request, viewer, row))
    given = asked.body(NewMemberForm, request.data)
    of, _, named = given["name"].partition("/")
    number = given.get("version") or _newest(viewer, of, named)
    version = downloads.version(viewer, owner=of, name=named, number=number)
    writes.add_member(viewer, pack=row, version=version, note=given["note"])
    return json_answer(request._request, _told(request._request, viewer, row), status=201)


@documented(
    "updateMember",
    "Pin it anew, or say why it is there.",
    method="PATCH",
    takes={"application/json": MemberChangesForm},
    gives=PackShape,
    refuses=(412,),
)
@documented("removeMember", "Take it out.", method="DELETE", gives=None, status=204, refuses=(412,))
@endpoint("PATCH", "DELETE")
def member(request: Request, owner: str, name: str, number: int) -> HttpResponse:
    """One member changed or taken out."""
    viewer = viewer_of(request)
    row = reads.own(viewer, owner=owner, name=name)
    check_unchanged(request._request, lambda: _told(request._request, viewer, row))
    if request.method == "DELETE":
        writes.remove_member(viewer, pack=row, member=number)
        return HttpResponse(status=204)
    changes = asked.body(MemberChangesForm, request.data)
    if "note" in changes:
        writes.describe_member(viewer, pack=row, member=number, note=changes["note"])
    if "version" in changes:
        writes.bump_member(viewer, pack=row, member=number, number=changes["version"])
    return json_answer(request._request, _told(request._request, viewer, row))


@documented("like", "Like it; harmless to repeat.", method="PUT", gives=LikesShape)
@documented("unlike", "Take the like back; harmless to repeat.", method="DELETE", gives=LikesShape)
@endpoint("PUT", "DELETE")
def like(request: Request, owner: str, name: str) -> HttpResponse:
    """How many like it now."""
    viewer = viewer_of(request)
    row = resolve.own(viewer, owner=owner, name=name, act="like")
    is_liked = request.method == "PUT"
    count = (sharing.like if is_liked else sharing.unlike)(viewer, embedding=row)
    return json_answer(request._request, {"likes": count, "is_liked": is_liked})


def _list(request: Request, viewer: Viewer) -> HttpResponse:
    """A page after a cursor, or one by its number; either leads on by cursor."""
    given = asked.query(PacksQuery, request.GET.dict())
    limit, by = given["limit"], pack_lists.BY
    found = pack_lists.listed(viewer, query=given["q"], owner=given["owner"], holds=given["holds"])
    total, start, rows = found.count(), (given["page"] - 1) * limit, found.order_by(f"-{by}", "-pk")
    if given["cursor"]:
        start, rows = 0, rows.filter(cursors.after(by, given["cursor"]))
    taken = list(rows[start : start + limit + 1])
    shown, more = taken[:limit], len(taken) > limit
    items = [
        {**_head(request._request, one.collection), "count": one.count}
        for one in reads.make_cards(viewer, shown)
    ]
    following = following_page(request._request, cursors.write(by, shown[-1])) if more else None
    content = {"items": items, "next": following, "page": given["page"], "pages": max(1, -(-total // limit))}
    response = json_answer(request._request, content)
    if following:
        response["Link"] = f'<{following}>; rel="next"'
    return response


def _newest(viewer: Viewer, owner: str, name: str) -> int:
    """The number that a pin without one means. NotFound where nothing is offered."""
    head = resolve.embedding(viewer, owner=owner, name=name).head
    if head is None or head.number is None:
        raise NotFound("It has no version that is offered.", code="revision_not_found")
    return head.number


def _told(request: HttpRequest, viewer: Viewer, row: Collection) -> dict[str, Any]:
    """PackShape."""
    found = reads.whole(viewer, collection=Collection.objects.select_related("owner").get(pk=row.pk))
    return {
        **_head(request, found.collection),
        "revision": found.revision,
        "hidden": len(found.hidden),
        "members": [
            {
                "id": one.pk,
                "name": one.full_name,
                "version": one.version.number,
                "commit": one.commit,
                "trigger": one.version.trigger,
                "family": one.version.family,
                "state": one.version.state,
                "note": one.note,
                "newer": one.newer,
                "sha256": one.canonical.sha256,
            }
            for one in found.members
        ],
    }


def _head(request: HttpRequest, row: Collection) -> dict[str, Any]:
    place = (row.owner.name, row.name)
    return {
        "name": row.full_name,
        "owner": row.owner.name,
        "title": row.title,
        "description": row.description,
        "visibility": row.visibility,
        "created": row.created_at,
        "updated": row.updated_at,
        "page": payloads.address(request, "entry", *place),
        "url": payloads.address(request, "api_pack", *place),
        "lock": payloads.address(request, "api_pack_lock", *place),
    }
