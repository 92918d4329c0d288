"""Counts calls per person or address and refuses beyond the limits. Without the cache nothing is counted.

A process counts its own calls exactly and tells the others in bundles, so that most calls ask nobody. What several
processes admit together is over a limit by one bundle for each of the others, at most.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any, Final, TypeVar

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

from hub.access import Viewer
from hub.errors import RateLimited

WINDOW_SECONDS: Final = 300
# A bundle is this part of a limit, and no older than this.
BUNDLES_IN_A_LIMIT: Final = 50
BUNDLE_SECONDS: Final = 1.0
# So many callers are remembered; a process that has more of them begins anew.
MOST_CALLERS: Final = 50_000
View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Limit:
    """Calls in one window."""

    anonymous: int
    signed_in: int


LIMITS: Final[dict[str, Limit]] = {
    "api": Limit(500, 1000),
    "pull": Limit(3000, 5000),
    # A tool asks once, and then every five seconds for a quarter of an hour.
    "device": Limit(20, 20),
    "device_poll": Limit(300, 300),
    # Each call may read a file in the sandbox and go through a vocabulary.
    "inspect": Limit(100, 300),
}


def limited(bucket: str) -> Callable[[View], View]:
    """Mark a view: the gate counts its calls in this bucket."""

    def mark(view: View) -> View:
        view.throttle_bucket = bucket  # type: ignore[attr-defined]  # read back by the gate
        return view

    return mark


def count(request: HttpRequest, viewer: Viewer, bucket: str | None) -> None:
    """Count this call. RateLimited when the viewer has used up the window."""
    if bucket is None:
        return
    limit = LIMITS[bucket]
    allowed = limit.signed_in if viewer.is_signed_in else limit.anonymous
    window, left = divmod(int(time.time()), WINDOW_SECONDS)
    wait = WINDOW_SECONDS - left
    used = bundles.add(f"throttle:{bucket}:{_who(request, viewer)}:{window}", allowed)
    if used is None:
        return
    _tell(request, allowed, used, wait)
    if used > allowed:
        raise RateLimited("rate_limited", f"Too many calls; go on in {wait} seconds.", retry_after=wait)


@dataclass
class _Bundle:
    """One counter as this process knows it: all calls when it was last asked (at `since`), and the own ones after."""

    total: int = 0
    own: int = 0
    since: float = field(default=float("-inf"))


class Bundles:
    """The counters that this process adds to."""

    def __init__(self) -> None:
        self._known: dict[str, _Bundle] = {}
        self._lock = threading.Lock()

    def add(self, key: str, allowed: int) -> int | None:
        """Count one call: how many there were by now. None without the cache."""
        now = time.monotonic()
        with self._lock:
            if key not in self._known and len(self._known) >= MOST_CALLERS:
                self._known.clear()
            bundle = self._known.setdefault(key, _Bundle())
            bundle.own += 1
            is_small = bundle.own < allowed // BUNDLES_IN_A_LIMIT
            if is_small and now - bundle.since < BUNDLE_SECONDS:
                return bundle.total + bundle.own
            total: int | None = cache.count(key, bundle.own, WINDOW_SECONDS)  # type: ignore[attr-defined]  # ours
            self._known[key] = _Bundle(total or 0, 0, now)
        return total

    def __len__(self) -> int:
        return len(self._known)

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._known.clear()


bundles: Final = Bundles()


def _tell(request: HttpRequest, allowed: int, used: int, wait: int) -> None:
    request.rate = (allowed, max(0, allowed - used), wait)  # type: ignore[attr-defined]  # read by the gate


def headers(request: HttpRequest) -> dict[str, str]:
    """What is left of the window, for the answer of a call that was counted."""
    rate: tuple[int, int, int] | None = getattr(request, "rate", None)
    names = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
    return {name: str(value) for name, value in zip(names, rate, strict=True)} if rate else {}


def address_of(request: HttpRequest) -> str:
    """Where the call comes from: the peer, or what the outermost of the trusted proxies saw.

    Everything further left in X-Forwarded-For is the caller's own claim.
    """
    trusted = settings.HUB["HUB_TRUSTED_PROXIES"]
    seen = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    if 0 < trusted <= len(seen):
        return seen[-trusted]
    return str(request.META.get("REMOTE_ADDR", ""))


def _who(request: HttpRequest, viewer: Viewer) -> str:
    """Whose counter: the person's, or the address's (the whole /64 of an IPv6 one)."""
    return f"user-{viewer.user.pk}" if viewer.user is not None else _of_address(address_of(request))


@lru_cache(MOST_CALLERS // 10)
def _of_address(text: str) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        return "nowhere"
    if isinstance(address, IPv6Address):
        return f"net-{int(address) >> 64:x}"
    return f"host-{address}"
