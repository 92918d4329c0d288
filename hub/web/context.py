"""What every page knows: the hub and the viewer."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from hub.access import ANONYMOUS
from hub.catalog import cases, gates, teams
from hub.wire.hosts import public_url

try:
    VERSION = version("glossa")
except PackageNotFoundError:
    VERSION = "development"


def site(request: HttpRequest) -> dict[str, Any]:
    """`hub`, `viewer` and what waits for them; a refusal before the gate shows an anonymous page."""
    viewer = getattr(request, "viewer", ANONYMOUS)
    facts = {
        "version": VERSION,
        "contact": settings.HUB["HUB_CONTACT"],
        "open_signups": settings.HUB["HUB_SIGNUPS"],
        "public_url": public_url(request),
    }
    # Asked by the menu of moderators alone, and once for each page.
    waiting = cache(lambda: cases.open_count(viewer))
    asked = cache(lambda: teams.invitations(viewer).count())
    at_gates = cache(lambda: gates.waiting(viewer).count())
    return {
        "hub": facts,
        "viewer": viewer,
        "cases_waiting": waiting,
        "invitations_waiting": asked,
        "access_waiting": at_gates,
    }
