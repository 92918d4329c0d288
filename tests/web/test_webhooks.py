"""The page of webhooks: adding one, its secret once, what was sent, and nothing of anybody else's."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from hub import env, worker
from hub.models import Delivery, Webhook
from hub.services.webhooks import webhooks as services
from tests import factories
from tests.parts.receiver import Receiver, is_signed, receiving

pytestmark = pytest.mark.django_db
PAGE = "/settings/webhooks"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as found:
        hosts = env.hook_hosts(f"127.0.0.1:{found.port} http private")
        monkeypatch.setitem(settings.HUB, "HUB_WEBHOOK_HOSTS", hosts)
        yield found


def read(answer: Any) -> str:
    text: str = answer.content.decode()
    return text


def test_without_hosts_the_page_says_that_webhooks_are_off(ada: Client) -> None:
    page = read(ada.get(PAGE))
    assert "Webhooks are off on this hub" in page and "HUB_WEBHOOK_HOSTS" in page
    assert "Add the webhook" not in page


def test_a_webhook_is_added_and_its_secret_shown_once(ada: Client, receiver: Receiver) -> None:
    empty = read(ada.get(PAGE))
    assert "No webhook yet" in empty and f"127.0.0.1:{receiver.port}" in empty
    answer = ada.post(PAGE, {"url": receiver.url, "events": ["version.published"], "embedding": ""})
    page = read(answer)
    assert answer["Cache-Control"] == "no-store"
    secret = page.split("whsec_", 1)[1].split("<", 1)[0]
    assert "whsec_" not in read(ada.get(PAGE)) and "No webhook yet" not in read(ada.get(PAGE))
    factories.published()
    worker.send_webhooks.fn()
    assert is_signed(receiver.calls[0], secret)


def test_a_refused_address_is_said_beside_its_field_and_what_was_typed_is_kept(
    ada: Client, receiver: Receiver
) -> None:
    answer = ada.post(PAGE, {"url": "https://elsewhere.example/", "events": ["version.yanked"]})
    page = read(answer)
    assert answer.status_code == 422 and "This hub sends webhooks only to" in page
    assert "https://elsewhere.example/" in page and not Webhook.objects.exists()


def test_what_was_sent_is_shown_and_sent_again(ada: Client, receiver: Receiver) -> None:
    webhook, _ = services.create(factories.viewer(), url=receiver.url, events=["version.published"])
    own = f"{PAGE}/{webhook.pk}"
    assert "Nothing sent yet" in read(ada.get(own))
    ada.post(f"{own}/test")
    assert "on its way" in read(ada.get(own)) and "every 2s" in read(ada.get(own))
    receiver.answers = [500]
    worker.send_webhooks.fn()
    page = read(ada.get(own))
    assert "given up" in page and "answered 500" in page and "every 2s" not in page
    key = Delivery.objects.get().key
    ada.post(f"{own}/deliveries/{key}/again")
    worker.send_webhooks.fn()
    assert "delivered" in read(ada.get(own)) and receiver.ids == [str(key)] * 2
    assert str(key) in read(ada.get(own))


def test_it_is_changed_switched_given_a_new_secret_and_deleted(ada: Client, receiver: Receiver) -> None:
    embedding = factories.published()
    webhook, first = services.create(factories.viewer(), url=receiver.url, events=["version.published"])
    own = f"{PAGE}/{webhook.pk}"
    ada.post(own, {"url": receiver.url + "/new", "events": ["run.done"], "embedding": embedding.pk})
    webhook.refresh_from_db()
    assert (webhook.url, webhook.events, webhook.embedding) == (
        receiver.url + "/new",
        ["run.done"],
        embedding,
    )
    ada.post(f"{own}/switch", {"to": "off"})
    assert "This webhook is off" in read(ada.get(own))
    ada.post(f"{own}/switch", {"to": "on"})
    assert "This webhook is off" not in read(ada.get(own))
    rotated = read(ada.post(f"{own}/secret"))
    assert "whsec_" in rotated and first not in rotated
    ada.post(f"{own}/delete")
    assert ada.get(own).status_code == 404 and not Webhook.objects.exists()


def test_the_webhooks_of_others_are_not_there(ada: Client, bob: Client, receiver: Receiver) -> None:
    webhook, _ = services.create(factories.viewer(), url=receiver.url, events=["version.published"])
    services.ping(factories.viewer(), webhook=webhook)
    own, key = f"{PAGE}/{webhook.pk}", Delivery.objects.get().key
    assert bob.get(own).status_code == 404
    for act in ("test", "secret", "switch", "delete", f"deliveries/{key}/again"):
        assert bob.post(f"{own}/{act}").status_code == 404, act
    assert "127.0.0.1" not in read(bob.get(PAGE)).split("new-webhook")[0]
    assert Client().get(own).status_code == 302
    assert Webhook.objects.get().former_nonce == "" and Delivery.objects.count() == 1


def test_a_form_lists_ones_own_embeddings_only(ada: Client, receiver: Receiver) -> None:
    factories.published()
    factories.published("bob", "bobs-moss")
    page = read(ada.get(PAGE))
    assert "ada/moss-dragon" in page and "bobs-moss" not in page
    answer = ada.post(
        PAGE,
        {
            "url": receiver.url,
            "events": ["version.published"],
            "embedding": factories.embedding("bob", "x-moss").pk,
        },
    )
    assert answer.status_code == 422 and not Webhook.objects.exists()
