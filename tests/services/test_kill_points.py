"""Publishing dies at every named point: what is left is all or nothing, and the same request succeeds afterwards."""

import zlib
from pathlib import Path

import pytest

from hub import blobs
from hub.access import ANONYMOUS, Viewer
from hub.catalog import browse, resolve
from hub.models import Blob, Embedding, OutboxJob, Version
from hub.services.upkeep import fsck, gc
from hub.services.versions import ingest, publishing
from tests import factories, kill, samples

pytestmark = pytest.mark.django_db(transaction=True)

PUBLISH = """
import sys
from pathlib import Path
from hub.access import Viewer
from hub.models import Embedding, User
from hub.services.versions import publishing
path = Path(sys.argv[1])
own = Embedding.objects.filter(name="moss-dragon", versions__label="first").first()
form = {"embedding": own} if own else {"name": "moss-dragon", "title": "Moss", "kind": "style", "label": "first"}
publishing.publish_file(
    Viewer(User.objects.get(username="ada")), path=path, filename=path.name, trigger="moss-dragon",
    licence="cc0-1.0", **form
)
"""
DRAFT = """
from hub.access import Viewer
from hub.models import Version
from hub.services.versions import publishing
draft = Version.objects.get(state="draft")
publishing.publish(Viewer(draft.created_by), version=draft)
"""
YANK = """
from hub.access import Viewer
from hub.models import Version
from hub.services.versions import publishing
version = Version.objects.get(number=2)
publishing.yank(Viewer(version.created_by), version=version, reason="Why.")
"""
GC = """
from hub.services.upkeep import gc
gc.collect(grace_hours=0)
"""


@pytest.fixture
def upload(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A file to publish, of other values in each test, since the store of the suite is shared."""
    path = tmp_path / "moss.safetensors"
    path.write_bytes(samples.canonical_file(seed=zlib.crc32(request.node.name.encode())))
    return path


def sound() -> bool:
    """Whether fsck finds nothing, in every byte."""
    return [finding.message for finding in fsck.findings(read_data=True)] == []


@pytest.mark.parametrize("point", ["K2", "K3", "K4", "K4@3", "K5", "K6", "K7", "K9", "K13"])
def test_an_upload_that_dies_before_its_commit_left_no_row(upload: Path, point: str) -> None:
    factories.user("ada")
    kill.run(PUBLISH, str(upload), point=point)
    assert Embedding.objects.count() == Version.objects.count() == Blob.objects.count() == 0
    assert sound()
    kill.run(PUBLISH, str(upload))
    assert Version.objects.get().name == "v1" and sound()


@pytest.mark.parametrize("point", ["K8", "K10"])
def test_an_upload_that_dies_after_its_commit_is_there_and_sending_it_again_changes_nothing(
    upload: Path, point: str
) -> None:
    factories.base_model()
    user = factories.user("ada")
    kill.run(PUBLISH, str(upload), point=point)
    version = Version.objects.get()
    assert version.name == "v1" and OutboxJob.objects.get(name="render_sheet").args == [version.pk]
    again = publishing.publish_file(
        Viewer(user), path=upload, filename="x", name="moss-dragon", title="Moss", kind="style",
        trigger="moss-dragon", licence="cc0-1.0",
    )  # fmt: skip
    assert again == version and Version.objects.count() == 1 and sound()


@pytest.mark.parametrize("point", ["K9", "K13"])
def test_a_draft_stays_a_draft_when_publishing_dies(point: str) -> None:
    factories.draft()
    kill.run(DRAFT, point=point)
    draft = Version.objects.get()
    assert draft.state == "draft" and draft.number is None and sound()
    kill.run(DRAFT)
    assert Version.objects.get().number == 1 and sound()


@pytest.mark.parametrize(("point", "main"), [("K9", 2), ("K10", 1)])
def test_a_yank_is_done_or_not_done(point: str, main: int) -> None:
    embedding = factories.published()
    factories.version(embedding)
    kill.run(YANK, point=point)
    found = resolve.revision(ANONYMOUS, owner="ada", name="moss-dragon", revision="main")
    assert found.version is not None and found.version.number == main and sound()
    assert browse.list_embeddings(ANONYMOUS, query="moss").total == 1


@pytest.mark.parametrize("point", ["K35", "K36", "K37", "K38"])
def test_gc_that_dies_has_lost_nothing_and_finishes_next_time(point: str) -> None:
    version = factories.version()
    garbage = ingest.store(b"nobody needs this").sha256
    kill.run(GC, point=point)
    assert sound()
    gc.collect(grace_hours=0)
    assert not blobs.exists(garbage) and not Blob.objects.filter(pk=garbage).exists()
    assert sound() and version.files.count() == 2


def test_a_marked_blob_that_is_needed_again_survives_the_dead_collector() -> None:
    blob = ingest.store(b"wanted again")
    kill.run(GC, point="K35")
    assert Blob.objects.get(pk=blob.pk).deleting
    ingest.store(b"wanted again")
    assert not Blob.objects.get(pk=blob.pk).deleting and blobs.read(blob.pk) == b"wanted again"
