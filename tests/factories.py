"""People, embeddings and versions for tests, made by the product's own services.

Only the sandbox is left out (its own suite covers it): files are examined in this process.
"""

import hashlib
import itertools
from pathlib import Path
from typing import Any

from hub.access import Viewer
from hub.formats import read, suggest_trigger, write_layout
from hub.formats.inspection import examine
from hub.models import AccessToken, BaseModel, Collection, Embedding, Membership, Team, User, Version
from hub.services.packs import members, packs
from hub.services.people import accounts, teammates, teams, tokens
from hub.services.versions import ingest, previews, publishing
from tests import samples

_seeds = itertools.count(10_000)  # far from the seeds that tests choose by hand

PASSWORD = "a long enough word list"


def user(name: str = "ada", **fields: Any) -> User:
    """A person by that name, made once."""
    existing = User.objects.filter(username=name).first()
    return existing or accounts.create_user(name=name, email=f"{name}@example.org", password=None, **fields)


def viewer(name: str = "ada", **fields: Any) -> Viewer:
    """The person signed in by session."""
    return Viewer(user(name, **fields))


def moderator(name: str = "mod") -> Viewer:
    """A moderator signed in by session."""
    return viewer(name, moderator=True)


def token(name: str = "ada", *, scopes: list[str] | None = None) -> tuple[AccessToken, str]:
    """A token of that person, and its secret."""
    return tokens.create(viewer(name), name="test", scopes=scopes or ["read"])


def token_viewer(name: str = "ada", *, scopes: list[str]) -> Viewer:
    """The person as seen through a token."""
    _, secret = token(name, scopes=scopes)
    return tokens.viewer_for(secret)


def base_model(family: str = "tiny", *, name: str = "tiny", installed: bool = True) -> BaseModel:
    """A base model by that name, made once."""
    row, _ = BaseModel.objects.get_or_create(
        name=name, defaults={"title": name.title(), "family": family, "is_installed": installed}
    )
    return row


def ingested(
    data: bytes | None = None, *, family: str = "tiny", vectors: int = 2, filename: str = "upload.safetensors"
) -> ingest.IngestedEmbedding:
    """An accepted upload; without data, of values that no other has."""
    data = data or samples.canonical_file(family, vectors=vectors, seed=next(_seeds))
    facts, embedding = examine(data, filename=filename)
    assert embedding is not None, facts
    digest = hashlib.sha256(data).hexdigest()
    facts["digests"] = {"sha256": digest, **dict(facts["digests"])}  # type: ignore[call-overload]  # a dict
    canonical = write_layout(embedding, "canonical", trigger=embedding.trigger)
    return ingest.IngestedEmbedding(facts, canonical, read(canonical, filename=filename), filename, digest)


def team(name: str = "fern-house", admin: str = "ada", **members: str) -> Team:
    """A team made by that person, with these people (name=role) taken in."""
    made = teams.create(viewer(admin), name=name, title=name.replace("-", " ").title())
    for person, role in members.items():
        member(made, person, role)
    return made


def member(of: Team, name: str, role: str = "writer") -> Membership:
    """That person invited into the team by whoever made it, and come in."""
    asked = teammates.invite(Viewer(of.created_by), team=of, name=user(name).username, role=role)
    return teammates.accept(viewer(name), invitation=asked)


def embedding(
    owner: str = "ada", name: str = "moss-dragon", *, team: Team | None = None, **fields: Any
) -> Embedding:
    """An embedding without a version, that person's own or made by them for a team."""
    details = {"title": name.replace("-", " ").title(), "kind": "style", **fields}
    under = team.owner if team else None
    return publishing.create_embedding(viewer(owner), name=name, owner=under, **details)


def draft(of: Embedding | None = None, **fields: Any) -> Version:
    """A draft of that embedding, or of a new one."""
    of = of or embedding()
    source = fields.pop("ingested", None) or ingested(
        family=fields.pop("family", "tiny"), vectors=fields.pop("vectors", 2)
    )
    details = {"trigger": "moss-dragon", "licence": "cc0-1.0", **fields}
    return publishing.add_draft(Viewer(of.created_by), embedding=of, ingested=source, **details)


def version(of: Embedding | None = None, **fields: Any) -> Version:
    """A published version of that embedding, or of a new one."""
    made = draft(of, **fields)
    return publishing.publish(Viewer(made.created_by), version=made)


def published(owner: str = "ada", name: str = "moss-dragon", **fields: Any) -> Embedding:
    """An embedding with one published version; `fields` go to the embedding or to its version."""
    of_version = {
        "trigger",
        "licence",
        "family",
        "vectors",
        "ingested",
        "notes",
        "label",
        "run_key",
        "base_model",
    }
    parts = {key: fields.pop(key) for key in of_version & set(fields)}
    parts.setdefault("trigger", suggest_trigger(None, name, {}))
    made = version(embedding(owner, name, **fields), **parts)
    return made.embedding


def pack(
    owner: str = "ada",
    name: str = "wet-places",
    *versions: Version,
    team: Team | None = None,
    **fields: Any,
) -> Collection:
    """A pack that holds these versions in this order, that person's own or made by them for a team."""
    details = {"title": name.replace("-", " ").title(), "owner": team.owner if team else None, **fields}
    made = packs.create_pack(viewer(owner), name=name, **details)
    for one in versions:
        members.add_member(viewer(owner), pack=made, version=one)
    return made


def sheet(of: Version, folder: Path, *, blocks: str = "AC", columns: int = 4) -> None:
    """A small preview sheet on a version."""
    images = []
    for block in blocks:
        for column in range(columns):
            path = folder / f"{of.pk}-{block}{column}.png"
            path.write_bytes(samples.picture(colour=f"#{of.pk % 256:02x}{ord(block):02x}{column * 40:02x}"))
            images.append(
                {
                    "path": str(path),
                    "block": block,
                    "row": 0,
                    "column": column,
                    "prompt": f"a picture in the style of {of.trigger}",
                    "seed": column,
                    "alt": f"{block}{column}",
                    "is_control": block == "C",
                    "steps": 20,
                }
            )
    whole = folder / f"{of.pk}-sheet.webp"
    whole.write_bytes(samples.picture("WEBP"))
    previews.record_sheet(
        version_id=of.pk, images=images, sheet={"path": str(whole)}, insights={"intact": True}
    )


def bearer(name: str = "ada", *scopes: str) -> dict[str, str]:
    """The header that sends a fresh token of this person's, with these scopes (else `read`)."""
    return {"authorization": f"Bearer {token(name, scopes=list(scopes or ('read',)))[1]}"}
