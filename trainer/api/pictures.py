"""`/training-pictures`: pictures that wait for a run, each checked once, and advice on a set of them."""

from pathlib import Path
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from hub.api import asked
from hub.api.answers import json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.pages import WholeQuery, answered, sliced
from hub.api.shapes import Fields, Upload
from hub.models.registry import Kind
from hub.wire import media, uploads
from hub.wire.idempotency import once
from trainer import runs as reads
from trainer.models import MASK_TYPE, TrainingImage
from trainer.services import parts
from trainer.services import pictures as services
from trainer.services.limits import MOST_PICTURES_KEPT


class TrainingPictureShape(Fields):
    """A picture that was checked and prepared, and waits for a run; a week at most."""

    id = serializers.UUIDField(help_text="For `picture_ids` of a new run, and for advice.")
    name = serializers.CharField(allow_blank=True)
    sha256 = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    remarks = serializers.ListField(child=serializers.CharField(), help_text="What was changed about it.")
    url = serializers.URLField(help_text="The picture itself.")
    focus = serializers.ListField(
        child=serializers.FloatField(), allow_null=True,
        help_text="The part to keep in sight: left, top, right, bottom as shares of its sides; null: its middle.",
    )  # fmt: skip
    mask = serializers.URLField(allow_null=True, help_text="What counts in it, white; null: everything.")


class TrainingPicturesShape(Fields):
    """A page of those that wait; there are at most 200."""

    items = TrainingPictureShape(many=True)
    next = serializers.URLField(allow_null=True)


class NewTrainingPictureForm(Fields):
    """A picture to learn from."""

    file = Upload()


class PictureChangeForm(Fields):
    """What to remember with a picture until it is trained from."""

    focus = serializers.ListField(
        child=serializers.FloatField(), allow_null=True, min_length=4, max_length=4,
        help_text="Left, top, right and bottom as shares of its sides, 0 to 1; null: its middle.",
    )  # fmt: skip


class MaskForm(Fields):
    """A picture of the same shape: white counts, black hardly does, grey in between; clear is black."""

    file = Upload()


class AdviceForm(Fields):
    """Which pictures (all that wait where it is left out), for which kind of word, on which base model."""

    pictures = serializers.ListField(
        child=serializers.UUIDField(), required=False, allow_null=True, max_length=MOST_PICTURES_KEPT
    )
    kind = serializers.ChoiceField(Kind.choices, required=False, default=Kind.STYLE.value)
    base_model = serializers.CharField(required=False, default="", allow_blank=True, max_length=96)


class FindingShape(Fields):
    """Something about the set that its maker should know; it forbids nothing."""

    code = serializers.CharField(help_text="Stable; new ones may come.")
    pictures = serializers.ListField(
        child=serializers.UUIDField(), help_text="What it is about; none: the set as such."
    )
    sentence = serializers.CharField()
    to_do = serializers.CharField()


class AdviceShape(Fields):
    """Findings, the most important first."""

    looked_at = serializers.IntegerField()
    items = FindingShape(many=True)


@documented(
    "listTrainingPictures", "Your pictures that wait for a run.", asks=WholeQuery, gives=TrainingPicturesShape
)
@documented(
    "addTrainingPicture",
    "Have a picture checked and kept for a run.",
    method="POST",
    takes={"multipart/form-data": NewTrainingPictureForm},
    gives=TrainingPictureShape,
    status=201,
)
@endpoint("GET", "POST")
@once
def pictures(request: Request) -> HttpResponse:
    """The waiting pictures, or one more."""
    viewer = viewer_of(request)
    if request.method == "POST":
        spooled = uploads.spool(request.FILES.get("file"), max_bytes=uploads.picture_ceiling())
        made = services.add(viewer, path=spooled.path, filename=spooled.filename)
        return json_answer(request._request, told(request._request, made), status=201)
    given = asked.query(WholeQuery, request.GET.dict())
    return listed(request, reads.waiting_pictures(viewer), given)


@documented("removeTrainingPicture", "Drop one; harmless to repeat.", method="DELETE", gives=None, status=204)
@documented(
    "changeTrainingPicture",
    "Say which part of it to learn from.",
    method="PATCH",
    takes={"application/json": PictureChangeForm},
    gives=TrainingPictureShape,
)
@endpoint("PATCH", "DELETE")
def picture(request: Request, picture_id: UUID) -> HttpResponse:
    """The part of a picture that no run uses, or its end."""
    viewer = viewer_of(request)
    if request.method == "DELETE":
        services.remove(viewer, picture_id=picture_id)
        return HttpResponse(status=204)
    box = asked.body(PictureChangeForm, request.data)["focus"]
    changed = parts.keep_box(viewer, picture_id=picture_id, box=box)
    return json_answer(request._request, told(request._request, changed))


@documented(
    "maskTrainingPicture",
    "Say what counts in it by a mask, in place of the one before.",
    method="POST",
    takes={"multipart/form-data": MaskForm},
    gives=TrainingPictureShape,
)
@documented(
    "unmaskTrainingPicture",
    "Let all of it count; harmless to repeat.",
    method="DELETE",
    gives=None,
    status=204,
)
@endpoint("POST", "DELETE")
@once
def mask(request: Request, picture_id: UUID) -> HttpResponse:
    """A picture's mask, or its end."""
    viewer = viewer_of(request)
    if request.method == "DELETE":
        parts.drop_mask(viewer, picture_id=picture_id)
        return HttpResponse(status=204)
    spooled = uploads.spool(request.FILES.get("file"), max_bytes=uploads.picture_ceiling())
    masked = parts.keep_mask(viewer, picture_id=picture_id, path=spooled.path, filename=spooled.filename)
    return json_answer(request._request, told(request._request, masked))


@documented(
    "adviseOnPictures",
    "What to know of a set of pictures before a run.",
    method="POST",
    takes={"application/json": AdviceForm},
    gives=AdviceShape,
    is_question=True,
)
@endpoint("POST")
def advice(request: Request) -> HttpResponse:
    """Advice on waiting pictures, as the wizard gives it."""
    given = asked.body(AdviceForm, request.data)
    images = reads.waiting_pictures(viewer_of(request), ids=given.get("pictures"))
    resolution = reads.resolution_of(given["base_model"])
    items = [
        {
            "code": one.code,
            "pictures": [images[place].pk for place in one.pictures],
            "sentence": one.sentence,
            "to_do": one.to_do,
        }
        for one in services.advice(images, kind=given["kind"], resolution=resolution)
    ]
    return json_answer(request._request, {"looked_at": len(images), "items": items})


def told(request: HttpRequest, row: TrainingImage) -> dict[str, Any]:
    """TrainingPictureShape."""
    return {
        "id": row.pk,
        "name": Path(row.source_name).name,
        "sha256": row.blob_id,
        "width": row.width,
        "height": row.height,
        "remarks": services.remarks(row),
        "url": request.build_absolute_uri(media.address(row.blob_id, row.content_type)),
        "focus": row.facts.get("focus"),
        "mask": request.build_absolute_uri(media.address(row.mask_id, MASK_TYPE)) if row.mask_id else None,
    }


def listed(request: Request, found: list[TrainingImage], given: dict[str, Any]) -> HttpResponse:
    """TrainingPicturesShape: the page of these that is asked for."""
    shown, following = sliced(request._request, found, given, name=lambda one: one.pk)
    return answered(request._request, [told(request._request, one) for one in shown], following)
