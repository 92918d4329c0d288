"""Of one run: the pictures it learns from, those drawn on the way, and all that is needed to train it again."""

from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from hub.access import require
from hub.api import asked
from hub.api.answers import json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.pages import WholeQuery, answered, sliced
from hub.api.shapes import Fields
from hub.wire import media
from hub.wire.idempotency import once
from trainer import runs as reads
from trainer.api import pictures
from trainer.models import TrainingImage, TrainingRun
from trainer.services import beginning, parts
from trainer.services import pictures as services

# Settings that a new run has fields of their own for, or that belong to the old one alone.
_APART: Final = frozenset({"trigger", "kind", "family", "initializer", "initializer_file", "base", "preset"})


class GrowthShape(Fields):
    """A small picture drawn with the word while it was being learned."""

    step = serializers.IntegerField()
    position = serializers.IntegerField(help_text="Which of the prompts.")
    prompt = serializers.CharField(allow_blank=True)
    seed = serializers.IntegerField()
    url = serializers.URLField()


class GrowthsShape(Fields):
    """A page of them, by step."""

    items = GrowthShape(many=True)
    next = serializers.URLField(allow_null=True)


class AgainShape(Fields):
    """The pictures, which wait for a new run now, and the form of that run without `name` and `consent`."""

    pictures = pictures.TrainingPictureShape(many=True)
    form = serializers.DictField(help_text="Change what is to be different, and send it as JSON.")


@documented(
    "listRunPictures", "The pictures that a run of yours learns from.", asks=WholeQuery,
    gives=pictures.TrainingPicturesShape,
)  # fmt: skip
@documented(
    "forgetPictures", "Delete the pictures of an ended run now.", method="DELETE", gives=None, status=204
)
@endpoint("GET", "DELETE")
def of_run(request: Request, run_id: UUID) -> HttpResponse:
    """A run's pictures, or their end."""
    viewer = viewer_of(request)
    run = reads.get(viewer, run_id=run_id)
    if request.method == "DELETE":
        services.forget(viewer, run=run)
        return HttpResponse(status=204)
    given = asked.query(WholeQuery, request.GET.dict())
    require(viewer, "see_training_images", run)
    return pictures.listed(request, list(reads.pictures(run)), given)


@documented(
    "listGrowth", "What the word drew while it was being learned.", asks=WholeQuery, gives=GrowthsShape
)
@endpoint("GET")
def growth(request: Request, run_id: UUID) -> HttpResponse:
    """The pictures drawn on the way."""
    given = asked.query(WholeQuery, request.GET.dict())
    found = list(reads.get(viewer_of(request), run_id=run_id).growth.order_by("step", "position"))
    shown, following = sliced(request._request, found, given, name=lambda one: one.pk)
    items = [
        {
            "step": one.step,
            "position": one.position,
            "prompt": one.prompt,
            "seed": one.seed,
            "url": request.build_absolute_uri(media.address(one.blob_id, one.content_type)),
        }
        for one in shown
    ]
    return answered(request._request, items, following)


@documented(
    "trainAgain",
    "Have the pictures of a run of yours wait for another one, and be told what it was asked for; harmless to repeat.",
    method="POST",
    gives=AgainShape,
)
@endpoint("POST")
@once
def again(request: Request, run_id: UUID) -> HttpResponse:
    """What a new run like this one is started from."""
    viewer = viewer_of(request)
    run = reads.get(viewer, run_id=run_id)
    services.lay_out(viewer, run=run)
    waiting = [one for one in reads.waiting_pictures(viewer) if one.blob_id in run.picture_digests]
    content = {
        "pictures": [pictures.told(request._request, one) for one in waiting],
        "form": _form(run, waiting),
    }
    return json_answer(request._request, content)


def _form(run: TrainingRun, waiting: list[TrainingImage]) -> dict[str, Any]:
    """All that the run was asked for, the seed too, so that one change can be told."""
    recipe = run.recipe
    asked_for = {
        "kind": recipe["kind"],
        "base_model": run.base_model.name,
        "licence": run.licence,
        "trigger": run.trigger,
        "title": run.embedding.title,
        "initializer": recipe["initializer"],
        "start_from": beginning.name_of(run.start),
        "preset": recipe.get("preset", "standard"),
        "visibility": run.embedding.visibility,
        "settings": {
            name: value
            for name, value in recipe.items()
            if name not in _APART and (name, value) != ("initializer_mode", "file")
        },
    }
    if run.bundled_set:
        return {**asked_for, "bundled_set": run.bundled_set}
    return {
        **asked_for,
        "picture_ids": [one.pk for one in waiting],
        "captions": {str(one.pk): one.caption for one in waiting if one.caption},
        "ends": {str(one.pk): parts.kept_end(one) for one in waiting if parts.kept_end(one)},
        "boxes": {str(one.pk): parts.own_box(one) for one in waiting if parts.own_box(one)},
    }
