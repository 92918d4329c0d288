"""Start-up checks: what a production site must not run without."""

import os
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register


@register(deploy=False)
def running_as_root(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Production refuses root unless told otherwise; a local hub tolerates it with a warning."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or settings.HUB["HUB_ALLOW_ROOT"]:
        return []
    if settings.PRODUCTION:
        return [
            Error("The site runs as root.", hint="Use a plain user, or set HUB_ALLOW_ROOT=1.", id="hub.E001")
        ]
    return [Warning("The hub runs as root; a plain user is safer.", id="hub.W001")]


@register(deploy=False)
def secret_key_is_long(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A production site needs a long secret key."""
    if settings.PRODUCTION and len(settings.SECRET_KEY) < 40:
        return [Error("HUB_SECRET_KEY is short.", hint="Use at least 50 random characters.", id="hub.E002")]
    return []


@register(deploy=False)
def debug_is_off(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A production site never shows internals."""
    if settings.PRODUCTION and settings.DEBUG:
        return [Error("HUB_DEBUG is on.", hint="Unset it on a production site.", id="hub.E003")]
    return []
