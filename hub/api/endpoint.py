"""What all endpoints of the native API have in common, as one decorator."""

from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpResponse
from rest_framework.decorators import api_view
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from hub.access import Viewer
from hub.api import errors
from hub.wire.errors import body_for
from hub.wire.gate import forgiving
from hub.wire.throttle import limited

View = Callable[..., HttpResponse]


class OneForm(DefaultContentNegotiation):
    """Answers are JSON or a file whatever the caller says it accepts: there is nothing to choose from."""

    def select_renderer(
        self, request: Request, renderers: Sequence[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The one renderer there is."""
        return renderers[0], str(renderers[0].media_type)


def endpoint(*methods: str, bucket: str = "api", is_question: bool = False) -> Callable[[View], View]:
    """Mark a view of this door: its methods, its refusals as JSON, its calls counted in `bucket`.

    `is_question` marks what stores nothing and may be asked by anybody: a token of another hub makes the caller
    anonymous, and no CSRF proof is needed. Anything else that changes something wants a token, or a session
    with that proof.
    """

    def mark(view: View) -> View:
        # The framework answers HEAD only where it is asked to, unlike Django.
        known = [*methods, "HEAD"] if "GET" in methods else list(methods)
        marked: Any = api_view(known)(view)
        marked.cls.content_negotiation_class = OneForm
        marked.csrf_exempt = is_question
        marked = limited(bucket)(body_for(errors.body)(marked))
        return forgiving(marked) if is_question else marked

    return mark


def viewer_of(request: Request) -> Viewer:
    """Who asks, as the gate found out."""
    viewer: Viewer = request._request.viewer
    return viewer
