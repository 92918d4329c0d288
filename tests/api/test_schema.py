"""The schema tells the truth: whatever is sent, what comes back is documented, and never a server's error."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import checks

from hub.services import previews
from hub.services.moderation import flags, rulings
from tests import factories, samples
from tests.api.conftest import SignIn

API = "/api/hub/v1"
KEPT = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
EXAMPLES = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def operations() -> list[str]:
    """Every operation of the door, by its id."""
    from hub.api.schema import described

    return [f"{method.upper()} {path}" for path, found in described()["paths"].items() for method in found]


def asked_by() -> list[tuple[str, str]]:
    """Every operation with everybody who asks it; those that no token may are asked by a moderator's session, too."""
    sessions = [one for one in operations() if "/tokens" in one or "/moderation" in one]
    tokens = [(one, who) for one in operations() for who in ("nobody", "publisher")]
    return tokens + [(one, "moderator") for one in sessions]


def finished(application: Any) -> Any:
    """The same, each answer read and closed, as a server does: uploads are closed with it."""

    def run(environ: Any, start_response: Any) -> list[bytes]:
        answer = application(environ, start_response)
        try:
            return [b"".join(answer)]
        finally:
            answer.close()

    return run


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Requests leave the test's connection open, as those of Django's own test client do."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@cache
def site() -> Any:
    """The site as servers start it, once for all calls."""
    return get_wsgi_application()


@cache
def told() -> Any:
    """The schema as it is served, read once for all operations."""
    return schemathesis.openapi.from_wsgi(f"{API}/schema", served)


def served(environ: Any, start_response: Any) -> list[bytes]:
    """The site, each answer closed when it was read, as a server does: that is when Django lets go of uploads."""
    with contextlib.closing(site()(environ, start_response)) as answer:
        return list(answer)


@pytest.mark.django_db
def test_the_schema_is_served_and_names_every_route(client: Client) -> None:
    from hub.api.urls import urlpatterns

    answer = client.get(f"{API}/schema").json()
    assert answer["openapi"].startswith("3.1")
    routes = {str(one.pattern) for one in urlpatterns} - {"schema", "<path:rest>"}
    assert len(answer["paths"]) >= len(routes)


def headers_of(who: str, signed_in: SignIn) -> dict[str, str]:
    """What this caller sends with every call."""
    if who == "publisher":
        return factories.bearer("ada", "read", "publish", "manage", "train")
    if who == "moderator":
        session = signed_in("mod", moderator=True).cookies["sessionid"].value
        proof = "p" * 32
        return {"Cookie": f"sessionid={session}; csrftoken={proof}", "X-CSRFToken": proof}
    return {}


def real_places(path: str, folder: Path) -> dict[str, Any]:
    """The parameters of this path for things that are there, made for the occasion."""
    embedding = factories.published()
    factories.published(name="old-moss", visibility="private")
    shown = factories.draft(embedding) if "/drafts/" in path else embedding.versions.get()
    picture = folder / "own.png"
    picture.write_bytes(samples.picture())
    previews.add_upload(factories.viewer(), version=shown, path=picture, filename="own.png")
    numbers = {"/drafts/": shown.pk}
    if "/moderation" in path:
        flag = flags.raise_flag(factories.viewer("bob"), embedding=embedding, reason="spam")
        other = factories.published(name="other-moss")
        [held] = rulings.rule(factories.moderator(), embedding=other, kind="quarantine", reason="A look.")
        numbers |= {"/flags/": flag.pk, "/rulings/": held.pk}
    if "/tokens/" in path:
        numbers["/tokens/"] = factories.token("mod")[0].pk
    number = next((pk for part, pk in numbers.items() if part in path), 1)
    found = {
        "owner": "ada", "name": "moss-dragon", "number": number, "picture": shown.previews.get(role="upload").pk,
    }  # fmt: skip
    return {name: value for name, value in found.items() if f"{{{name}}}" in path}


@pytest.mark.django_db
@pytest.mark.parametrize(("operation", "who"), asked_by())
def test_no_answer_is_a_server_error_or_undocumented(
    operation: str, who: str, one_connection: None, signed_in: SignIn, tmp_path: Path
) -> None:
    method, path = operation.split(" ")
    places, headers = real_places(path, tmp_path), headers_of(who, signed_in)
    schema = schemathesis.openapi.from_wsgi(f"{API}/schema", finished(get_wsgi_application()))
    found = schema[path][method]

    @EXAMPLES
    @given(case=found.as_strategy())
    def ask(case: Any) -> None:
        # Half of the calls reach something that is there, and most are not refused for their key.
        if len(case.headers.get("Idempotency-Key", "")) % 4:
            del case.headers["Idempotency-Key"]
        if len(str(case.path_parameters)) % 2:
            case.path_parameters.update(places)
        if isinstance(case.body, dict) and ("/flags" in path or "/rulings" in path) and "name" in case.body:
            case.body["name"] = "ada/moss-dragon"
        response = case.call(headers=headers)
        case.validate_response(response, checks=KEPT)

    ask()


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python client, generated from the schema."""
    from hub.api.schema import described

    folder = tmp_path_factory.mktemp("generated")
    (folder / "schema.json").write_text(json.dumps(described(), default=str))
    (folder / "settings.yaml").write_text("post_hooks: []\n")
    command = [
        sys.executable, "-m", "openapi_python_client", "generate", "--path", folder / "schema.json", "--output-path",
        folder / "client", "--meta", "none", "--fail-on-warning", "--config", folder / "settings.yaml",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder


STORY = """
import sys
from client import AuthenticatedClient
from client.api.drafts import list_drafts
from client.api.embeddings import (
    add_draft_picture, create_draft, create_embedding, get_version, list_embeddings, publish_draft, publish_version,
    update_draft,
)
from client.api.flags import raise_flag
from client.models import (
    PatchedDraftForm, FlagForm, FlagReason, KindEnum, LastWordForm, NewEmbeddingForm, NewPictureForm, NewVersionForm,
)
from client.types import File

hub, secret, path, other, picture = sys.argv[1:]
client = AuthenticatedClient(base_url=hub, token=secret, raise_on_unexpected_status=True)
made = create_embedding.sync(
    client=client, body=NewEmbeddingForm(name="fern-light", kind=KindEnum.STYLE), idempotency_key="generated-1"
)
assert made.name == "ada/fern-light", made
with open(path, "rb") as file:
    version = publish_version.sync(
        owner="ada", name="fern-light", client=client,
        body=NewVersionForm(
            file=File(payload=file, file_name="fern.safetensors"), trigger="fern-light", licence="cc0-1.0"
        ),
    )
assert getattr(version, "name", "") == "v1", version
found = list_embeddings.sync(client=client, q="fern")
assert [one.name for one in found.items] == ["ada/fern-light"], found
place = {"owner": "ada", "name": "fern-light", "client": client}
with open(other, "rb") as file:
    draft = create_draft.sync(
        **place,
        body=NewVersionForm(
            file=File(payload=file, file_name="fern.safetensors"), trigger="fern-light", licence="cc0-1.0"
        ),
    )
with open(picture, "rb") as file:
    shown = add_draft_picture.sync(
        **place, number=draft.id, body=NewPictureForm(file=File(payload=file, file_name="seen.png"))
    )
assert len(shown.items) == 1, shown
draft = update_draft.sync(**place, number=draft.id, body=PatchedDraftForm(label="soft"))
assert [one.label for one in list_drafts.sync(client=client).items] == ["soft"]
second = publish_draft.sync(**place, number=draft.id, body=LastWordForm(notes="Softer."))
assert (second.name, second.label, second.notes) == ("v2", "soft", "Softer."), second
flag = raise_flag.sync(client=client, body=FlagForm(name="ada/fern-light", version=2, reason=FlagReason.SPAM))
assert flag.settled is None, flag
told = get_version.sync(**place, number=1)
print(told.sha256)
"""


@pytest.mark.client
@pytest.mark.django_db(transaction=True)
def test_a_generated_client_publishes_and_finds(generated: Path, live_server: Any, tmp_path: Path) -> None:
    _, secret = factories.token("ada", scopes=["read", "publish", "manage"])
    files = [tmp_path / name for name in ("fern.safetensors", "other.safetensors", "seen.png")]
    files[0].write_bytes(samples.canonical_file("tiny", vectors=2, seed=3))
    files[1].write_bytes(samples.canonical_file("tiny", vectors=2, seed=4))
    files[2].write_bytes(samples.picture())
    (generated / "story.py").write_text(STORY)
    command = [sys.executable, generated / "story.py", live_server.url, secret, *files]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, cwd=generated)
    assert done.returncode == 0, done.stderr
    answer = Client().get(f"{API}/embeddings/ada/fern-light/versions/1").json()
    assert done.stdout.strip() == answer["sha256"]
