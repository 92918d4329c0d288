"""Around a run, through the native API: the quota, a mail at the end, its draft, earlier snapshots, its pictures."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as hub_settings
from django.test import Client

from hub.access import Viewer
from hub.models import Version
from tests import factories
from trainer import worker
from trainer.child import EngineChild
from trainer.models import TrainingImage, TrainingRun

pytestmark = pytest.mark.django_db
API = "/api/hub/v1"
JSON = "application/json"
Submit = Callable[..., TrainingRun]


@pytest.fixture
def mia(maker: Viewer) -> dict[str, str]:
    """The maker's token."""
    return factories.bearer("mia", "train", "publish", "read")


@pytest.fixture
def done(submit: Submit, child: EngineChild) -> TrainingRun:
    """A finished run, whose draft waits."""
    run = submit()
    worker.run_training.fn(str(run.id))
    run.refresh_from_db()
    return run


def test_the_quota_says_what_is_left(client: Client, mia: dict[str, str], submit: Submit) -> None:
    before = client.get(f"{API}/runs/quota", headers=mia).json()
    submit()
    after = client.get(f"{API}/runs/quota", headers=mia).json()
    assert after == {**before, "waiting": before["waiting"] + 1, "today": before["today"] + 1}
    assert after["most_waiting"] == hub_settings.HUB["HUB_RUN_MAX_WAITING"]
    assert after["max_images"] == hub_settings.HUB["HUB_RUN_MAX_IMAGES"]
    assert client.get(f"{API}/runs/quota").status_code == 401


def test_a_mail_is_asked_for_and_called_off(
    client: Client, mia: dict[str, str], submit: Submit, maker: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{API}/runs/{submit().id}/mail"
    refused = client.put(address, headers=mia)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "state_conflict")
    monkeypatch.setitem(hub_settings.HUB, "HUB_EMAIL_URL", "smtp://mail.example:25")
    assert maker.user is not None
    maker.user.email = "mia@example.org"
    maker.user.save()
    for _ in range(2):
        assert client.put(address, headers=mia).json()["tells_by_mail"] is True
    assert client.delete(address, headers=mia).json()["tells_by_mail"] is False
    assert client.put(address, headers=factories.bearer("ben", "train")).status_code == 404


def test_the_draft_of_a_run_is_found_from_it_and_becomes_an_earlier_snapshot(
    client: Client, mia: dict[str, str], submit: Submit, done: TrainingRun
) -> None:
    other = submit(name="moss-dim", settings={"seed": 8})
    worker.run_training.fn(str(other.id))
    other.refresh_from_db()
    assert other.version is not None
    done.snapshots.update(blob_id=other.version.tensors_id)
    told = client.get(f"{API}/runs/{done.id}", headers=mia).json()
    draft = client.get(told["draft"], headers=mia).json()
    assert (draft["id"], draft["is_trained_here"]) == (done.version_id, True)
    listed = client.get(f"{API}/runs/{done.id}/snapshots", headers=mia).json()["items"]
    assert listed and not any(one["is_taken"] for one in listed)
    wanted = listed[0]["label"]

    def take(label: str) -> Any:
        return client.post(f"{API}/runs/{done.id}/take", {"label": label}, content_type=JSON, headers=mia)

    taken = [take(wanted) for _ in range(2)]
    assert [one.status_code for one in taken] == [200, 200] and taken[0].json() == taken[1].json()
    assert taken[0].json()["id"] == draft["id"]
    assert taken[0].json()["tensor_digest"] != draft["tensor_digest"]
    listed = client.get(f"{API}/runs/{done.id}/snapshots", headers=mia).json()["items"]
    assert [one["label"] for one in listed if one["is_taken"]] == [wanted]
    assert take("step 999").status_code == 404
    published = client.post(f"{told['draft']}/publish", {}, content_type=JSON, headers=mia)
    assert published.status_code == 201, published.content
    assert client.get(f"{API}/runs/{done.id}", headers=mia).json()["draft"] is None
    assert Version.objects.get(number=1).tensor_digest == taken[0].json()["tensor_digest"]


def test_the_pictures_of_an_ended_run_are_let_go(
    client: Client, mia: dict[str, str], submit: Submit, done: TrainingRun
) -> None:
    factories.user("ben", made_by_operator=True)
    address = f"{API}/runs/{done.id}/pictures"
    assert client.delete(address, headers=factories.bearer("ben", "train")).status_code == 404
    assert TrainingImage.objects.filter(run=done).exists()
    assert client.delete(address, headers=mia).status_code == 204
    assert not TrainingImage.objects.filter(run=done).exists()
    waiting = submit(name="other-word")
    refused = client.delete(f"{API}/runs/{waiting.id}/pictures", headers=mia)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "state_conflict")
