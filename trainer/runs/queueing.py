"""The line of waiting runs: whose turn it is, a run's place, when it starts, and what holds it up."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Now

from hub.access import Viewer
from hub.models import OutboxJob
from trainer import turns
from trainer.models import RUNNING, WAITING, TrainingRun
from trainer.runs import pace

DAY = timedelta(hours=24)
# Of a run whose base was never trained on here: only to put runs in order, never told.
USUAL_SECONDS = 600.0
MOST_IN_LINE = 500


@dataclass(frozen=True)
class Standing:
    """Where a waiting run stands: its place from 1, how many runs come before it (those in hand too), and seconds
    until it is expected to start, None where nothing was measured yet."""

    place: int
    of: int
    ahead: int
    starts_in: float | None


def line() -> list[UUID]:
    """The waiting runs that may start now, in the order of their turn (rule J1).

    First the owner with the least training time in 24 hours, then the oldest run. Owners who have as many runs in
    hand as they may, wait.
    """
    busy: Counter[Hashable] = Counter(_in_hand().values_list("owner_id", flat=True))
    most = most_running()
    waiting = [one for one in _waiting() if busy[one.owner] < most]
    return [_id(turn) for turn in turns.foresee(waiting, spent=_spent(waiting), most_in_hand=most)]


def standing(run: TrainingRun) -> Standing | None:
    """Where the run stands in line; None when it does not wait."""
    return standings([run]).get(run.pk)


def standings(runs: Sequence[TrainingRun]) -> dict[UUID, Standing]:
    """Where those of the runs stand that wait. As many queries for one run as for many."""
    asked = [run for run in runs if run.state in WAITING]
    if not asked:
        return {}
    waiting, in_hand = _waiting(), list(_in_hand().select_related("base_model"))
    rates = _rates({one.base_model_id for one in (*in_hand, *asked)})
    held = [turns.InHand(one.owner_id, _left(one, rates) or USUAL_SECONDS) for one in in_hand]
    foreseen = turns.foresee(waiting, spent=_spent(waiting), in_hand=held, most_in_hand=most_running())
    places = {_id(turn): (number, turn.starts_in) for number, turn in enumerate(foreseen, 1)}
    found = {}
    for run in asked:
        place, starts_in = places.get(run.pk, (len(foreseen) + 1, 0.0))
        is_known = run.pk in places and (not starts_in or run.base_model_id in rates)
        found[run.pk] = Standing(
            place=place,
            of=max(len(foreseen), place),
            ahead=place - 1 + len(in_hand),
            starts_in=round(starts_in) if is_known else None,
        )
    return found


def place_in_line(run: TrainingRun) -> int:
    """1 for the run that starts next; 0 when it does not wait."""
    found = standing(run)
    return found.place if found else 0


def waiting_for(run: TrainingRun) -> str:
    """Why a waiting run has not started and when it will, as sentences; empty when it does not wait."""
    if run.state == TrainingRun.State.PAUSED:
        return run.message or "The hub's disk or store is out; the run goes on by itself when it is back."
    found = standing(run)
    if found is None:
        return ""
    if is_stuck_at_broker(run):
        return "The job server cannot be reached. Your run is kept and starts by itself when it is back."
    if not found.ahead:
        return "Waiting for a training worker to take it."
    said = f"{found.ahead} {'run is' if found.ahead == 1 else 'runs are'} ahead of yours."
    if found.starts_in:
        said += f" It starts in about {in_words(found.starts_in)}."
    return said


def in_words(seconds: float) -> str:
    """A time to wait, as people say it."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "a minute"
    if minutes < 60:
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    return f"{seconds / 3600:.1f} hours"


def is_stuck_at_broker(run: TrainingRun) -> bool:
    """Whether the message that should wake a worker could not be sent yet."""
    return OutboxJob.objects.filter(name="run_training", args=[str(run.id)], sent_at=None).exists()


def estimate(run: TrainingRun) -> float | None:
    """Seconds still to go, from the engine's own measure or from finished runs on the same base."""
    return estimates([run])[run.pk]


def estimates(runs: Sequence[TrainingRun]) -> dict[UUID, float | None]:
    """The same for many, in one query."""
    rates = _rates({run.base_model_id for run in runs if not run.is_over})
    return {run.pk: 0.0 if run.is_over else _left(run, rates) for run in runs}


def seconds_spent(owners: set[int]) -> dict[int, float]:
    """Seconds of training in the last 24 hours, by owner."""
    recent = Q(finished_at=None) | Q(finished_at__gte=Now() - DAY)
    return dict(
        TrainingRun.objects.filter(recent, owner__in=owners)
        .order_by()
        .values_list("owner")
        .annotate(total=Sum("seconds"))
    )


def seconds_of(whose: Q) -> float:
    """Seconds of training in the last 24 hours of these runs."""
    recent = Q(finished_at=None) | Q(finished_at__gte=Now() - DAY)
    return TrainingRun.objects.filter(whose, recent).aggregate(total=Sum("seconds"))["total"] or 0.0


def runs_since_yesterday(whose: Q) -> QuerySet[TrainingRun]:
    """Those of these runs that are of the last 24 hours."""
    return TrainingRun.objects.filter(whose, created_at__gte=Now() - DAY)


def limits() -> dict[str, Any]:
    """The limits of rule J2 that pages show."""
    return {
        name: settings.HUB[f"HUB_RUN_{name.upper()}"] for name in ("max_images", "max_steps", "max_waiting")
    }


def usage(viewer: Viewer) -> dict[str, Any]:
    """What the viewer has used of the limits of rule J2: `waiting`, `today`, `hours` with `most_` beside each."""
    if viewer.user is None:
        return {}
    whose = Q(created_by=viewer.user)
    waiting = TrainingRun.objects.filter(whose, state__in=WAITING).count()
    return {
        "waiting": waiting,
        "most_waiting": settings.HUB["HUB_RUN_MAX_WAITING"],
        "today": runs_since_yesterday(whose).count(),
        "most_today": settings.HUB["HUB_RUN_MAX_PER_DAY"],
        "hours": round(seconds_of(whose) / 3600, 2),
        "most_hours": settings.HUB["HUB_RUN_GPU_HOURS"],
    }


def count_in_hand(owner_id: int) -> int:
    """How many runs of an owner workers have in hand."""
    return _in_hand().filter(owner_id=owner_id).count()


def most_running() -> int:
    """How many runs of one owner may be in hand at a time (J2)."""
    return int(settings.HUB["HUB_RUN_MAX_RUNNING"])


def _in_hand() -> QuerySet[TrainingRun]:
    return TrainingRun.objects.filter(state__in=RUNNING, lease_until__gte=Now())


def _waiting() -> list[turns.Waiting]:
    """All that wait and may start, the oldest first, with what each is expected to take."""
    found = list(
        TrainingRun.objects.filter(state__in=WAITING, cancel_requested=False)
        .filter(Q(not_before=None) | Q(not_before__lt=Now()))
        .order_by("created_at")
        .only("pk", "owner", "base_model", "step", "max_steps", "state", "progress")[:MOST_IN_LINE]
    )
    rates = _rates({run.base_model_id for run in found})
    return [turns.Waiting(run.pk, run.owner_id, _left(run, rates) or USUAL_SECONDS) for run in found]


def _left(run: TrainingRun, rates: dict[int, float]) -> float | None:
    left = run.progress.get("seconds_left")
    if run.state == TrainingRun.State.TRAINING and left is not None:
        return float(left)
    if run.state == TrainingRun.State.PREVIEWING or run.base_model_id not in rates:
        return None
    return rates[run.base_model_id] * (run.max_steps - run.step)


def _rates(bases: set[int]) -> dict[int, float]:
    """Seconds a step of each base takes here, where that is known."""
    return {base: found.seconds for base, found in pace.paces(bases).items()}


def _spent(waiting: list[turns.Waiting]) -> dict[Any, float]:
    return dict(seconds_spent({one.owner for one in waiting}))  # type: ignore[misc]  # owners are numbers here


def _id(turn: turns.Turn) -> UUID:
    assert isinstance(turn.run, UUID)
    return turn.run
