"""A week of the real line: real rows, real claims, real limits, only the clock moved by hand."""

import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from hub.access import Viewer
from hub.errors import RateLimited
from hub.models import BaseModel, Embedding, OutboxJob
from tests import factories
from trainer import runs
from trainer.models import TrainingRun
from trainer.services import leases, limits, recording

pytestmark = pytest.mark.django_db
Submit = Callable[..., TrainingRun]
GREED = {"shy": 0.05, "calm": 0.1, "keen": 0.5, "eager": 2.0, "greedy": 9.0}
TURNS = 252
WEEK = timedelta(days=7)


def pass_time(seconds: float) -> None:
    """Let everything have happened that much longer ago."""
    gone = timedelta(seconds=seconds)
    TrainingRun.objects.update(created_at=F("created_at") - gone, finished_at=F("finished_at") - gone)


def wish(viewer: Viewer, base: BaseModel) -> bool:
    """Queue a run unless the owner's limits forbid it; the rest of a submission has its own tests."""
    assert viewer.user is not None
    try:
        limits.check_queue(viewer.user.owner_id)
    except RateLimited:
        return False
    word = Embedding.objects.filter(owner_id=viewer.user.owner_id).first()
    TrainingRun.objects.create(
        owner_id=viewer.user.owner_id,
        created_by=viewer.user,
        embedding=word or factories.embedding(viewer.user.username),
        base_model=base,
        recipe={"trigger": "moss"},
        max_steps=100,
        licence="cc0-1.0",
        consent="yes",
    )
    return True


def work(seconds: float) -> str:
    """Do the run whose turn it is; whose it was."""
    claim = leases.claim_next("one")
    if claim is None:
        return ""
    with leases.held(claim) as row:
        recording.add_progress(row, points=[[100, 0.5, 0.5, 0.1]], latest={}, seconds=seconds)
        recording.end(row, TrainingRun.State.DONE)
    return row.owner.name


def test_a_week_of_claims_keeps_every_owner_within_a_tenth_of_the_fair_share(
    base: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.HUB, "HUB_RUN_GPU_HOURS", 24)
    monkeypatch.setitem(settings.HUB, "HUB_RUN_MAX_PER_DAY", 1000)
    chance = random.Random(11)
    people = {name: factories.viewer(name, made_by_operator=True) for name in GREED}
    asked, served = dict.fromkeys(GREED, 0.0), dict.fromkeys(GREED, 0.0)
    usual = WEEK.total_seconds() / TURNS
    for _ in range(TURNS):
        for name, viewer in people.items():
            for _ in range(int(GREED[name]) + (chance.random() < GREED[name] % 1)):
                asked[name] += usual * wish(viewer, base)
        seconds = chance.uniform(0.5, 1.5) * usual
        name = work(seconds)
        served[name] += seconds
        pass_time(seconds)
    # Eager and greedy share what the three others leave.
    left = (WEEK.total_seconds() - sum(served[name] for name in ("shy", "calm", "keen"))) / 2
    fair = {**{name: min(asked[name], left) for name in GREED}, "eager": left, "greedy": left}
    # What the modest asked for they got, but for chance in how long their own runs took and what still waits.
    for name in ("eager", "greedy"):
        assert served[name] == pytest.approx(fair[name], rel=0.1), (served, fair)
    left_waiting = TrainingRun.objects.filter(state="queued", owner__name__in=["shy", "calm", "keen"]).count()
    assert left_waiting <= 3


def test_an_owner_over_the_limits_of_a_day_is_asked_to_wait_and_may_again_when_the_day_is_past(
    base: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.HUB, "HUB_RUN_GPU_HOURS", 1)
    mia = factories.viewer("mia", made_by_operator=True)
    assert wish(mia, base) and work(3700) == "mia"
    assert not wish(mia, base)
    pass_time(86_401)
    assert wish(mia, base)


def test_a_waiting_run_says_its_place_and_when_it_starts(submit: Submit, base: BaseModel) -> None:
    done = submit(name="old-word")
    ago = timezone.now() - timedelta(days=2)
    TrainingRun.objects.filter(pk=done.pk).update(state="done", seconds=400, step=40, finished_at=ago)
    ben, cat = (factories.viewer(name, made_by_operator=True) for name in ("ben", "cat"))
    first, second = submit(ben, name="ben-one"), submit(ben, name="ben-two")
    third = submit(cat, name="cat-one")
    assert leases.claim(first.id, "one")
    assert [runs.place_in_line(run) for run in (third, second)] == [1, 2]
    standing = runs.standing(second)
    assert standing is not None
    assert (standing.place, standing.of, standing.ahead, standing.starts_in) == (2, 2, 2, 800)
    OutboxJob.objects.update(sent_at=timezone.now())
    assert runs.waiting_for(second) == "2 runs are ahead of yours. It starts in about 13 minutes."
    first.refresh_from_db()
    assert runs.standing(first) is None


def test_where_nothing_was_measured_the_place_is_told_and_no_time(submit: Submit) -> None:
    submit(factories.viewer("ben", made_by_operator=True), name="ben-one")
    run = submit()
    standing = runs.standing(run)
    assert standing is not None and standing.starts_in is None
    OutboxJob.objects.update(sent_at=timezone.now())
    assert runs.waiting_for(run) == "1 run is ahead of yours."


def test_the_list_of_runs_says_what_its_owner_has_used(submit: Submit, maker: Viewer) -> None:
    run = submit()
    TrainingRun.objects.filter(pk=run.pk).update(seconds=1800)
    used = runs.usage(maker)
    assert (used["waiting"], used["today"], used["hours"]) == (1, 1, 0.5)
    assert (used["most_waiting"], used["most_today"], used["most_hours"]) == (5, 20, 4)
