"""Pictures of this door: as records with their settings, and as PNG files under numbers."""

import re
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse

from hub.access import Viewer
from hub.catalog import gallery
from hub.catalog.whole import Whole
from hub.civitai import addresses, ids, questions, words
from hub.civitai.endpoint import endpoint, viewer_of
from hub.civitai.ids import date
from hub.errors import NotFound
from hub.formats.showing import shown_size
from hub.models import Preview, Version
from hub.services.versions import showing
from hub.wire import files, links

LEVEL, LEVEL_WORD = 1, "None"
# Our names of settings, as the engine and as A1111 write them, and Civitai's.
_SETTINGS: Final = {"steps": "steps", "sampler": "sampler", "cfg scale": "cfgScale", "guidance": "cfgScale",
                    "clip skip": "clipSkip", "model": "Model", "size": "Size"}  # fmt: skip
_COUNTS: Final = ["cryCount", "laughCount", "likeCount", "dislikeCount", "heartCount", "commentCount"]
_NUMBER: Final = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?", re.ASCII)


def images(request: HttpRequest, whole: Whole, *, with_settings: bool = False) -> list[dict[str, Any]]:
    """The pictures of a version."""
    found = []
    for preview in whole.pictures:
        record = _record(request, preview, is_open=whole.is_open)
        record |= {"type": "image", "nsfwLevel": LEVEL, "minor": False, "poi": False}
        record |= {"hasMeta": bool(preview.prompt), "hasPositivePrompt": bool(preview.prompt)}
        if with_settings:
            record["meta"] = settings(preview, whole.version)
        found.append(record)
    return found


def settings(preview: Preview, version: Version) -> dict[str, Any] | None:
    """How a picture was made; None where nobody knows."""
    if not preview.prompt:
        return None
    said: dict[str, Any] = {"prompt": preview.prompt, "negativePrompt": preview.negative_prompt}
    if preview.role != Preview.Role.UPLOAD:
        said["seed"] = preview.seed
        if version.base_model:
            said["Model"] = version.base_model.name
    for name, value in preview.parameters.items():
        plain = name.replace("_", " ").lower()
        if plain == "seed" and isinstance(_plain(value), int):
            said["seed"] = _plain(value)
        elif plain in _SETTINGS and isinstance(value, int | float | str):
            said[_SETTINGS[plain]] = _plain(value)
    said.setdefault("Size", f"{preview.width}x{preview.height}")
    said["resources"] = [{"name": version.trigger, "type": "embed"}]
    weight = preview.parameters.get("weight", 1)
    said["civitaiResources"] = [{"type": "embed", "modelVersionId": version.pk, "weight": weight}]
    return said


def _plain(value: Any) -> Any:
    """A number where the text is one."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    return value


def _record(request: HttpRequest, preview: Preview, *, is_open: bool) -> dict[str, Any]:
    width, height = shown_size(preview.width, preview.height)
    address = addresses.picture(request, preview, is_open=is_open)
    return {"id": preview.pk, "url": address, "width": width, "height": height, "hash": None}


@endpoint()
def listing(request: HttpRequest) -> HttpResponse:
    """`GET /images`: the gallery."""
    question, paging, with_settings = questions.images(request)
    found, cursor = gallery.pictures(viewer_of(request), question=question)
    items = [_item(request, shown, with_settings) for shown in found]
    metadata = dict(paging)
    if cursor:
        metadata |= {"nextCursor": cursor, "nextPage": addresses.page(request, cursor=cursor)}
    return JsonResponse({"items": items, "metadata": metadata})


def _item(request: HttpRequest, shown: gallery.Shown, with_settings: bool) -> dict[str, Any]:
    preview, version = shown.preview, shown.preview.version
    return {
        **_record(request, preview, is_open=shown.is_open),
        "type": "image",
        # Here a word, unlike everywhere else.
        "nsfwLevel": LEVEL_WORD,
        "nsfw": False,
        "browsingLevel": LEVEL,
        "createdAt": date(version.published_at),
        "postId": version.pk,
        "stats": dict.fromkeys(_COUNTS, 0),
        "meta": settings(preview, version) if with_settings else None,
        "username": version.embedding.owner.name,
        "baseModel": words.base_word(version),
        "modelVersionIds": [version.pk],
    }


@endpoint(bucket="pull")
def picture(request: HttpRequest, number: str) -> HttpResponse:
    """A picture by its number, as a PNG that every tool shows."""
    return _send(request, viewer_of(request), ids.number(number))


@endpoint(bucket="pull")
def linked_picture(request: HttpRequest, link: str, number: str) -> HttpResponse:
    """The same for whoever the link was made for."""
    what, viewer = links.opened(link)
    if what != f"p{number}":
        raise NotFound()
    response = _send(request, viewer, ids.number(number))
    response["Cache-Control"] = "private, no-store"
    return response


def _send(request: HttpRequest, viewer: Viewer, number: int) -> HttpResponse:
    shown = showing.picture(viewer, number=number)
    return files.send(request, shown, inline=True, data=shown.data)
