"""Train again with changes: the wizard, filled in with what an earlier run was made from."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from hub.access import Viewer
from hub.errors import HubError, NotFound
from hub.wire.auth import viewer_of
from trainer import runs, written
from trainer.forms import SETTINGS
from trainer.models import TrainingRun
from trainer.options import LINES
from trainer.presets import preset_settings
from trainer.services import beginning, pictures


@require_POST
def again(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Lay the run's pictures out for a new one, and go to the wizard."""
    viewer = viewer_of(request)
    run = runs.get(viewer, run_id=run_id)
    try:
        pictures.lay_out(viewer, run=run)
    except HubError as error:
        messages.error(request, error.message)
        return redirect("run", run_id=run_id)
    return redirect(f"{reverse('train')}?again={run.pk}")


def source(request: HttpRequest, viewer: Viewer) -> TrainingRun | None:
    """The run that the wizard is to be filled in from; NotFound for one that the viewer may not know of."""
    asked = request.GET.get("again", "")
    if not asked:
        return None
    try:
        return runs.get(viewer, run_id=uuid.UUID(asked))
    except ValueError:
        raise NotFound() from None


def initial_of_run(run: TrainingRun, *, name: str) -> dict[str, Any]:
    """What the form starts with: all that the run was asked for, the seed too, so that one change can be told."""
    recipe = run.recipe
    settings = written.words({field: recipe[field] for field in SETTINGS if field in recipe})
    if settings.get("initializer_mode") == "file":
        settings["vectors_per_token"] = None  # as many as the word has that it goes on from
    if settings.get("initializer_mode") in ("word", "file"):
        settings["initializer_mode"] = ""
    preset = recipe.get("preset", "standard")
    if recipe["max_steps"] == preset_settings(preset, recipe["family"], recipe["kind"])["max_steps"]:
        settings["max_steps"] = ""  # so that another quality has its own
    settings |= {name: "\n".join(recipe.get(name, ())) for name in LINES}
    if settings.get("crop") != "buckets":
        settings["crop"] = ""  # which part is kept is said at each picture
    return {
        **settings,
        "name": name,
        "trigger": run.trigger,
        "title": run.embedding.title,
        "kind": recipe["kind"],
        "initializer": recipe["initializer"],
        "start_from": beginning.name_of(run.start),
        "preset": preset,
        "base_model": run.base_model.name,
        "licence": run.licence,
        "visibility": run.embedding.visibility,
        "owner": run.owner.name,
        "bundled_set": run.bundled_set,
        "consent": bool(run.bundled_set),
    }
