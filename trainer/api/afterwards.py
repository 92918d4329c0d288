"""What goes with runs: how much one may train, a mail at the end, earlier snapshots, and letting the pictures go."""

from uuid import UUID

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from hub.api import asked, drafts
from hub.api.answers import json_answer
from hub.api.documented import documented
from hub.api.draft_shapes import DraftShape
from hub.api.endpoint import endpoint, viewer_of
from hub.api.pages import WholeQuery, answered, sliced
from hub.api.shapes import Fields
from hub.wire.idempotency import once
from trainer import runs as reads
from trainer.api.runs import told
from trainer.api.shapes import RunShape
from trainer.services import snapshots as snapshots_service
from trainer.services import telling


class QuotaShape(Fields):
    """What you have used of what you may, in 24 hours; and the bounds of one run."""

    waiting = serializers.IntegerField()
    most_waiting = serializers.IntegerField()
    today = serializers.IntegerField()
    most_today = serializers.IntegerField()
    hours = serializers.FloatField()
    most_hours = serializers.FloatField()
    max_images = serializers.IntegerField()
    max_steps = serializers.IntegerField()


class SnapshotShape(Fields):
    """The word as it was on the way."""

    label = serializers.CharField()
    step = serializers.IntegerField()
    sha256 = serializers.CharField()
    is_taken = serializers.BooleanField(help_text="Whether the run's draft is this one.")


class SnapshotsShape(Fields):
    """A page of those that were kept, in order."""

    items = SnapshotShape(many=True)
    next = serializers.URLField(allow_null=True)


class TakeForm(Fields):
    """Which snapshot."""

    label = serializers.CharField(max_length=40)


@documented("getQuota", "How much you may train, and have.", gives=QuotaShape)
@endpoint("GET")
def quota(request: Request) -> HttpResponse:
    """The limits, and what is used of them."""
    bounds = reads.limits()
    return json_answer(
        request._request,
        {
            **reads.usage(viewer_of(request)),
            "max_images": bounds["max_images"],
            "max_steps": bounds["max_steps"],
        },
    )


@documented("askForMail", "Have a mail sent when it ends.", method="PUT", gives=RunShape)
@documented("askForNoMail", "Take that wish back.", method="DELETE", gives=RunShape)
@endpoint("PUT", "DELETE")
def mail(request: Request, run_id: UUID) -> HttpResponse:
    """Whether a mail is wanted."""
    viewer = viewer_of(request)
    telling.ask(viewer, run=reads.get(viewer, run_id=run_id), wanted=request.method == "PUT")
    return json_answer(request._request, told(request._request, reads.get(viewer, run_id=run_id)))


@documented("listSnapshots", "The word as it was at earlier steps.", asks=WholeQuery, gives=SnapshotsShape)
@endpoint("GET")
def snapshots(request: Request, run_id: UUID) -> HttpResponse:
    """The snapshots of a run."""
    given = asked.query(WholeQuery, request.GET.dict())
    run = reads.get(viewer_of(request), run_id=run_id)
    taken = snapshots_service.taken(run)
    kept = list(run.snapshots.all())
    shown, following = sliced(request._request, kept, given, name=lambda one: one.label)
    items = [
        {"label": one.label, "step": one.step, "sha256": one.blob_id, "is_taken": one.label == taken}
        for one in shown
    ]
    return answered(request._request, items, following)


@documented(
    "takeSnapshot",
    "Make an earlier snapshot the draft; harmless to repeat.",
    method="POST",
    takes={"application/json": TakeForm},
    gives=DraftShape,
)
@endpoint("POST")
@once
def take(request: Request, run_id: UUID) -> HttpResponse:
    """The draft that a snapshot becomes."""
    viewer, label = viewer_of(request), asked.body(TakeForm, request.data)["label"]
    made = snapshots_service.take(viewer, run=reads.get(viewer, run_id=run_id), label=label)
    return json_answer(request._request, drafts.told(request._request, made))
