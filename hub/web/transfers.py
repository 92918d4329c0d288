"""Giving an embedding or a pack to another name that one may publish under."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from hub.access import Viewer, require
from hub.catalog import packs, resolve, teams
from hub.errors import HubError, NotFound
from hub.models import Collection, Embedding
from hub.services.embeddings import transferring
from hub.web import forms
from hub.web.team_forms import TransferForm
from hub.wire.auth import viewer_of


@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required(allow_get=True)
def transfer(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """Choose who gets it, and type its name."""
    viewer = viewer_of(request)
    thing = _found(viewer, owner, name)
    require(viewer, "transfer", thing)
    act = "create_embedding" if isinstance(thing, Embedding) else "create_pack"
    owners = [one for one in teams.owners(viewer, act=act) if one.pk != thing.owner_id]
    form = TransferForm(request.POST or None, name=thing.name, owners=owners)
    if request.method == "POST" and form.is_valid():
        to = teams.owner(viewer, name=form.cleaned_data["owner"], act=act)
        try:
            if isinstance(thing, Embedding):
                transferring.transfer_embedding(viewer, embedding=thing, to=to)
            else:
                transferring.transfer_pack(viewer, pack=thing, to=to)
        except HubError as error:
            forms.refuse(form, error)
        else:
            messages.success(request, f"It is {to.name}/{thing.name} now; the old address leads here.")
            return redirect("entry", to.name, thing.name)
    context = {"form": form, "thing": thing, "owners": owners, "is_pack": isinstance(thing, Collection)}
    return render(request, "teams/transfer.html", context, status=422 if form.errors else 200)


def _found(viewer: Viewer, owner: str, name: str) -> Embedding | Collection:
    try:
        return resolve.embedding(viewer, owner=owner, name=name)
    except NotFound as error:
        if error.code != "repo_not_found":
            raise
    return packs.get(viewer, owner=owner, name=name)
