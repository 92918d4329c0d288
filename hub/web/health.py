"""Whether the process lives, and whether it can do its work. Both say only yes or no."""

import logging
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse

from hub import blobs

log = logging.getLogger(__name__)
_REMEMBER_SECONDS: Final = 2
# Nobody's blob: asking for it shows that the store answers.
_ABSENT: Final = "0" * 64


class ProbeMiddleware:
    """Lets both pages be asked by address: a container engine knows no host name, and none matters to them."""

    PATHS: Final = frozenset({"/healthz", "/readyz"})

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Take the host that the probe named for ours."""
        if request.path_info in self.PATHS:
            request.META["HTTP_HOST"] = settings.PUBLIC_HOST
            request.META.pop("HTTP_X_FORWARDED_HOST", None)
        return self.get_response(request)


def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process can answer at all; asks nothing else."""
    return _plain("ok", 200)


def readyz(request: HttpRequest) -> HttpResponse:
    """200 when database, migrations and blob store are in order, else 503; the log says which part is not."""
    key = "readyz"
    ready = cache.get(key)
    if ready is None:
        ready = all(_works(name, check) for name, check in CHECKS.items())
        cache.set(key, ready, _REMEMBER_SECONDS)
    return _plain("ok", 200) if ready else _plain("not ready", 503)


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _migrations() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise RuntimeError("migrations are not applied")


def _store() -> None:
    blobs.exists(_ABSENT)


CHECKS: Final[dict[str, Callable[[], None]]] = {
    "database": _database,
    "migrations": _migrations,
    "blob store": _store,
}


def _works(name: str, check: Callable[[], None]) -> bool:
    try:
        check()
    except Exception:
        # Whatever goes wrong here, the answer is the same: not ready.
        log.exception("not ready: %s", name)
        return False
    return True


def _plain(text: str, status: int) -> HttpResponse:
    response = HttpResponse(text, status=status, content_type="text/plain")
    response["Cache-Control"] = "no-store"
    return response
