"""Training through the native API: started, followed live, stopped, gone on from, published, by its owner alone."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from hub.access import Viewer
from hub.models import Version
from tests import factories, samples
from trainer import worker
from trainer.api import events
from trainer.child import EngineChild
from trainer.models import TrainingRun

pytestmark = pytest.mark.django_db
API = "/api/hub/v1/runs"
Submit = Callable[..., TrainingRun]


@pytest.fixture
def mia(maker: Viewer) -> dict[str, str]:
    """The maker's token."""
    return factories.bearer("mia", "train", "publish", "read")


def pictures() -> list[SimpleUploadedFile]:
    colours = ("navy", "seagreen", "firebrick")
    return [
        SimpleUploadedFile(f"{colour}.png", samples.picture(size=(96, 96), colour=colour), "image/png")
        for colour in colours
    ]


def start(client: Client, mia: dict[str, str], **changes: Any) -> Any:
    given = {
        "name": "moss-glow", "kind": "style", "base_model": "tiny", "licence": "cc0-1.0", "consent": "true",
        "settings": json.dumps({"max_steps": 40, "seed": 7}), "pictures": pictures(), **changes,
    }  # fmt: skip
    return client.post(API, {name: value for name, value in given.items() if value is not None}, headers=mia)


def test_a_run_is_started_followed_and_published(
    client: Client, mia: dict[str, str], base: Any, child: EngineChild
) -> None:
    answer = start(client, mia)
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert (told["state"], told["embedding"], told["max_steps"]) == ("queued", "mia/moss-glow", 40)
    assert answer["Location"] == told["url"]
    worker.run_training.fn(told["id"])
    told = client.get(told["url"], headers=mia).json()
    assert (told["state"], told["is_over"], told["has_draft"], told["version"]) == ("done", True, True, None)
    assert [one["id"] for one in client.get(API, headers=mia).json()["items"]] == [told["id"]]
    happened = client.get(told["events"], headers=mia).json()
    states = [one["state"] for one in happened["items"] if one["event"] == "state"]
    assert states[-1] == "done" and happened["is_over"]
    rest = client.get(f"{told['events']}?after={happened['last']}", headers=mia).json()
    assert rest["items"] == [] and rest["last"] == happened["last"]
    published = client.post(
        f"{API}/{told['id']}/publish", {"notes": "First."}, content_type="application/json", headers=mia
    )
    assert (published.status_code, published.json()["version"]) == (200, 1), published.content
    assert Version.objects.get().notes == "First."


def test_own_preview_prompts_are_asked_for_and_drawn_apart(
    client: Client, mia: dict[str, str], base: Any, child: EngineChild
) -> None:
    refused = start(client, mia, settings=json.dumps({"preview_prompts": ["a mug"]}))
    assert (refused.status_code, refused.json()["error"]["detail"]["field"]) == (422, "preview_prompts")
    told = start(
        client, mia, settings=json.dumps({"max_steps": 40, "preview_prompts": ["[name] on a mug"]})
    ).json()
    assert told["recipe"]["preview_prompts"] == ["[name] on a mug"]
    worker.run_training.fn(told["id"])
    draft = client.get(client.get(told["url"], headers=mia).json()["draft"], headers=mia).json()
    own = [one for one in draft["pictures"] if one["block"] == "H"]
    assert [(one["row"], one["prompt"], one["seed"], one["is_control"]) for one in own] == [
        (0, "moss-glow on a mug", 21, False), (0, "moss-glow on a mug", 22, False),
        (1, "picture on a mug", 21, True), (1, "picture on a mug", 22, True),
    ]  # fmt: skip


def test_events_come_as_lines_and_as_a_stream_that_ends_with_the_run(
    client: Client, mia: dict[str, str], submit: Submit, child: EngineChild
) -> None:
    run = submit()
    worker.run_training.fn(str(run.id))
    address = f"{API}/{run.id}/events"
    lines = client.get(f"{address}?form=lines", headers=mia)
    told = [json.loads(line) for line in lines.getvalue().decode().splitlines()]
    assert lines["Content-Type"].startswith("application/x-ndjson")
    stream = client.get(f"{address}?form=stream", headers=mia)
    text = stream.getvalue().decode()
    assert stream["Content-Type"].startswith("text/event-stream")
    numbers = [int(line[4:]) for line in text.splitlines() if line.startswith("id: ")]
    assert numbers == [one["sequence"] for one in told]
    assert text.rstrip().endswith('event: end\ndata: {"state": "done"}')
    again = client.get(f"{address}?form=stream", headers={**mia, "last-event-id": str(numbers[-2])})
    assert again.getvalue().decode().count("id: ") == 1


def test_a_stream_of_a_waiting_run_ends_after_a_while(
    client: Client, mia: dict[str, str], submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "LONGEST_SECONDS", 0.05)
    monkeypatch.setattr(events, "PAUSE_SECONDS", 0.01)
    text = client.get(f"{API}/{submit().id}/events?form=stream", headers=mia).getvalue().decode()
    assert ": beat" in text and "event: end" not in text


def test_a_waiting_run_is_stopped(client: Client, mia: dict[str, str], submit: Submit) -> None:
    run = submit()
    assert client.post(f"{API}/{run.id}/cancel", headers=mia).json()["state"] == "cancelled"
    assert client.post(f"{API}/{run.id}/publish", headers=mia).status_code in (409, 422)


def test_others_do_not_know_of_it(client: Client, mia: dict[str, str], submit: Submit) -> None:
    run = submit()
    factories.user("ben", made_by_operator=True)
    ben = factories.bearer("ben", "train", "publish")
    assert client.get(API, headers=ben).json()["items"] == []
    for address in (f"{API}/{run.id}", f"{API}/{run.id}/events"):
        assert client.get(address, headers=ben).status_code == 404
        assert client.get(address).status_code == 401
    assert client.post(f"{API}/{run.id}/cancel", headers=ben).status_code == 404
    assert client.get(API, headers=factories.bearer("mia", "read")).status_code == 403


def test_what_is_wrong_is_said_with_its_field(client: Client, mia: dict[str, str], base: Any) -> None:
    wrong = {
        "kind": "nothing", "base_model": "huge", "settings": "[1", "consent": "false", "licence": "mine",
        "pictures": None,
    }  # fmt: skip
    for field, value in wrong.items():
        answer = start(client, mia, **{field: value})
        assert answer.status_code == 422, (field, answer.content)
        assert answer.json()["error"]["detail"]["field"] == field
    assert start(client, mia, settings="[1]").json()["error"]["detail"]["field"] == "settings"
    assert start(client, mia, settings=json.dumps({"lr": 99})).json()["error"]["detail"]["field"] == "lr"
    assert not TrainingRun.objects.exists()


def test_the_list_goes_on_with_a_cursor(client: Client, mia: dict[str, str], submit: Submit) -> None:
    made = [str(submit(name=f"word-{number}").id) for number in range(3)]
    first = client.get(f"{API}?limit=2", headers=mia).json()
    second = client.get(first["next"], headers=mia).json()
    assert [one["id"] for one in (*first["items"], *second["items"])] == made[::-1]
    assert second["next"] is None


def test_a_run_sent_twice_with_one_key_is_one_run(client: Client, mia: dict[str, str], base: Any) -> None:
    key = {**mia, "idempotency-key": "train-0001"}
    first, again = start(client, key), start(client, key)
    assert first.json()["id"] == again.json()["id"]
    assert TrainingRun.objects.count() == 1


def test_a_key_stands_for_all_pictures_of_a_run(client: Client, mia: dict[str, str], base: Any) -> None:
    key = {**mia, "idempotency-key": "train-0002"}
    assert start(client, key).status_code == 201
    first = SimpleUploadedFile("navy.png", samples.picture(size=(96, 96), colour="gold"), "image/png")
    other = start(client, key, pictures=[first, *pictures()[1:]])
    assert (other.status_code, other.json()["error"]["code"]) == (409, "key_reused")
