"""Publishing a file: dropped, looked at, described and published in one request that is whole or leaves nothing."""

from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from hub.access import require
from hub.catalog import resolve, teams, triggers
from hub.errors import HubError
from hub.formats import bases_of
from hub.models import Embedding, Owner, Version
from hub.services.embeddings import bases
from hub.services.versions import checks, publishing
from hub.web import forms
from hub.web.team_forms import offer_owners
from hub.wire import uploads
from hub.wire.auth import viewer_of
from hub.wire.errors import STATUS


@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest) -> HttpResponse:
    """A new embedding with its first version."""
    viewer = viewer_of(request)
    under = {"owner": request.GET.get("owner", "")}
    form = forms.PublishForm(request.POST or None, request.FILES or None, initial=under)
    offer_owners(form, viewer, "create_embedding")
    if request.method == "POST" and "owner" not in form.errors:
        form.add_name_taken(_owner(request, form))
    return _answer(request, form, "publish/new.html", {})


@require_http_methods(["GET", "HEAD", "POST"])
def new_version(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """The next version of an embedding."""
    viewer = viewer_of(request)
    embedding = resolve.embedding(viewer, owner=owner, name=name)
    require(viewer, "publish_version", embedding)
    shape = forms.VersionForm if embedding.kind else forms.KindForm
    form = shape(request.POST or None, request.FILES or None, initial=_from_last(embedding))
    return _answer(request, form, "publish/new_version.html", {"embedding": embedding})


@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """The facts of a dropped file, as a piece of the page; nothing is stored."""
    try:
        spooled = uploads.spool(request.FILES.get("file"))
        facts = publishing.check_file(
            viewer_of(request), path=spooled.path, filename=spooled.filename, half=_half(request)
        )
    except HubError as error:
        context = {"error": error, "rule": error.detail.get("rule")}
        return render(request, "publish/facts.html", context, status=STATUS[error.kind])
    context = {"facts": facts, "file": spooled, "bases": bases_of(facts["family"])}
    return render(request, "publish/facts.html", context)


@require_safe
def trigger(request: HttpRequest) -> HttpResponse:
    """Who else uses a word, as a piece of the page; empty when nobody does."""
    word = request.GET.get("trigger", "").strip()[:64]
    found = triggers.namesakes(viewer_of(request), trigger=word)
    return render(request, "publish/namesakes.html", {"namesakes": found, "trigger": word})


def _answer(
    request: HttpRequest, form: forms.VersionForm, template: str, context: dict[str, Any]
) -> HttpResponse:
    """The form, the form with what is wrong, or the way to the page of what was published."""
    if request.method == "POST" and form.is_valid():
        version = _published(request, form, context.get("embedding"))
        if version is not None:
            embedding = version.embedding
            messages.success(request, f"{embedding.full_name} {version.name} is published.")
            warn_of_namesakes(request, version)
            _say_twins(request, version)
            address = reverse("entry", args=[embedding.owner.name, embedding.name])
            return HttpResponseClientRedirect(address) if request.htmx else redirect(address)  # type: ignore[attr-defined]  # set by its middleware
    return render(request, template, {**context, "form": form}, status=422 if form.errors else 200)


def _published(request: HttpRequest, form: forms.VersionForm, embedding: Embedding | None) -> Version | None:
    """The version made from the form, or None with the refusal in the form."""
    fields = {
        name: value for name, value in form.cleaned_data.items() if name not in ("file", "half", "base_model")
    }
    base = form.cleaned_data["base_model"]
    if embedding is None:
        fields["owner"] = _owner(request, form)
    try:
        spooled = uploads.spool(request.FILES.get("file"))
        return publishing.publish_file(
            viewer_of(request),
            path=spooled.path,
            filename=spooled.filename,
            half=_half(request),
            embedding=embedding,
            base_model=bases.claimed(base) if base not in ("", forms.BASE_UNKNOWN) else None,
            may_be_open=base == forms.BASE_UNKNOWN,
            **fields,
        )
    except HubError as error:
        forms.refuse(form, error)
        return None


def _owner(request: HttpRequest, form: forms.VersionForm) -> Owner:
    """The name to publish under: one's own where nothing else was asked or chosen."""
    name = form.cleaned_data.get("owner", "")
    return teams.owner(viewer_of(request), name=name, act="create_embedding")


def _half(request: HttpRequest) -> tuple[Path, str] | None:
    """The second file of an SDXL embedding, where one was chosen."""
    file = request.FILES.get("half")
    if file is None:
        return None
    spooled = uploads.spool(file, field="half")
    return spooled.path, spooled.filename


def _say_twins(request: HttpRequest, version: Version) -> None:
    """Tell the publisher where else these values are: a re-upload is allowed, and better known than not."""
    for twin in checks.twins(viewer_of(request), version.tensor_digest, besides=version.embedding_id):
        address = reverse("entry_version", args=[*twin.name.split("/"), twin.number])
        words = 'Exactly these values are on this hub already: <a href="{}">{} v{}</a>.'
        messages.warning(request, format_html(words, address, twin.name, twin.number))


def warn_of_namesakes(request: HttpRequest, version: Version) -> None:
    """Say on the next page that others use the same word (rule N5)."""
    viewer = viewer_of(request)
    found = triggers.namesakes(viewer, trigger=version.trigger, besides=version.embedding)
    if found:
        names = ", ".join(one.full_name for one in found)
        messages.warning(request, f"“{version.trigger}” is also the trigger of {names}.")


def _from_last(embedding: Embedding) -> dict[str, str]:
    """What the next version most likely shares with the newest one."""
    head = embedding.head
    return {"trigger": head.trigger, "licence": head.licence} if head else {"trigger": embedding.name}
