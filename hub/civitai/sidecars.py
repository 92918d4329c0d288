"""What tools whose host is fixed would have written beside the file, ready to be put there: each, or all in a ZIP.

`.civitai.info` is Civitai Helper's, `.json` A1111's own notes, `.cm-info.json` Stability Matrix'; `.preview.png` is
read by all of them.
"""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse

from hub.catalog import gates, whole
from hub.civitai import addresses, ids, payloads, words
from hub.civitai.endpoint import endpoint, viewer_of
from hub.errors import NotFound
from hub.models.registry import Kind
from hub.services.versions import converting, showing
from hub.wire import files

# How A1111 calls families in its notes.
_A1111: Final = {"sd1": "SD1", "sd2": "SD2", "sdxl": "SDXL"}
_ZIP_DATE: Final = (1980, 1, 1, 0, 0, 0)
_TYPES: Final = {".png": "image/png", ".zip": "application/zip"}


@endpoint()
def listing(request: HttpRequest, number: str) -> HttpResponse:
    """The sidecars of a version, each with its address."""
    found = whole.version(viewer_of(request), number=ids.number(number))
    names = [*_makers(found), f"{found.version.trigger}.zip"]
    address = "civitai_sidecar"
    return JsonResponse(
        {"items": [{"name": name, "url": addresses.of(request, address, number, name)} for name in names]}
    )


@endpoint(bucket="pull")
def one(request: HttpRequest, number: str, name: str) -> HttpResponse:
    """One sidecar; the ZIP holds the file and all of them, and counts as a pull of it."""
    found = whole.version(viewer_of(request), number=ids.number(number))
    makers = _makers(found)
    if name == f"{found.version.trigger}.zip":
        gates.check(viewer_of(request), found.gate)
        data = _zip(request, found)
    elif name in makers:
        data = makers[name](request, found)
    else:
        raise NotFound("File not found")
    kind = next((kind for ending, kind in _TYPES.items() if name.endswith(ending)), "application/json")
    response = HttpResponse(data, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = files.INERT_POLICY
    if name.endswith(".zip"):
        files.count_pull(request, response, file_id=found.file.pk)
    return response


Maker = Callable[[HttpRequest, whole.Whole], bytes]


def _makers(found: whole.Whole) -> dict[str, Maker]:
    """The sidecars that this version has, by file name."""
    stem = found.version.trigger
    makers: dict[str, Maker] = {
        f"{stem}.civitai.info": _civitai_info,
        f"{stem}.json": _a1111,
        f"{stem}.cm-info.json": _stability_matrix,
    }
    return {**makers, f"{stem}.preview.png": _preview} if found.pictures else makers


def _written(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, indent=4).encode()


def _civitai_info(request: HttpRequest, found: whole.Whole) -> bytes:
    """The whole version as `GET /model-versions/:id` answers it."""
    return _written(payloads.version(request, found))


def _a1111(request: HttpRequest, found: whole.Whole) -> bytes:
    row = found.version
    is_negative = row.embedding.kind == Kind.NEGATIVE
    return _written(
        {
            "description": row.embedding.summary,
            "sd version": _A1111.get(row.family, "Other"),
            "activation text": "" if is_negative else row.trigger,
            "preferred weight": 0,
            "negative text": row.trigger if is_negative else "",
            "notes": addresses.of(request, "entry", row.embedding.owner.name, row.embedding.name),
        }
    )


def _stability_matrix(request: HttpRequest, found: whole.Whole) -> bytes:
    row = found.version
    model = payloads.model(request, whole.Shelf(row.embedding, (found,)))
    file = payloads.file(request, found)
    return _written(
        {
            "ModelId": model["id"],
            "ModelName": model["name"],
            "ModelDescription": model["description"],
            "Nsfw": model["nsfw"],
            "Tags": model["tags"],
            "ModelType": model["type"],
            "VersionId": row.pk,
            "VersionName": payloads.version_name(row),
            "VersionDescription": model["modelVersions"][0]["description"],
            "BaseModel": words.base_word(row),
            "FileMetadata": file["metadata"],
            "ImportedAt": ids.date(row.published_at),
            "Hashes": file["hashes"],
            "TrainedWords": [row.trigger],
            "Stats": model["stats"],
        }
    )


def _preview(request: HttpRequest, found: whole.Whole) -> bytes:
    """The first picture, as every tool can show it."""
    shown = showing.picture(viewer_of(request), number=found.pictures[0].pk)
    return shown.data if shown.data is not None else converting.stored(shown.sha256)


def _zip(request: HttpRequest, found: whole.Whole) -> bytes:
    """File and sidecars, stored as they are; the same every time."""
    members = {found.file.path: converting.stored(found.file.blob_id)}
    members |= {name: make(request, found) for name, make in _makers(found).items()}
    with io.BytesIO() as out:
        with zipfile.ZipFile(out, "w") as archive:
            for name, data in members.items():
                archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), data)
        return out.getvalue()
