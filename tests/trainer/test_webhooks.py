"""Webhooks are told of the end of a run, in the shape of the API, and only its owner's."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client

from hub import env
from hub import worker as hub_worker
from hub.access import Viewer
from hub.models import Delivery
from hub.services.webhooks import webhooks
from tests import factories
from tests.parts.receiver import Receiver, receiving
from trainer import worker
from trainer.models import TrainingRun
from trainer.services import submitting

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files", "child")]
Submit = Callable[..., TrainingRun]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as found:
        hosts = env.hook_hosts(f"127.0.0.1:{found.port} http private")
        monkeypatch.setitem(settings.HUB, "HUB_WEBHOOK_HOSTS", hosts)
        yield found


def test_the_end_of_a_run_is_told_as_the_api_tells_it(
    submit: Submit, maker: Viewer, receiver: Receiver
) -> None:
    webhooks.create(maker, url=receiver.url, events=["run.done", "run.failed", "run.cancelled"])
    webhooks.create(factories.viewer("bob"), url=receiver.url, events=["run.done"])
    done = submit()
    worker.run_training.fn(str(done.id))
    failed = submit(name="moss-dim", initializer="refuse")
    worker.run_training.fn(str(failed.id))
    stopped = submit(name="moss-dull")
    submitting.cancel(maker, run=stopped)
    hub_worker.send_webhooks.fn()
    told = {call.said["type"]: call.said["data"]["run"] for call in receiver.calls}
    assert {event: UUID(run["id"]) for event, run in told.items()} == {
        "run.done": done.id,
        "run.failed": failed.id,
        "run.cancelled": stopped.id,
    }
    assert told["run.done"]["has_draft"] and told["run.failed"]["message"]
    client = Client(headers={"host": urlsplit(settings.PUBLIC_URL).netloc})
    client.force_login(factories.user("mia"), backend="django.contrib.auth.backends.ModelBackend")
    assert told["run.done"] == client.get(f"/api/hub/v1/runs/{done.id}").json()


def test_a_run_that_ends_once_is_told_once(submit: Submit, maker: Viewer, receiver: Receiver) -> None:
    webhooks.create(maker, url=receiver.url, events=["run.done"])
    run = submit()
    for _ in range(3):
        worker.run_training.fn(str(run.id))
    hub_worker.send_webhooks.fn()
    hub_worker.send_webhooks.fn()
    assert len(receiver.calls) == Delivery.objects.count() == 1
