"""Addresses that carry their own permission: one thing, one viewer, five minutes (rule D3).

Tools follow a redirect without their token, and pictures in a page are fetched without one. Whoever follows the link
stands for the viewer it was made for, as far as that viewer may still see the thing.
"""

from typing import Final

from django.core import signing

from hub.access import ANONYMOUS, Viewer
from hub.errors import NotFound, Unauthenticated
from hub.services.people import tokens

LIFE_SECONDS: Final = 300


def sign(viewer: Viewer, what: str) -> str:
    """One segment of a path that opens `what` (letters and digits) to this viewer for a while."""
    user, token = viewer.user.pk if viewer.user else 0, viewer.token.pk if viewer.token else 0
    return _signer().sign(f"{what}.{user}.{token}")


def opened(link: str, *, life_seconds: int | None = None) -> tuple[str, Viewer]:
    """What the link opens, and for whom. NotFound for one that is forged, old, or of somebody who lost their access."""
    life = LIFE_SECONDS if life_seconds is None else life_seconds
    try:
        what, user, token = _signer().unsign(link, max_age=life).split(".")
        viewer = tokens.viewer_again(user_id=int(user), token_id=int(token)) if int(user) else ANONYMOUS
    except (signing.BadSignature, ValueError, Unauthenticated):
        raise NotFound("This link is too old, or never was one. Ask for the file again.") from None
    return what, viewer


def _signer() -> signing.TimestampSigner:
    # The tilde is in no part of a signature, and needs no escaping in an address.
    return signing.TimestampSigner(sep="~", salt="hub.wire.links")
