"""Deleting a version or a whole embedding: what it means, whether it may still be done, and the name typed first."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from hub.access import Viewer, require
from hub.catalog import entry as entries
from hub.catalog.shapes import Entry
from hub.errors import Conflict, HubError
from hub.models import Version
from hub.services.versions import lifecycle, publishing
from hub.web import forms
from hub.wire.auth import viewer_of


@require_http_methods(["GET", "HEAD", "POST"])
def delete_version(request: HttpRequest, owner: str, name: str, number: int) -> HttpResponse:
    """Delete one version for good."""
    viewer = viewer_of(request)
    found = entries.get_version(viewer, owner=owner, name=name, number=number)
    require(viewer, "delete_version", found.embedding)
    version = found.version
    assert version is not None
    form = forms.DeleteForm(request.POST or None, name=found.embedding.name)
    if request.method == "POST" and form.is_valid():
        try:
            publishing.delete_version(viewer, version=version)
        except HubError as error:
            forms.refuse(form, error)
        else:
            messages.success(request, f"v{number} is deleted. Its number is never used again.")
            return redirect("entry", owner=owner, name=name)
    return _page(request, form, found, version=version, refusal=_refusal(viewer, [version]))


@require_http_methods(["GET", "HEAD", "POST"])
def delete_embedding(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """Delete an embedding with all its versions for good."""
    viewer = viewer_of(request)
    found = entries.get(viewer, owner=owner, name=name)
    require(viewer, "delete_version", found.embedding)
    form = forms.DeleteForm(request.POST or None, name=found.embedding.name)
    if request.method == "POST" and form.is_valid():
        try:
            publishing.delete_embedding(viewer, embedding=found.embedding)
        except HubError as error:
            forms.refuse(form, error)
        else:
            messages.success(request, f"{found.embedding.name} is deleted. Its name stays taken.")
            return redirect("profile", owner=found.owner.name)
    return _page(request, form, found, version=None, refusal=_refusal(viewer, _versions(found)))


def _page(
    request: HttpRequest, form: forms.DeleteForm, found: Entry, *, version: Version | None, refusal: str
) -> HttpResponse:
    context = {
        "form": form,
        "entry": found,
        "embedding": found.embedding,
        "version": version,
        "refusal": refusal,
        "hours": lifecycle.DELETE_HOURS,
        "downloads": lifecycle.DELETE_DOWNLOADS,
    }
    return render(request, "embedding/delete.html", context, status=422 if form.errors else 200)


def _versions(found: Entry) -> list[Version]:
    return [edition.version for edition in found.editions]


def _refusal(viewer: Viewer, versions: list[Version]) -> str:
    """Why it can no longer be deleted, as a sentence; empty when it can."""
    try:
        for version in versions:
            lifecycle.check_deletable(viewer, version=version)
    except Conflict as error:
        return error.message
    return ""
