"""Reporting something to the moderators, and one's own reports with what became of them."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.access import Viewer
from hub.catalog import moderation as reads
from hub.catalog import packs, profile, resolve
from hub.errors import HubError, NotFound
from hub.models import Flag
from hub.services.moderation import flags
from hub.web import forms
from hub.web.report_forms import ReportForm
from hub.wire.auth import viewer_of

SHOWN = 100


@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """Report an embedding (`?version=` one of its versions, `?picture=` one of its pictures by digest) or a pack."""
    return _report(request, _target(request, owner, name))


@require_http_methods(["GET", "HEAD", "POST"])
def report_owner(request: HttpRequest, owner: str) -> HttpResponse:
    """Report a person or a team for their name or what their page says."""
    return _report(request, {"owner": profile.named(viewer_of(request), name=owner)})


@require_safe
def own(request: HttpRequest) -> HttpResponse:
    """What the viewer has reported, newest first, and what became of it."""
    rows = reads.own_flags(viewer_of(request))[:SHOWN]
    return render(request, "settings/reports.html", {"flags": rows})


@require_POST
def withdraw(request: HttpRequest, number: int) -> HttpResponse:
    """Take an open report back."""
    viewer = viewer_of(request)
    row = reads.own_flags(viewer).filter(pk=number).first()
    if row is None:
        raise NotFound("You have no report of this number.")
    try:
        flags.withdraw(viewer, flag=row)
    except HubError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"Your report of {row.name} is taken back.")
    return redirect("own_flags")


def _report(request: HttpRequest, target: dict[str, Any]) -> HttpResponse:
    viewer = viewer_of(request)
    before = _open_one(viewer, target)
    form = ReportForm(request.POST or None, initial=_initial(before))
    if request.method == "POST" and form.is_valid():
        try:
            flags.raise_flag(viewer, **target, **form.cleaned_data)
        except HubError as error:
            forms.refuse(form, error)
        else:
            return redirect(f"{request.path}?done=1")
    thing = target.get("embedding") or target.get("pack") or target["owner"]
    context = {
        "form": form,
        "target": target,
        "thing": thing,
        "name": str(thing),
        "before": before,
        "most": flags.MOST_AN_HOUR,
    }
    if "done" in request.GET and before is not None and request.method != "POST":
        return render(request, "reports/thanks.html", context)
    return render(request, "reports/form.html", context, status=422 if form.errors else 200)


def _target(request: HttpRequest, owner: str, name: str) -> dict[str, Any]:
    """What the address names, as `raise_flag` wants it. NotFound."""
    viewer = viewer_of(request)
    try:
        embedding = resolve.embedding(viewer, owner=owner, name=name)
    except NotFound as error:
        if error.code != "repo_not_found":
            raise
        return {"pack": packs.get(viewer, owner=owner, name=name)}
    number, sha256 = request.GET.get("version", ""), request.GET.get("picture", "")
    target: dict[str, Any] = {"embedding": embedding}
    if number.isdecimal() and len(number) < 10:
        target["version"] = resolve.own_version(
            viewer, owner=owner, name=name, number=int(number), act="flag"
        )
        target["picture"] = target["version"].previews.filter(blob_id=sha256).first() if sha256 else None
    return target


def _open_one(viewer: Viewer, target: dict[str, Any]) -> Flag | None:
    """The viewer's open report on the same thing, which a new one replaces."""
    thing = {key: target.get(key) for key in ("embedding", "pack", "owner")}
    return reads.own_flags(viewer).filter(**thing, settled_at=None).first()


def _initial(before: Flag | None) -> dict[str, str]:
    return {"reason": before.reason, "text": before.text} if before else {}
