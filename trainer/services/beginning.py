"""Starting from another word that is here: learning goes on from its vectors, in an embedding of its own."""

from typing import Any

from hub.access import Viewer
from hub.catalog import gates, resolve
from hub.errors import HubError, Unacceptable
from hub.models import BaseModel, Version

FIELD = "start_from"


def version_of(viewer: Viewer, text: str) -> Version | None:
    """The version that `owner/name`, or `owner/name@v2`, means to this viewer; None where nothing was written.

    Unacceptable, naming the field, when there is none.
    """
    text = text.strip()
    if not text:
        return None
    name, _, revision = text.partition("@")
    owner, slash, name = name.partition("/")
    try:
        if slash and (
            found := resolve.revision(viewer, owner=owner, name=name, revision=revision or "main").version
        ):
            gates.check(viewer, gates.of(found.embedding))
            return found
    except HubError as error:
        raise _refused(f"{text}: {error.message}") from None
    raise _refused(f"'{text[:100]}' is no word here; write owner/name, or owner/name@v2.")


def settings_of(start: Version | None, base: BaseModel, chosen: dict[str, Any]) -> dict[str, Any]:
    """The recipe's part of a start. Unacceptable where it does not fit the base or what else was chosen."""
    if start is None:
        return {}
    if start.family != base.family or start.tensors_id is None:
        raise _refused(f"{start.embedding.full_name} is of another family of base models than {base.title}.")
    if chosen.get("vectors_per_token", start.vectors) != start.vectors:
        raise _refused(f"{start.embedding.full_name} has {start.vectors} vectors: leave their number empty.")
    return {
        "initializer_mode": "file",
        "initializer_file": start.tensor_digest,
        "vectors_per_token": start.vectors,
    }


def name_of(start: Version | None) -> str:
    """A start as it is written; empty for none."""
    return f"{start.embedding.full_name}@{start.name}" if start is not None else ""


def _refused(message: str) -> Unacceptable:
    return Unacceptable("field_invalid", message, field=FIELD)
