"""All that is offered, as the lists that tools with a list of their own can be given instead of theirs.

They take the filters of `GET /models`, and hold the newest version of each embedding that the tool can load.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse

from hub.catalog import shelves, whole
from hub.civitai import addresses, questions
from hub.civitai.endpoint import endpoint, viewer_of
from hub.formats import FAMILIES

MOST: Final = 500
_COMFYUI: Final = {"sd1": "SD1.5", "sd2": "SD2.1", "sdxl": "SDXL", "sd3": "SD3", "flux": "FLUX.1"}
_INVOKEAI: Final = {"sd1": "sd-1", "sd2": "sd-2", "sdxl": "sdxl"}


@endpoint()
def comfyui(request: HttpRequest) -> HttpResponse:
    """`model-list.json` for ComfyUI-Manager, whose channel address is the folder of this file."""
    found = [_comfyui(request, one) for one in _newest(request, "ComfyUI")]
    return JsonResponse({"models": found})


@endpoint()
def invokeai(request: HttpRequest) -> HttpResponse:
    """What InvokeAI's model manager can install, in the shape of its own starter models."""
    found = [_invokeai(request, one) for one in _newest(request, "InvokeAI")]
    return JsonResponse(found, safe=False)


@endpoint()
def plain(request: HttpRequest) -> HttpResponse:
    """Download addresses, one a line, for any program that takes a list of them."""
    lines = [f"{addresses.download(request, one)}\n" for one in _newest(request, "")]
    return HttpResponse("".join(lines), content_type="text/plain; charset=utf-8")


def _newest(request: HttpRequest, tool: str) -> Iterator[whole.Whole]:
    """The newest version of each embedding that is asked for and that this tool loads."""
    viewer = viewer_of(request)
    question, _ = questions.models(request, viewer)
    if "limit" not in request.GET:
        question = replace(question, limit=MOST)
    for shelf in shelves.list_shelves(viewer, question=question).items:
        newest = shelf.versions[0]
        if not tool or tool in FAMILIES[newest.version.family].tools:
            yield newest


def _comfyui(request: HttpRequest, one: whole.Whole) -> dict[str, Any]:
    row = one.version
    return {
        "name": f"{row.embedding.title} ({row.embedding.full_name})",
        "type": "embedding",
        "base": _COMFYUI.get(row.family, FAMILIES[row.family].title),
        "save_path": "default",
        "description": row.embedding.summary or row.embedding.title,
        "reference": _page(request, one),
        "filename": one.file.path,
        "url": addresses.download(request, one),
        "size": f"{one.file.blob.size / 1000:.1f}KB",
    }


def _invokeai(request: HttpRequest, one: whole.Whole) -> dict[str, Any]:
    row = one.version
    return {
        "name": row.trigger,
        "description": row.embedding.summary or row.embedding.title,
        "source": addresses.download(request, one),
        "base": _INVOKEAI.get(row.family, "any"),
        "type": "embedding",
        "format": "embedding_file",
        "is_installed": False,
    }


def _page(request: HttpRequest, one: whole.Whole) -> str:
    embedding = one.version.embedding
    return addresses.of(request, "entry", embedding.owner.name, embedding.name)
