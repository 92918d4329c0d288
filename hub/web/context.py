"""What every page knows: the hub and the viewer."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from hub.access import ANONYMOUS
from hub.wire.hosts import public_url

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
