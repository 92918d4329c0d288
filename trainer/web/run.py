"""The page of a run: how it goes, what it learns, and its draft waiting for one press."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.views.decorators.http import require_GET, require_POST

from hub.access import can
from hub.errors import Conflict, HubError
from hub.models import Version
from hub.services.versions import publishing
from hub.web.measures import measured
from hub.web.sheet import arrange
from hub.wire import media
from hub.wire.auth import viewer_of
from trainer import expert, runs
from trainer.models import RUNNING, TrainingRun
from trainer.prompts import NAME
from trainer.services import submitting, telling
from trainer.web import compare, ended

State = TrainingRun.State
PAGE_SIZE = 30
STEPS = ("Waiting", "Preparing", "Training", "Preview sheet", "Done")
STEP_OF = {
    State.QUEUED: 0,
    State.PAUSED: 0,
    State.PREPARING: 1,
    State.TRAINING: 2,
    State.PREVIEWING: 3,
    State.DONE: 4,
}


@require_GET
def list_runs(request: HttpRequest) -> HttpResponse:
    """The viewer's own runs."""
    page = Paginator(runs.list_runs(viewer_of(request)), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "usage": runs.usage(viewer_of(request))}
    return render(request, "trainer/runs.html", context)


@require_GET
def show(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """One run, live while it goes on."""
    viewer = viewer_of(request)
    run = runs.get(viewer, run_id=run_id)
    is_own = can(viewer, "see_training_images", run)
    telling.see(viewer, run=run)
    draft = run.version
    siblings = runs.siblings(viewer, run)
    context = {
        "run": run,
        "live": _live(run, after=0),
        "steps": STEPS,
        "at": STEP_OF.get(State(run.state)),
        "pictures": runs.pictures(run) if is_own else (),
        "picture_count": len(run.picture_digests) or run.images.count(),
        "can_repeat": is_own and run.is_over,
        "can_mail": is_own and not run.is_over and telling.can_mail(viewer.user),
        "siblings": siblings,
        "compare_at": compare.address_of([run, *siblings]),
        "log": _log(run),
        "can_stop": can(viewer, "cancel_run", run) and not run.is_over,
        "version": draft,
        "is_draft": draft is not None and draft.state == Version.State.DRAFT,
        "can_publish": draft is not None and can(viewer, "publish_version", draft),
        "sheet": arrange(draft.previews.all()) if draft is not None and run.is_over else None,
        "measures": measured(draft.insights) if draft is not None and run.is_over else None,
        "prompts": _prompts(run),
        "changed": expert.changed(run.recipe),
        **ended.choices(viewer, run),
    }
    return render(request, "trainer/run.html", context)


@require_GET
def events(request: HttpRequest, run_id: uuid.UUID) -> JsonResponse:
    """What has happened after event `after`, for the page that asks every second or two."""
    run = runs.get(viewer_of(request), run_id=run_id)
    after = request.GET.get("after", "")
    return JsonResponse(_live(run, after=int(after) if after.isdecimal() and len(after) < 10 else 0))


@require_POST
def cancel(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Stop a run."""
    viewer = viewer_of(request)
    try:
        submitting.cancel(viewer, run=runs.get(viewer, run_id=run_id))
    except Conflict as error:
        messages.error(request, error.message)
    return redirect("run", run_id=run_id)


@require_POST
def publish(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Publish the run's draft with one press."""
    viewer = viewer_of(request)
    version = _draft(viewer_of(request), run_id)
    try:
        published = publishing.publish(viewer, version=version, notes=request.POST.get("notes", "")[:10_000])
    except HubError as error:
        messages.error(request, error.message)
        return redirect("run", run_id=run_id)
    embedding = published.embedding
    messages.success(request, f"{embedding.full_name} {published.name} is published.")
    return redirect("entry", owner=embedding.owner.name, name=embedding.name)


@require_POST
def discard(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Throw the run's draft away; the run stays in the list."""
    viewer = viewer_of(request)
    publishing.discard_draft(viewer, version=_draft(viewer, run_id))
    messages.success(request, "The draft is thrown away.")
    return redirect("runs")


def _draft(viewer: Any, run_id: uuid.UUID) -> Version:
    run = runs.get(viewer, run_id=run_id)
    if run.version is None:
        raise Conflict("state_conflict", "This run has no draft to publish.")
    return run.version


def _live(run: TrainingRun, *, after: int) -> dict[str, Any]:
    """Everything on the page that changes while the run goes on."""
    points, last = runs.curve(run, after=after)
    left, standing = runs.estimate(run), runs.standing(run)
    return {
        "state": run.state,
        "label": State(run.state).label,
        "over": run.is_over,
        "running": run.state in RUNNING,
        "stopping": run.cancel_requested and not run.is_over,
        "says": _says(run),
        "step": run.step,
        "steps": run.max_steps,
        "left": None if left is None else round(left),
        "place": standing.place if standing else None,
        "starts_in": standing.starts_in if standing else None,
        "speed": run.progress.get("samples_per_second"),
        "fixed": run.progress.get("fixed_loss"),
        "error": run.progress.get("loss"),
        "norm": run.progress.get("norm_max"),
        "drawn": run.progress.get("pictures_done") if run.state == State.PREVIEWING else None,
        "to_draw": run.progress.get("pictures") if run.state == State.PREVIEWING else None,
        "points": points,
        "last": last,
        "log": [
            {
                "number": event.sequence,
                "at": event.at.isoformat(),
                "shown": date_format(localtime(event.at), "j M, H:i:s"),
                "said": said,
            }
            for event, said in _log(run, after=after)
        ],
        "growth": [
            {
                "step": picture.step,
                "url": media.address(picture.blob_id, picture.content_type),
                "alt": f"{picture.prompt}, after {picture.step} steps",
            }
            for picture in run.growth.order_by("step", "position")
        ],
    }


def _says(run: TrainingRun) -> str:
    """One sentence about where the run stands."""
    if run.cancel_requested and not run.is_over:
        return "Stopping after this step."
    if run.state in RUNNING:
        # The badge before it says the state already.
        return "" if run.stage.lower() == State(run.state).label.lower() else run.stage
    return runs.waiting_for(run)


def _log(run: TrainingRun, *, after: int = 0) -> list[tuple[runs.Event, str]]:
    """What happened after an event, as sentences."""
    events = runs.list_events(run, after=after, kinds=("state", "started", "note"))
    told = [(event, runs.say(event)) for event in events]
    return [(event, said) for event, said in told if said]


def _prompts(run: TrainingRun) -> list[str]:
    started = run.events.filter(kind="started").order_by("-sequence").first()
    told = started.data.get("prompts", []) if started else []
    return [prompt.replace(NAME, run.trigger) for prompt in told]
