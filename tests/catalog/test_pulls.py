"""The straight way to a file says what the long way says, for every viewer, state and revision, or says nothing."""

from typing import Any

import pytest

from hub.access import ANONYMOUS, Viewer
from hub.catalog import pulls, resolve
from hub.errors import HubError, NotFound
from hub.models import Embedding, Version
from hub.services.versions import publishing
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]
ADDRESS = {"owner": "Ada", "name": "Moss-Dragon"}
STATES = ["published", "yanked", "quarantined", "taken_down", "deleted"]


def viewers() -> dict[str, Viewer]:
    """One of each kind."""
    moderator = factories.user("mod")
    moderator.is_moderator = True
    moderator.save()
    return {
        "anonymous": ANONYMOUS,
        "stranger": factories.viewer("bob"),
        "owner": factories.viewer("ada"),
        "owner by token": factories.token_viewer("ada", scopes=["read"]),
        "token without read": factories.token_viewer("ada", scopes=["publish"]),
        "moderator": Viewer(moderator),
    }


def said(found: Any) -> tuple[Any, ...]:
    """What doors tell of a file."""
    commit = getattr(found.commit, "sha", found.commit)
    facts = (found.path, found.sha256, found.size, found.content_type, commit, found.file_id)
    return (*facts, found.is_public, found.is_immutable)


def both(viewer: Viewer, revision: str, path: str) -> tuple[Any, Any]:
    """The answers of both ways; the code of a refusal."""
    answers = []
    for way in (pulls.file, resolve.file):
        try:
            found = way(viewer, **ADDRESS, revision=revision, path=path)
            answers.append(None if found is None else said(found))
        except HubError as error:
            answers.append(error.code)
    return answers[0], answers[1]


@pytest.fixture
def two_versions() -> Embedding:
    """An embedding with two versions, and a card that was changed after the first."""
    embedding = factories.published("ada", "moss-dragon")
    publishing.update_details(factories.viewer("ada"), embedding=embedding, card="A new text.")
    factories.version(Embedding.objects.get(pk=embedding.pk), trigger="moss-dragon")
    return Embedding.objects.get(pk=embedding.pk)


@pytest.mark.parametrize("visibility", ["public", "unlisted", "private"])
@pytest.mark.parametrize("state", STATES)
def test_both_ways_agree(two_versions: Embedding, state: str, visibility: str) -> None:
    newest = two_versions.versions.get(number=2)
    Version.objects.filter(pk=newest.pk).update(state=state)
    head = newest if state == "published" else two_versions.versions.get(number=1)
    Embedding.objects.filter(pk=two_versions.pk).update(visibility=visibility, head=head)
    revisions = ["main", "v1", "v2", "v3", "nothing", *two_versions.commits.values_list("sha", flat=True)]
    straight = 0
    for name, viewer in viewers().items():
        for revision in [*revisions, revisions[-1][:9]]:
            for path in ("README.md", "moss-dragon.safetensors", "nothing.bin"):
                quick, slow = both(viewer, revision, path)
                assert quick in (None, slow), (name, revision, path)
                straight += quick is not None
    assert straight > 0 or visibility == "private"


def test_without_readers_who_are_nobody_there_is_no_straight_way_for_them(
    settings: Any, two_versions: Embedding
) -> None:
    assert both(ANONYMOUS, "main", "README.md")[0]
    settings.HUB = {**settings.HUB, "HUB_ANONYMOUS_READ": False}
    assert both(ANONYMOUS, "main", "README.md") == (None, "repo_not_found")
    quick, slow = both(factories.viewer("bob"), "main", "README.md")
    assert quick == slow
    assert quick[6] is False


@pytest.mark.parametrize("layout", ["canonical", "diffusers", "webui-pt", "onetrainer", "nothing"])
def test_a_stored_layout_is_found_and_no_other(two_versions: Embedding, layout: str) -> None:
    found = pulls.stored(ANONYMOUS, **ADDRESS, number=1, layout=layout)
    row = two_versions.versions.get(number=1).files.filter(layout=layout).first()
    assert (found.sha256 if found else None) == (row.blob_id if row else None)


def test_files_of_a_commit_are_those_of_the_long_way(two_versions: Embedding) -> None:
    for revision in ("main", "v1"):
        quick = pulls.commit(ANONYMOUS, **ADDRESS, revision=revision)
        assert quick is not None
        slow = resolve.revision(ANONYMOUS, **ADDRESS, revision=revision)
        assert (quick, pulls.tree(quick)) == (slow.commit, resolve.tree(slow))


def test_a_missing_path_is_named_with_its_commit(two_versions: Embedding) -> None:
    with pytest.raises(NotFound) as refusal:
        pulls.file(ANONYMOUS, **ADDRESS, revision="v1", path="nothing.bin")
    commits = two_versions.versions.get(number=1).commits.order_by("sequence")
    assert refusal.value.detail["commit"] == commits.values_list("sha", flat=True)[0]
