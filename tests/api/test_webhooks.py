"""Webhooks through the native API: one's own, by token or session, each with what was sent to it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from hub import env, worker
from hub.api import webhook_shapes as shapes
from hub.models import Delivery, Webhook
from hub.services.webhooks import webhooks as services
from tests import factories
from tests.parts.receiver import Receiver, is_signed, receiving

pytestmark = pytest.mark.django_db
API = "/api/hub/v1/webhooks"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as found:
        hosts = env.hook_hosts(f"127.0.0.1:{found.port} http private")
        monkeypatch.setitem(settings.HUB, "HUB_WEBHOOK_HOSTS", hosts)
        yield found


def ask(
    method: str,
    path: str = "",
    content: Any = None,
    scopes: str = "read manage train",
    who: str = "ada",
    **headers: str,
) -> Any:
    sent = {"host": "127.0.0.1:8000", **factories.bearer(who, *scopes.split()), **headers}
    call = getattr(Client(), method)
    return call(API + path, data=content, content_type="application/json", headers=sent)


def make(receiver: Receiver, **fields: Any) -> dict[str, Any]:
    answer = ask("post", content={"url": receiver.url, "events": ["version.published"], **fields})
    assert answer.status_code == 201, answer.content
    made: dict[str, Any] = answer.json()
    return made


def test_a_webhook_is_made_told_and_its_deliveries_read(receiver: Receiver) -> None:
    made = make(receiver)
    factories.published()
    worker.send_webhooks.fn()
    (call,) = receiver.calls
    assert is_signed(call, made["secret"])
    (row,) = ask("get", f"/{made['id']}/deliveries").json()["items"]
    assert (row["event"], row["state"], row["status"], row["attempts"]) == (
        "version.published", "delivered", 200, 1,
    )  # fmt: skip
    assert row["id"] == call.headers["webhook-id"] and row["next_attempt"] is None
    whole = ask("get", f"/{made['id']}/deliveries/{row['id']}").json()
    assert whole["body"].encode() == call.body
    again = ask("post", f"/{made['id']}/deliveries/{row['id']}/redeliver")
    assert again.status_code == 202 and again.json()["state"] == "waiting"
    worker.send_webhooks.fn()
    assert receiver.ids == [row["id"]] * 2


def test_the_secret_is_in_one_answer_alone(receiver: Receiver) -> None:
    factories.user("ada")
    sent = {"url": receiver.url, "events": ["version.published"]}
    key = {"Idempotency-Key": "webhook-0001"}
    first, second = (ask("post", content=sent, **key) for _ in range(2))
    made = first.json()
    assert made["secret"].startswith("whsec_") and first["Cache-Control"] == "no-store"
    assert second["Idempotency-Replayed"] == "true" and second.json()["secret"] is None
    assert Webhook.objects.count() == 1
    for path in ("", f"/{made['id']}"):
        assert "secret" not in ask("get", path).content.decode()
    rotated = ask("post", f"/{made['id']}/secret").json()["secret"]
    assert rotated.startswith("whsec_") and rotated != made["secret"]


def test_it_is_changed_switched_off_and_on_and_taken_away(receiver: Receiver) -> None:
    factories.published()
    made = make(receiver, embedding="ada/moss-dragon")
    path = f"/{made['id']}"
    assert made["embedding"] == "ada/moss-dragon"
    changed = ask("patch", path, {"events": ["run.done", "version.yanked"], "embedding": None}).json()
    assert (changed["events"], changed["embedding"]) == (["version.yanked", "run.done"], None)
    assert ask("patch", path, {"is_active": False}).json()["is_active"] is False
    assert ask("patch", path, {"is_active": True}).json()["is_active"] is True
    assert ask("patch", path, {"embedding": "moss-dragon"}).json()["embedding"] == "ada/moss-dragon"
    assert ask("delete", path).status_code == 204
    assert ask("get", path).status_code == 404


def test_a_test_is_sent(receiver: Receiver) -> None:
    made = make(receiver)
    answer = ask("post", f"/{made['id']}/ping")
    assert answer.status_code == 202 and answer.json()["event"] == "ping"
    worker.send_webhooks.fn()
    assert receiver.calls[0].said["data"]["webhook"]["id"] == made["id"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", ""), ("patch", ""), ("delete", ""), ("post", "/ping"), ("post", "/secret"), ("get", "/deliveries"),
        ("get", "/deliveries/{key}"), ("post", "/deliveries/{key}/redeliver"),
    ],
)  # fmt: skip
def test_somebody_elses_webhook_looks_like_none(receiver: Receiver, method: str, path: str) -> None:
    made = make(receiver)
    services.ping(factories.viewer(), webhook=Webhook.objects.get())
    key = Delivery.objects.get().key
    theirs = ask(method, f"/{made['id']}{path.format(key=key)}", {}, who="bob")
    absent = ask(method, f"/999{path.format(key=key)}", {}, who="bob")
    assert theirs.status_code == absent.status_code == 404
    assert theirs.json()["error"]["message"] == absent.json()["error"]["message"]
    assert ask("get", who="bob").json()["items"] == []
    assert Delivery.objects.count() == 1 and Webhook.objects.get().former_nonce == ""


def test_the_delivery_of_another_webhook_is_not_reached_through_ones_own(receiver: Receiver) -> None:
    mine, other = make(receiver), make(receiver)
    services.ping(factories.viewer(), webhook=Webhook.objects.get(pk=other["id"]))
    key = Delivery.objects.get().key
    assert ask("get", f"/{mine['id']}/deliveries/{key}").status_code == 404


@pytest.mark.parametrize(
    ("scopes", "events", "wanted"),
    [
        ("read publish train", ["version.published"], "manage"),
        ("manage", ["version.published"], "read"),
        ("manage read", ["run.done"], "train"),
    ],
)
def test_a_token_needs_the_scopes_of_what_it_will_be_told(
    receiver: Receiver, scopes: str, events: list[str], wanted: str
) -> None:
    answer = ask("post", content={"url": receiver.url, "events": events}, scopes=scopes)
    assert answer.status_code == 403
    error = answer.json()["error"]
    assert error["code"] == "insufficient_scope" and wanted in error["message"]
    assert not Webhook.objects.exists()


def test_a_token_without_them_can_still_switch_off_but_neither_widen_nor_read(receiver: Receiver) -> None:
    made = make(receiver)
    factories.published(visibility="private")
    worker.send_webhooks.fn()
    path, key = f"/{made['id']}", Delivery.objects.get().key
    for answer in (
        ask("get", f"{path}/deliveries/{key}", scopes="manage"),
        ask("patch", path, {"url": receiver.url + "/mine"}, scopes="manage"),
        ask("patch", path, {"embedding": None}, scopes="manage"),
        ask("patch", path, {"is_active": True}, scopes="manage"),
    ):
        assert answer.status_code == 403 and answer.json()["error"]["code"] == "insufficient_scope"
    listed = ask("get", f"{path}/deliveries", scopes="manage").content.decode()
    assert "moss-dragon" not in listed
    assert ask("patch", path, {"is_active": False}, scopes="manage").json()["is_active"] is False


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"url": "https://elsewhere.example/"}, "url"),
        ({"url": "http://u:p@127.0.0.1/"}, "url"),
        ({"events": ["version.eaten"]}, "events"),
        ({"events": []}, "events"),
        ({"secret": "mine"}, "secret"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(
    receiver: Receiver, fields: dict[str, Any], field: str
) -> None:
    answer = ask("post", content={"url": receiver.url, "events": ["run.done"], **fields})
    assert answer.status_code == 422 and answer.json()["error"]["detail"]["field"] == field
    assert not Webhook.objects.exists()


def test_an_embedding_has_to_be_ones_own(receiver: Receiver) -> None:
    factories.published("bob", "bobs-moss")
    factories.published("bob", "hidden-moss", visibility="private")
    fields = {"url": receiver.url, "events": ["version.published"]}
    public = ask("post", content={**fields, "embedding": "bob/bobs-moss"})
    assert public.status_code == 422 and public.json()["error"]["detail"]["field"] == "embedding"
    hidden, absent = (
        ask("post", content={**fields, "embedding": f"bob/{name}"}) for name in ("hidden-moss", "none")
    )
    assert hidden.status_code == absent.status_code == 404


def test_there_is_an_end_to_how_many(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MAX_WEBHOOKS", 1)
    monkeypatch.setattr(services, "MAX_WAITING_BY_HAND", 2)
    made = make(receiver)
    fields = {"url": receiver.url, "events": ["run.done"]}
    assert ask("post", content=fields).json()["error"]["code"] == "too_many_webhooks"
    codes = [ask("post", f"/{made['id']}/ping").status_code for _ in range(3)]
    assert codes == [202, 202, 409]


def test_where_webhooks_may_go_is_told(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    told = ask("get", "/hosts", scopes="read").json()
    assert told["is_on"] and told["hosts"] == [f"http(s)://127.0.0.1:{receiver.port}"]
    assert "version.published" in told["events"]
    made = make(receiver)
    monkeypatch.setitem(settings.HUB, "HUB_WEBHOOK_HOSTS", ())
    assert ask("get", "/hosts", scopes="read").json()["is_on"] is False
    for answer in (
        ask("post", content={"url": receiver.url, "events": ["run.done"]}),
        ask("post", f"/{made['id']}/ping"),
        ask("patch", f"/{made['id']}", {"is_active": True}),
    ):
        assert answer.status_code == 403 and answer.json()["error"]["code"] == "webhooks_off"
    assert ask("delete", f"/{made['id']}").status_code == 204


def test_a_session_has_to_have_given_its_password_shortly_before(receiver: Receiver) -> None:
    user = factories.user("ada")
    user.set_password(factories.PASSWORD)
    user.save()
    browser = Client()
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    fields = {"url": receiver.url, "events": ["run.done"]}
    answer = browser.post(API, data=fields, content_type="application/json")
    assert answer.status_code == 403 and answer.json()["error"]["code"] == "reauthentication_required"


def test_answers_have_the_shapes_of_the_schema(receiver: Receiver) -> None:
    made = make(receiver)
    path = f"/{made['id']}"
    sent = ask("post", f"{path}/ping").json()
    (listed,) = ask("get").json()["items"]
    told = (
        (made, shapes.MadeWebhookShape),
        (listed, shapes.WebhookShape),
        (ask("get", path).json(), shapes.WebhookShape),
        (ask("get", "/hosts").json(), shapes.WebhookHostsShape),
        (ask("post", f"{path}/secret").json(), shapes.SecretShape),
        (sent, shapes.DeliveryShape),
        (ask("get", f"{path}/deliveries/{sent['id']}").json(), shapes.WholeDeliveryShape),
    )
    for answer, shape in told:
        read = shape(data=answer)
        assert set(answer) == set(shape().fields) and read.is_valid(), (shape, getattr(read, "errors", None))


def test_pages_of_deliveries_meet_each_once(receiver: Receiver) -> None:
    made = make(receiver)
    for _ in range(5):
        services.ping(factories.viewer(), webhook=Webhook.objects.get())
    seen, path = [], f"/{made['id']}/deliveries?limit=2"
    while path:
        page = ask("get", path).json()
        seen += [row["id"] for row in page["items"]]
        path = page["next"].split("/webhooks", 1)[1] if page["next"] else ""
    assert len(seen) == len(set(seen)) == 5
