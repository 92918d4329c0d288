"""Refusals: one status for each kind, a body for each door, and nothing about our inside."""

import logging
import re
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.test import Client, RequestFactory

from hub import errors as domain
from hub.hf import account
from hub.wire import errors


def kinds() -> set[str]:
    """The kinds of all errors that the domain can raise."""
    found, waiting = set(), [domain.HubError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        found.add(kind.kind)
    return found


def asked(path: str = "/ada/moss", **headers: str) -> HttpRequest:
    """A request that no route was found for."""
    request = RequestFactory().get(path, headers=headers)
    request.resolver_match = None
    return request


def test_every_kind_of_refusal_has_its_status() -> None:
    assert kinds() - set(errors.STATUS) == {"protocol"}


def test_a_script_gets_json_with_code_message_detail_and_the_name_of_the_request() -> None:
    error = domain.Conflict("name_taken", "Taken.", field="name", rule=None)
    for request in (asked("/api/hub/v1/x"), asked(accept="application/json")):
        response = errors.answer(request, error)
        assert response.status_code == 409
        assert re.fullmatch(
            r'\{"error": \{"code": "name_taken", "message": "Taken.", "detail": \{"field": "name"\}, '
            r'"request_id": "[0-9a-f]{16}"\}\}',
            response.content.decode(),
        )
        assert response["Cache-Control"] == "private, no-store"


def test_outages_and_limits_say_when_to_come_back() -> None:
    limit = errors.answer(asked("/api/x"), domain.RateLimited("rate_limited", "Slow.", retry_after=17))
    outage = errors.answer(asked("/api/x"), domain.Unavailable("store_unavailable", "Out."))
    assert (limit["Retry-After"], outage["Retry-After"]) == ("17", "5")
    assert errors.answer(asked("/api/x"), domain.Full("storage_full", "Full.")).status_code == 507


@pytest.mark.parametrize(
    ("exception", "status"),
    [
        (Http404(), 404),
        (PermissionDenied(), 403),
        (RequestDataTooBig(), 413),
        (OperationalError("no connection"), 503),
        (domain.TakenDown("taken_down", "Gone."), 451),
    ],
)
def test_exceptions_of_the_framework_become_refusals_without_their_text(
    exception: Exception, status: int
) -> None:
    middleware = errors.ErrorMiddleware(lambda request: HttpResponse())
    response = middleware.process_exception(asked("/api/x"), exception)
    assert response is not None
    assert response.status_code == status
    assert "connection" not in response.content.decode()


def test_what_nobody_expected_is_left_to_the_log_and_answered_with_a_name(
    client: Client, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(request: HttpRequest) -> Any:
        raise RuntimeError("the secret inside")

    client.raise_request_exception = False
    monkeypatch.setattr(account.payloads, "whoami", broken)
    monkeypatch.setattr(account, "JsonResponse", broken)
    with caplog.at_level(logging.ERROR):
        response = client.get("/api/agent-harnesses")
    assert response.status_code == 500
    name = response["X-Request-Id"]
    assert response.json()["request_id"] == name
    assert "secret" not in response.content.decode()
    assert f"request {name} failed" in caplog.text
    assert "the secret inside" in caplog.text


def test_an_address_that_no_route_knows_is_a_json_404_below_api(client: Client) -> None:
    response = client.get("/api/spaces/a/b/c")
    assert (response.status_code, response.json()["code"]) == (404, "repo_not_found")
    assert re.fullmatch("[0-9a-f]{16}", response["X-Request-Id"])
    assert client.get("/api/nothing/like/it").json()["error"] == "This hub does not have that."


def test_a_bare_405_of_a_decorator_is_dressed() -> None:
    middleware = errors.ErrorMiddleware(lambda request: HttpResponseNotAllowed(["POST"]))
    request = asked("/api/x")
    response = middleware(request)
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert b"method_not_allowed" in response.content


def test_a_request_that_makes_no_sense_is_400() -> None:
    assert errors.bad_request(asked("/api/x"), SuspiciousOperation("odd")).status_code == 400
    assert errors.bad_request(asked("/api/x"), RequestDataTooBig()).status_code == 413


@pytest.mark.django_db
@pytest.mark.usefixtures("static_files")
@pytest.mark.parametrize("status", [400, 403, 404, 410, 413, 422, 429, 451, 500, 503, 507])
def test_a_visitor_gets_a_page_that_says_what_was_wrong(status: int) -> None:
    error = errors.ProtocolError(status, "odd_case", "This is <b>odd</b>.")
    response = errors.answer(_from_a_visitor(), error)
    page = response.content.decode()
    assert response.status_code == status
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert "odd_case" in page
    assert "<b>odd" not in page


def _from_a_visitor() -> HttpRequest:
    from django.contrib.auth.models import AnonymousUser

    request = asked(accept="text/html")
    request.user = AnonymousUser()
    request.csp_nonce = "nonce"  # type: ignore[attr-defined]
    request.htmx = False  # type: ignore[attr-defined]
    request.session = {}  # type: ignore[assignment]
    return request


@pytest.mark.django_db
def test_a_page_that_cannot_be_made_does_not_hide_the_outage(monkeypatch: Any, caplog: Any) -> None:
    def broken(*args: Any, **kwargs: Any) -> str:
        raise OperationalError("out")

    monkeypatch.setattr(errors, "render_to_string", broken)
    response = errors.answer(
        asked(accept="text/html"), domain.Unavailable("database_unavailable", "Out <now>.")
    )
    assert response.status_code == 503
    assert b"Out &lt;now&gt;." in response.content
