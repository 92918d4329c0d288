"""Workers that die at any line lose no delivery, and the documented receiver takes what they send."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from hub import env
from hub.models import Delivery, OutboxJob
from hub.services.versions import publishing
from hub.services.webhooks import webhooks
from tests import factories, kill
from tests.parts.receiver import Receiver, receiving
from tests.parts.worker import eventually, running

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]

SEND = """
from hub import worker
worker.send_webhooks.fn()
"""
YANK = """
from hub.access import Viewer
from hub.models import Version
from hub.services.versions import publishing
version = Version.objects.get()
publishing.yank(Viewer(version.created_by), version=version, reason="Why.")
"""


def allow(monkeypatch: pytest.MonkeyPatch, port: int) -> str:
    """Let webhooks go to this port, from here and from child processes."""
    hosts = f"127.0.0.1:{port} http private"
    monkeypatch.setitem(settings.HUB, "HUB_WEBHOOK_HOSTS", env.hook_hosts(hosts))
    monkeypatch.setenv("HUB_WEBHOOK_HOSTS", hosts)
    return f"http://127.0.0.1:{port}/hook"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as found:
        allow(monkeypatch, found.port)
        yield found


def expire_leases() -> None:
    """Let the minute pass after which a silent worker counts as dead."""
    Delivery.objects.exclude(lease_until=None).update(lease_until=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize(("point", "arrived"), [("K51", 0), ("K52", 1), ("K53", 1)])
def test_what_a_dead_worker_held_arrives_by_the_next(receiver: Receiver, point: str, arrived: int) -> None:
    webhooks.create(factories.viewer(), url=receiver.url, events=["version.published"])
    for name in ("moss-one", "fern-two"):
        factories.published(name=name)
    kill.run(SEND, point=point)
    assert len(receiver.calls) == arrived
    kill.run(SEND)  # the lease holds: only the other one is sent
    expire_leases()
    kill.run(SEND)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    keys = {str(key) for key in Delivery.objects.values_list("key", flat=True)}
    # Answered and not written down is sent twice, under one id; nothing else is.
    assert set(receiver.ids) == keys and len(receiver.calls) == (3 if point == "K52" else 2)


@pytest.mark.parametrize(("point", "promised"), [("K9", 0), ("K10", 1)])
def test_an_act_that_dies_promises_its_delivery_or_was_not_done(
    receiver: Receiver, point: str, promised: int
) -> None:
    webhooks.create(factories.viewer(), url=receiver.url, events=["version.yanked"])
    factories.published()
    kill.run(YANK, point=point)
    assert Delivery.objects.count() == promised
    assert OutboxJob.objects.filter(name="send_webhooks").count() == promised


def test_a_worker_sends_what_was_promised_while_none_was_there(receiver: Receiver) -> None:
    webhooks.create(factories.viewer(), url=receiver.url, events=["version.published", "version.yanked"])
    published = factories.published()
    OutboxJob.objects.all().delete()  # and the message is lost as well
    with running():
        eventually(lambda: len(receiver.calls) == 1)
        publishing.yank(factories.viewer(), version=published.versions.get(), reason="Why.")
        eventually(lambda: len(receiver.calls) == 2)
        eventually(lambda: set(Delivery.objects.values_list("state", flat=True)) == {"delivered"})
    assert len(set(receiver.ids)) == 2


@pytest.fixture
def documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """Where the receiver of the documentation will listen, and its code in a file."""
    code = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "webhooks.md").read_text(), re.DOTALL)
    assert code is not None
    path = tmp_path / "receiver.py"
    path.write_text(code[1])
    with receiving() as free:
        port = free.port
    yield allow(monkeypatch, port), path


def test_the_receiver_of_the_documentation_takes_ours_once_and_no_forgery(
    documented: tuple[str, Path],
) -> None:
    url, path = documented
    viewer = factories.viewer()
    webhook, secret = webhooks.create(viewer, url=url, events=["version.published"])
    port = url.split(":")[2].removesuffix("/hook")
    process = subprocess.Popen(
        [sys.executable, str(path)],
        env={**os.environ, "WEBHOOK_SECRET": secret, "PORT": port},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        factories.published()
        for _ in range(100):
            kill.run(SEND)
            row = Delivery.objects.get()
            if row.state == "delivered":
                break
            Delivery.objects.update(next_at=timezone.now())  # it had not begun to listen
            time.sleep(0.1)
        assert (row.state, row.status) == ("delivered", 204)
        webhooks.redeliver(viewer, delivery=row)
        kill.run(SEND)
        row.refresh_from_db()
        assert row.status == 204
        webhooks.rotate(viewer, webhook=webhook)
        webhook.refresh_from_db()
        webhook.former_nonce = ""
        webhook.save()
        webhooks.redeliver(viewer, delivery=row)
        kill.run(SEND)
        row.refresh_from_db()
        assert row.status == 401  # signed with a secret that it does not know
    finally:
        process.terminate()
        out, _ = process.communicate(timeout=120)
    assert out.count("version.published") == 1 and "ada/moss-dragon" in out
