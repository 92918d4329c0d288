"""The address of this hub as its callers know it."""

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest


def public_url(request: HttpRequest) -> str:
    """The address that tools are told: the host the client called where it is one of ours."""
    if settings.PRODUCTION:
        return str(settings.PUBLIC_URL)
    try:
        return f"{request.scheme}://{request.get_host()}"
    except DisallowedHost:
        # The page that refuses a foreign host name is a page, too.
        return str(settings.PUBLIC_URL)
