"""Records of the native API as plain data; `shapes` says what is in them."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from hub.catalog.cards import EXTENSIONS
from hub.catalog.whole import Whole
from hub.formats import known_base
from hub.models import BaseModel, Embedding, Preview, Version


def address(request: HttpRequest, route: str, *arguments: object) -> str:
    """The whole address of a route, on the host that the client called."""
    return request.build_absolute_uri(reverse(route, args=[str(argument) for argument in arguments]))


def embedding(request: HttpRequest, row: Embedding, newest: Whole | None) -> dict[str, Any]:
    """EmbeddingShape. The row's owner and tags are loaded."""
    return {
        "name": row.full_name,
        "owner": row.owner.name,
        "title": row.title,
        "summary": row.summary,
        "kind": row.kind,
        "visibility": row.visibility,
        "gate": row.gate,
        "tags": sorted(tag.slug for tag in row.tags.all()),
        "pulls": row.downloads,
        "likes": row.likes,
        "created": row.created_at,
        "page": address(request, "entry", row.owner.name, row.name),
        "url": address(request, "api_embedding", row.owner.name, row.name),
        "version": version(request, newest) if newest else None,
    }


def version(request: HttpRequest, whole: Whole) -> dict[str, Any]:
    """VersionShape."""
    row, place = whole.version, (whole.version.embedding.owner.name, whole.version.embedding.name)
    return {
        "number": row.number,
        "name": row.name,
        "label": row.label,
        "state": row.state,
        "reason": row.state_reason,
        "trigger": row.trigger,
        "family": row.family,
        "base_model": row.base_model.name if row.base_model else None,
        "vectors_per_token": row.vectors,
        "encoders": row.encoders,
        "licence": row.licence,
        "notes": row.notes,
        "warnings": row.warnings,
        "published": row.published_at,
        "is_trained_here": row.run_key is not None,
        "commit": whole.commit,
        "tensor_digest": row.tensor_digest,
        "sha256": whole.file.blob_id,
        "size": whole.file.blob.size,
        "digests": whole.digests,
        "pulls": whole.pulls,
        "pictures": [picture(request, one) for one in whole.pictures],
        "files": address(request, "api_files", *place, row.number),
        "url": address(request, "api_version", *place, row.number),
    }


def whole_version(request: HttpRequest, whole: Whole) -> dict[str, Any]:
    """WholeVersionShape."""
    row = whole.version
    return {
        **version(request, whole),
        "initializer": row.initializer,
        "sheet_state": row.sheet_state,
        "insights": row.insights,
        "provenance": row.provenance,
    }


def picture(request: HttpRequest, row: Preview) -> dict[str, Any]:
    """PictureShape."""
    extension = EXTENSIONS.get(row.content_type, "png")
    return {
        "url": request.build_absolute_uri(f"/media/{row.blob_id}.{extension}"),
        "width": row.width,
        "height": row.height,
        "alt": row.alt or row.prompt,
        "prompt": row.prompt,
        "negative_prompt": row.negative_prompt,
        "seed": row.seed,
    }


def shown_pictures(request: HttpRequest, row: Version) -> list[dict[str, Any]]:
    """ShownPictureShapes of a version or draft: the sheet's cells, the sheet, the publisher's own."""
    roles = list(Preview.Role)
    rows = sorted(
        row.previews.all(),
        key=lambda one: (roles.index(Preview.Role(one.role)), one.block, one.row, one.column),
    )
    return [
        {
            **picture(request, one),
            "id": one.pk,
            "role": one.role,
            "block": one.block,
            "row": one.row,
            "column": one.column,
            "is_control": one.is_control,
        }
        for one in rows
    ]


def base_model(row: BaseModel) -> dict[str, Any]:
    """BaseModelShape."""
    known = known_base(row.name)
    return {
        "name": row.name,
        "title": row.title,
        "family": row.family,
        "fits": known.fits if known else "",
        "is_installed": row.is_installed,
    }
