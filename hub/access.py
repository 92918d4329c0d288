"""Who may do what: one table of acts, one table of routes, and pure questions asked of them.

Doors and services never compare roles; they ask `can`, `require` or `visible`. Something a viewer may not
know exists is `NotFound`, everywhere.
"""

from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import models

from hub.errors import Forbidden, NotFound, Unauthenticated
from hub.models import (
    AccessToken,
    Collection,
    Commit,
    Embedding,
    Membership,
    Owner,
    Role,
    User,
    Version,
)
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

    @property
    def is_administrator(self) -> bool:
        """The hub's own administrators; by session alone, too."""
        return self.user is not None and self.token is None and self.user.is_staff

    def has_scope(self, scope: str) -> bool:
        """Sessions can do all a person can; tokens only what their scopes say."""
        return self.token is None or scope in self.token.scopes


__all__ = [
    "ACTS", "ANONYMOUS", "ROUTES", "Act", "Viewer", "acts_on", "allows", "can", "can_see", "has_scope_for", "is_open",
    "require", "role_on", "under", "visible",
]  # fmt: skip

ANONYMOUS: Final = Viewer()
_SHARED: Final = (Visibility.PUBLIC, Visibility.UNLISTED)
_OFFERED: Final = (Version.State.PUBLISHED, Version.State.YANKED)


@dataclass(frozen=True)
class Act:
    """A row of the table of acts: which roles may, and which token scope a tool needs for it.

    `role` is the least role on the name that the thing stands under, None where no role helps; everybody is admin of
    their own name. `own` is the least role with which one may do it to what one made oneself. `administrator` is the
    hub's own, who is asked for a reason. `scope` is None where any token will do, and `session` where none ever will.
    """

    anyone: bool = False
    user: bool = False
    role: Role | None = Role.ADMIN
    own: Role | None = None
    moderator: bool = False
    administrator: bool = False
    scope: str | None = None


ACTS: Final[dict[str, Act]] = {
    "see_public": Act(anyone=True, user=True, moderator=True),
    "see_private": Act(role=Role.READER, moderator=True, scope="read"),
    "whoami": Act(user=True, moderator=True),
    "create_embedding": Act(role=Role.WRITER, scope="publish"),
    # Drafts, and what moderators hold: work that is not out.
    "see_draft": Act(role=Role.WRITER, scope="read"),
    "publish_version": Act(role=Role.WRITER, scope="publish"),
    "add_preview": Act(role=Role.WRITER, scope="publish"),
    "edit_card": Act(role=Role.WRITER, scope="manage"),
    "yank": Act(role=Role.WRITER, moderator=True, scope="manage"),
    "delete_version": Act(scope="manage"),
    "change_visibility": Act(scope="manage"),
    "rename": Act(scope="manage"),
    # Past a gate without having asked; all others need a grant (`hub.catalog.gates`).
    "pull_gated": Act(role=Role.READER, moderator=True, scope="read"),
    "ask_access": Act(user=True, moderator=True, scope="manage"),
    "manage_gate": Act(scope="manage"),
    "transfer": Act(scope="session"),
    "create_pack": Act(role=Role.WRITER, scope="publish"),
    "edit_pack": Act(role=Role.WRITER, scope="manage"),
    "delete_pack": Act(scope="manage"),
    "like": Act(user=True, moderator=True, scope="manage"),
    "flag": Act(user=True, moderator=True, scope="manage"),
    "moderate": Act(role=None, moderator=True, scope="session"),
    "see_run": Act(role=Role.READER, moderator=True, scope="train"),
    "see_training_images": Act(own=Role.WRITER, scope="train"),
    "delete_training_images": Act(own=Role.WRITER, moderator=True, scope="train"),
    # Starting is asked of the name it is to stand under, going on of the run that it begins with.
    "start_run": Act(role=Role.WRITER, scope="train"),
    "resume_run": Act(own=Role.WRITER, scope="train"),
    "cancel_run": Act(own=Role.WRITER, moderator=True, scope="train"),
    "manage_webhooks": Act(scope="manage"),
    "manage_tokens": Act(scope="session"),
    # Whoever holds a token may end it, whatever else it may do.
    "give_up_token": Act(user=True, moderator=True),
    "manage_account": Act(scope="session"),
    "create_team": Act(user=True, moderator=True, scope="manage"),
    "see_teams": Act(user=True, moderator=True, scope="read"),
    "edit_team": Act(scope="manage"),
    "see_invitations": Act(administrator=True, scope="manage"),
    "manage_members": Act(administrator=True, scope="manage"),
    "make_admin": Act(administrator=True, scope="session"),
    "leave_team": Act(role=Role.READER, scope="manage"),
    "answer_invitation": Act(user=True, moderator=True, scope="manage"),
    "rename_team": Act(scope="session"),
    "delete_team": Act(scope="session"),
    "sign_in": Act(anyone=True, user=True),
    # Public questions whose list of paths does not fit into an address, and so come as a POST.
    "ask_in_a_body": Act(anyone=True, user=True, moderator=True),
    # The address itself says who it was made for; the thing behind it is looked up as that viewer sees it.
    "follow_link": Act(anyone=True, user=True, moderator=True),
}


def allows(viewer: Viewer, act: str, *, role: Role | None = None, made_it: bool = False) -> bool:
    """Whether the table lets this viewer do this act, with this role on the name that the thing stands under."""
    row = ACTS[act]
    if row.scope == "session" and viewer.token is not None:
        return False
    if row.scope not in (None, "session") and not viewer.has_scope(row.scope or ""):
        return False
    if row.anyone and (viewer.is_signed_in or act != "see_public" or settings.HUB["HUB_ANONYMOUS_READ"]):
        return True
    if not viewer.is_signed_in:
        return False
    if row.user or (row.moderator and viewer.is_moderator) or (row.administrator and viewer.is_administrator):
        return True
    return _reaches(role, row.role) or (made_it and _reaches(role, row.own))


def _reaches(role: Role | None, least: Role | None) -> bool:
    return role is not None and least is not None and role.rank >= least.rank


def has_scope_for(viewer: Viewer, act: str) -> bool:
    """Whether what the viewer came with carries this act at all, on whatever thing."""
    scope = ACTS[act].scope
    return viewer.token is None or scope is None or (scope != "session" and viewer.has_scope(scope))


def role_on(viewer: Viewer, thing: Any) -> Role | None:
    """The viewer's role, as it is now, on the name that this stands under: an embedding, version, pack, run, team,
    person or owner. Nobody's is None."""
    owner = _owner_id(thing)
    if viewer.user is None or owner is None:
        return None
    if owner == viewer.user.owner_id:
        return Role.ADMIN
    found = Membership.objects.filter(user=viewer.user.pk, team=owner).values_list("role", flat=True).first()
    return Role(found) if found else None


def _owner_id(thing: Any) -> int | None:
    if isinstance(thing, Version):
        thing = thing.embedding
    found = thing.pk if isinstance(thing, Owner) else getattr(thing, "owner_id", None)
    return int(found) if found is not None else None


def can(viewer: Viewer, act: str, thing: Any) -> bool:
    """Whether this viewer may do this act on this thing, visible or not."""
    return allows(viewer, act) or (
        # Nobody's role is looked up for what no role allows.
        allows(viewer, act, role=Role.ADMIN, made_it=True)
        and allows(viewer, act, role=role_on(viewer, thing), made_it=_made_it(viewer, thing))
    )


def acts_on(viewer: Viewer, thing: Any) -> frozenset[str]:
    """All that this viewer may do on this thing, in one query."""
    role, made_it = role_on(viewer, thing), _made_it(viewer, thing)
    return frozenset(act for act in ACTS if allows(viewer, act, role=role, made_it=made_it))


def _made_it(viewer: Viewer, thing: Any) -> bool:
    maker = getattr(thing, "created_by_id", None)
    return viewer.user is not None and maker is not None and bool(maker == viewer.user.pk)


def under(viewer: Viewer, act: str, *, prefix: str = "", maker: str = "") -> models.Q:
    """A condition on tables with an owner: what stands under a name on which the viewer's role allows this act.

    `maker` is the column that says who made it, where the act asks for that.
    """
    least, own = ACTS[act].role, ACTS[act].own
    if viewer.user is None or least is None:
        return models.Q(pk__in=())
    found = models.Q(**{f"{prefix}owner": viewer.user.owner_id})
    found |= models.Q(**{f"{prefix}owner__in": _teams(viewer.user, least)})
    if maker and own is not None:
        found |= models.Q(**{maker: viewer.user, f"{prefix}owner__in": _teams(viewer.user, own)})
    return found


def _teams(user: User, least: Role) -> models.QuerySet[Any, Any]:
    enough = [role for role in Role if role.rank >= least.rank]
    return Membership.objects.filter(user=user.pk, role__in=enough).values("team")


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
    """The embeddings, versions, commits or packs among these that this viewer may know of; one query, with theirs.

    Strangers see public and unlisted embeddings with a published or yanked version, and of their versions only
    those; readers of a team see the private ones of the team like that too; owners and writers see all of their own
    that is not deleted; moderators all but private things. Nobody sees what was deleted, and without
    HUB_ANONYMOUS_READ only people who are signed in see anything. A commit is seen by whoever sees its version. A
    pack is public, or for its owner and the members of its team.
    """
    if not allows(viewer, "see_public"):
        return queryset.none()
    reads = viewer.user is not None and viewer.has_scope("read")
    if queryset.model is Collection:
        question = models.Q(visibility=Collection.Visibility.PUBLIC)
        return queryset.filter(question | under(viewer, "see_private") if reads else question)
    prefix = "" if queryset.model is Embedding else "embedding__"
    shared = models.Q(**{f"{prefix}visibility__in": _SHARED})
    readable = shared | under(viewer, "see_private", prefix=prefix) if reads else shared
    if queryset.model is Embedding:
        versions = Version.objects.filter(embedding=models.OuterRef("pk"), state__in=_OFFERED)
        question = readable & (models.Q(head__isnull=False) | models.Q(models.Exists(versions)))
    else:
        state = "version__state" if queryset.model is Commit else "state"
        question = readable & models.Q(**{f"{state}__in": _OFFERED})
        if viewer.is_signed_in:
            queryset = queryset.exclude(**{state: Version.State.DELETED})
    if reads:
        question |= under(viewer, "see_draft", prefix=prefix)
    if viewer.is_moderator:
        question |= shared
    return queryset.filter(question, **{f"{prefix}deleted_at__isnull": True})


def is_open(visibility: str) -> bool:
    """Whether anybody may pull, by its visibility alone, what can be pulled by some: the same as `visible` says."""
    return visibility in _SHARED and allows(ANONYMOUS, "see_public")
