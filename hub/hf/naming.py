"""Names of this door: dates, flags and paths as its clients write and read them."""

from datetime import UTC, datetime

from django.http import HttpRequest, QueryDict


def timestamp(moment: datetime) -> str:
    """`2026-11-24T13:45:33.000Z`: the client refuses every other way to write UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def flag(query: QueryDict, name: str) -> bool:
    """New clients write `true`, old ones `True`."""
    return query.get(name, "").lower() in ("true", "1")


def next_link(request: HttpRequest, **changed: str | int) -> str:
    """A `Link` header with the next page: absolute and with every parameter, as clients copy it."""
    query = request.GET.copy()
    for name, value in changed.items():
        query[name] = str(value)
    return f'<{request.build_absolute_uri(request.path)}?{query.urlencode()}>; rel="next"'


def whole_number(text: str | None, *, otherwise: int, ceiling: int) -> int:
    """A page size: at least 1, at most the ceiling; what cannot be read is `otherwise`."""
    if not text or not text.isdecimal() or len(text) > 9:
        return otherwise
    return max(1, min(int(text), ceiling))
