"""Jobs are promised with their cause, sent after it, and survive every state of the broker."""

import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from hub import jobs
from hub.jobs import broker, relay
from hub.models import OutboxJob
from tests.parts.valkey import Valkey

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_quiet_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "_quiet_until", 0.0)


def queued(queue: str = "default") -> int:
    return int(broker.get().client.llen(f"hub:{queue}"))


def test_a_job_is_sent_when_its_cause_commits_and_not_before() -> None:
    with transaction.atomic():
        jobs.enqueue("count_download", 7, "2026-01-02")
        assert queued() == 0
    assert queued() == 1
    assert OutboxJob.objects.get().sent_at is not None


def test_a_job_of_a_cause_that_rolls_back_never_existed() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        jobs.enqueue("count_download", 7, "2026-01-02")
        raise ZeroDivisionError
    assert queued() == 0
    assert not OutboxJob.objects.exists()


def test_a_job_goes_to_the_queue_that_its_name_says() -> None:
    run = uuid.uuid4()
    jobs.enqueue("run_training", run)
    assert (queued("gpu"), queued("default")) == (1, 0)
    assert OutboxJob.objects.get().args == [str(run)]


def test_a_name_without_a_queue_is_refused() -> None:
    with pytest.raises(LookupError, match="paint_the_moon"):
        jobs.enqueue("paint_the_moon")


def test_a_name_belongs_to_one_queue() -> None:
    jobs.register("count_download", "default")
    with pytest.raises(ValueError, match="default"):
        jobs.register("count_download", "gpu")


def test_a_stopped_broker_delays_a_job_and_fails_nothing(valkey: Valkey) -> None:
    valkey.stop()
    assert not broker.answers()
    jobs.enqueue("count_download", 7, "2026-01-02")
    assert relay.send_pending() == 0
    assert OutboxJob.objects.get().sent_at is None
    valkey.start()
    assert broker.answers()
    assert relay.send_pending() == 1
    assert queued() == 1


def test_after_a_failure_requests_leave_the_broker_alone_for_a_while(valkey: Valkey) -> None:
    valkey.stop()
    jobs.enqueue("count_download", 7, "2026-01-02")
    valkey.start()
    jobs.enqueue("count_download", 8, "2026-01-02")
    assert OutboxJob.objects.filter(sent_at=None).count() == 2
    assert relay.send_pending() == 2


def test_what_an_emptied_broker_forgot_is_sent_again(valkey: Valkey) -> None:
    jobs.enqueue("count_download", 7, "2026-01-02")
    valkey.stop(forget=True)
    valkey.start()
    assert queued() == 0
    assert relay.send_pending() == 1
    assert queued() == 1


def test_what_was_sent_is_not_sent_again_by_the_next_sweep() -> None:
    jobs.enqueue("count_download", 7, "2026-01-02")
    assert relay.send_pending() == 0
    assert queued() == 1


def test_a_job_not_done_for_long_is_sent_again_and_then_less_often() -> None:
    jobs.enqueue("count_download", 7, "2026-01-02")
    long_ago = timezone.now() - timedelta(seconds=relay.RESEND_SECONDS + 1)
    OutboxJob.objects.update(sent_at=long_ago)
    assert relay.send_pending() == 1
    OutboxJob.objects.update(sent_at=long_ago)
    assert relay.send_pending() == 0


def test_a_delayed_job_waits_in_the_database_until_it_is_due() -> None:
    jobs.enqueue("count_download", 7, "2026-01-02", delay_seconds=60)
    assert relay.send_pending() == 0
    OutboxJob.objects.update(run_after=timezone.now() - timedelta(seconds=1))
    assert relay.send_pending() == 1


def test_jobs_are_sent_in_the_order_of_their_promise() -> None:
    for number in range(5):
        jobs.enqueue("count_download", number, "2026-01-02", delay_seconds=0.001)
    OutboxJob.objects.update(run_after=timezone.now() - timedelta(seconds=1))
    assert relay.send_pending(limit=2) == 2
    sent = OutboxJob.objects.exclude(sent_at=None).order_by("created_at")
    assert [job.args[0] for job in sent] == [0, 1]
