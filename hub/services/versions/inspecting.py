"""What is it? Everything that can be said of a stranger's file, for whoever asks; nothing of it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from hub.access import Viewer
from hub.catalog import recognise, vocabulary
from hub.catalog.recognise import Known, Resolved
from hub.errors import TooLarge, UnacceptableFile
from hub.formats import EmbeddingData, FormatError
from hub.formats.generation_parameters import Generation
from hub.formats.limits import MIB
from hub.formats.loading import Loading, loads
from hub.formats.statistics import MAX_LOOKED_UP, Near, rows_of
from hub.formats.values import row_norms
from hub.sandbox import SandboxUnavailable
from hub.sandbox.generation import read_generation
from hub.services.versions import ingest

_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_MAX_METADATA = 40
_MAX_VALUE = 400
_MAX_VECTORS_SHOWN = 16
_ORDINARY = "An ordinary picture: there is no embedding in it, and it does not say how it was made."
# Metadata that the page shows in a place of its own, or that only programs care for.
_OWN_PLACE = frozenset({"format", "modelspec.hash_sha256", "glossa.provenance", "modelspec.trigger_phrase"})


@dataclass(frozen=True)
class Vector:
    """One learned vector: its length, where that lies beside the vocabulary's, the words nearest to it."""

    number: int
    norm: float
    place: str = ""
    nearest: tuple[Near, ...] = ()


@dataclass(frozen=True)
class EncoderVectors:
    """The vectors for one text encoder. `usual` are the lengths that 1, 50 and 99 of 100 vocabulary rows keep under."""

    name: str
    width: int
    dtype: str
    count: int
    vectors: tuple[Vector, ...]
    usual: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Inspection:
    """The answer. `kind` is `embedding`, `picture` or `refused`; what does not apply is empty."""

    kind: str
    filename: str
    message: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    encoders: tuple[EncoderVectors, ...] = ()
    base_title: str = ""
    metadata: tuple[tuple[str, str], ...] = ()
    loads: tuple[Loading, ...] = ()
    known: tuple[Known, ...] = ()
    alike: tuple[Known, ...] = ()
    generation: Generation | None = None
    references: tuple[Resolved, ...] = ()
    code: str = ""
    rule: str = ""


def what_is(viewer: Viewer, *, path: Path, filename: str) -> Inspection:
    """What this file is. A refused file is an answer; only Unavailable is raised, when no parser runs."""
    picture = _is_picture(path)
    try:
        ingested = ingest.embedding(viewer, path=path, filename=filename)
    except (UnacceptableFile, TooLarge) as error:
        if picture and error.code in ("not_an_embedding", "unsupported_container", "file_too_large"):
            return _picture(viewer, path, filename)
        return Inspection(
            "refused", filename, error.message, code=error.code, rule=str(error.detail.get("rule") or "")
        )
    return _embedding(viewer, ingested, filename)


def _embedding(viewer: Viewer, ingested: ingest.IngestedEmbedding, filename: str) -> Inspection:
    facts, data = ingested.facts, ingested.data
    base_title, encoders = _encoders(data, facts)
    said = facts.get("metadata") or {}
    metadata = [
        (str(key)[:100], str(value)[:_MAX_VALUE])
        for key, value in sorted(said.items())
        if key not in _OWN_PLACE and str(value).strip()
    ]
    return Inspection(
        "embedding",
        filename,
        str(facts["message"]),
        facts={**facts, "vectors": data.vectors},
        encoders=encoders,
        base_title=base_title,
        metadata=tuple(metadata[:_MAX_METADATA]),
        loads=tuple(loads(facts, filename)),
        known=tuple(
            recognise.by_values(viewer, tensors=ingested.tensor_digest, sha256=ingested.source_sha256)
        ),
        alike=tuple(recognise.alike(viewer, data, except_values=ingested.tensor_digest)),
    )


def _encoders(data: EmbeddingData, facts: Mapping[str, Any]) -> tuple[str, tuple[EncoderVectors, ...]]:
    """Lengths of the vectors and, where a base model of the family is installed, what they lie near."""
    base_title, tables = vocabulary.tables_of(data.family)
    encoders = []
    for told, (slot, tensor) in zip(facts["encoders"], data.tensors.items(), strict=True):
        norms = [round(norm, 4) for norm in row_norms(tensor)][:_MAX_VECTORS_SHOWN]
        table = tables.get(slot)
        if table is not None and table.width != tensor.width:
            table = None
        near = table.nearest(rows_of(tensor)[:MAX_LOOKED_UP]) if table else []
        usual = table.percentiles if table else None
        vectors = tuple(
            Vector(
                number + 1,
                norm,
                _place(norm, usual),
                tuple(near[number]) if number < len(near) else (),
            )
            for number, norm in enumerate(norms)
        )
        encoders.append(
            EncoderVectors(told["name"], tensor.width, told["dtype"], tensor.vectors, vectors, usual)
        )
    return base_title, tuple(encoders)


def _place(norm: float, usual: tuple[float, float, float] | None) -> str:
    if usual is None:
        return ""
    return "shorter" if norm < usual[0] else "longer" if norm > usual[2] else "usual"


def _picture(viewer: Viewer, path: Path, filename: str) -> Inspection:
    """A picture without an embedding inside: how it was made, and which embeddings it names."""
    try:
        generation = read_generation(path, max_bytes=settings.HUB["HUB_MAX_PICTURE_MB"] * MIB)
    except FormatError as error:
        return Inspection("refused", filename, error.message, code=error.code, rule=error.rule or "")
    except SandboxUnavailable as error:
        raise ingest.no_parser(error) from error
    if generation is None:
        return Inspection("picture", filename, _ORDINARY)
    message = f"A generated picture, made with {generation.writer}."
    found = tuple(recognise.references(viewer, generation.references))
    return Inspection("picture", filename, message, generation=generation, references=found)


def _is_picture(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(12)
    return head.startswith(_PICTURES) or (head[:4] == b"RIFF" and head[8:] == b"WEBP")
