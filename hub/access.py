"""Who may do what: one table of acts, one table of routes, and pure questions asked of them.

Doors and services never compare roles; they ask `can`, `require` or `visible`. Something a viewer may not
know exists is `NotFound`, everywhere.
"""

from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import models

from hub.errors import Forbidden, NotFound, Unauthenticated
from hub.models import AccessToken, Collection, Commit, Embedding, User, Version
from hub.models.registry import Visibility
from hub.routes import ROUTES


@dataclass(frozen=True)
class Viewer:
    """Whoever asks: signed in by session or token, or nobody."""

    user: User | None = None
    token: AccessToken | None = None

    @property
    def is_signed_in(self) -> bool:
        """Whether there is a person behind the request."""
        return self.user is not None

    @property
    def name(self) -> str:
        """Username, or `anonymous`; for logs and audit entries."""
        return self.user.username if self.user else "anonymous"

    @property
    def is_moderator(self) -> bool:
        """Moderators and administrators; a token never carries this power."""
        return self.user is not None and self.token is None and (self.user.is_moderator or self.user.is_staff)

    def has_scope(self, scope: str) -> bool:
        """Sessions can do all a person can; tokens only what their scopes say."""
        return self.token is None or scope in self.token.scopes


__all__ = [
    "ACTS", "ANONYMOUS", "ROUTES", "Act", "Viewer", "allows", "can", "can_see", "has_scope_for", "is_open", "owns",
    "require", "visible",
]  # fmt: skip

ANONYMOUS: Final = Viewer()
_SHARED: Final = (Visibility.PUBLIC, Visibility.UNLISTED)
_OFFERED: Final = (Version.State.PUBLISHED, Version.State.YANKED)


@dataclass(frozen=True)
class Act:
    """A row of the table of acts: which roles may, and which token scope a tool needs for it.

    `scope` is None where any token will do, and `session` where no token ever will.
    """

    anyone: bool = False
    user: bool = False
    owner: bool = True
    moderator: bool = False
    scope: str | None = None


ACTS: Final[dict[str, Act]] = {
    "see_public": Act(anyone=True, user=True, moderator=True),
    "see_private": Act(moderator=True, scope="read"),
    "whoami": Act(user=True, moderator=True),
    "create_embedding": Act(scope="publish"),
    "see_draft": Act(scope="read"),
    "publish_version": Act(scope="publish"),
    "add_preview": Act(scope="publish"),
    "edit_card": Act(scope="manage"),
    "yank": Act(moderator=True, scope="manage"),
    "delete_version": Act(scope="manage"),
    "change_visibility": Act(scope="manage"),
    "rename": Act(scope="manage"),
    "create_pack": Act(scope="publish"),
    "edit_pack": Act(scope="manage"),
    "like": Act(user=True, moderator=True, scope="manage"),
    "flag": Act(user=True, moderator=True, scope="manage"),
    "moderate": Act(owner=False, moderator=True, scope="session"),
    "see_run": Act(moderator=True, scope="train"),
    "see_training_images": Act(scope="train"),
    "delete_training_images": Act(moderator=True, scope="train"),
    "start_run": Act(user=True, scope="train"),
    "cancel_run": Act(moderator=True, scope="train"),
    "manage_webhooks": Act(scope="manage"),
    "manage_tokens": Act(scope="session"),
    # Whoever holds a token may end it, whatever else it may do.
    "give_up_token": Act(user=True, moderator=True),
    "manage_account": Act(scope="session"),
    "sign_in": Act(anyone=True, user=True),
    # Public questions whose list of paths does not fit into an address, and so come as a POST.
    "ask_in_a_body": Act(anyone=True, user=True, moderator=True),
    # The address itself says who it was made for; the thing behind it is looked up as that viewer sees it.
    "follow_link": Act(anyone=True, user=True, moderator=True),
}


def allows(viewer: Viewer, act: str, *, is_owner: bool = False) -> bool:
    """Whether the table lets this viewer do this act on something of theirs (`is_owner`) or of others."""
    row = ACTS[act]
    if row.scope == "session" and viewer.token is not None:
        return False
    if row.scope not in (None, "session") and not viewer.has_scope(row.scope or ""):
        return False
    if row.anyone and (viewer.is_signed_in or act != "see_public" or settings.HUB["HUB_ANONYMOUS_READ"]):
        return True
    if not viewer.is_signed_in:
        return False
    return row.user or (row.owner and is_owner) or (row.moderator and viewer.is_moderator)


def has_scope_for(viewer: Viewer, act: str) -> bool:
    """Whether what the viewer came with carries this act at all, on whatever thing."""
    scope = ACTS[act].scope
    return viewer.token is None or scope is None or (scope != "session" and viewer.has_scope(scope))


def owns(viewer: Viewer, thing: Any) -> bool:
    """Whether the thing (embedding, version, owner, run) stands under the viewer's own name."""
    if viewer.user is None:
        return False
    if isinstance(thing, Version):
        thing = thing.embedding
    owner_id = getattr(thing, "owner_id", None)
    if owner_id is None:
        owner_id = thing.pk
    return bool(owner_id == viewer.user.owner_id)


def can(viewer: Viewer, act: str, thing: Any) -> bool:
    """Whether this viewer may do this act on this thing, visible or not."""
    return allows(viewer, act, is_owner=owns(viewer, thing))


def can_see(viewer: Viewer, thing: Embedding | Version | Collection) -> bool:
    """Whether this viewer may know that the thing exists."""
    queryset = type(thing)._default_manager.filter(pk=thing.pk)
    return visible(queryset, viewer).exists()


def require(viewer: Viewer, act: str, thing: Any) -> None:
    """Raise unless allowed: NotFound when the viewer may not know of it, Unauthenticated or Forbidden else."""
    if can(viewer, act, thing):
        return
    if isinstance(thing, Embedding | Version | Collection) and not can_see(viewer, thing):
        raise NotFound()
    if not viewer.is_signed_in:
        raise Unauthenticated("not_authenticated", "Sign in, or send an access token.")
    scope = ACTS[act].scope
    if scope == "session" and viewer.token is not None:
        raise Forbidden("session_required", "An access token cannot do this; sign in on the site.")
    if scope and scope != "session" and not viewer.has_scope(scope):
        raise Forbidden("insufficient_scope", f"This needs a token with the scope “{scope}”.", scope=scope)
    raise Forbidden("forbidden", "You may see this, but not change it.")


def visible(queryset: models.QuerySet[Any], viewer: Viewer) -> models.QuerySet[Any]:
    """The embeddings, versions, commits or packs among these that this viewer may know of.

    Strangers see public and unlisted embeddings with a published or yanked version, and of their versions only
    those; owners see all of their own that they have not deleted; moderators all but private things. Nobody
    sees what was deleted, and without HUB_ANONYMOUS_READ only people who are signed in see anything. A commit is
    seen by whoever sees its version. A pack is public or its owner's alone.
    """
    if not allows(viewer, "see_public"):
        return queryset.none()
    if queryset.model is Collection:
        question = models.Q(visibility=Collection.Visibility.PUBLIC)
        if viewer.user is not None and viewer.has_scope("read"):
            question |= models.Q(owner_id=viewer.user.owner_id)
        return queryset.filter(question)
    prefix = "" if queryset.model is Embedding else "embedding__"
    shared = models.Q(**{f"{prefix}visibility__in": _SHARED})
    if queryset.model is Embedding:
        versions = Version.objects.filter(embedding=models.OuterRef("pk"), state__in=_OFFERED)
        question = shared & (models.Q(head__isnull=False) | models.Q(models.Exists(versions)))
    else:
        state = "version__state" if queryset.model is Commit else "state"
        question = shared & models.Q(**{f"{state}__in": _OFFERED})
        if viewer.is_signed_in:
            queryset = queryset.exclude(**{state: Version.State.DELETED})
    if viewer.user is not None and viewer.has_scope("read"):
        question |= models.Q(**{f"{prefix}owner_id": viewer.user.owner_id})
    if viewer.is_moderator:
        question |= shared
    return queryset.filter(question, **{f"{prefix}deleted_at__isnull": True})


def is_open(visibility: str) -> bool:
    """Whether anybody may pull, by its visibility alone, what can be pulled by some: the same as `visible` says."""
    return visibility in _SHARED and allows(ANONYMOUS, "see_public")
