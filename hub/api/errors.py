"""Refusals of the native API: one body, `{"error": {"code", "message", "detail", "request_id"}}`, everywhere.

`detail` holds `field` and `rule` where there are any. The status comes from the one table in `hub.wire.errors`.
"""

from typing import Any

from django.http import HttpResponse
from rest_framework import exceptions

from hub.errors import HubError, Invalid
from hub.wire import errors

body = errors.json_body


def handle(exception: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """REST framework's EXCEPTION_HANDLER: its own refusals in the body of the house.

    None leaves the exception to the site's middleware, which writes the hub's errors with the same body.
    """
    refusal = _translated(exception, context)
    if refusal is None:
        return None
    return errors.answer(context["request"]._request, refusal)


def _translated(exception: Exception, context: dict[str, Any]) -> HubError | None:
    """What a refusal of the framework is called here, or None for anything else."""
    match exception:
        case exceptions.MethodNotAllowed():
            return errors.method_not_allowed(", ".join(context["view"].allowed_methods))
        case exceptions.UnsupportedMediaType():
            return errors.ProtocolError(
                415, "unsupported_media_type", "Send JSON, or a form with the file in it."
            )
        case exceptions.ParseError() | exceptions.ValidationError():
            return Invalid("malformed_request", "The body of the request cannot be read.")
    return None
