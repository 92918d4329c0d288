"""The pictures of the wizard, one tile each: checked as they arrive, and what is said of each kept with it."""

import math
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from hub.access import Viewer
from hub.errors import HubError, NotFound, TooLarge, Unacceptable
from hub.wire import media, uploads
from hub.wire.auth import viewer_of
from trainer import runs
from trainer.models import MASK_TYPE, TrainingImage
from trainer.services import parts, pictures

CAPTION, CAPTIONS = "caption-", "captions"  # a field for each picture, and the box that shows them
END, MASK, UNMASK = "end-", "mask-", "unmask-"
# Fields of the part to learn from, in percent, with what they are when they are empty.
EDGES = {"left": 0, "top": 0, "right": 100, "bottom": 100}
OBLONG = 1.2  # sides in this ratio or more lose something that may matter


@dataclass(frozen=True)
class Said:
    """What was typed or chosen below pictures, by their ids. `boxes` and `ends` are as in a Submission."""

    ids: list[uuid.UUID]
    captions: dict[str, str] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=dict)
    boxes: dict[str, list[float]] = field(default_factory=dict)
    edges: dict[str, dict[str, str]] = field(default_factory=dict)

    def is_wrong(self, name: str) -> bool:
        """Whether the numbers of a picture are no box."""
        try:
            return bool(name in self.boxes and not parts.checked(self.boxes[name]))
        except Unacceptable:
            return True

    def show_on(self, image: TrainingImage) -> None:
        """Let a row, which is not saved, be as was said, so that the page comes back as it was sent."""
        name = str(image.pk)
        image.caption = self.captions.get(name, image.caption)
        if name in self.ends:
            parts.cut(image, self.ends[name])
        if name in self.boxes and not self.is_wrong(name):
            parts.frame(image, self.boxes[name])


@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Check one picture and keep it for the next run; answers what was found and its tile, as JSON."""
    spooled = uploads.spool(
        request.FILES.get("picture"), max_bytes=uploads.picture_ceiling(), field="pictures"
    )
    image = pictures.add(viewer_of(request), path=spooled.path, filename=spooled.filename)
    return _told(image, Said([]), status=201)


@require_http_methods(["DELETE", "POST"])
def picture(request: HttpRequest, picture_id: uuid.UUID) -> HttpResponse:
    """Drop a picture that no run uses, or keep what its tile says: the part, the mask; answers the tile, as JSON."""
    viewer = viewer_of(request)
    if request.method == "DELETE":
        pictures.remove(viewer, picture_id=picture_id)
        return HttpResponse(status=204)
    what = said(request, [picture_id])
    if not runs.waiting_pictures(viewer, ids=what.ids):
        raise NotFound()
    for error in keep_masks(request, viewer, what) + keep_parts(viewer, what):
        raise error
    [image] = runs.waiting_pictures(viewer, ids=what.ids)
    return _told(image, what)


def said(request: HttpRequest, ids: list[uuid.UUID] | None = None) -> Said:
    """What the form says of the pictures in it, or of these."""
    found = Said(_ids(request) if ids is None else ids)
    for picture_id in found.ids:
        name = str(picture_id)
        typed = {edge: request.POST.get(f"{edge}-{name}", "").strip() for edge in EDGES}
        if f"{CAPTION}{name}" in request.POST:
            found.captions[name] = request.POST[f"{CAPTION}{name}"]
        if any(typed.values()):
            found.edges[name] = typed
            found.boxes[name] = [_share(typed[edge] or str(usual)) for edge, usual in EDGES.items()]
        elif any(f"{start}{name}" in request.POST for start in (END, "left-")):
            found.ends[name] = request.POST.get(f"{END}{name}", "")
    return found


def keep_parts(viewer: Viewer, what: Said) -> list[HubError]:
    """Remember with the pictures which part of them is meant; what was refused."""
    refused: list[HubError] = []
    for picture_id in what.ids:
        name = str(picture_id)
        with _gathered(refused):
            if name in what.boxes:
                parts.keep_box(viewer, picture_id=picture_id, box=what.boxes[name])
            elif name in what.ends:
                parts.keep_end(viewer, picture_id=picture_id, end=what.ends[name])
    return refused


def keep_masks(request: HttpRequest, viewer: Viewer, what: Said) -> list[HubError]:
    """Keep the masks that came with the form, and drop those that are not wanted any more; what was refused."""
    refused: list[HubError] = []
    for picture_id in what.ids:
        file = request.FILES.get(f"{MASK}{picture_id}")
        with _gathered(refused, file):
            if file is not None:
                spooled = uploads.spool(file, max_bytes=uploads.picture_ceiling())
                parts.keep_mask(viewer, picture_id=picture_id, path=spooled.path, filename=spooled.filename)
            elif f"{UNMASK}{picture_id}" in request.POST:
                parts.drop_mask(viewer, picture_id=picture_id)
    return refused


def keep_new(request: HttpRequest, viewer: Viewer, what: Said) -> list[HubError]:
    """Keep the pictures that came with the form, and name them in what was said; what was refused."""
    refused: list[HubError] = []
    for file in request.FILES.getlist("pictures"):
        with _gathered(refused, file):
            spooled = uploads.spool(file, max_bytes=uploads.picture_ceiling())
            what.ids.append(pictures.add(viewer, path=spooled.path, filename=spooled.filename).pk)
    return refused


@contextmanager
def _gathered(refused: list[HubError], file: UploadedFile | None = None) -> Iterator[None]:
    """Refusals go into the list, with the file they are about; a picture that was taken away meanwhile is none."""
    try:
        yield
    except NotFound:
        pass
    except (TooLarge, Unacceptable) as error:
        name = f"{uploads.clean_label(file.name or '')}: " if file is not None else ""
        refused.append(type(error)(error.code, name + error.message, **{**error.detail, "field": "pictures"}))


def facts(image: TrainingImage, what: Said | None = None) -> dict[str, Any]:
    """What a tile shows, plain values."""
    name = str(image.pk)
    box = parts.own_box(image)
    typed = what.edges.get(name) if what is not None else None
    shown = typed or dict(zip(EDGES, (_percent(share) for share in box) if box else [""] * 4, strict=True))
    return {
        "id": name,
        "url": media.address(image.blob_id, image.content_type),
        "remove": reverse("train_picture", args=[image.pk]),
        "name": Path(image.source_name).name,
        "sha256": image.blob_id,
        "width": image.width,
        "height": image.height,
        "warnings": pictures.remarks(image),
        "caption": image.caption,
        "oblong": _oblong(image),
        "end": parts.kept_end(image),
        "edges": [
            {"name": edge, "label": f"{edge.title()} edge", "usual": usual, "value": shown[edge]}
            for edge, usual in EDGES.items()
        ],
        "is_wrong": what is not None and what.is_wrong(name),
        "outline": _outline(image, box) if box else "",
        "mask": media.address(image.mask_id, MASK_TYPE) if image.mask_id else "",
    }


def _told(image: TrainingImage, what: Said, status: int = 200) -> JsonResponse:
    what.show_on(image)
    told = facts(image, what)
    return JsonResponse(
        {**told, "tile": render_to_string("trainer/parts/tile.html", {"picture": told})}, status=status
    )


def _ids(request: HttpRequest) -> list[uuid.UUID]:
    found = []
    for text in request.POST.getlist("picture"):
        with suppress(ValueError):
            found.append(uuid.UUID(text))
    return found


def _share(percent: str) -> float:
    """A share from percent as people type it; what is no number is no share, and the box then no box."""
    try:
        return round(float(percent) / 100, 6)
    except ValueError:
        return math.nan


def _percent(share: float) -> str:
    return f"{share * 100:.6g}"


def _outline(image: TrainingImage, box: list[float]) -> str:
    """The box as a path over the picture, in its pixels."""
    left, right = (round(share * image.width, 1) for share in box[::2])
    top, bottom = (round(share * image.height, 1) for share in box[1::2])
    return f"M{left} {top}H{right}V{bottom}H{left}Z"


def _oblong(image: TrainingImage) -> str:
    """`tall`, `wide`, or nothing for a picture that is square enough."""
    ratio = image.height / image.width
    return "tall" if ratio >= OBLONG else "wide" if ratio <= 1 / OBLONG else ""
