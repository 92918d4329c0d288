"""A person's own access tokens, as far as they may be shown: never their secrets."""

from django.db.models import QuerySet

from hub.access import Viewer, require
from hub.errors import NotFound
from hub.models import AccessToken


def list_own(viewer: Viewer) -> QuerySet[AccessToken]:
    """The viewer's tokens, ended ones too, newest first."""
    require(viewer, "manage_tokens", viewer.user)
    return AccessToken.objects.filter(user=viewer.user).order_by("-created_at", "-pk")


def own(viewer: Viewer, *, number: int) -> AccessToken:
    """One of the viewer's tokens. NotFound for everybody else's."""
    found = list_own(viewer).filter(pk=number).first()
    if found is None:
        raise NotFound("You have no token of this number.")
    return found
