"""Another owner: the old address leads on, the old side's rights end, and nothing is lost."""

from typing import Any

import pytest
from django.test import Client

from hub.access import ANONYMOUS, can, can_see
from hub.catalog import packs as pack_reads
from hub.catalog import resolve
from hub.errors import Conflict, Forbidden, NotFound, Renamed
from hub.models import AuditEntry, Embedding, PendingUpload
from hub.services.embeddings import transferring
from hub.services.people import teammates
from hub.services.pushing import pending
from hub.services.upkeep import fsck
from hub.services.versions import freezing, publishing
from tests import factories
from tests.api.conftest import signed_in  # noqa: F401  # a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]


def test_an_embedding_goes_to_a_team_with_all_that_it_is() -> None:
    team = factories.team(wes="writer")
    embedding = factories.published()
    draft = factories.draft(embedding)
    sha = embedding.commits.order_by("-sequence")[0].sha
    moved = transferring.transfer_embedding(factories.viewer(), embedding=embedding, to=team.owner)
    assert moved.full_name == "fern-house/moss-dragon"
    with pytest.raises(Renamed) as led:
        resolve.embedding(ANONYMOUS, owner="ada", name="moss-dragon")
    assert led.value.detail == {"owner": "fern-house", "name": "moss-dragon"}
    at = resolve.revision(ANONYMOUS, owner="fern-house", name="moss-dragon", revision=sha)
    assert at.commit.sha == sha
    assert publishing.publish(factories.viewer("wes"), version=draft).number == 2
    assert AuditEntry.objects.get(act="transfer").detail["before"] == "ada/moss-dragon"
    assert list(fsck.findings()) == []


def test_the_old_side_has_no_rights_left_and_gets_the_name_for_nothing_else() -> None:
    team = factories.team(wes="writer", rhea="reader")
    embedding = factories.published(team=team, visibility="private")
    pending.announce(factories.viewer("wes"), embedding=embedding, sha256="a" * 64, size=9)
    ada = factories.viewer()
    moved = transferring.transfer_embedding(ada, embedding=embedding, to=factories.user("ada").owner)
    assert moved.full_name == "ada/moss-dragon"
    for person in ("wes", "rhea"):
        viewer = factories.viewer(person)
        assert not can_see(viewer, moved) and not can(viewer, "publish_version", moved)
        with pytest.raises(NotFound):
            resolve.embedding(viewer, owner="fern-house", name="moss-dragon")
    assert not PendingUpload.objects.exists()
    with pytest.raises(Conflict):
        factories.embedding("wes", team=team)
    back = transferring.transfer_embedding(ada, embedding=moved, to=team.owner)
    assert can_see(factories.viewer("rhea"), back)
    assert resolve.embedding(ada, owner="fern-house", name="moss-dragon") == embedding


def test_it_is_given_by_an_admin_who_may_publish_there_and_by_nobody_else() -> None:
    team, other = factories.team(wes="writer"), factories.team("moss-house", admin="zoe", rhea="admin")
    embedding = factories.published(team=team)
    for person, to in (("wes", factories.user("wes").owner), ("ada", other.owner), ("rhea", other.owner)):
        with pytest.raises(Forbidden):
            transferring.transfer_embedding(factories.viewer(person), embedding=embedding, to=to)
    token = factories.token_viewer("ada", scopes=["read", "publish", "manage", "train"])
    with pytest.raises(Forbidden) as refused:
        transferring.transfer_embedding(token, embedding=embedding, to=factories.user("ada").owner)
    assert refused.value.code == "session_required"
    assert Embedding.objects.get().owner == team.owner


def test_a_name_that_is_taken_there_stays_its_owners() -> None:
    team = factories.team()
    factories.published(team=team, name="m0ss-dragon")
    with pytest.raises(Conflict) as refused:
        transferring.transfer_embedding(factories.viewer(), embedding=factories.published(), to=team.owner)
    assert refused.value.code == "name_too_similar"


def test_a_pack_goes_too_and_its_old_name_leads_there() -> None:
    team = factories.team(wes="writer")
    pack = factories.pack("ada", "wet-places", factories.published().head)
    moved = transferring.transfer_pack(factories.viewer(), pack=pack, to=team.owner)
    assert moved.full_name == "fern-house/wet-places"
    assert can(factories.viewer("wes"), "edit_pack", moved)
    with pytest.raises(Renamed):
        pack_reads.get(ANONYMOUS, owner="ada", name="wet-places")
    assert AuditEntry.objects.filter(act="transfer").count() == 1


def test_who_left_while_publishing_publishes_nothing(monkeypatch: Any) -> None:
    team = factories.team(wes="writer")
    draft = factories.draft(factories.embedding(team=team))
    prepare = freezing.prepare

    def leave_meanwhile(*given: Any) -> freezing.Prepared:
        teammates.remove(factories.viewer(), team=team, name="wes")
        return prepare(*given)

    monkeypatch.setattr(freezing, "prepare", leave_meanwhile)
    with pytest.raises(NotFound):
        publishing.publish(factories.viewer("wes"), version=draft)
    draft.refresh_from_db()
    assert draft.number is None


def test_the_page_and_the_api_ask_for_the_password_first(signed_in: Any) -> None:  # noqa: F811
    team = factories.team()
    factories.published()
    factories.pack("ada", "wet-places")
    path, api = "/ada/moss-dragon/transfer", "/api/hub/v1"
    fields = {"owner": team.owner.name, "name": "moss-dragon"}
    stale = signed_in("ada", fresh=False)
    assert "/accounts/reauthenticate/" in stale.post(path, fields)["Location"]
    assert "fern-house" in stale.get(path).content.decode()
    body = {"owner": "fern-house"}
    by_token = Client().post(
        f"{api}/packs/ada/wet-places/transfer", body, content_type="application/json",
        headers=factories.bearer("ada", "read", "publish", "manage"),
    )  # fmt: skip
    assert by_token.json()["error"]["code"] == "session_required"
    ada = signed_in("ada")
    assert ada.post(path, {**fields, "name": "other"}).status_code == 422
    assert ada.post(path, fields)["Location"] == "/fern-house/moss-dragon"
    moved = ada.post(f"{api}/packs/ada/wet-places/transfer", body, content_type="application/json")
    assert (moved.status_code, moved.json()["name"]) == (200, "fern-house/wet-places")
    home = {"owner": "ada"}
    back = ada.post(
        f"{api}/embeddings/fern-house/moss-dragon/transfer", home, content_type="application/json"
    )
    assert back.json()["name"] == "ada/moss-dragon"
    assert signed_in("bob").get(path).status_code == 403
