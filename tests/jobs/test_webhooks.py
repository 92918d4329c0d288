"""Deliveries: what happens reaches the receiver signed, at least once, again after a failure, and never by stealth."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from django.utils import timezone

from hub import env, worker
from hub.access import Viewer
from hub.models import Delivery, Embedding, OutboxJob, Version, Webhook
from hub.services.embeddings import gating, renaming
from hub.services.moderation import rulings
from hub.services.versions import publishing
from hub.services.webhooks import events, notices, sending, webhooks
from tests import factories
from tests.parts.receiver import Receiver, is_signed, receiving

pytestmark = pytest.mark.django_db
EVERY = list(events.EVENTS)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver that the operator allows."""
    with receiving() as found:
        hosts = env.hook_hosts(f"127.0.0.1:{found.port} http private")
        monkeypatch.setitem(settings.HUB, "HUB_WEBHOOK_HOSTS", hosts)
        yield found


def add(receiver: Receiver, owner: str = "ada", **fields: Any) -> tuple[Webhook, str]:
    return webhooks.create(factories.viewer(owner), **{"url": receiver.url, "events": EVERY, **fields})


def send() -> None:
    """Be the worker that was woken."""
    worker.send_webhooks.fn()


def later(**time: int) -> None:
    """Let so much time go by for all that waits."""
    for row in Delivery.objects.all():
        row.next_at -= timedelta(**time)
        row.save(update_fields=["next_at"])


def told(receiver: Receiver) -> list[str]:
    return [call.said["type"] for call in receiver.calls]


def test_a_published_version_is_told_signed_and_in_the_shape_of_the_api(
    receiver: Receiver,
) -> None:
    _, secret = add(receiver)
    factories.published(notes="First.")
    send()
    (call,) = receiver.calls
    assert is_signed(call, secret) and not is_signed(call, "whsec_" + "A" * 44)
    assert abs(int(call.headers["webhook-timestamp"]) - timezone.now().timestamp()) < 60
    assert call.headers["content-type"] == "application/json"
    said = call.said
    assert said["id"] == call.headers["webhook-id"] and said["type"] == "version.published"
    asked = Client(headers={"host": urlsplit(settings.PUBLIC_URL).netloc})
    (row,) = asked.get("/api/hub/v1/embeddings/ada/moss-dragon/versions").json()["items"]
    assert said["data"]["version"] == row
    assert said["data"]["embedding"]["name"] == "ada/moss-dragon"
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.status, delivery.attempts) == ("delivered", 200, 1)
    assert delivery.body.encode() == call.body and delivery.milliseconds is not None


def test_every_act_on_an_embedding_is_told(receiver: Receiver) -> None:
    add(receiver)
    viewer = factories.viewer()
    embedding = factories.published()
    version = embedding.versions.get()
    publishing.yank(viewer, version=version, reason="Too dark.")
    version.refresh_from_db()
    publishing.unyank(viewer, version=version)
    send()
    renaming.rename(viewer, embedding=embedding, name="fern-dragon")
    second = factories.version(Embedding.objects.get())
    publishing.delete_version(viewer, version=second)
    send()
    publishing.delete_embedding(viewer, embedding=Embedding.objects.get())
    send()
    assert told(receiver) == [
        "version.published", "version.yanked", "version.unyanked", "embedding.renamed", "version.deleted",
        "embedding.deleted",
    ]  # fmt: skip
    renamed, deleted, gone = (call.said["data"] for call in receiver.calls[3:])
    assert (renamed["embedding"]["name"], renamed["before"]) == ("ada/fern-dragon", "ada/moss-dragon")
    assert deleted["version"] == {"number": 2, "name": "v2", "state": "deleted"}
    assert gone == {"embedding": {"name": "ada/fern-dragon", "owner": "ada"}}
    # Published and deleted before anybody could be told: there is nothing left to tell.
    dropped = Delivery.objects.get(state="dropped")
    assert dropped.event == "version.published" and "withdrawn" in dropped.message and dropped.body == ""


def test_only_the_owner_is_told_and_only_of_what_was_asked_for(receiver: Receiver) -> None:
    first = factories.published()
    add(receiver, events=["version.yanked"])
    add(receiver, events=["version.published"], embedding=first)
    add(receiver, "bob")
    factories.published(name="old-moss")
    send()
    assert receiver.calls == []
    factories.version(first)
    send()
    assert told(receiver) == ["version.published"]


def test_what_moderators_took_away_meanwhile_is_not_told(receiver: Receiver) -> None:
    add(receiver)
    factories.published()
    Version.objects.update(state="taken_down", tensors=None)
    send()
    assert receiver.calls == [] and Delivery.objects.get().state == "dropped"


def test_the_owner_is_told_what_moderators_decide_and_why(receiver: Receiver) -> None:
    add(receiver)
    embedding = factories.published()
    send()
    judge = factories.moderator()
    (ruling,) = rulings.rule(judge, embedding=embedding, kind="quarantine", reason="A look is needed.")
    send()
    rulings.lift(judge, ruling=ruling)
    send()
    rulings.rule(judge, embedding=embedding, kind="take_down", reason="Not yours.")
    send()
    assert told(receiver)[1:] == ["version.quarantined", "version.restored", "version.taken_down"]
    held, back, down = (call.said["data"]["version"] for call in receiver.calls[1:])
    assert held == {"number": 1, "name": "v1", "state": "quarantined", "reason": "A look is needed."}
    assert back["state"] == "published" and back["trigger"] == "moss-dragon"
    assert (down["state"], down["reason"]) == ("taken_down", "Not yours.")


def test_a_private_thing_is_told_to_its_owner_and_not_once_the_account_is_frozen(receiver: Receiver) -> None:
    webhook, _ = add(receiver)
    factories.published(visibility="private")
    send()
    assert told(receiver) == ["version.published"]
    factories.published(name="old-moss", visibility="private")
    webhook.user.is_active = False
    webhook.user.save()
    send()
    assert len(receiver.calls) == 1


def test_an_act_that_is_undone_is_not_told(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    add(receiver)
    draft = factories.draft()
    monkeypatch.setattr("hub.services.webhooks.events.wake", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        publishing.publish(factories.viewer(), version=draft)
    assert not Delivery.objects.exists() and Version.objects.get().state == "draft"


def test_a_failure_is_tried_again_after_growing_waits_and_then_given_up(receiver: Receiver) -> None:
    add(receiver)
    factories.published()
    receiver.answers = [500, 503, 302, 404, 500, 500]
    waits = []
    for attempt in range(1, 7):
        before = timezone.now()
        send()
        send()  # woken too early: nothing is due
        assert len(receiver.calls) == attempt
        row = Delivery.objects.get()
        if row.state == "waiting":
            waits.append(round((row.next_at - before).total_seconds() / 60))
        later(hours=13)
    assert waits == [1, 5, 30, 120, 720]
    assert len(set(receiver.ids)) == 1
    row = Delivery.objects.get()
    assert (row.state, row.attempts, row.status) == ("failed", 6, 500)
    assert "500" in row.message
    send()
    assert len(receiver.calls) == 6


def test_a_retry_that_arrives_ends_it_and_the_failing(receiver: Receiver) -> None:
    add(receiver)
    factories.published()
    receiver.answers = [500]
    send()
    assert Webhook.objects.get().failing_since is not None
    later(minutes=2)
    send()
    assert Delivery.objects.get().state == "delivered"
    assert (Webhook.objects.get().failing_since, Webhook.objects.get().failures) == (None, 0)


def test_where_nobody_answers_what_else_waits_does_not_find_out_one_by_one(receiver: Receiver) -> None:
    add(receiver)
    Webhook.objects.update(url="http://127.0.0.1:1/")
    for name in ("moss-one", "fern-two", "bark-three"):
        factories.published(name=name)
    send()
    tried = Delivery.objects.exclude(attempts=0).get()
    assert "The port is not one" in tried.message
    assert set(Delivery.objects.values_list("next_at", flat=True)) == {tried.next_at}


def test_a_webhook_that_fails_for_days_is_switched_off_and_its_owner_told(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.HUB, "HUB_EMAIL_URL", "smtp://mail.example:25")
    webhook, _ = add(receiver)
    webhook.user.made_by_operator = True
    webhook.user.save()
    Webhook.objects.update(failing_since=timezone.now() - timedelta(days=4), failures=10)
    factories.published()
    factories.published(name="old-moss")
    receiver.answers = [500, 500]
    send()
    row = Webhook.objects.get()
    assert not row.is_active and "4 days" in row.off_reason
    assert set(Delivery.objects.values_list("state", flat=True)) == {"failed"}
    assert notices.send_due() == 1 and notices.send_due() == 0
    (sent,) = mail.outbox
    assert sent.to == ["ada@example.org"] and "switched off" in sent.subject
    assert f"{settings.PUBLIC_URL}/settings/webhooks/{row.pk}" in sent.body
    factories.published(name="new-moss")
    assert Delivery.objects.count() == 2


def test_a_receiver_that_is_gone_switches_the_webhook_off_at_once(receiver: Receiver) -> None:
    add(receiver)
    factories.published()
    receiver.answers = [410]
    send()
    assert not Webhook.objects.get().is_active and "410" in Webhook.objects.get().off_reason


def test_a_webhook_that_its_owner_switches_off_is_no_news(receiver: Receiver) -> None:
    webhook, _ = add(receiver)
    factories.published()
    webhooks.update(factories.viewer(), webhook=webhook, is_active=False)
    send()
    assert receiver.calls == [] and Delivery.objects.get().state == "failed"
    assert notices.send_due() == 0
    webhooks.update(factories.viewer(), webhook=webhook, is_active=True)
    factories.published(name="old-moss")
    send()
    assert len(receiver.calls) == 1


def test_a_test_is_sent_once_even_to_one_that_is_off_and_does_not_count(receiver: Receiver) -> None:
    webhook, secret = add(receiver)
    webhooks.update(factories.viewer(), webhook=webhook, is_active=False)
    receiver.answers = [500]
    webhooks.ping(factories.viewer(), webhook=webhook)
    send()
    (call,) = receiver.calls
    assert call.said["type"] == "ping" and call.said["data"]["webhook"]["id"] == webhook.pk
    assert "secret" not in call.body.decode() and is_signed(call, secret)
    assert Delivery.objects.get().state == "failed" and Webhook.objects.get().failing_since is None


def test_what_was_given_up_is_sent_again_under_the_same_id(receiver: Receiver) -> None:
    add(receiver)
    factories.published()
    send()
    row = Delivery.objects.get()
    webhooks.redeliver(factories.viewer(), delivery=row)
    send()
    assert len(receiver.calls) == 2 and set(receiver.ids) == {str(row.key)}
    assert Delivery.objects.count() == 1


def test_what_waits_to_be_tried_again_is_sent_at_once_and_what_is_being_sent_is_left_alone(
    receiver: Receiver,
) -> None:
    add(receiver)
    factories.published()
    receiver.answers = [500]
    send()
    row = webhooks.redeliver(factories.viewer(), delivery=Delivery.objects.get())
    assert not row.is_retried
    claimed = sending.claim_next()
    assert claimed is not None
    webhooks.redeliver(factories.viewer(), delivery=row)
    assert sending.claim_next() is None
    worker.send(claimed)
    assert Delivery.objects.get().state == "delivered" and len(receiver.calls) == 2


def test_with_a_new_secret_the_old_one_signs_for_a_day(receiver: Receiver) -> None:
    webhook, old = add(receiver)
    new = webhooks.rotate(factories.viewer(), webhook=webhook)
    factories.published()
    send()
    assert old != new and is_signed(receiver.calls[0], old) and is_signed(receiver.calls[0], new)
    Webhook.objects.update(rotated_at=timezone.now() - timedelta(hours=25))
    factories.published(name="old-moss")
    send()
    assert is_signed(receiver.calls[1], new) and not is_signed(receiver.calls[1], old)


def test_two_workers_woken_for_one_delivery_send_it_once(receiver: Receiver) -> None:
    add(receiver)
    factories.published()
    claimed = sending.claim_next()
    assert claimed is not None and sending.claim_next() is None
    send()
    assert receiver.calls == []
    worker.send(claimed)
    send()
    assert len(receiver.calls) == 1


def test_a_worker_that_comes_too_late_writes_nothing_down(receiver: Receiver) -> None:
    add(receiver)
    factories.published()
    slow = sending.claim_next()
    assert slow is not None
    Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    send()
    receiver.answers = [500]
    worker.send(slow)
    assert Delivery.objects.get().state == "delivered"
    assert len(set(receiver.ids)) == 1 and len(receiver.calls) == 2  # at least once, under one id
    assert Webhook.objects.get().failing_since is None


def test_a_request_at_a_gate_is_told_once_and_without_what_was_shared(receiver: Receiver) -> None:
    add(receiver)
    row = gating.set_gate(factories.viewer(), embedding=factories.published(), gate="manual")
    send()
    receiver.calls.clear()
    for _ in range(2):
        gating.ask(factories.viewer("bob"), embedding=row, agrees=True, message="For a zine.")
    gating.grant(factories.viewer(), embedding=row, name=factories.user("cara").username)
    send()
    [call] = receiver.calls
    said = call.said["data"]["request"]
    assert (call.said["type"], said["person"], said["state"]) == ("access.requested", "bob", "pending")
    assert said["page"].endswith("/ada/moss-dragon/requests") and "example.org" not in str(said)
    gating.ask(factories.viewer("dora"), embedding=row, agrees=True)
    gating.withdraw(factories.viewer("dora"), embedding=row)
    send()
    assert Delivery.objects.order_by("-pk")[0].state == "dropped"


def test_a_body_that_cannot_be_written_is_tried_again(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(receiver)
    factories.published()
    with monkeypatch.context() as broken:
        broken.setattr("hub.api.payloads.version", lambda *_: 1 / 0)
        send()
    row = Delivery.objects.get()
    assert row.state == "waiting" and "error of its own" in row.message
    later(minutes=2)
    send()
    assert len(receiver.calls) == 1


def test_a_hub_without_a_list_promises_nothing(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    add(receiver)
    monkeypatch.setitem(settings.HUB, "HUB_WEBHOOK_HOSTS", ())
    factories.published()
    assert not Delivery.objects.exists() and not OutboxJob.objects.filter(name="send_webhooks").exists()


def test_what_is_due_wakes_a_worker_once(receiver: Receiver) -> None:
    add(receiver)
    factories.published()
    OutboxJob.objects.all().delete()
    for _ in range(3):
        sending.wake()
    assert OutboxJob.objects.filter(name="send_webhooks").count() == 1
    send()
    OutboxJob.objects.all().delete()
    sending.wake()
    assert not OutboxJob.objects.exists()


def test_old_deliveries_are_forgotten_and_waiting_ones_are_not(receiver: Receiver) -> None:
    add(receiver)
    factories.published()
    send()
    factories.published(name="old-moss")
    Delivery.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert sending.sweep() == 1
    assert Delivery.objects.get().state == "waiting"


def test_the_log_names_neither_path_nor_secret(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    webhook, secret = add(receiver, url=receiver.url + "/very-secret-path")
    factories.published()
    receiver.answers = [500]
    send()
    assert "very-secret-path" not in caplog.text and "very-secret-path" not in str(webhook)
    assert secret not in caplog.text


def test_a_moderator_is_told_of_own_things_only(receiver: Receiver) -> None:
    webhooks.create(Viewer(factories.moderator().user), url=receiver.url, events=EVERY)
    factories.published()
    send()
    assert receiver.calls == []
