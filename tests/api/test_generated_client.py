"""A Python client, generated from the schema by a stranger's generator, goes through whole journeys at a real hub."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from hub import env
from hub import worker as default_worker
from tests import factories, samples
from tests.api.seeded import engine, trainable
from tests.parts.receiver import Receiver, is_signed, receiving
from trainer import worker as gpu_worker
from trainer.models import TrainingRun

API = "/api/hub/v1"
pytestmark = [pytest.mark.client, pytest.mark.django_db(transaction=True)]
STORIES = Path(__file__).parent / "stories"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python client, generated from the schema."""
    from hub.api.schema import described

    folder = tmp_path_factory.mktemp("generated")
    (folder / "schema.json").write_text(json.dumps(described(), default=str))
    (folder / "settings.yaml").write_text("post_hooks: []\n")
    command = [
        sys.executable, "-m", "openapi_python_client", "generate", "--path", folder / "schema.json", "--output-path",
        folder / "client", "--meta", "none", "--fail-on-warning", "--config", folder / "settings.yaml",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Where webhooks go."""
    with receiving() as found:
        hosts = env.hook_hosts(f"127.0.0.1:{found.port} http private")
        monkeypatch.setitem(settings.HUB, "HUB_WEBHOOK_HOSTS", hosts)
        yield found


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Both workers of the hub, in one thread: runs are learned and webhooks sent while a story goes on."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.1):
            for run in TrainingRun.objects.filter(state=TrainingRun.State.QUEUED):
                gpu_worker.run_training.fn(str(run.pk))
            default_worker.send_webhooks.fn()
        connection.close()

    with engine(tmp_path, monkeypatch):
        thread = threading.Thread(target=work)
        thread.start()
        yield
        ended.set()
        thread.join()


def tell(generated: Path, story: str, *arguments: object) -> Any:
    """Run a story, a program of the generated client's; what it says in the end."""
    done = subprocess.run(
        [sys.executable, STORIES / f"{story}.py", *map(str, arguments)],
        check=False, capture_output=True, text=True, timeout=300, cwd=generated, env={"PYTHONPATH": str(generated)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_it_publishes_finds_and_downloads(generated: Path, live_server: Any, tmp_path: Path) -> None:
    _, secret = factories.token("ada", scopes=["read", "publish", "manage"])
    files = [tmp_path / name for name in ("fern.safetensors", "other.safetensors", "seen.png")]
    files[0].write_bytes(samples.canonical_file("sd1", vectors=2, seed=3))
    files[1].write_bytes(samples.canonical_file("sd1", vectors=2, seed=4))
    files[2].write_bytes(samples.picture())
    told = tell(generated, "publishing", live_server.url, secret, *files)
    answer = Client().get(f"{API}/embeddings/ada/fern-light/versions/1").json()
    assert told["sha256"] == told["downloaded"] == answer["sha256"]
    listed = Client().get(answer["files"]).json()["files"]
    assert told["card"] == next(one["sha256"] for one in listed if one["layout"] == "webui-image")


def test_it_keeps_a_pack_and_takes_its_lock_home(generated: Path, live_server: Any) -> None:
    _, secret = factories.token("ada", scopes=["read", "publish", "manage"])
    factories.published("bob", "bobs-fern")
    factories.published()
    told = tell(generated, "packing", live_server.url, secret)
    lock = Client().get(f"{API}/packs/ada/wet-places/lock").json()
    assert told["members"] == [f"{one['name']}@v{one['version']}" for one in lock["members"]]
    assert told["members"] == ["ada/moss-dragon@v1", "bob/bobs-fern@v1"]


def test_it_trains_a_word_publishes_it_and_is_told_by_webhook(
    generated: Path, live_server: Any, receiver: Receiver, workers: None, tmp_path: Path
) -> None:
    trainable()
    _, secret = factories.token("ada", scopes=["read", "publish", "manage", "train"])
    pictures = []
    for colour in ("navy", "seagreen", "firebrick"):
        pictures.append(tmp_path / f"{colour}.png")
        pictures[-1].write_bytes(samples.picture(size=(96, 96), colour=colour))
    told = tell(generated, "training", live_server.url, secret, receiver.url, *pictures)
    assert [call.said["type"] for call in receiver.calls if is_signed(call, told["secret"])] == told["events"]
    assert {"run.done", "version.published"} <= set(told["events"])
    assert Client().get(f"{API}/embeddings/ada/fern-light").json()["version"]["name"] == "v1"
