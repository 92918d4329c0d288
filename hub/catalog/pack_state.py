"""A pack as little as has to be read to know which one it is: for tools that pull it file by file."""

import hashlib
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from hub.access import Viewer
from hub.catalog import packs
from hub.catalog.pack_shapes import revision_id
from hub.models import Collection, File


@dataclass(frozen=True)
class PackState:
    """The pack as it is now for this viewer: its revision, its versions by path, and a key to what a page tells of it.

    The key is the revision and the names of the members, which are no part of a revision and may change.
    """

    collection: Collection
    revision: str
    versions: dict[str, int]
    key: str

    def is_at(self, revision: str) -> bool:
        """Whether that revision is this one."""
        return revision == "main" or (len(revision) >= 7 and self.revision.startswith(revision))


def now(viewer: Viewer, *, collection: Collection) -> PackState:
    """The state, by three queries. Has the revision of `packs.whole`, and its members."""
    pins = list(collection.members.values_list("version", "note"))
    has_file = Exists(File.objects.filter(version=OuterRef("pk"), layout="canonical"))
    rows = packs.pullable(viewer).filter(has_file, pk__in=[version for version, _ in pins])
    known = {
        pk: (f"{trigger}.safetensors", f"{owner}/{name}")
        for pk, trigger, owner, name in rows.values_list(
            "pk", "trigger", "embedding__owner__name", "embedding__name"
        )
    }
    commits = packs.first_commits(known)
    seen = [(version, note) for version, note in pins if version in known and version in commits]
    revision = revision_id(
        collection.title, collection.description, [(commits[version], note) for version, note in seen]
    )
    names = "\n".join(known[version][1] for version, _ in seen)
    return PackState(
        collection=collection,
        revision=revision,
        versions={known[version][0]: version for version, _ in seen},
        key=hashlib.sha256(f"{revision}\n{names}".encode()).hexdigest(),
    )
