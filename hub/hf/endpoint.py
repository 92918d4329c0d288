"""What all endpoints of this door have in common, as one decorator."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from hub.hf import errors
from hub.wire.errors import body_for
from hub.wire.gate import forgiving
from hub.wire.throttle import limited

View = Callable[..., HttpResponse]


def endpoint(*, bucket: str = "api", strict: bool = False) -> Callable[[View], View]:
    """Mark a view of this door: its refusals are the clients' own, and its calls are counted.

    A token of another hub makes the caller anonymous, unless `strict`. CSRF does not concern questions.
    """

    def mark(view: View) -> View:
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            response = view(request, *args, **kwargs)
            errors.warn(request, response)
            return response

        marked: View = limited(bucket)(body_for(errors.body)(csrf_exempt(inner)))
        return marked if strict else forgiving(marked)

    return mark
