"""Pages of packs: the list, one pack, making, editing and deleting one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from hub.access import acts_on, require
from hub.catalog import moderation, teams
from hub.catalog import packs as reads
from hub.errors import HubError, NotFound
from hub.models import Collection
from hub.services.packs import packs
from hub.web import embedding, forms, pack_forms
from hub.web.team_forms import offer_owners
from hub.wire.auth import viewer_of
from hub.wire.hosts import public_url

PAGES_MAX = 1_000


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """All packs, the latest change first."""
    number = request.GET.get("page", "1")
    page = int(number) if number.isdecimal() and len(number) < 5 else 1
    query = request.GET.get("pack", "").strip()[:100]
    found = reads.list_packs(viewer_of(request), page=min(max(page, 1), PAGES_MAX), query=query)
    return render(request, "packs/list.html", {"page": found, "query": query})


def entry(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """The page of that name: an embedding's, or a pack's."""
    try:
        return embedding.entry(request, owner=owner, name=name)
    except NotFound as error:
        if error.code != "repo_not_found" or request.method not in ("GET", "HEAD"):
            raise
    viewer = viewer_of(request)
    pack = reads.whole(viewer, collection=reads.get(viewer, owner=owner, name=name), with_cards=True)
    context = {
        "pack": pack,
        "commands": _commands(request, pack.full_name),
        "rulings": moderation.open_on(viewer, pack.collection),
    }
    return render(request, "packs/pack.html", context)


def edit(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """Changing what is said of an embedding, or a pack."""
    try:
        return embedding.edit(request, owner=owner, name=name)
    except NotFound as error:
        if error.code != "repo_not_found":
            raise
    return _edit(request, reads.get(viewer_of(request), owner=owner, name=name))


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """An empty pack; with `add` in the address the way leads on to adding that embedding."""
    viewer = viewer_of(request)
    form = pack_forms.NewPackForm(request.POST or None, initial={"owner": request.GET.get("owner", "")})
    offer_owners(form, viewer, "create_pack")
    following = request.GET.get("add", "")
    if request.method == "POST" and form.is_valid():
        try:
            fields = dict(form.cleaned_data)
            fields["owner"] = teams.owner(viewer, name=fields.pop("owner", ""), act="create_pack")
            pack = packs.create_pack(viewer, **fields)
        except HubError as error:
            forms.refuse(form, error)
        else:
            messages.success(request, f"{pack.title} is made. Words go in from their own pages.")
            owner, _, name = following.partition("/")
            if name and "/" not in name:
                return redirect("add_to_pack", owner, name)
            return redirect("entry", pack.owner.name, pack.name)
    return render(request, "packs/new.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """Delete a pack, once its name was typed."""
    viewer = viewer_of(request)
    pack = reads.get(viewer, owner=owner, name=name)
    require(viewer, "delete_pack", pack)
    form = forms.DeleteForm(request.POST or None, name=pack.name)
    if request.method == "POST" and form.is_valid():
        packs.delete_pack(viewer, pack=pack)
        messages.success(request, f"The pack {pack.name} is deleted. Its words are where they were.")
        return redirect("profile", pack.owner.name)
    return render(
        request, "packs/delete.html", {"form": form, "pack": pack}, status=422 if form.errors else 200
    )


def _edit(request: HttpRequest, collection: Collection) -> HttpResponse:
    viewer = viewer_of(request)
    require(viewer, "edit_pack", collection)
    form = pack_forms.PackForm(request.POST or None, initial=pack_forms.details_of(collection))
    may = acts_on(viewer, collection)
    for field, act in (("name", "rename"), ("visibility", "change_visibility")):
        if act not in may:
            del form.fields[field]
    if request.method == "POST" and form.is_valid():
        try:
            row = packs.update_pack(viewer, pack=collection, **form.cleaned_data)
        except HubError as error:
            forms.refuse(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("entry", row.owner.name, row.name)
    pack = reads.whole(viewer, collection=collection, with_cards=True)
    context = {"form": form, "pack": pack}
    return render(request, "packs/edit.html", context, status=422 if form.errors else 200)


def _commands(request: HttpRequest, name: str) -> list[tuple[str, str]]:
    """How to take the whole pack home."""
    hub, slug = public_url(request), name.partition("/")[2]
    return [
        ("With hf, into a folder", f"HF_ENDPOINT={hub} hf download {name} --local-dir {slug}"),
        ("Write down what is in it, byte for byte", f"GLOSSA_HUB={hub} glossa lock {name}"),
        ("Make a tool's folder hold it, now and later", "glossa sync --tool comfyui"),
    ]
