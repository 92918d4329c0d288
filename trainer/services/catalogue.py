"""The catalogue a new hub shows: embeddings trained on the bundled base, published like anybody's."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.access import Viewer
from hub.models import BaseModel, Embedding, User, Version
from hub.services.people import accounts
from hub.services.versions import ingest, previews, publishing
from trainer.services import finishing
from trainer.sets import PictureSet, bundled, get_set

OWNER = "glossa"


@dataclass(frozen=True)
class Seeded:
    """What became of one entry of the catalogue."""

    name: str
    version: Version
    is_new: bool


def owner() -> Viewer:
    """The account that owns the bundled embeddings; nobody can sign in as it."""
    user = User.objects.select_related("owner").filter(username=OWNER).first()
    return Viewer(user=user or accounts.create_user(name=OWNER, made_by_operator=True))


def entries() -> list[Path]:
    """The folders of the bundled catalogue, in order; none when the hub was installed without it."""
    return sorted(path.parent for path in (bundled() / "catalogue").glob("*/result.json"))


def seed(viewer: Viewer, *, folder: Path, base: BaseModel) -> Seeded:
    """Publish one entry, with its sheet; an entry whose values are published already is left as it is.

    Other values than before become the next version. Raises what publishing raises.
    """
    assert viewer.user is not None
    made_from = get_set(folder.name)
    result = json.loads((folder / "result.json").read_text("utf-8"))
    earlier = Embedding.objects.filter(owner=viewer.user.owner, name=made_from.name).first()
    known = _published(earlier, result["tensor_digest"])
    if known is not None:
        return Seeded(made_from.name, known, is_new=False)
    ingested = ingest.embedding(
        viewer, path=folder / "embedding.safetensors", filename=f"{made_from.trigger}.safetensors"
    )
    embedding = earlier or publishing.create_embedding(viewer, **_words(made_from))
    version = _draft(embedding, result["tensor_digest"]) or publishing.add_draft(
        viewer,
        embedding=embedding,
        ingested=ingested,
        trigger=made_from.trigger,
        licence=made_from.licence.lower(),
        base_model=base,
        notes="" if earlier is None or not earlier.last_number else "Trained again on a newer base model.",
        provenance={**result["provenance"], "bundled_set": made_from.name, "licence": made_from.licence},
        initializer=made_from.initializer,
    )
    record_sheet(version, folder, result)
    return Seeded(made_from.name, publishing.publish(viewer, version=version), is_new=True)


def record_sheet(version: Version, folder: Path, result: dict[str, Any]) -> None:
    """Store the sheet that came with an entry, if one did."""
    path = folder / "sheet.json"
    if not path.is_file():
        return
    sheet = json.loads(path.read_text("utf-8"))
    whole = finishing.composite(sheet)
    previews.record_sheet(
        version_id=version.pk,
        images=[{**image, "path": str(folder / image["path"])} for image in sheet["images"]],
        sheet=None if whole is None else {**whole, "path": str(folder / whole["path"])},
        insights=finishing.insights(result, sheet),
    )


def _words(made_from: PictureSet) -> dict[str, Any]:
    return {
        "name": made_from.name,
        "title": made_from.title,
        "kind": made_from.kind,
        "summary": made_from.description,
        "card": (
            f"{made_from.description}\n\nLearned from ten pictures that come with Glossa, "
            f"starting from “{made_from.initializer}”."
        ),
        "tags": ["bundled"],
    }


def _published(embedding: Embedding | None, tensor_digest: str) -> Version | None:
    if embedding is None:
        return None
    return embedding.versions.resolvable().filter(tensor_digest=tensor_digest).first()


def _draft(embedding: Embedding, tensor_digest: str) -> Version | None:
    """What an interrupted seeding left."""
    return embedding.versions.filter(state=Version.State.DRAFT, tensor_digest=tensor_digest).first()
