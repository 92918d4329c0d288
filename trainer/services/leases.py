"""Who works on a run: claim, beat, release, pause, requeue. The rules that make ten deliveries one run.

A claim takes the row with a new fence; every later write of that worker goes through `held`, which raises
LeaseLost when the fence is old. All times are database time, so clocks of workers do not matter.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models import F
from django.db.models.functions import Now

from hub import jobs
from hub.models import Owner, User, Version
from hub.services.versions import previews
from trainer import runs
from trainer.models import RUNNING, WAITING, TrainingRun
from trainer.services import recording

State = TrainingRun.State
MOST_DEATHS_IN_A_ROW = 2
WAKE_AGAIN_AFTER = timedelta(seconds=60)
PAUSE = timedelta(seconds=60)


class LeaseLost(Exception):
    """Another worker has the run, or it is over: whoever sees this stops, and writes nothing more."""


@dataclass(frozen=True)
class Claim:
    """The right to work on a run, until a higher fence exists."""

    run_id: UUID
    fence: int


def lease() -> timedelta:
    """How long a worker may be silent."""
    return timedelta(seconds=settings.HUB["HUB_LEASE_SECONDS"])


def claim_next(worker: str) -> Claim | None:
    """Take the run whose turn it is, or None when nothing waits that may start now."""
    for run_id in runs.line():
        with transaction.atomic():
            # One claim of an owner at a time, or two workers could give one person two runs at once.
            owner = Owner.objects.select_for_update().filter(runs=run_id).first()
            if owner is not None and runs.count_in_hand(owner.pk) < runs.most_running():
                taken = claim(run_id, worker)
                if taken:
                    return taken
    return None


def claim(run_id: UUID, worker: str) -> Claim | None:
    """Take this run if it waits, or if its lease has run out. A live lease of anybody else: None.

    The attempt is counted here, before the engine starts, so that a run which kills its worker is counted.
    """
    with transaction.atomic():
        taken = (
            TrainingRun.objects.filter(pk=run_id, cancel_requested=False)
            .filter(models.Q(state__in=WAITING) | models.Q(state__in=RUNNING, lease_until__lt=Now()))
            .filter(models.Q(lease_until=None) | models.Q(lease_until__lt=Now()))
            .filter(models.Q(not_before=None) | models.Q(not_before__lt=Now()))
            .filter(attempts_without_progress__lt=MOST_DEATHS_IN_A_ROW)
            # A subquery and no join: the row itself is looked at again when somebody else was faster.
            .exclude(created_by__in=User.objects.filter(is_active=False).values("pk"))
            .update(
                state=State.PREPARING,
                stage="",
                message="",
                worker=worker[:120],
                lease_until=Now() + lease(),
                fence=F("fence") + 1,
                attempts=F("attempts") + 1,
                attempts_without_progress=F("attempts_without_progress") + 1,
            )
        )
        if not taken:
            return None
        TrainingRun.objects.filter(pk=run_id, started_at=None).update(started_at=Now())
        run = TrainingRun.objects.get(pk=run_id)
        recording.add_event(run, "state", state=run.state, attempt=run.attempts)
        return Claim(run.id, run.fence)


def beat(held_claim: Claim) -> None:
    """Renew the lease. Raises LeaseLost."""
    renewed = _of(held_claim).update(lease_until=Now() + lease())
    if not renewed:
        raise LeaseLost(str(held_claim.run_id))


def is_cancelled(held_claim: Claim) -> bool:
    """Whether the owner wants the run stopped, or is frozen. Raises LeaseLost."""
    answer = _of(held_claim).values_list("cancel_requested", "created_by__is_active").first()
    if answer is None:
        raise LeaseLost(str(held_claim.run_id))
    return answer[0] or answer[1] is False


@contextmanager
def held(held_claim: Claim) -> Iterator[TrainingRun]:
    """A transaction with the run's row locked and the fence checked. Raises LeaseLost."""
    with transaction.atomic():
        run = TrainingRun.objects.select_for_update().filter(pk=held_claim.run_id).first()
        if run is None or run.fence != held_claim.fence or run.state not in RUNNING:
            raise LeaseLost(str(held_claim.run_id))
        yield run


def release(held_claim: Claim, *, message: str, blameless: bool = False) -> None:
    """Give the run back: it waits for the next worker. Without `blameless` the attempt counts as a death."""
    with held(held_claim) as run:
        if blameless:
            run.attempts_without_progress = max(run.attempts_without_progress - 1, 0)
        give_back(run, message=message)


def pause(held_claim: Claim, *, message: str) -> None:
    """The store or disk is out: nobody's death. The run is tried again in a minute."""
    with held(held_claim) as run:
        run.attempts_without_progress = max(run.attempts_without_progress - 1, 0)
        run.state, run.message, run.lease_until = State.PAUSED, message, None
        run.save(
            update_fields=[
                "attempts_without_progress",
                "state",
                "message",
                "lease_until",
            ]
        )
        TrainingRun.objects.filter(pk=run.pk).update(not_before=Now() + PAUSE)
        recording.add_event(run, "state", state=run.state, message=message)
        jobs.enqueue("run_training", str(run.id), delay_seconds=PAUSE.total_seconds())


def give_back(run: TrainingRun, *, message: str) -> None:
    """Let go of a locked row: stopped if its owner wants that, failed after too many deaths, else waiting."""
    if run.cancel_requested:
        recording.end(run, State.CANCELLED)
    elif run.attempts_without_progress < MOST_DEATHS_IN_A_ROW:
        run.state, run.message, run.lease_until, run.worker = (
            State.QUEUED,
            message[:500],
            None,
            "",
        )
        run.save(
            update_fields=[
                "attempts_without_progress",
                "state",
                "message",
                "lease_until",
                "worker",
            ]
        )
        recording.add_event(run, "state", state=run.state, message=message)
        send(run)
    elif run.version_id:
        previews.mark(version_id=run.version_id, state=Version.SheetState.FAILED, message=message[:280])
        recording.end(
            run,
            State.DONE,
            message="The word is learned, but its preview sheet could not be drawn.",
        )
    else:
        recording.end(
            run,
            State.FAILED,
            fault=TrainingRun.Fault.MACHINE,
            code="poison",
            message="The run died twice without getting further, so it is not tried again by itself.",
            detail=message,
        )


def requeue_lost_runs() -> int:
    """Give back the runs whose worker fell silent, and wake a worker for whoever waits. Returns how many.

    Meant to be called every few seconds by anybody; calling it twice at once does no harm.
    """
    lost = list(
        TrainingRun.objects.filter(state__in=RUNNING, lease_until__lt=Now()).values_list("pk", flat=True)
    )
    given_back = 0
    for run_id in lost:
        with transaction.atomic():
            run = (
                TrainingRun.objects.select_for_update()
                .filter(pk=run_id, state__in=RUNNING, lease_until__lt=Now())
                .first()
            )
            if run is not None:
                # The silent worker may still be alive: a new fence makes its writes void.
                run.fence += 1
                run.save(update_fields=["fence"])
                give_back(
                    run,
                    message="The worker fell silent; the run goes on from its last checkpoint.",
                )
                given_back += 1
    _wake()
    return given_back


def send(run: TrainingRun) -> None:
    """Promise the message that wakes a worker for the run, in the caller's transaction."""
    TrainingRun.objects.filter(pk=run.pk).update(woken_at=Now())
    jobs.enqueue("run_training", str(run.id))


def _wake() -> None:
    """Send one more message for the run whose turn it is, in case its own was lost with the broker."""
    for run_id in runs.line()[:1]:
        with transaction.atomic():
            due = (
                TrainingRun.objects.filter(pk=run_id, state__in=WAITING)
                .filter(models.Q(woken_at=None) | models.Q(woken_at__lt=Now() - WAKE_AGAIN_AFTER))
                .first()
            )
            if due is not None:
                send(due)


def _of(held_claim: Claim) -> models.QuerySet[TrainingRun]:
    return TrainingRun.objects.filter(pk=held_claim.run_id, fence=held_claim.fence, state__in=RUNNING)
