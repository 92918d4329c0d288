"""Teams through the native API: made, filled, published under; what a token may and what only a session may."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hub.models import Invitation, Membership, Team
from tests import factories, samples
from tests.api.conftest import SignIn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]
API = "/api/hub/v1"


def send(
    method: str,
    path: str,
    body: Any = None,
    *,
    by: dict[str, str] | None = None,
    client: Client | None = None,
) -> Any:
    """A call with a JSON body."""
    return getattr(client or Client(), method)(
        path if path.startswith("http") else f"{API}/{path}",
        body,
        content_type="application/json",
        headers=by or {},
    )


def code(answer: Any) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["error"]["code"]


def test_a_team_is_made_described_filled_and_left_by_token() -> None:
    ada, bob = factories.bearer("ada", "read", "manage"), factories.bearer("bob", "read", "manage")
    made = send("post", "teams", {"name": "fern-house", "title": "Fern House"}, by=ada)
    assert made.status_code == 201, made.content
    assert made["Location"] == made.json()["url"]
    assert (made.json()["role"], made.json()["people"]) == ("admin", 1)
    told = send("patch", made.json()["url"], {"about": "We like ferns."}, by=ada).json()
    assert (told["title"], told["about"]) == ("Fern House", "We like ferns.")
    asked = send("post", "teams/fern-house/invitations", {"name": "bob", "role": "writer"}, by=ada)
    assert asked.status_code == 201, asked.content
    [waiting] = Client().get(f"{API}/invitations", headers=bob).json()["items"]
    assert waiting == asked.json() == Client().get(asked["Location"], headers=ada).json()
    entered = send("post", f"{waiting['url']}/accept", by=bob)
    assert (entered.status_code, entered.json()["role"], entered.json()["people"]) == (200, "writer", 2)
    people = Client().get(f"{API}/teams/fern-house/members").json()["items"]
    assert [(one["name"], one["role"]) for one in people] == [("ada", "admin"), ("bob", "writer")]
    assert send("patch", people[1]["url"], {"role": "reader"}, by=ada).json()["role"] == "reader"
    assert [one["name"] for one in Client().get(f"{API}/teams", headers=bob).json()["items"]] == [
        "fern-house"
    ]
    assert send("delete", people[1]["url"], by=bob).status_code == 204
    assert Client().get(f"{API}/teams", headers=bob).json()["items"] == []
    assert code(send("delete", people[0]["url"], by=ada)) == (409, "last_admin")


def test_what_only_a_person_at_the_site_may_no_token_does(signed_in: SignIn) -> None:
    team = factories.team(wes="writer")
    every = factories.bearer("ada", "read", "publish", "manage", "train")
    calls = [
        ("patch", "teams/fern-house/members/wes", {"role": "admin"}),
        ("post", "teams/fern-house/invitations", {"name": "bob", "role": "admin"}),
        ("post", "teams/fern-house/rename", {"name": "moss-house"}),
        ("delete", "teams/fern-house", None),
    ]
    factories.user("bob")
    for call in calls:
        assert code(send(*call, by=every)) == (403, "session_required"), call
    stale = signed_in("ada", fresh=False)
    for call in calls:
        assert code(send(*call, client=stale)) == (403, "reauthentication_required"), call
    team.refresh_from_db()
    assert team.owner.name == "fern-house" and not Invitation.objects.exists()
    fresh = signed_in("ada")
    answers = [send(*call, client=fresh).status_code for call in calls[:3]]
    assert answers == [200, 201, 200]
    assert Client().get(f"{API}/teams/fern-house").json()["name"] == "moss-house"
    assert send("delete", "teams/moss-house", client=fresh).status_code == 204
    assert not Team.objects.exists()


def test_strangers_see_the_people_and_not_who_is_asked() -> None:
    factories.team(wes="writer")
    factories.user("bob")
    send(
        "post",
        "teams/fern-house/invitations",
        {"name": "bob", "role": "writer"},
        by=factories.bearer("ada", "manage"),
    )
    number = Invitation.objects.get().pk
    assert Client().get(f"{API}/teams/fern-house").json()["role"] is None
    assert Client().get(f"{API}/teams/fern-house/members/wes").json()["role"] == "writer"
    for person in ("wes", "mallory"):
        by = factories.bearer(person, "read", "manage")
        assert code(Client().get(f"{API}/teams/fern-house/invitations", headers=by)) == (403, "forbidden")
        assert code(Client().get(f"{API}/invitations/{number}", headers=by)) == (404, "not_found")
        assert code(send("delete", f"invitations/{number}", by=by)) == (404, "not_found")
        assert code(send("post", f"invitations/{number}/accept", by=by)) == (404, "not_found")
    assert code(Client().get(f"{API}/teams")) == (401, "not_authenticated")
    assert Client().get(f"{API}/teams/nobody-here").status_code == 404
    assert Invitation.objects.count() == 1 and Membership.objects.count() == 2


def test_an_embedding_a_pack_and_a_version_are_made_under_a_teams_name() -> None:
    factories.team(wes="writer", rhea="reader")
    wes = factories.bearer("wes", "read", "publish", "manage")
    fields = {"name": "moss-dragon", "kind": "style", "owner": "fern-house"}
    made = send("post", "embeddings", fields, by=wes)
    assert (made.status_code, made.json()["name"]) == (201, "fern-house/moss-dragon"), made.content
    file = SimpleUploadedFile("moss.safetensors", samples.canonical_file("tiny", vectors=2, seed=7))
    form = {"file": file, "trigger": "moss-dragon", "licence": "cc0-1.0"}
    version = Client().post(f"{API}/embeddings/fern-house/moss-dragon/versions", form, headers=wes)
    assert (version.status_code, version.json()["number"]) == (201, 1), version.content
    pack = send("post", "packs", {"name": "wet-places", "owner": "fern-house"}, by=wes)
    assert (pack.status_code, pack.json()["name"]) == (201, "fern-house/wet-places"), pack.content
    own = send("post", "embeddings", {"name": "moss-dragon", "kind": "style"}, by=wes)
    assert own.json()["name"] == "wes/moss-dragon"
    for person, owner in (
        ("rhea", "fern-house"),
        ("bob", "fern-house"),
        ("bob", "nobody-here"),
        ("wes", "ada"),
    ):
        by = factories.bearer(person, "publish")
        for path in ("embeddings", "packs"):
            body = {"name": "other", "owner": owner} | ({"kind": "style"} if path == "embeddings" else {})
            assert code(send("post", path, body, by=by)) == (403, "forbidden"), (person, owner)
    assert send("get", "whoami", by=wes).json()["teams"] == ["fern-house"]
    assert send("get", "whoami", by=factories.bearer("rhea")).json()["teams"] == []


def test_a_reader_sees_and_a_writer_changes_what_is_private() -> None:
    team = factories.team(wes="writer", rhea="reader")
    factories.published(team=team, visibility="private")
    path = "embeddings/fern-house/moss-dragon"
    every = ("read", "publish", "manage")
    assert send("get", path, by=factories.bearer("rhea")).status_code == 200
    assert send("get", path, by=factories.bearer("bob")).status_code == 404
    listed = send("get", "embeddings", {}, by=factories.bearer("rhea"))
    assert [one["name"] for one in listed.json()["items"]] == ["fern-house/moss-dragon"]
    assert code(send("patch", path, {"title": "X"}, by=factories.bearer("rhea", *every)))[0] == 403
    assert code(send("patch", path, {"title": "X"}, by=factories.bearer("bob", *every)))[0] == 404
    wes = factories.bearer("wes", *every)
    assert send("patch", path, {"title": "X"}, by=wes).json()["title"] == "X"
    assert code(send("patch", path, {"visibility": "public"}, by=wes))[0] == 403
    assert code(send("delete", path, by=wes))[0] == 403
    assert code(send("post", f"{path}/rename", {"name": "fog"}, by=wes))[0] == 403
    assert (
        send("patch", path, {"visibility": "public"}, by=factories.bearer("ada", *every)).status_code == 200
    )


def test_administrators_of_the_hub_say_why(signed_in: SignIn) -> None:
    factories.team(wes="writer")
    root = signed_in("root-of-all", staff=True)
    path = "teams/fern-house/members/wes"
    assert code(send("patch", path, {"role": "reader"}, client=root)) == (422, "field_invalid")
    assert send("patch", path, {"role": "reader", "reason": "asked to"}, client=root).status_code == 200
    assert send("delete", f"{path}?reason=asked+to", client=root).status_code == 204


def test_lists_cost_the_same_for_many() -> None:
    team = factories.team()
    by = factories.bearer("ada", "read", "manage")
    paths = ("teams", "teams/fern-house/members", "teams/fern-house/invitations")

    def counts() -> list[int]:
        found = []
        for path in paths:
            with CaptureQueriesContext(connection) as queries:
                assert send("get", path, {}, by=by).status_code == 200
            found.append(len(queries))
        return found

    counts()  # the token's first use today is written down
    first = counts()
    for number in range(4):
        factories.member(team, f"person-{number}")
        factories.team(f"house-{number}")
        send(
            "post",
            "teams/fern-house/invitations",
            {"name": factories.user(f"guest-{number}").username, "role": "reader"},
            by=by,
        )
    assert counts() == first
