"""Withdrawing: yank and unyank, dropping drafts, deleting; one table says which state may follow which."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from hub.access import ANONYMOUS, Viewer, require
from hub.errors import Conflict, NotFound
from hub.killpoints import kill_point
from hub.models import Embedding, SearchText, Version
from hub.models.registry import Visibility
from hub.services import audit, indexing, texts
from hub.services.embeddings import details
from hub.services.versions import commits
from hub.services.webhooks import events

State = Version.State

# What may follow what; anything else is `state_conflict`. Publishing itself is services.freezing.
TRANSITIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        State.DRAFT: frozenset({State.CHECKING, State.PUBLISHED, State.QUARANTINED, State.DELETED}),
        State.CHECKING: frozenset({State.DRAFT, State.PUBLISHED, State.QUARANTINED, State.DELETED}),
        State.PUBLISHED: frozenset({State.YANKED, State.QUARANTINED, State.TAKEN_DOWN, State.DELETED}),
        State.YANKED: frozenset({State.PUBLISHED, State.QUARANTINED, State.TAKEN_DOWN, State.DELETED}),
        State.QUARANTINED: frozenset({State.PUBLISHED, State.YANKED, State.TAKEN_DOWN}),
        State.TAKEN_DOWN: frozenset({State.PUBLISHED, State.YANKED}),
        State.DELETED: frozenset(),
    }
)

# What webhooks are told of these acts.
EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "yank": "version.yanked",
        "unyank": "version.unyanked",
        "delete_version": "version.deleted",
        "quarantine": "version.quarantined",
        "take_down": "version.taken_down",
        "release": "version.restored",
        "restore": "version.restored",
    }
)

# What only a ruling leads out of.
HELD = frozenset({State.QUARANTINED, State.TAKEN_DOWN})

DELETE_HOURS = 72
DELETE_DOWNLOADS = 100


def yank(viewer: Viewer, *, version: Version, reason: str) -> Version:
    """Stop offering a version: `main` and lists pass over it, its number and commit ids still resolve.

    Raises Unacceptable without a reason, Conflict `state_conflict` unless it is published.
    """
    require(viewer, "yank", version)
    reason = texts.line(reason, field="reason", most=texts.SUMMARY_MAX, required=True)
    return _move(viewer, version, State.YANKED, act="yank", reason=reason)


def unyank(viewer: Viewer, *, version: Version) -> Version:
    """Offer a yanked version again. Conflict `state_conflict` unless it is yanked."""
    require(viewer, "yank", version)
    if version.state not in (State.YANKED, State.PUBLISHED):
        raise _illegal(version.state, State.PUBLISHED)
    return _move(viewer, version, State.PUBLISHED, act="unyank")


def rule(viewer: Viewer, *, version: Version, state: str, act: str, reason: str) -> Version:
    """Bring a version where a ruling wants it. Conflict `state_conflict` where that may not follow its state."""
    require(viewer, "moderate", version)
    return _move(viewer, version, state, act=act, reason=reason, by_ruling=True)


def hold_by_rule(*, version: Version, reason: str, rule: str) -> Version:
    """Hold a version because a rule of the hub says so; nobody is named for it. Conflict as `rule`."""
    return _move(
        ANONYMOUS, version, State.QUARANTINED, act="quarantine", reason=reason, by_ruling=True, rule=rule
    )


def discard_draft(viewer: Viewer, *, version: Version) -> None:
    """Remove a draft as if it had never been. Conflict `state_conflict` for anything else."""
    require(viewer, "publish_version", version)
    with transaction.atomic():
        row = Version.objects.select_for_update().filter(pk=version.pk).first()
        if row is None:
            return
        if row.published_at is not None or row.state not in (State.DRAFT, State.CHECKING):
            raise Conflict("state_conflict", "Only a draft can be discarded.")
        audit.record(viewer, "discard_draft", version.embedding, version=row.pk)
        row.delete()


def delete_version(viewer: Viewer, *, version: Version) -> Version:
    """Delete a version for good and leave a tombstone; its number is never used again.

    A version that others could pin goes only within 72 hours and under 100 downloads. Conflict `too_late` after.
    """
    check_deletable(viewer, version=version)
    return _move(viewer, version, State.DELETED, act="delete_version")


def check_deletable(viewer: Viewer, *, version: Version) -> None:
    """Nothing when this viewer could delete the version now; else what deleting it would raise."""
    require(viewer, "delete_version", version)
    if State.DELETED not in TRANSITIONS[version.state] and version.state != State.DELETED:
        raise _illegal(version.state, State.DELETED)
    _check_not_relied_on(version)


def delete_embedding(viewer: Viewer, *, embedding: Embedding) -> None:
    """Delete an embedding with all versions; its name stays taken.

    Conflict `too_late` as for one version, `state_conflict` while moderators hold or have taken down one of them.
    """
    require(viewer, "delete_version", embedding)
    with transaction.atomic():
        row = Embedding.objects.alive().select_for_update(of=("self",)).filter(pk=embedding.pk).first()
        if row is None:
            return
        versions = list(row.versions.exclude(state=State.DELETED).select_related("embedding__owner"))
        for version in versions:
            check_deletable(viewer, version=version)
        for version in versions:
            if version.published_at is None:
                version.delete()
            else:
                version.state, version.state_changed_at = State.DELETED, timezone.now()
                version.save(update_fields=["state", "state_changed_at"])
        row.head, row.deleted_at = None, timezone.now()
        row.save(update_fields=["head", "deleted_at"])
        SearchText.objects.filter(embedding=row).delete()
        audit.record(viewer, "delete_embedding", row)
        events.tell("embedding.deleted", row)
        kill_point("K9")


def _move(
    viewer: Viewer,
    version: Version,
    target: str,
    *,
    act: str,
    reason: str = "",
    by_ruling: bool = False,
    rule: str = "",
) -> Version:
    """Change a version's state and let `main` follow, in one transaction. Harmless to repeat."""
    embedding = Embedding.objects.select_related("owner").get(pk=version.embedding_id)
    embedding.head = _head_after(version, target)
    readme = commits.prepare(embedding, embedding.head, details.tag_slugs(embedding))
    with transaction.atomic():
        transaction.on_commit(lambda: kill_point("K10"))
        row = (
            Embedding.objects.alive()
            .select_for_update(of=("self",))
            .select_related("owner")
            .filter(pk=version.embedding_id)
            .first()
        )
        if row is None:
            raise NotFound()
        changed = Version.objects.select_related("embedding__owner").get(pk=version.pk)
        if changed.state == target:
            return changed
        if target not in TRANSITIONS[changed.state] or (changed.state in HELD and not by_ruling):
            raise _illegal(changed.state, target)
        if target == State.DELETED:
            _check_not_relied_on(changed)  # once more, under the lock: it may have been pulled meanwhile
        changed.state, changed.state_reason, changed.state_changed_at = target, reason, timezone.now()
        changed.save(update_fields=["state", "state_reason", "state_changed_at"])
        row.head = _head_after(changed, target)
        row.save(update_fields=["head", "updated_at"])
        if row.head is not None:
            if row.head != embedding.head:
                readme = commits.prepare(row, row.head, details.tag_slugs(row))
            commits.follow_card(
                viewer, row, readme, message=f"{act.replace('_', ' ').capitalize()} {changed.name}"
            )
        indexing.refresh(row)
        by = {"rule": rule} if rule else {}
        audit.record(viewer, act, row, version=changed.number, reason=reason, **by)
        if act in EVENTS:
            events.tell(EVENTS[act], row, version=changed.pk, number=changed.number)
        kill_point("K9")
    return changed


def _head_after(version: Version, target: str) -> Version | None:
    """What `main` is once the version has the state `target`: the newest one that is offered."""
    offered = Version.objects.select_related("base_model").filter(embedding_id=version.embedding_id)
    others = offered.published().exclude(pk=version.pk).order_by("-number")
    newest = others.first()
    if target == State.PUBLISHED and (newest is None or (version.number or 0) > (newest.number or 0)):
        return offered.get(pk=version.pk)
    return newest


def _check_not_relied_on(version: Version) -> None:
    if version.published_at is None or version.embedding.visibility == Visibility.PRIVATE:
        return
    pulled = version.pulls.aggregate(total=Sum("count"))["total"] or 0
    if version.published_at < timezone.now() - timedelta(hours=DELETE_HOURS) or pulled >= DELETE_DOWNLOADS:
        raise Conflict(
            "too_late",
            f"{version.name} has been out for more than {DELETE_HOURS} hours or was pulled {DELETE_DOWNLOADS} "
            "times; others rely on it. Yank it instead.",
            rule="7.3",
        )


def _illegal(state: str, target: str) -> Conflict:
    told = State(state).label, State(target).label
    return Conflict("state_conflict", "A version that is {} cannot become {}.".format(*told))
