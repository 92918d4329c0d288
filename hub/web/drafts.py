"""A draft, looked at by its owner: the sheet, a last word on trigger and notes, and Publish."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from hub.access import require
from hub.catalog import entry as entries
from hub.errors import HubError
from hub.services.versions import publishing
from hub.web import forms
from hub.web.embedding import entry_context
from hub.web.publish import warn_of_namesakes
from hub.wire.auth import viewer_of


@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: HttpRequest, owner: str, name: str, pk: int) -> HttpResponse:
    """Look at a draft; a POST publishes it."""
    viewer = viewer_of(request)
    found = entries.get_draft(viewer, owner=owner, name=name, pk=pk)
    version = found.version
    assert version is not None
    require(viewer, "publish_version", found.embedding)
    first = {field: getattr(version, field) for field in ("trigger", "licence", "notes", "label")}
    form = forms.DraftForm(request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            published = publishing.publish(viewer, version=version, **form.cleaned_data)
        except HubError as error:
            forms.refuse(form, error)
        else:
            messages.success(request, f"{published.embedding.full_name} {published.name} is published.")
            warn_of_namesakes(request, published)
            return redirect("entry", owner=published.embedding.owner.name, name=published.embedding.name)
    context = {**entry_context(request, found), "form": form}
    return render(request, "embedding/draft.html", context, status=422 if form.errors else 200)


@require_POST
def discard(request: HttpRequest, owner: str, name: str, pk: int) -> HttpResponse:
    """Throw a draft away."""
    viewer = viewer_of(request)
    found = entries.get_draft(viewer, owner=owner, name=name, pk=pk)
    assert found.version is not None
    publishing.discard_draft(viewer, version=found.version)
    messages.success(request, "The draft is thrown away.")
    return redirect("profile", owner=found.owner.name)
