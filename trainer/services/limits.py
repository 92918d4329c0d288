"""Who may train how much: rules J2 and J7, each limit its own function, asked before anything is stored."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from hub.access import Viewer
from hub.errors import Forbidden, RateLimited, Unacceptable
from hub.models import Owner, User
from trainer import runs
from trainer.models import WAITING, TrainingRun
from trainer.recipe import Recipe

LARGEST_SIDE = 1024
MOST_VECTORS = 16
MOST_PICTURES_KEPT = 200


class OverLimit(Exception):
    """A run took more time or memory than a run may (J3)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def over_time(seconds: float) -> OverLimit | None:
    """What to tell a run that has worked for so long, if that is too long."""
    hours = settings.HUB["HUB_RUN_HOURS"]
    if seconds <= hours * 3600:
        return None
    return OverLimit("time_limit", f"A run may take {hours} hours. Its last step is kept: go on from it.")


def check_memory(held: int) -> None:
    """OverLimit when an engine holds more bytes than a run may."""
    most = settings.HUB["HUB_RUN_MEMORY_GB"]
    if most and held > most << 30:
        raise OverLimit(
            "out_of_memory", f"The run took more than the {most} GiB of memory that a run may have."
        )


def check_account(viewer: Viewer) -> None:
    """Accounts that people made themselves wait a day (J7), so that throw-away accounts train nothing."""
    user: User | None = viewer.user
    hours = settings.HUB["HUB_RUN_NEW_ACCOUNT_HOURS"]
    if user is None or user.made_by_operator or user.is_staff:
        return
    if user.date_joined > timezone.now() - timedelta(hours=hours):
        raise Forbidden(
            "account_too_new",
            f"New accounts can train {hours} hours after they were made. Ask the operator to do it sooner.",
            rule="J7",
        )


def one_at_a_time(owner_id: int, *, person: User) -> None:
    """Let two submissions not pass the limits together; to the end of the caller's transaction."""
    rows = Owner.objects.select_for_update().filter(pk__in=[owner_id, person.owner_id])
    list(rows.order_by("pk"))


def check_queue(owner_id: int, *, person: User | None = None) -> None:
    """Waiting runs, runs in a day, hours of training in a day (J2).

    They hold for a team, and for the person whatever name their runs stand under: more teams are not more hours.
    """
    if person is not None and person.owner_id != owner_id:
        _check_queue(Q(owner=owner_id), "This team has")
    _check_queue(Q(created_by=person) if person is not None else Q(owner=owner_id), "You have")


def _check_queue(whose: Q, who: str) -> None:
    limit = settings.HUB["HUB_RUN_MAX_WAITING"]
    if TrainingRun.objects.filter(whose, state__in=WAITING).count() >= limit:
        raise _too_many(f"{who} {limit} runs waiting already; let one start or stop it first.", 60)
    limit = settings.HUB["HUB_RUN_MAX_PER_DAY"]
    if runs.runs_since_yesterday(whose).count() >= limit:
        raise _too_many(f"{who} started {limit} runs in 24 hours; that is the most.", 3600)
    hours = settings.HUB["HUB_RUN_GPU_HOURS"]
    if runs.seconds_of(whose) >= hours * 3600:
        raise _too_many(f"{who} used the {hours} hours of training of these 24 hours.", 3600)


def check_recipe(recipe: Recipe) -> None:
    """Steps, picture side and vectors (J2)."""
    most = settings.HUB["HUB_RUN_MAX_STEPS"]
    if recipe.max_steps > most:
        raise _refused("max_steps", f"A run has at most {most} steps.")
    if recipe.resolution > LARGEST_SIDE:
        raise _refused("resolution", f"Pictures are trained at up to {LARGEST_SIDE} pixels a side.")
    if recipe.vectors_per_token > MOST_VECTORS:
        raise _refused("vectors_per_token", f"A word has at most {MOST_VECTORS} vectors.")


def check_picture_count(count: int) -> None:
    """At least one picture, and not more than a run may have (J2)."""
    most = settings.HUB["HUB_RUN_MAX_IMAGES"]
    if count < 1:
        raise Unacceptable("no_pictures", "Add pictures first: three to ten work best.", field="pictures")
    if count > most:
        raise _refused("pictures", f"A run takes at most {most} pictures; these are {count}.")


def check_kept_pictures(viewer: Viewer) -> None:
    """Uploaded pictures that no run uses yet are limited, since they take room."""
    if len(runs.waiting_pictures(viewer)) >= MOST_PICTURES_KEPT:
        raise _refused("pictures", f"{MOST_PICTURES_KEPT} of your pictures wait for a run already.")


def _too_many(message: str, retry_after: int) -> RateLimited:
    return RateLimited("too_many_runs", message, rule="J2", retry_after=retry_after)


def _refused(field: str, message: str) -> Unacceptable:
    return Unacceptable("field_invalid", message, field=field, rule="J2")
