"""Start-up checks: what a production site must not run without, and what the machine can do for its safety."""

import logging
import os
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Warning, register

from hub import sandbox

log = logging.getLogger(__name__)
FILTER = "system-call filter"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


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


@register(deploy=True)
def passwords_travel_in_secret(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Without TLS a hub is for this machine, or for a network that is trusted."""
    if settings.PRODUCTION or settings.PUBLIC_HOST in _LOOPBACK:
        return []
    hint = "Put a proxy with TLS in front and set HUB_PUBLIC_URL=https://…, unless the network is trusted."
    return [Warning("HUB_PUBLIC_URL is not https.", hint=hint, id="hub.W003")]


@register(deploy=True)
def strangers_files_are_fenced_in(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Uploads need the child process that reads them; says which fences this machine raises around it."""
    try:
        fences = sandbox.protections()
    except sandbox.SandboxUnavailable as error:
        return [
            Error("Uploads cannot be read: their process does not start.", hint=str(error), id="hub.E004")
        ]
    if FILTER not in fences:
        hint = (
            f"Only these stand: {', '.join(fences)}. Allow seccomp in the container, or use another kernel."
        )
        return [Warning("Uploads are read without a system-call filter.", hint=hint, id="hub.W004")]
    return [Info(f"Uploads are read behind: {', '.join(fences)}.", id="hub.I001")]


def log_fences() -> None:
    """Say at the start of a process that reads strangers' files what protects it from them."""
    for message in strangers_files_are_fenced_in(None):
        log.log(message.level, "%s%s", message.msg, f" {message.hint}" if message.hint else "")
