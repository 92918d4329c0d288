"""The gate: no view runs for somebody who may not use its route."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from hub import access
from hub.access import ACTS, ROUTES, Viewer
from hub.errors import Forbidden, NotFound, Unauthenticated
from hub.models import AccessToken
from hub.services.people import tokens
from hub.wire import auth, gate
from hub.wire.errors import ProtocolError
from tests import factories

# Acts that look and change nothing. Asking by POST is one of them only where the table says so.
READS = {"see_public", "see_private", "see_run", "see_training_images", "whoami"}
ASKED_BY_POST = {
    "hf_paths_info",
    "hf_validate_yaml",
    "api_convert",
    "api_inspect",
    "inspect",
    "inspect_convert",
    "civitai_by_hashes",
    "civitai_hash_ids",
}


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Name and pattern of every route of the site."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield f"{prefix}{entry.name}", str(entry.pattern)
        else:
            namespace = f"{entry.namespace}:" if entry.namespace else ""
            yield from routes(entry, prefix + namespace)


def without_a_row(names: set[str]) -> set[str]:
    """Routes that the table of routes does not know."""
    return names - set(ROUTES)


def guarded_by_a_read() -> set[str]:
    """Routes whose unsafe methods need no more than looking does."""
    asking = {name for name, row in ROUTES.items() if row[1] == "ask_in_a_body"}
    reading = {name for name, row in ROUTES.items() if row[1] in READS}
    return reading | (asking - ASKED_BY_POST)


def test_every_route_of_the_site_has_a_row_and_every_row_a_route() -> None:
    names = {name for name, _ in routes(get_resolver())}
    assert len(names) > 40
    assert without_a_row(names) == set()
    assert set(ROUTES) - names == set()


def test_a_route_without_a_row_is_noticed_and_answers_404(client: Client, monkeypatch: Any) -> None:
    row = ROUTES["hf_agent_harnesses"]
    assert client.get("/api/agent-harnesses").status_code == 200
    monkeypatch.delitem(access.ROUTES, "hf_agent_harnesses")
    assert without_a_row({name for name, _ in routes(get_resolver())}) == {"hf_agent_harnesses"}
    assert client.get("/api/agent-harnesses").status_code == 404
    assert row == ("see_public", None)


def test_rows_name_acts_of_the_table() -> None:
    named = {act for row in ROUTES.values() for act in row if act}
    assert named <= set(ACTS)
    assert all(any(row) for row in ROUTES.values())


def test_no_unsafe_method_is_guarded_by_a_right_to_look(monkeypatch: Any) -> None:
    assert guarded_by_a_read() == set()
    monkeypatch.setitem(access.ROUTES, "entry", ("see_public", "see_public"))
    assert guarded_by_a_read() == {"entry"}


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options", "trace"])
def test_a_method_without_an_act_does_not_exist(client: Client, method: str) -> None:
    response = getattr(client, method)("/api/agent-harnesses")
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"
    assert response["X-Error-Message"]


def seen_by(viewer: Viewer, act: str) -> str:
    """What the coarse check says: the code of the refusal, or `ok`."""
    try:
        gate.check(viewer, act)
    except (Forbidden, Unauthenticated, NotFound) as error:
        return error.code
    return "ok"


@pytest.mark.django_db
def test_the_coarse_check_follows_the_table_for_everybody_and_every_scope() -> None:
    signed_in = factories.viewer("mara")
    tools = {scope: factories.token_viewer("mara", scopes=[scope]) for scope in tokens.SCOPES}
    for act, row in ACTS.items():
        assert seen_by(access.ANONYMOUS, act) == ("ok" if row.anyone else "not_authenticated")
        assert seen_by(signed_in, act) == "ok"
        for scope, tool in tools.items():
            expected = "ok"
            if row.scope == "session":
                expected = "session_required"
            elif row.scope not in (None, scope):
                expected = "insufficient_scope"
            assert seen_by(tool, act) == expected, (act, scope)


def asked(secret: str | None = None) -> Any:
    """A request that carries this token."""
    return RequestFactory().get(
        "/", headers={"authorization": f"Bearer {secret}"} if secret is not None else {}
    )


@pytest.mark.django_db
def test_a_token_is_its_person_until_it_is_revoked_or_the_person_is_frozen() -> None:
    token, secret = factories.token("mara")
    assert auth.identify(asked(secret)).user == token.user
    token.user.is_active = False
    token.user.save()
    with pytest.raises(Unauthenticated):
        auth.identify(asked(secret))
    token.user.is_active = True
    token.user.save()
    tokens.revoke(Viewer(token.user), token=token)
    with pytest.raises(Unauthenticated) as refusal:
        auth.identify(asked(secret))
    assert refusal.value.code == "token_revoked"


@pytest.mark.django_db
@pytest.mark.parametrize("secret", ["", "glossa_short", "hf_0123456789"])
def test_a_token_that_is_none_is_refused_and_never_read_as_anonymous(secret: str) -> None:
    with pytest.raises(Unauthenticated):
        auth.identify(asked(secret))
    assert auth.identify(asked()) == access.ANONYMOUS


@pytest.mark.django_db
def test_a_token_is_judged_alone_even_beside_a_session(client: Client) -> None:
    client.force_login(factories.user("mara"))
    assert client.get("/api/whoami-v2").status_code == 200
    answer = client.get("/api/whoami-v2", headers={"authorization": "Bearer glossa_wrong"})
    assert answer.status_code == 401


@pytest.mark.django_db
def test_forms_of_a_session_need_a_csrf_proof_and_tokens_do_not() -> None:
    factories.user("mara")
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.user("mara"))
    refused = client.post("/new/check", headers={"accept": "application/json"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "csrf_failed")
    _, secret = factories.token("mara", scopes=["publish"])
    headers = {"authorization": f"Bearer {secret}", "accept": "application/json"}
    passed = Client(enforce_csrf_checks=True).post("/new/check", headers=headers)
    assert passed.status_code != 403


@pytest.mark.django_db
def test_who_must_sign_in_first_is_sent_there_and_back(client: Client) -> None:
    response = client.get("/settings/tokens?page=2")
    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=/settings/tokens%3Fpage%3D2"


@pytest.mark.django_db
def test_a_token_never_opens_the_settings(client: Client) -> None:
    _, secret = factories.token("mara", scopes=list(tokens.SCOPES))
    headers = {"authorization": f"Bearer {secret}", "accept": "application/json"}
    response = client.get("/settings/tokens", headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (403, "session_required")
    assert AccessToken.objects.count() == 1


def test_an_unknown_route_name_is_not_found_and_an_unknown_method_405() -> None:
    request = RequestFactory().get("/api/whoami-v2")
    request.resolver_match = None
    with pytest.raises(NotFound):
        gate.act_of(request)
    request = RequestFactory().generic("BREW", "/api/whoami-v2")
    request.resolver_match = get_resolver().resolve("/api/whoami-v2")
    with pytest.raises(ProtocolError) as refusal:
        gate.act_of(request)
    assert refusal.value.status == 405


@pytest.mark.django_db
def test_answers_stay_out_of_shared_caches_unless_a_view_says_otherwise(client: Client) -> None:
    assert client.get("/api/models")["Cache-Control"] == "private, no-cache"
    assert client.get("/api/agent-harnesses")["Cache-Control"] == "public, max-age=86400"


def test_the_gate_lets_a_view_answer_for_itself() -> None:
    middleware = gate.GateMiddleware(lambda request: HttpResponse(headers={"Cache-Control": "no-store"}))
    assert middleware(RequestFactory().get("/"))["Cache-Control"] == "no-store"
