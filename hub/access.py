"""Who may do what: one table of acts, one table of routes, and pure questions asked of them.

Doors and services never compare roles; they ask `can`, `require` or `visible`. Something a viewer may not
know exists is `NotFound`, everywhere.
"""

from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import models

from hub.errors import Forbidden, NotFound, Unauthenticated
from hub.models import AccessToken, Embedding, User, Version
from hub.models.registry import Visibility


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


ANONYMOUS: Final = Viewer()


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
    "publish_version": Act(scope="publish"),
    "add_preview": Act(scope="publish"),
    "edit_card": Act(scope="manage"),
    "yank": Act(moderator=True, scope="manage"),
    "delete_version": Act(scope="manage"),
    "change_visibility": Act(scope="manage"),
    "rename": Act(scope="manage"),
    "see_run": Act(moderator=True, scope="train"),
    "see_training_images": Act(scope="train"),
    "delete_training_images": Act(moderator=True, scope="train"),
    "start_run": Act(user=True, scope="train"),
    "cancel_run": Act(moderator=True, scope="train"),
    "manage_tokens": Act(scope="session"),
    "manage_account": Act(scope="session"),
    "sign_in": Act(anyone=True, user=True),
    # Public questions whose list of paths does not fit into an address, and so come as a POST.
    "ask_in_a_body": Act(anyone=True, user=True, moderator=True),
    # The address itself says who it was made for; the thing behind it is looked up as that viewer sees it.
    "follow_link": Act(anyone=True, user=True, moderator=True),
}

# Every route of the site by its name: the act that safe methods need and the act that unsafe methods need
# (None: the method does not exist there). A route without a row fails the suite and answers 404.
ROUTES: Final[dict[str, tuple[str | None, str | None]]] = {
    # Shared by all doors.
    "media": ("see_public", None),
    # Hugging Face protocol.
    "hf_resolve": ("see_public", None),
    "hf_resolve_one_segment": ("see_public", None),
    "hf_models": ("see_public", None),
    "hf_model": ("see_public", None),
    "hf_model_revision": ("see_public", None),
    "hf_tree": ("see_public", None),
    "hf_tree_folder": ("see_public", None),
    "hf_paths_info": (None, "ask_in_a_body"),
    "hf_refs": ("see_public", None),
    "hf_commits": ("see_public", None),
    "hf_auth_check": ("see_public", None),
    "hf_auth_check_write": ("see_public", None),
    "hf_xet_token": ("see_public", None),
    "hf_agent_harnesses": ("see_public", None),
    "hf_whoami": ("whoami", None),
    "hf_unknown": ("see_public", None),
    # Civitai protocol.
    "civitai_models": ("see_public", None),
    "civitai_model": ("see_public", None),
    "civitai_version": ("see_public", None),
    "civitai_mini": ("see_public", None),
    "civitai_by_hash": ("see_public", None),
    "civitai_by_hashes": (None, "ask_in_a_body"),
    "civitai_hash_ids": (None, "ask_in_a_body"),
    "civitai_sidecars": ("see_public", None),
    "civitai_sidecar": ("see_public", None),
    "civitai_images": ("see_public", None),
    "civitai_creators": ("see_public", None),
    "civitai_tags": ("see_public", None),
    "civitai_users": ("see_public", None),
    "civitai_enums": ("sign_in", None),
    "civitai_me": ("whoami", None),
    "civitai_comfyui": ("see_public", None),
    "civitai_invokeai": ("see_public", None),
    "civitai_addresses": ("see_public", None),
    "civitai_download": ("see_public", None),
    "civitai_file": ("follow_link", None),
    "civitai_picture": ("see_public", None),
    "civitai_linked_picture": ("follow_link", None),
    "civitai_login": ("sign_in", None),
    "civitai_unknown": ("see_public", None),
    # Native API.
    "api_files": ("see_public", None),
    "api_inspect": (None, "ask_in_a_body"),
    # Accounts (django-allauth).
    "account_login": ("sign_in", "sign_in"),
    "account_logout": ("sign_in", "sign_in"),
    "account_inactive": ("sign_in", None),
    "account_signup": ("sign_in", "sign_in"),
    "account_reauthenticate": ("manage_account", "manage_account"),
    "account_email": ("manage_account", "manage_account"),
    "account_email_verification_sent": ("sign_in", "sign_in"),
    "account_confirm_email": ("sign_in", "sign_in"),
    "account_confirm_login_code": ("sign_in", "sign_in"),
    "account_change_password": ("manage_account", "manage_account"),
    "account_set_password": ("manage_account", "manage_account"),
    "account_reset_password": ("sign_in", "sign_in"),
    "account_reset_password_done": ("sign_in", None),
    "account_reset_password_from_key": ("sign_in", "sign_in"),
    "account_reset_password_from_key_done": ("sign_in", None),
    "mfa_authenticate": ("sign_in", "sign_in"),
    "mfa_index": ("manage_account", "manage_account"),
    "mfa_reauthenticate": ("manage_account", "manage_account"),
    "mfa_activate_totp": ("manage_account", "manage_account"),
    "mfa_deactivate_totp": ("manage_account", "manage_account"),
    "mfa_view_recovery_codes": ("manage_account", "manage_account"),
    "mfa_generate_recovery_codes": ("manage_account", "manage_account"),
    "mfa_download_recovery_codes": ("manage_account", None),
    "mfa_list_webauthn": ("manage_account", "manage_account"),
    "mfa_add_webauthn": ("manage_account", "manage_account"),
    "mfa_edit_webauthn": ("manage_account", "manage_account"),
    "mfa_remove_webauthn": ("manage_account", "manage_account"),
    "mfa_reauthenticate_webauthn": ("manage_account", "manage_account"),
    # Pages.
    "home": ("see_public", None),
    "publish": ("create_embedding", "create_embedding"),
    "publish_check": (None, "create_embedding"),
    "publish_trigger": ("create_embedding", None),
    "inspect": ("see_public", "ask_in_a_body"),
    "inspect_convert": (None, "ask_in_a_body"),
    "docs": ("sign_in", None),
    "docs_page": ("sign_in", None),
    "healthz": ("sign_in", None),
    "readyz": ("sign_in", None),
    "sign_in_link": ("sign_in", "sign_in"),
    "settings_account": ("manage_account", "manage_account"),
    "settings_tokens": ("manage_tokens", "manage_tokens"),
    "revoke_token": (None, "manage_tokens"),
    "profile": ("see_public", None),
    "entry": ("see_public", None),
    "edit": ("edit_card", "edit_card"),
    "new_version": ("publish_version", "publish_version"),
    "draft": ("publish_version", "publish_version"),
    "discard_draft": (None, "publish_version"),
    "entry_version": ("see_public", None),
    "yank": ("yank", "yank"),
    "unyank": (None, "yank"),
    "delete_version": ("delete_version", "delete_version"),
    "delete_embedding": ("delete_version", "delete_version"),
    # Training.
    "train": ("start_run", "start_run"),
    "train_check": (None, "start_run"),
    "train_advice": (None, "start_run"),
    "train_picture": (None, "start_run"),
    "train_set_picture": ("see_public", None),
    "runs": ("see_run", None),
    "run": ("see_run", None),
    "run_events": ("see_run", None),
    "run_cancel": (None, "cancel_run"),
    "run_publish": (None, "publish_version"),
    "run_discard": (None, "publish_version"),
    "run_go_on": (None, "start_run"),
    "run_take": (None, "publish_version"),
    "run_forget": (None, "delete_training_images"),
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


def can_see(viewer: Viewer, thing: Embedding | Version) -> bool:
    """Whether this viewer may know that the thing exists."""
    queryset = type(thing)._default_manager.filter(pk=thing.pk)
    return visible(queryset, viewer).exists()


def require(viewer: Viewer, act: str, thing: Any) -> None:
    """Raise unless allowed: NotFound when the viewer may not know of it, Unauthenticated or Forbidden else."""
    if can(viewer, act, thing):
        return
    if isinstance(thing, Embedding | Version) and not can_see(viewer, thing):
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
    """The embeddings or versions among these that this viewer may know of.

    Strangers see public and unlisted embeddings with a published or yanked version, and of their versions only
    those; owners see all of their own that they have not deleted; moderators all but private things. Nobody
    sees what was deleted, and without HUB_ANONYMOUS_READ only people who are signed in see anything.
    """
    if not allows(viewer, "see_public"):
        return queryset.none()
    is_version = queryset.model is Version
    prefix = "embedding__" if is_version else ""
    shared = models.Q(**{f"{prefix}visibility__in": [Visibility.PUBLIC, Visibility.UNLISTED]})
    offered = [Version.State.PUBLISHED, Version.State.YANKED]
    if is_version:
        question = shared & models.Q(state__in=offered)
        queryset = queryset.exclude(state=Version.State.DELETED)
    else:
        versions = Version.objects.filter(embedding=models.OuterRef("pk"), state__in=offered)
        question = shared & (models.Q(head__isnull=False) | models.Q(models.Exists(versions)))
    if viewer.user is not None and viewer.has_scope("read"):
        question |= models.Q(**{f"{prefix}owner_id": viewer.user.owner_id})
    if viewer.is_moderator:
        question |= shared
    return queryset.filter(question, **{f"{prefix}deleted_at__isnull": True})
