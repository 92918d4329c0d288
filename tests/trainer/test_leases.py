"""Who works on a run: one at a time, the latest claim wins, nothing is lost, nobody is starved."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.db.models.functions import Now

from hub.models import OutboxJob, User
from tests import factories
from trainer import runs
from trainer.models import TrainingRun
from trainer.services import leases, recording
from trainer.services.leases import Claim, LeaseLost

pytestmark = pytest.mark.django_db
Submit = Callable[..., TrainingRun]


def expire(run: TrainingRun) -> None:
    """Let the lease of a run have ended."""
    TrainingRun.objects.filter(pk=run.pk).update(lease_until=Now() - timedelta(seconds=1))


def claimed(run: TrainingRun, worker: str = "one") -> Claim:
    taken = leases.claim(run.id, worker)
    assert taken is not None
    return taken


def test_a_claimed_run_cannot_be_claimed_again_while_its_worker_is_heard(submit: Submit) -> None:
    run = submit()
    held = claimed(run)
    leases.beat(held)
    assert leases.claim(run.id, "two") is None
    assert leases.claim_next("two") is None


def test_a_silent_worker_loses_its_run_and_can_write_nothing_more(submit: Submit) -> None:
    run = submit()
    old = claimed(run)
    expire(run)
    assert leases.requeue_lost_runs() == 1
    new = claimed(run, "two")
    assert new.fence > old.fence
    for act in (leases.beat, leases.is_cancelled, lambda claim: leases.held(claim).__enter__()):
        with pytest.raises(LeaseLost):
            act(old)
    leases.beat(new)


def test_a_run_that_was_given_back_is_promised_again(submit: Submit) -> None:
    run = submit()
    OutboxJob.objects.all().delete()
    claimed(run)
    expire(run)
    leases.requeue_lost_runs()
    assert OutboxJob.objects.filter(name="run_training", args=[str(run.id)]).count() == 1


def test_an_emptied_broker_loses_no_run(submit: Submit) -> None:
    run = submit()
    OutboxJob.objects.all().delete()
    TrainingRun.objects.update(woken_at=Now() - timedelta(seconds=61))
    leases.requeue_lost_runs()
    leases.requeue_lost_runs()
    assert OutboxJob.objects.filter(args=[str(run.id)]).count() == 1


def test_a_run_that_dies_twice_without_getting_further_is_not_tried_again(submit: Submit) -> None:
    run = submit()
    for _ in range(2):
        claimed(run)
        expire(run)
        leases.requeue_lost_runs()
    run.refresh_from_db()
    assert (run.state, run.code, run.fault) == ("failed", "poison", "machine")
    assert leases.claim(run.id, "three") is None


def test_a_run_that_gets_further_is_resumed_as_often_as_it_takes(submit: Submit) -> None:
    run = submit()
    for step in (10, 20, 30, 40):
        held = claimed(run)
        with leases.held(held) as row:
            recording.add_checkpoint(row, step=step, blob=row.images.first().blob)
        expire(run)
        leases.requeue_lost_runs()
    run.refresh_from_db()
    assert (run.state, run.attempts, run.attempts_without_progress) == ("queued", 4, 0)


def test_the_same_checkpoint_again_is_no_progress(submit: Submit) -> None:
    run = submit()
    for _ in range(3):
        with leases.held(claimed(run)) as row:
            recording.add_checkpoint(row, step=10, blob=row.images.first().blob)
        expire(run)
        leases.requeue_lost_runs()
    run.refresh_from_db()
    assert run.code == "poison"


def test_a_worker_that_stops_in_order_is_no_death(submit: Submit) -> None:
    run = submit()
    for _ in range(4):
        leases.release(claimed(run), message="restart", blameless=True)
    run.refresh_from_db()
    assert (run.state, run.attempts_without_progress) == ("queued", 0)


def test_a_paused_run_waits_a_minute_and_is_then_claimed_like_a_waiting_one(submit: Submit) -> None:
    run = submit()
    leases.pause(claimed(run), message="The store is out.")
    assert leases.claim_next("two") is None
    TrainingRun.objects.update(not_before=Now() - timedelta(seconds=1))
    assert leases.claim_next("two") is not None


def test_a_lost_run_that_its_owner_stopped_is_cancelled(submit: Submit) -> None:
    run = submit()
    claimed(run)
    TrainingRun.objects.update(cancel_requested=True)
    expire(run)
    leases.requeue_lost_runs()
    run.refresh_from_db()
    assert run.state == "cancelled"


def test_only_the_last_few_checkpoints_are_kept(submit: Submit) -> None:
    with leases.held(claimed(submit())) as row:
        for step in range(10, 70, 10):
            recording.add_checkpoint(row, step=step, blob=row.images.first().blob)
            recording.drop_old_checkpoints(row)
    assert [kept.step for kept in row.checkpoints.all()] == [60, 50, 40]


def test_the_owner_with_the_least_training_comes_first_then_the_oldest_run(submit: Submit) -> None:
    spent = factories.viewer("spent", made_by_operator=True)
    done = submit(spent, name="old-word")
    TrainingRun.objects.filter(pk=done.pk).update(state="done", seconds=9000, finished_at=Now())
    first = submit(spent, name="spent-one")
    second, third = submit(name="moss-one"), submit(name="moss-two")
    assert runs.line() == [second.id, third.id, first.id]
    assert [runs.place_in_line(run) for run in (second, third, first)] == [1, 2, 3]


def test_one_owner_has_one_run_in_hand_at_a_time(submit: Submit) -> None:
    first, second = submit(name="moss-one"), submit(name="moss-two")
    other = submit(factories.viewer("ben", made_by_operator=True), name="ben-word")
    assert claimed(first)
    assert runs.line() == [other.id]
    assert runs.place_in_line(second) == 2


def test_two_workers_at_once_do_not_give_one_owner_two_runs(
    submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = submit(name="moss-one"), submit(name="moss-two")
    monkeypatch.setattr(runs, "line", lambda: [second.id])
    assert claimed(first)
    assert leases.claim_next("two") is None


def test_a_hub_with_room_lets_an_owner_have_more_runs_in_hand(
    submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(name="moss-one"), submit(name="moss-two")
    monkeypatch.setitem(settings.HUB, "HUB_RUN_MAX_RUNNING", 2)
    assert leases.claim_next("one") and leases.claim_next("two")


def test_steps_done_twice_are_one_point_of_the_curve(submit: Submit) -> None:
    with leases.held(claimed(submit())) as row:
        recording.add_progress(row, points=[[1, 0.9, None, 0.1], [2, 0.8, None, 0.1]], latest={}, seconds=1)
        recording.add_progress(row, points=[[2, 0.7, None, 0.1]], latest={}, seconds=1)
    points, last = runs.curve(row)
    assert [point[:2] for point in points] == [[1, 0.9], [2, 0.7]]
    assert runs.curve(row, after=last) == ([], last)


def test_a_run_of_somebody_who_was_frozen_is_not_begun_and_one_in_hand_is_stopped(submit: Submit) -> None:
    run = submit()
    people = User.objects.filter(pk=run.created_by_id)
    people.update(is_active=False)
    assert leases.claim(run.id, "one") is None
    assert leases.claim_next("one") is None
    people.update(is_active=True)
    held = claimed(run)
    assert not leases.is_cancelled(held)
    people.update(is_active=False)
    assert leases.is_cancelled(held)
