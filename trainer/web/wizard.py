"""Pictures first, then a name, a kind, a starting word and a quality; the rest is folded."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hub.access import Viewer
from hub.catalog import teams
from hub.errors import Conflict, HubError, Unauthenticated
from hub.models import Embedding
from hub.models.registry import Kind
from hub.web.team_forms import offer_owners
from hub.wire import media, uploads
from hub.wire.auth import viewer_of
from trainer import runs, sets
from trainer.expert import EXPERT
from trainer.forms import FOLDED, SCHEDULES, SUGGESTED, TrainForm, initial_of_set
from trainer.models import TrainingImage, TrainingRun
from trainer.services import pictures, submitting
from trainer.services.submission import Submission
from trainer.web import again, picked

NAMES_TRIED = 50
KEEP = "keep"  # the press that keeps what is said of pictures and starts nothing; scripts do without


@require_http_methods(["GET", "POST"])
def train(request: HttpRequest) -> HttpResponse:
    """The wizard; a good form starts a run and leads to its page."""
    viewer = viewer_of(request)
    if request.method == "GET":
        earlier = again.source(request, viewer)
        initial = _initial(request, viewer, earlier)
        form = TrainForm(initial=initial)
        offer_owners(form, viewer, "start_run")
        return _page(request, viewer, form, earlier=earlier)
    form = TrainForm(_one_press(request, viewer))
    offer_owners(form, viewer, "start_run")
    what = picked.said(request)
    if KEEP in request.POST:
        refused = picked.keep_masks(request, viewer, what) + picked.keep_parts(viewer, what)
        refused += picked.keep_new(request, viewer, what)
        form = TrainForm(initial={name: request.POST.get(name, "") for name in form.fields})
        offer_owners(form, viewer, "start_run")
        return _page(request, viewer, form, what=what, refused=refused, status=422 if refused else 200)
    is_whole = form.is_valid()
    for problem in picked.keep_masks(request, viewer, what):
        is_whole = False
        _show(form, problem)
    submission = _submission(request, form, what)
    if is_whole:
        try:
            run = submitting.submit(viewer, form=submission)
        except Unauthenticated:
            raise
        except HubError as error:
            _show(form, error)
        else:
            return redirect("run", run_id=run.id)
    # All that is wrong, at once: nobody wants to send a form five times.
    for problem in submitting.problems(viewer, form=submission):
        _show(form, problem)
    return _page(request, viewer, form, what=what, status=422)


@require_POST
def advise(request: HttpRequest) -> HttpResponse:
    """Advice on the pictures named, for a kind and a base; a part of the page, or JSON."""
    viewer = viewer_of(request)
    ids = picked.said(request).ids
    images = runs.waiting_pictures(viewer, ids=ids) if ids else []
    advice = _advice(images, request.POST.get("kind", ""), request.POST.get("base_model", ""))
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        return JsonResponse({"advice": [_said(finding) for finding in advice]})
    context = {"advice": advice, "looked_at": len(images)}
    return render(request, "trainer/parts/advice.html", context)


@require_GET
def set_picture(request: HttpRequest, name: str, file: str) -> HttpResponse:
    """A picture of a bundled set."""
    path = sets.picture(name, file)
    response = HttpResponse(path.read_bytes(), content_type=media.TYPES[path.suffix.lstrip(".")])
    response["Cache-Control"] = "public, max-age=86400"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _page(
    request: HttpRequest,
    viewer: Viewer,
    form: TrainForm,
    *,
    status: int = 200,
    what: picked.Said | None = None,
    refused: Sequence[HubError] = (),
    earlier: TrainingRun | None = None,
) -> HttpResponse:
    chosen = form["bundled_set"].value()
    what = what or picked.Said([])
    kept = [] if chosen else runs.waiting_pictures(viewer, ids=what.ids or None)
    if earlier is not None:
        kept = [image for image in kept if image.blob_id in earlier.picture_digests]
    for image in kept:
        what.show_on(image)
    context = {
        "form": form,
        "earlier": earlier,
        "chosen": sets.get_set(chosen) if chosen else None,
        "sets": sets.list_sets(),
        "pictures": [picked.facts(image, what) for image in kept],
        "refused": refused,
        "advice": _advice(kept, form["kind"].value(), form["base_model"].value()),
        "looked_at": len(kept),
        "has_captions": picked.CAPTIONS in request.POST
        if request.POST
        else any(image.caption for image in kept),
        "limits": runs.limits(),
        "kept_days": settings.HUB["HUB_TRAINING_IMAGE_DAYS"],
        "largest": settings.HUB["HUB_MAX_PICTURE_MB"],
        "suggested": {kind.value: word for kind, word in SUGGESTED.items()},
        "schedules": SCHEDULES,
        "expert": [form[name] for name in EXPERT],
        "unfold_expert": any(form.errors.get(name) for name in EXPERT),
        "unfold": earlier is not None or any(form.errors.get(name) for name in FOLDED),
    }
    return render(request, "trainer/train.html", context, status=status)


def _initial(request: HttpRequest, viewer: Viewer, earlier: TrainingRun | None) -> dict[str, Any]:
    initial: dict[str, Any] = {"key": uuid.uuid4(), "preset": "standard", "kind": "style"}
    chosen = request.GET.get("set", "")
    if request.GET.get("owner"):
        initial["owner"] = request.GET["owner"]
    if request.GET.get("base"):
        initial["base_model"] = request.GET["base"]
    if earlier is not None:
        initial |= again.initial_of_run(earlier, name=_free_name(viewer, earlier.embedding.name))
    elif chosen:
        found = sets.get_set(chosen)
        initial |= initial_of_set(found, name=_free_name(viewer, found.trigger))
    return initial


def _one_press(request: HttpRequest, viewer: Viewer) -> Any:
    """The posted form; a press on a set alone is filled in with what the set says."""
    if "train_set" not in request.POST:
        return request.POST
    chosen = sets.get_set(request.POST["train_set"])
    values = initial_of_set(chosen, name=_free_name(viewer, chosen.trigger))
    blank = TrainForm()
    base = blank.fields["base_model"].choices  # type: ignore[attr-defined]  # a ChoiceField
    values |= {
        "preset": "standard",
        "visibility": "public",
        "base_model": base[0][0] if base else "",
        "key": request.POST.get("key") or "",
        "trigger": chosen.trigger,
        "may_shrink": "on",
    }
    return {name: "" if value is None else value for name, value in values.items()}


def _free_name(viewer: Viewer, wanted: str) -> str:
    """The name, with a number where the viewer has published one of that name already."""
    assert viewer.user is not None
    taken = set(
        Embedding.objects.filter(owner_id=viewer.user.owner_id, name__startswith=wanted)
        .exclude(last_number=0, deleted_at=None)
        .values_list("name", flat=True)
    )
    names = [wanted, *(f"{wanted}-{number}" for number in range(2, NAMES_TRIED))]
    return next((name for name in names if name not in taken), wanted)


def _submission(request: HttpRequest, form: TrainForm, what: picked.Said) -> Submission:
    # What did not pass the form itself is missing here, and is not complained about twice.
    values = defaultdict(str, form.cleaned_data)
    spooled = [
        uploads.spool(file, max_bytes=uploads.picture_ceiling(), field="pictures")
        for file in request.FILES.getlist("pictures")
    ]
    return Submission(
        name=values["name"],
        owner=teams.owner(viewer_of(request), name=values["owner"], act="start_run"),
        title=values["title"],
        trigger=form.word(),
        kind=values["kind"],
        initializer=values["initializer"],
        start_from=values["start_from"],
        preset=values["preset"],
        base_model=values["base_model"],
        licence=values["licence"],
        consent=bool(values["consent"]),
        visibility=values["visibility"] or "public",
        settings=form.recipe_settings(),
        bundled_set=values["bundled_set"],
        picture_ids=what.ids,
        # All are empty when the box above them is not ticked.
        captions=what.captions if picked.CAPTIONS in request.POST else dict.fromkeys(what.captions, ""),
        ends=what.ends,
        boxes=what.boxes,
        pictures=[(file.path, file.filename) for file in spooled],
        may_shrink=bool(values["may_shrink"]),
        key=values["key"] or None,
    )


def _show(form: TrainForm, error: HubError) -> None:
    """A refusal beside the field it is about; one for each field is enough."""
    field = error.field or ("name" if isinstance(error, Conflict) else None)
    if field == "trigger" and not form.cleaned_data.get("trigger"):
        field = "name"
    place = field if field in form.fields else None
    if error.message not in form.non_field_errors() and not (place and form.has_error(place)):
        form.add_error(place, ValidationError(error.message, code=error.code))


def _advice(images: list[TrainingImage], kind: str | None, base: str | None) -> list[dict[str, Any]]:
    """Findings with the pictures they are about."""
    found = pictures.advice(images, kind=kind or Kind.STYLE, resolution=runs.resolution_of(base))
    return [
        {"finding": finding, "pictures": [picked.facts(images[place]) for place in finding.pictures]}
        for finding in found
    ]


def _said(advice: dict[str, Any]) -> dict[str, Any]:
    finding = advice["finding"]
    return {
        "code": finding.code,
        "pictures": [picture["id"] for picture in advice["pictures"]],
        "sentence": finding.sentence,
        "to_do": finding.to_do,
    }
