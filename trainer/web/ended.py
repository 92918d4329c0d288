"""What can still be done with a run that is over: go on from a step, take an earlier snapshot, delete its pictures."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from hub.access import Viewer, can
from hub.errors import HubError, Unauthenticated
from hub.models import Version
from hub.wire.auth import viewer_of
from trainer import runs
from trainer.forms import GoOnForm
from trainer.models import TrainingRun
from trainer.services import continuing, pictures, snapshots

MORE = 2


@require_POST
def go_on(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """A new run that goes on from a kept step of this one."""
    viewer = viewer_of(request)
    run = runs.get(viewer, run_id=run_id)
    form = GoOnForm(request.POST, steps=runs.kept_steps(run))
    if not form.is_valid():
        messages.error(request, "Choose a kept step, and a number of steps after it.")
        return redirect("run", run_id=run_id)
    try:
        made = continuing.go_on(viewer, run=run, **form.cleaned_data)
    except Unauthenticated:
        raise
    except HubError as error:
        messages.error(request, error.message)
        return redirect("run", run_id=run_id)
    return redirect("run", run_id=made.id)


@require_POST
def take(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Make an earlier snapshot the draft."""
    viewer = viewer_of(request)
    run = runs.get(viewer, run_id=run_id)
    label = request.POST.get("label", "")[:40]
    version = snapshots.take(viewer, run=run, label=label)
    messages.success(request, f"The draft is the word at {label} now; its sheet is being drawn.")
    if version.pk == run.version_id:
        return redirect("run", run_id=run_id)
    embedding = version.embedding
    return redirect("draft", owner=embedding.owner.name, name=embedding.name, pk=version.pk)


@require_POST
def forget(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Delete the pictures of the run now."""
    viewer = viewer_of(request)
    try:
        pictures.forget(viewer, run=runs.get(viewer, run_id=run_id))
    except HubError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The pictures of this run are deleted.")
    return redirect("run", run_id=run_id)


def choices(viewer: Viewer, run: TrainingRun) -> dict[str, Any]:
    """What the page of an ended run offers; nothing while it goes on."""
    if not run.is_over:
        return {}
    steps = runs.kept_steps(run)
    may = can(viewer, "publish_version", run.embedding)
    again = run.state != TrainingRun.State.DONE and steps and steps[0] < run.max_steps
    first = {
        "step": steps[0] if steps else 0,
        "max_steps": run.max_steps if again else MORE * run.max_steps,
        "key": uuid.uuid4(),
    }
    return {
        "go_on": GoOnForm(initial=first, steps=steps) if steps and may and run.images.exists() else None,
        "snapshots": list(run.snapshots.all()) if may and run.state == TrainingRun.State.DONE else [],
        "taken": _taken(run),
        "delete_on": pictures.delete_on(run),
        "purged": pictures.is_purged(run),
        "may_forget": can(viewer, "delete_training_images", run),
        "continuations": list(run.continuations.order_by("created_at")),
    }


def _taken(run: TrainingRun) -> str:
    """The snapshot that the draft holds: the one that was taken, or the engine's own choice."""
    if run.version is None or run.version.state != Version.State.DRAFT:
        return ""
    return snapshots.taken(run)
