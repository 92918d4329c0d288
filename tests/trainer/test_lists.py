"""Lists of runs: as many queries for thirty runs as for one, and no run passed over between pages."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from hub.models import BaseModel
from hub.services.versions import ingest
from tests import factories
from trainer.models import Checkpoint, TrainingRun

pytestmark = pytest.mark.django_db
API = "/api/hub/v1/runs"
STATES = ("queued", "paused", "training", "done", "failed")


@pytest.fixture
def many(submit: Callable[..., TrainingRun]) -> Callable[[int], list[TrainingRun]]:
    """So many runs of mia's in all states, on three bases, each with two kept steps."""

    def make(count: int) -> list[TrainingRun]:
        first = TrainingRun.objects.first() or submit()
        bases = [first.base_model, *(factories.base_model(name=f"base-{n}") for n in range(2))]
        blob, now = ingest.row(ingest.put(b"state")), timezone.now()
        for number in range(TrainingRun.objects.count(), count):
            run = TrainingRun.objects.get(pk=first.pk)
            run.pk, run.submission_key, run._state.adding = uuid.uuid4(), None, True
            run.state, run.base_model = STATES[number % len(STATES)], bases[number % len(bases)]
            run.save()
        for run in TrainingRun.objects.filter(checkpoints=None):
            for step in (10, 20):
                Checkpoint.objects.create(run=run, step=step, blob=blob)
        TrainingRun.objects.filter(state="training").update(lease_until=now + timedelta(hours=1))
        TrainingRun.objects.filter(state="done").update(seconds=400, step=40, finished_at=now)
        return list(TrainingRun.objects.all())

    return make


def queries(ask: Callable[[], Any]) -> int:
    """How many queries a call makes, once what is loaded only the first time is there."""
    ask()
    with CaptureQueriesContext(connection) as caught:
        answer = ask()
    assert answer.status_code == 200, answer.content
    return len(caught)


def test_the_api_asks_the_database_as_often_for_thirty_runs_as_for_one(
    client: Client, many: Callable[[int], list[TrainingRun]]
) -> None:
    mia = factories.bearer("mia", "train") if many(1) else {}
    few = queries(lambda: client.get(f"{API}?limit=100", headers=mia))
    many(30)
    answer = client.get(f"{API}?limit=100", headers=mia).json()["items"]
    assert len(answer) == 30
    assert {one["state"] for one in answer} == set(STATES)
    assert all(one["kept_steps"] == [20, 10] for one in answer)
    places = [one["place_in_line"] for one in answer if one["state"] in ("queued", "paused")]
    assert sorted(places) == list(range(1, 13))
    assert queries(lambda: client.get(f"{API}?limit=100", headers=mia)) <= few <= 14


def test_the_page_asks_the_database_as_often_for_thirty_runs_as_for_one(
    client: Client, many: Callable[[int], list[TrainingRun]]
) -> None:
    [run] = many(1)
    client.force_login(run.created_by)
    few = queries(lambda: client.get("/runs"))
    many(30)
    assert client.get("/runs").content.count(b'class="run-line"') > 10
    assert queries(lambda: client.get("/runs")) == few


def test_runs_made_in_the_same_microsecond_are_all_met(
    client: Client, many: Callable[[int], list[TrainingRun]]
) -> None:
    made = many(7)
    mia = factories.bearer("mia", "train")
    TrainingRun.objects.update(created_at=made[0].created_at)
    met, address = [], f"{API}?limit=2"
    while address:
        answer = client.get(address, headers=mia).json()
        met += [one["id"] for one in answer["items"]]
        address = answer["next"]
    assert len(met) == 7
    assert set(met) == {str(run.pk) for run in made}


@pytest.mark.parametrize(
    "cursor", ["2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00~7", "3~4", "x~y", "~"]
)
def test_a_cursor_of_another_list_is_refused(
    client: Client, base: BaseModel, maker: Any, cursor: str
) -> None:
    answer = client.get(API, {"cursor": cursor}, headers=factories.bearer("mia", "train"))
    assert (answer.status_code, answer.json()["error"]["detail"]["field"]) == (400, "cursor")
