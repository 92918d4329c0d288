"""Renaming: the old name leads on for ever and is nobody else's; labels go on and off."""

import pytest

from hub.access import ANONYMOUS
from hub.catalog import resolve
from hub.errors import Conflict, Forbidden, NotFound, Renamed, Unacceptable
from hub.models import AuditEntry, Commit, Embedding, FormerName, SearchText
from hub.services.embeddings import labels, renaming
from hub.services.upkeep import fsck
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]


def test_a_renamed_embedding_keeps_its_commits_and_says_its_new_name() -> None:
    embedding = factories.published()
    old = embedding.commits.order_by("-sequence")[0]
    renamed = renaming.rename(factories.viewer(), embedding=embedding, name="fog-dragon")
    assert (renamed.full_name, renamed.head) == ("ada/fog-dragon", embedding.head)
    at = resolve.revision(ANONYMOUS, owner="ada", name="fog-dragon", revision=old.sha)
    assert at.commit == old
    assert "fog" in SearchText.objects.get(embedding=embedding).word
    assert AuditEntry.objects.filter(act="rename").count() == 1
    assert list(fsck.findings()) == []
    with pytest.raises(Renamed) as moved:
        resolve.embedding(ANONYMOUS, owner="Ada", name="Moss-Dragon")
    assert moved.value.detail == {"owner": "ada", "name": "fog-dragon"}


def test_renaming_again_and_back_leads_from_every_name() -> None:
    embedding = factories.published()
    viewer = factories.viewer()
    for name in ("fog-dragon", "fog-dragon", "rain-dragon", "moss-dragon", "moss.dragon"):
        embedding = renaming.rename(viewer, embedding=embedding, name=name)
    assert sorted(FormerName.objects.values_list("name", flat=True)) == [
        "fog-dragon",
        "moss-dragon",
        "rain-dragon",
    ]
    for name in ("fog-dragon", "rain-dragon", "moss-dragon"):
        with pytest.raises(Renamed):
            resolve.embedding(ANONYMOUS, owner="ada", name=name)


def test_a_name_once_had_is_not_given_to_another_embedding() -> None:
    embedding = factories.published()
    renaming.rename(factories.viewer(), embedding=embedding, name="fog-dragon")
    other = factories.published(name="fern")
    for name, code in (
        ("moss-dragon", "name_taken"),
        ("mossdragon", "name_too_similar"),
        ("fog-dragon", "name_taken"),
    ):
        with pytest.raises(Conflict) as refused:
            renaming.rename(factories.viewer(), embedding=other, name=name)
        assert refused.value.code == code
        with pytest.raises(Conflict):
            factories.embedding(name=name)
    with pytest.raises(Unacceptable):
        renaming.rename(factories.viewer(), embedding=other, name="Not a name")


def test_a_hidden_embedding_is_not_told_by_its_old_name() -> None:
    embedding = factories.published(visibility="private")
    renaming.rename(factories.viewer(), embedding=embedding, name="fog-dragon")
    with pytest.raises(NotFound) as hidden:
        resolve.embedding(ANONYMOUS, owner="ada", name="moss-dragon")
    assert hidden.value.code == "repo_not_found"
    with pytest.raises(Renamed):
        resolve.embedding(factories.viewer(), owner="ada", name="moss-dragon")


def test_renaming_is_for_the_owner_and_the_scope_manage() -> None:
    embedding = factories.published()
    for viewer in (factories.viewer("otto"), factories.token_viewer(scopes=["read", "publish"])):
        with pytest.raises(Forbidden):
            renaming.rename(viewer, embedding=embedding, name="fog-dragon")
    assert Embedding.objects.get().name == "moss-dragon"


def test_a_label_is_put_on_one_version_and_taken_off() -> None:
    embedding = factories.published()
    first, second = embedding.versions.get(), factories.version(embedding)
    viewer, commits = factories.viewer(), Commit.objects.count()
    assert labels.put(viewer, version=first, label="soft").label == "soft"
    assert labels.put(viewer, version=first, label="soft").label == "soft"
    with pytest.raises(Conflict, match="belongs to v1"):
        labels.put(viewer, version=second, label="soft")
    with pytest.raises(Conflict, match="take that off first"):
        labels.put(viewer, version=first, label="hard")
    for bad in ("main", "v9", "abcdef0", "Two Words"):
        with pytest.raises(Unacceptable):
            labels.put(viewer, version=second, label=bad)
    with pytest.raises(Forbidden):
        labels.put(factories.token_viewer(scopes=["read", "publish"]), version=second, label="x")
    labels.take_off(viewer, embedding=embedding, label="soft")
    with pytest.raises(NotFound):
        labels.take_off(viewer, embedding=embedding, label="soft")
    assert Commit.objects.count() == commits
    assert AuditEntry.objects.filter(act__in=["label", "unlabel"]).count() == 2
