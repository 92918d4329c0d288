"""One version: its page, and withdrawing it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.access import require
from hub.catalog import downloads as available
from hub.catalog import entry as entries
from hub.errors import HubError
from hub.services.versions import publishing
from hub.web import downloads, forms
from hub.web.embedding import entry_context
from hub.wire.auth import viewer_of


@require_safe
def version(request: HttpRequest, owner: str, name: str, number: int) -> HttpResponse:
    """An embedding as one version has it; with `?layout=` its file in that layout."""
    if "layout" in request.GET:
        viewer = viewer_of(request)
        return downloads.send(
            request, viewer, available.version(viewer, owner=owner, name=name, number=number)
        )
    found = entries.get_version(viewer_of(request), owner=owner, name=name, number=number)
    return render(request, "embedding/entry.html", {**entry_context(request, found), "is_version_page": True})


@require_http_methods(["GET", "HEAD", "POST"])
def yank(request: HttpRequest, owner: str, name: str, number: int) -> HttpResponse:
    """Stop offering a version, with a reason."""
    viewer = viewer_of(request)
    found = entries.get_version(viewer, owner=owner, name=name, number=number)
    require(viewer, "yank", found.embedding)
    form = forms.YankForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        assert found.version is not None
        try:
            publishing.yank(viewer, version=found.version, reason=form.cleaned_data["reason"])
        except HubError as error:
            forms.refuse(form, error)
        else:
            messages.success(
                request, f"v{number} is not offered any more. It still resolves by its exact id."
            )
            return redirect("entry_version", owner=owner, name=name, number=number)
    context = {"form": form, "entry": found, "embedding": found.embedding, "version": found.version}
    return render(request, "embedding/yank.html", context, status=422 if form.errors else 200)


@require_POST
def unyank(request: HttpRequest, owner: str, name: str, number: int) -> HttpResponse:
    """Offer a yanked version again."""
    viewer = viewer_of(request)
    found = entries.get_version(viewer, owner=owner, name=name, number=number)
    assert found.version is not None
    publishing.unyank(viewer, version=found.version)
    messages.success(request, f"v{number} is offered again.")
    return redirect("entry_version", owner=owner, name=name, number=number)
