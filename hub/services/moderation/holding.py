"""Rule M2: what enough people report is held at once, until a moderator has looked."""

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone

from hub.catalog import moderation
from hub.models import Embedding, Flag, Ruling, User, Version
from hub.services.moderation import notices
from hub.services.versions import lifecycle

RULE: Final = "M2"
Reason = Flag.Reason
# A wrong licence or advertising can wait for a moderator.
SERIOUS: Final = (Reason.ILLEGAL, Reason.LIKENESS, Reason.COPYRIGHT, Reason.DECEPTIVE, Reason.HARMFUL)
# A second account made for the purpose is not a second person.
SETTLED_IN: Final = timedelta(days=1)
SAID: Final = "Several people have reported it; a moderator will look at it."


def hold_if_due(embedding: Embedding) -> list[Ruling]:
    """Hold what has been reported by HUB_HOLD_AFTER_FLAGS people, one of them trusted; in the caller's transaction.

    What a moderator has given back once is never held by this rule again. Flags stay open.
    """
    enough = settings.HUB["HUB_HOLD_AFTER_FLAGS"]
    if not enough:
        return []
    flags = Flag.objects.filter(embedding=embedding, settled_at=None, reason__in=SERIOUS)
    counted = list(flags.exclude(raised_by__owner=embedding.owner_id).select_related("raised_by"))
    people = {flag.raised_by for flag in counted if flag.raised_by and _counts(flag.raised_by)}
    if len(people) < enough or not moderation.trusted(person.pk for person in people):
        return []
    return [_hold(version, counted[0].reason) for version in _meant(embedding, counted)]


def _counts(person: User) -> bool:
    known = person.is_moderator or person.is_staff or person.made_by_operator
    return person.is_active and (known or person.date_joined < timezone.now() - SETTLED_IN)


def _meant(embedding: Embedding, flags: list[Flag]) -> list[Version]:
    """The versions that the flags name, or all that are offered where one names none."""
    offered = Version.objects.filter(embedding=embedding).resolvable()
    named = [flag.version_id for flag in flags]
    if None not in named:
        offered = offered.filter(pk__in=[pk for pk in named if pk])
    given_back = Ruling.objects.filter(rule=RULE, lifted_at__isnull=False).values("version")
    return list(offered.exclude(pk__in=given_back).order_by("number"))


def _hold(version: Version, category: str) -> Ruling:
    state, said = version.state, version.state_reason
    lifecycle.hold_by_rule(version=version, reason=SAID, rule=RULE)
    made = Ruling.objects.create(
        version=version, subject=str(version.embedding), kind=Ruling.Kind.QUARANTINE, rule=RULE,
        category=category, reason=SAID, before_state=state, before_reason=said,
    )  # fmt: skip
    notices.tell(made, "made")
    return made
