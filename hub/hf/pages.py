"""Addresses that clients print for people to look at: they lead to the pages where this hub shows the same."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from hub.access import Viewer
from hub.catalog import packs, resolve
from hub.errors import NotFound


@require_safe
def page(request: HttpRequest, owner: str, name: str, revision: str = "main", path: str = "") -> HttpResponse:
    """The page of the version that a tree, a file or a commit belongs to; `main` is the embedding's own."""
    viewer: Viewer = request.viewer  # type: ignore[attr-defined]  # set by the gate
    try:
        embedding = resolve.embedding(viewer, owner=owner, name=name)
    except NotFound as error:
        if error.code != "repo_not_found":
            raise
        pack = packs.get(viewer, owner=owner, name=name)
        return redirect("entry", pack.owner.name, pack.name)
    if revision == "main":
        return redirect("entry", embedding.owner.name, embedding.name)
    at = resolve.revision(viewer, owner=owner, name=name, revision=revision)
    if at.version is None or at.version == embedding.head:
        return redirect("entry", embedding.owner.name, embedding.name)
    return redirect("entry_version", embedding.owner.name, embedding.name, at.version.number)
