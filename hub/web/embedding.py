"""The pages of a person, of an embedding, and of changing what its owner says of it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from hub.access import can, require
from hub.catalog import downloads as available
from hub.catalog import entry as entries
from hub.catalog import gates, moderation, resolve
from hub.catalog import profile as profiles
from hub.catalog.shapes import Entry
from hub.errors import HubError
from hub.services.embeddings import gating
from hub.services.versions import publishing
from hub.web import downloads, forms, gate_forms, provenance, usage
from hub.web.context import public_url
from hub.web.measures import measured
from hub.web.sheet import Sheet, arrange
from hub.wire.auth import viewer_of


@require_safe
def profile(request: HttpRequest, owner: str) -> HttpResponse:
    """What a person or team published; a name that a team had before leads to its name of today."""
    found = profiles.get(viewer_of(request), name=owner)
    if found.owner.name != owner.lower():
        return redirect("profile", found.owner.name)
    return render(request, "embedding/profile.html", {"profile": found})


@require_safe
def entry(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """An embedding as its newest offered version is; with `?layout=` that version's file in that layout."""
    found = entries.get(viewer_of(request), owner=owner, name=name)
    if "layout" in request.GET and found.version is not None:
        return downloads.send(request, viewer_of(request), found.version)
    if found.version is None:
        rulings = moderation.open_on(viewer_of(request), found.embedding)
        return render(request, "embedding/unpublished.html", {"entry": found, "rulings": rulings})
    return render(request, "embedding/entry.html", entry_context(request, found))


def entry_context(request: HttpRequest, found: Entry) -> dict[str, Any]:
    """What every page that shows a version needs."""
    sheet = arrange_entry(found)
    version = found.version
    assert version is not None
    embedding = found.embedding
    tabs = []
    if version.number:
        subject = usage.Subject(
            owner=found.owner.name,
            name=embedding.name,
            trigger=version.trigger,
            family=version.family,
            kind=embedding.kind,
            revision=version.name,
            hub=public_url(request),
            is_private=embedding.visibility == "private" or embedding.is_gated,
            example=_example(sheet),
        )
        tabs = usage.usages(subject)
    return {
        "entry": found,
        "embedding": embedding,
        "version": version,
        "sheet": sheet,
        "tabs": tabs,
        "primary": next((file for file in found.files if file.is_primary), None),
        "on_request": available.on_request(version) if version.number else [],
        "nearest": nearest_words(found.insights),
        "measures": measured(found.insights),
        "provenance_rows": provenance.rows(found.provenance),
        "provenance_text": provenance.text(found.provenance),
        "rulings": moderation.open_on(viewer_of(request), embedding),
        "gate": gates.place(viewer_of(request), embedding),
    }


def arrange_entry(found: Entry) -> Sheet:
    """The preview sheet of an entry."""
    cells = [picture for block in found.blocks for row in block.rows for picture in row]
    return arrange([*cells, *found.uploads, *([found.sheet] if found.sheet else [])])


def nearest_words(insights: dict[str, Any]) -> list[dict[str, Any]]:
    """For each learned vector its nearest words of the vocabulary: `encoder`, `number`, `words`."""
    rows = []
    encoders = insights.get("encoders") or []
    for encoder in encoders:
        for number, words in enumerate(encoder.get("nearest") or [], start=1):
            rows.append({"encoder": encoder.get("slot", ""), "number": number, "words": words})
    return rows if any(row["words"] for row in rows) else []


def _example(sheet: Sheet) -> str:
    """A prompt that is known to work: the one of the first picture."""
    rows = sheet.faithful or sheet.obedient
    return rows[0].prompt if rows else ""


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """Change title, definition, card, tags, who may see it, and who may have its files."""
    viewer = viewer_of(request)
    embedding = resolve.embedding(viewer, owner=owner, name=name)
    require(viewer, "edit_card", embedding)
    form = forms.DetailsForm(request.POST or None, initial=forms.details_of(embedding))
    if not can(viewer, "change_visibility", embedding):
        del form.fields["visibility"]
    gate = None
    if can(viewer, "manage_gate", embedding):
        # Whoever does not send it leaves it as it is.
        sent = request.POST if "gate" in request.POST else None
        gate = gate_forms.GateForm(sent, initial=gate_forms.gate_of(embedding))
    if request.method == "POST" and form.is_valid() and (gate is None or not gate.errors):
        try:
            if gate is not None and gate.is_bound:
                gating.set_gate(viewer, embedding=embedding, **gate.cleaned_data)
            publishing.update_details(viewer, embedding=embedding, **form.cleaned_data)
        except HubError as error:
            forms.refuse(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("entry", owner=embedding.owner.name, name=embedding.name)
    status = 422 if form.errors or (gate and gate.errors) else 200
    context = {"form": form, "gate": gate, "embedding": embedding}
    return render(request, "embedding/edit.html", context, status=status)
