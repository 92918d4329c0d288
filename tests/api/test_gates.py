"""Gates by the native API: set, asked at, answered; what is refused says where one asks."""

from typing import Any

import pytest
from django.test import Client

from hub.models import AccessRequest, Embedding
from hub.services.embeddings import gating
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]
ADDRESS = "/api/hub/v1/embeddings/ada/moss-dragon"
FILE = f"{ADDRESS}/versions/1/files/canonical"
JSON = "application/json"


@pytest.fixture
def row() -> Embedding:
    """A public embedding behind a gate that ada opens by hand."""
    made = factories.published(family="sd1")
    return gating.set_gate(factories.viewer(), embedding=made, gate="manual", terms="No likenesses.")


@pytest.fixture
def ada() -> dict[str, str]:
    return factories.bearer("ada", "read", "manage")


@pytest.fixture
def bob() -> dict[str, str]:
    return factories.bearer("bob", "read", "manage")


def sent(client: Client, method: str, address: str, who: dict[str, str], body: Any = None) -> Any:
    """The answer to a call with this body."""
    return client.generic(method, address, body, content_type=JSON, headers=who)


def test_a_refusal_says_why_and_where_one_asks(client: Client, row: Embedding, bob: dict[str, str]) -> None:
    for who, status in (({}, 401), (bob, 403)):
        refused = client.get(FILE, headers=who)
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (status, "gated")
        assert error["detail"]["page"] == "http://testserver/ada/moss-dragon"
        assert error["detail"]["gate"] == "manual"


def test_asking_and_answering(
    client: Client, row: Embedding, ada: dict[str, str], bob: dict[str, str]
) -> None:
    refused = sent(client, "POST", f"{ADDRESS}/access", bob, '{"agree": false}')
    assert (refused.status_code, refused.json()["error"]["detail"]["field"]) == (422, "agree")
    asked = sent(client, "POST", f"{ADDRESS}/access", bob, '{"agree": true, "message": "For a zine."}')
    assert (asked.status_code, asked.json()["state"]) == (200, "pending")
    [listed] = client.get(f"{ADDRESS}/access-requests?state=pending", headers=ada).json()["items"]
    assert (listed["person"], listed["email"], listed["terms"]) == (
        "bob",
        "bob@example.org",
        "No likenesses.",
    )
    assert client.get(FILE, headers=bob).status_code == 403
    answered = sent(client, "PATCH", listed["url"], ada, '{"state": "accepted"}')
    assert (answered.json()["state"], answered.json()["decided_by"]) == ("accepted", "ada")
    assert client.get(FILE, headers=bob).status_code == 200
    assert client.get(f"{ADDRESS}/gate", headers=bob).json()["may_have"] is True
    body = '{"state": "rejected", "reason": "Not for that."}'
    assert sent(client, "PATCH", listed["url"], ada, body).status_code == 200
    refused = client.get(FILE, headers=bob)
    assert refused.status_code == 403 and "Not for that." in refused.json()["error"]["message"]
    assert sent(client, "POST", f"{ADDRESS}/access", bob, '{"agree": true}').status_code == 403
    assert client.get(f"{ADDRESS}/gate", headers=bob).json()["request"]["reason"] == "Not for that."


def test_the_gate_is_told_to_everybody_and_set_by_its_owner(
    client: Client, row: Embedding, ada: dict[str, str], bob: dict[str, str]
) -> None:
    told = client.get(f"{ADDRESS}/gate").json()
    assert (told["gate"], told["terms"], told["may_have"], told["request"]) == (
        "manual", "No likenesses.", False, None,
    )  # fmt: skip
    assert client.get(ADDRESS).json()["gate"] == "manual"
    assert sent(client, "PATCH", f"{ADDRESS}/gate", bob, '{"gate": "off"}').status_code == 403
    assert sent(client, "PATCH", f"{ADDRESS}/gate", ada, '{"gate": "shut"}').status_code == 422
    assert sent(client, "PATCH", f"{ADDRESS}/gate", ada, '{"gate": "off"}').json()["gate"] == "off"
    assert client.get(FILE).status_code == 200 and client.get(ADDRESS).json()["gate"] == "off"


def test_nobody_else_sees_who_asked(client: Client, row: Embedding, bob: dict[str, str]) -> None:
    gating.ask(factories.viewer("cara"), embedding=row, agrees=True)
    for address in (f"{ADDRESS}/access-requests", f"{ADDRESS}/access-requests/cara"):
        assert client.get(address).status_code == 401
        refused = client.get(address, headers=bob)
        assert refused.status_code == 403 and b"cara" not in refused.content


def test_a_private_gated_embedding_is_not_there_for_others(
    client: Client, row: Embedding, bob: dict[str, str]
) -> None:
    Embedding.objects.update(visibility="private")
    for method, address in (
        ("GET", f"{ADDRESS}/gate"), ("POST", f"{ADDRESS}/access"), ("GET", f"{ADDRESS}/access-requests"),
        ("GET", FILE),
    ):  # fmt: skip
        assert sent(client, method, address, bob, '{"agree": true}').status_code == 404, address


def test_a_grant_unasked_and_one_given_up(
    client: Client, row: Embedding, ada: dict[str, str], bob: dict[str, str]
) -> None:
    made = sent(client, "POST", f"{ADDRESS}/access-requests", ada, '{"name": "bob"}')
    assert made.status_code == 201 and made["Location"] == made.json()["url"]
    assert client.get(FILE, headers=bob).status_code == 200
    assert sent(client, "POST", f"{ADDRESS}/access-requests", ada, '{"name": "bob"}').status_code == 409
    assert sent(client, "POST", f"{ADDRESS}/access-requests", ada, '{"name": "nobody"}').status_code == 422
    assert sent(client, "DELETE", f"{ADDRESS}/access", bob).status_code == 204
    assert client.get(FILE, headers=bob).status_code == 403 and not AccessRequest.objects.exists()
