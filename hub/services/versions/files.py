"""The files of a version, made from the facts frozen with it: which there are, their names, their bytes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.formats import STORED_LAYOUTS, EmbeddingData, layouts_for, write_canonical, write_layout
from hub.formats.source_dtypes import canonical_metadata
from hub.models import Embedding, Version
from hub.services.versions import ingest

README = "README.md"
_PROVENANCE_MAX = 256 * 1024


@dataclass(frozen=True)
class NewFile:
    """A file of the version to be, its bytes already durable."""

    path: str
    layout: str
    stored: ingest.Stored
    digests: dict[str, str]


def make(
    embedding: Embedding, version: Version, data: EmbeddingData, *, number: int, tags: Sequence[str]
) -> list[tuple[str, str, bytes]]:
    """Path, layout and bytes of every stored file; the same facts give the same bytes. Stores nothing."""
    made = []
    for layout, path in layouts_for(version.family, version.trigger):
        if layout not in STORED_LAYOUTS:
            continue
        if layout == "canonical":
            content = write_canonical(
                data.tensors,
                family=version.family,
                trigger=version.trigger,
                metadata=_metadata(embedding, version, data, number=number, tags=tags),
            )
        else:
            content = write_layout(data, layout, trigger=version.trigger)
        made.append((path, layout, content))
    return made


def claimed_provenance(data: EmbeddingData) -> dict[str, Any]:
    """What an uploaded file says of its own making: kept, and marked as a claim that nobody checked."""
    text = data.metadata.get("glossa.provenance", "")
    if not text or len(text) > _PROVENANCE_MAX:
        return {}
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return {**said, "claimed": True} if isinstance(said, dict) else {}


def _metadata(
    embedding: Embedding, version: Version, data: EmbeddingData, *, number: int, tags: Sequence[str]
) -> dict[str, str]:
    """ModelSpec keys and our own, all of them frozen with the version. Our facts win over the upload's claims."""
    kept = {key: value for key, value in canonical_metadata(data).items() if not key.startswith("glossa.")}
    negative = embedding.kind == "negative"
    facts = {
        "modelspec.title": embedding.title,
        "modelspec.author": embedding.owner.name,
        "modelspec.license": version.licence,
        "modelspec.is_negative_embedding": "true" if negative else "false",
        "modelspec.usage_hint": f"{version.trigger} in the {'negative prompt' if negative else 'prompt'}",
        "glossa.entry": f"{embedding.full_name}@v{number}",
        "glossa.id": str(embedding.public_id),
        "glossa.kind": embedding.kind,
        "glossa.source_dtype": _dtypes(version.encoders),
    }
    if embedding.summary:
        facts["modelspec.description"] = embedding.summary
    if tags:
        facts["modelspec.tags"] = ", ".join(tags)
    if data.step is not None:
        facts["glossa.step"] = str(data.step)
    if version.base_model:
        facts["glossa.base_model"] = version.base_model.name
    if version.initializer:
        facts["glossa.initializer"] = version.initializer
    if version.provenance:
        facts["glossa.provenance"] = json.dumps(
            version.provenance, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
    kept.pop("modelspec.description", None)
    kept.pop("modelspec.tags", None)
    return {**kept, **facts}


def _dtypes(encoders: Sequence[dict[str, Any]]) -> str:
    """`F16`, or one for each encoder where they differ."""
    dtypes = {encoder["dtype"] for encoder in encoders}
    if len(dtypes) == 1:
        return str(dtypes.pop())
    return " ".join(f"{encoder['name']}={encoder['dtype']}" for encoder in encoders)
