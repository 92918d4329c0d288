"""What every page knows: the hub and the viewer."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest

from hub.access import ANONYMOUS

try:
    VERSION = version("glossa")
except PackageNotFoundError:
    VERSION = "development"


def site(request: HttpRequest) -> dict[str, Any]:
    """`hub` (version, open_signups, public_url) and `viewer`; a refusal before the gate shows an anonymous page."""
    facts = {
        "version": VERSION,
        "open_signups": settings.HUB["HUB_SIGNUPS"],
        "public_url": public_url(request),
    }
    return {"hub": facts, "viewer": getattr(request, "viewer", ANONYMOUS)}


def public_url(request: HttpRequest) -> str:
    """The address that tools are told: the host the client called where it is one of ours."""
    if settings.PRODUCTION:
        return str(settings.PUBLIC_URL)
    try:
        return f"{request.scheme}://{request.get_host()}"
    except DisallowedHost:
        # The page that refuses a foreign host name is a page, too.
        return str(settings.PUBLIC_URL)
