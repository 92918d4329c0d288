"""What is done to the members of a pack, and the like button: plain forms, which lead back to where they were."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from hub.access import Viewer, require
from hub.catalog import downloads, resolve
from hub.catalog import packs as reads
from hub.errors import HubError, Invalid
from hub.models import Collection
from hub.services.embeddings import sharing
from hub.services.packs import members
from hub.web import forms, pack_forms
from hub.wire.auth import viewer_of


@require_POST
def change(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """Move, pin anew, describe or take out one member."""
    viewer = viewer_of(request)
    pack = reads.get(viewer, owner=owner, name=name)
    try:
        _do(viewer, pack, request)
    except HubError as error:
        if error.kind != "conflict":
            raise
        messages.error(request, error.message)
    # The button that was pressed is where the keyboard goes on.
    do = request.POST.get("do")
    place = f"{do}-{request.POST.get('member')}" if do in ("up", "down") else "members"
    return redirect(f"{reverse('edit', args=[pack.owner.name, pack.name])}#{place}")


def _do(viewer: Viewer, pack: Collection, request: HttpRequest) -> None:
    given, number = request.POST.get("do", ""), request.POST.get("member", "")
    if not number.isdecimal() or len(number) > 18:
        raise Invalid("malformed_request", "Name a member of this pack.", field="member")
    member = int(number)
    if given in ("up", "down"):
        members.move_member(viewer, pack=pack, member=member, by=-1 if given == "up" else 1)
    elif given == "newest":
        row = members.bump_member(viewer, pack=pack, member=member)
        messages.success(request, f"Pinned to {row.version.name}.")
    elif given == "note":
        members.describe_member(viewer, pack=pack, member=member, note=request.POST.get("note", ""))
        messages.success(request, "Saved.")
    elif given == "remove":
        members.remove_member(viewer, pack=pack, member=member)
        messages.success(request, "Taken out.")
    else:
        raise Invalid(
            "malformed_request", "A member is moved, pinned anew, described or taken out.", field="do"
        )


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """Choose one of the viewer's packs for the newest version of an embedding, or the one in `version`."""
    viewer = viewer_of(request)
    row = resolve.embedding(viewer, owner=owner, name=name)
    require(viewer, "create_pack", viewer.user.owner if viewer.user else None)
    asked = request.GET.get("version", "")
    number = int(asked) if asked.isdecimal() and len(asked) < 10 else row.head.number if row.head else 0
    version = downloads.version(viewer, owner=owner, name=name, number=number or 0)
    choices = reads.own_choices(viewer, embedding=row)
    form = pack_forms.MemberForm(request.POST or None)
    free = [(pack.full_name, pack_forms.titled(pack, viewer)) for pack, holds in choices if not holds]
    form.fields["pack"].choices = free  # type: ignore[attr-defined]  # a ChoiceField
    if request.method == "POST" and form.is_valid():
        pack = next(one for one, _ in choices if one.full_name == form.cleaned_data["pack"])
        try:
            members.add_member(viewer, pack=pack, version=version, note=form.cleaned_data["note"])
        except HubError as error:
            forms.refuse(form, error)
        else:
            messages.success(request, f"{version.trigger} {version.name} is in {pack.title}.")
            return redirect("entry", pack.owner.name, pack.name)
    context = {
        "form": form, "embedding": row, "version": version, "free": free,
        "holding": [pack for pack, holds in choices if holds],
    }  # fmt: skip
    return render(request, "packs/add.html", context, status=422 if form.errors else 200)


@require_POST
def like(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """Like an embedding, or take it back with `liked=0`; a button for htmx, else back to the page."""
    viewer = viewer_of(request)
    row = resolve.embedding(viewer, owner=owner, name=name)
    is_liked = request.POST.get("liked") != "0"
    count = (sharing.like if is_liked else sharing.unlike)(viewer, embedding=row)
    if request.headers.get("HX-Request"):
        context = {"is_liked": is_liked, "count": count, "owner": row.owner.name, "name": row.name}
        return render(request, "packs/parts/like.html", context)
    return redirect("entry", row.owner.name, row.name)
