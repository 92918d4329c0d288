"""Downloading: who is asked who they are, where they are sent, and what they get there."""

import hashlib
import logging
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hub.access import Viewer
from hub.models import Download, Version
from hub.services.people import tokens
from hub.services.upkeep import counting
from hub.services.versions import publishing
from hub.wire import links
from tests import factories
from tests.civitai import shelf

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]
BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0"}


@pytest.fixture
def version() -> Version:
    """A public embedding's first version."""
    return shelf.published()


@pytest.fixture
def hidden() -> Version:
    """A private embedding's first version."""
    return shelf.published("otto", "ink-wash", visibility="private")


def download(client: Client, version: Version, query: Any = None, **options: Any) -> Any:
    return client.get(f"/api/download/models/{version.pk}", query, **options)


def followed(client: Client, response: Any, method: str = "get", **options: Any) -> Any:
    """What is at the address one is sent to."""
    parts = urlsplit(response["Location"])
    assert parts.netloc == "testserver"
    assert parts.query == ""
    return getattr(client, method)(parts.path, **options)


def pulls() -> int:
    """Downloads that were counted."""
    counting.tally.write()
    return sum(Download.objects.values_list("count", flat=True))


def test_one_is_sent_to_an_address_that_needs_no_token_and_holds_the_bytes(
    client: Client, version: Version
) -> None:
    sent = download(client, version)
    assert (sent.status_code, sent["Cache-Control"]) == (307, "no-store, max-age=0")
    file = followed(client, sent)
    assert file.status_code == 200
    assert hashlib.sha256(file.content).hexdigest() == version.files.get(layout="canonical").blob_id
    assert file["Content-Disposition"] == 'attachment; filename="moss-glow.safetensors"'
    assert file["Content-Type"] == "application/octet-stream"
    assert int(file["Content-Length"]) == len(file.content)
    assert file["Accept-Ranges"] == "bytes"
    assert file["ETag"] == f'"{version.files.get(layout="canonical").blob_id}"'
    assert file["Last-Modified"].endswith("GMT")
    assert file["Cache-Control"] == "private, no-store"


def test_the_address_can_be_asked_again_by_head_and_in_pieces(client: Client, version: Version) -> None:
    sent = download(client, version)
    whole = followed(client, sent).content
    head = followed(client, sent, "head")
    assert (head.status_code, head.content, int(head["Content-Length"])) == (200, b"", len(whole))
    piece = followed(client, sent, headers={"range": "bytes=10-"})
    assert (piece.status_code, piece.content) == (206, whole[10:])
    assert piece["Content-Range"] == f"bytes 10-{len(whole) - 1}/{len(whole)}"
    past = followed(client, sent, headers={"range": f"bytes={len(whole)}-"})
    assert (past.status_code, past["Content-Range"]) == (416, f"bytes */{len(whole)}")
    other = followed(client, sent, headers={"range": "bytes=10-", "if-range": '"old"'})
    assert (other.status_code, other.content) == (200, whole)


def test_a_pull_is_counted_when_one_is_sent_and_not_again(client: Client, version: Version) -> None:
    sent = download(client, version)
    assert pulls() == 1
    followed(client, sent)
    followed(client, sent, "head")
    client.head(f"/api/download/models/{version.pk}")
    assert pulls() == 1


def test_the_file_must_be_what_is_asked_for(client: Client, version: Version) -> None:
    fits = [{"type": "Model", "format": "SafeTensor"}, {"format": "SafeTensor", "size": "full", "fp": "fp32"}]
    others = [{"fp": "fp16"}, {"type": "Negative"}, {"format": "PickleTensor"}, {"fileId": "1999999999"}]
    wrong = [{"type": "Spell"}, {"format": "exe"}, {"size": "huge"}, {"fileId": "x"}]
    for status, queries in ((307, fits), (404, others), (400, wrong)):
        for query in queries:
            response = download(client, version, query)
            assert response.status_code == status, query
            assert status != 404 or response.json()["error"] == "File not found"


def test_the_file_by_its_own_number(client: Client, version: Version) -> None:
    assert download(client, version, {"fileId": version.files.get(layout="canonical").pk}).status_code == 307


def test_a_private_file_is_there_for_its_owners_token_in_header_or_address(
    client: Client, hidden: Version
) -> None:
    factories.user("mara")
    assert download(client, hidden).status_code == 404
    assert download(client, hidden, headers=shelf.bearer("mara")).status_code == 404
    assert download(client, hidden, {"token": shelf.secret("mara")}).status_code == 404
    for sent in (
        download(client, hidden, headers=shelf.bearer("otto")),
        download(client, hidden, {"token": shelf.secret("otto")}),
    ):
        assert sent.status_code == 307
        assert sent["Referrer-Policy"] == "no-referrer"
        file = followed(Client(), sent)
        assert file.status_code == 200
        assert file["Cache-Control"] == "private, no-store"


def test_a_token_in_the_address_needs_the_scope_read_and_works_for_downloads_only(
    client: Client, hidden: Version
) -> None:
    refused = download(client, hidden, {"token": shelf.secret("otto", "publish", "manage")})
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    good = {"token": shelf.secret("otto")}
    assert client.get(f"{shelf.API}/me", good).status_code == 401
    assert client.get(f"{shelf.API}/model-versions/{hidden.pk}", good).status_code == 404
    listed = client.get(f"{shelf.API}/models", good)
    assert (listed.status_code, listed.json()["items"]) == (200, [])


@pytest.mark.parametrize("where", ["header", "address"])
def test_a_bad_token_is_refused_as_json_even_in_a_browser(
    client: Client, version: Version, where: str
) -> None:
    headers = BROWSER | ({"authorization": "Bearer wrong"} if where == "header" else {})
    query = {"token": "wrong"} if where == "address" else None
    response = download(client, version, query, headers=headers)
    assert response.status_code == 401
    assert response.json()["error"] == "Unauthorized"


def test_a_revoked_token_and_a_frozen_account_end_links_that_are_on_their_way(
    client: Client, hidden: Version
) -> None:
    owner = hidden.embedding.created_by
    token, secret = factories.token("otto")
    by_token = download(client, hidden, {"token": secret})
    client.force_login(owner)
    by_session = download(client, hidden)
    assert followed(Client(), by_token).status_code == followed(Client(), by_session).status_code == 200
    tokens.revoke(Viewer(owner), token=token)
    assert followed(Client(), by_token).status_code == 404
    owner.is_active = False
    owner.save()
    assert followed(Client(), by_session).status_code == 404


def test_a_version_that_becomes_private_is_gone_from_links_at_once(client: Client, version: Version) -> None:
    sent = download(client, version)
    publishing.update_details(
        Viewer(version.embedding.created_by), embedding=version.embedding, visibility="private"
    )
    assert followed(client, sent).status_code == 404


def test_a_link_ends_after_five_minutes_and_cannot_be_changed(
    client: Client, version: Version, hidden: Version, monkeypatch: Any
) -> None:
    sent = download(client, version)
    parts = urlsplit(sent["Location"]).path.split("/")
    link, name = parts[-2:]
    forged = link.replace(f"v{version.pk}.", f"v{hidden.pk}.", 1)
    wrong = [(forged, "ink-wash.safetensors"), (link, "other.safetensors"), (link + "x", name), ("x", name)]
    wrong.append((links.sign(Viewer(), f"p{version.pk}"), name))
    for one, called in wrong:
        assert client.get(f"/api/download/files/{one}/{called}").status_code == 404
    monkeypatch.setattr(links, "LIFE_SECONDS", -1)
    assert followed(client, sent).status_code == 404


def test_a_token_that_is_sent_along_to_the_link_is_not_looked_at(client: Client, version: Version) -> None:
    sent = download(client, version)
    assert followed(client, sent, headers={"authorization": "Bearer wrong"}).status_code == 200


def test_a_yanked_version_is_downloaded_by_its_number(client: Client, version: Version) -> None:
    publishing.yank(factories.viewer("mara"), version=version, reason="Wrong pictures.")
    assert download(client, version).status_code == 307


def test_where_strangers_see_nothing_a_program_is_refused_and_a_browser_sent_to_sign_in(
    client: Client, version: Version, settings: Any
) -> None:
    settings.HUB = {**settings.HUB, "HUB_ANONYMOUS_READ": False}
    program = download(client, version)
    assert program.status_code == 401
    assert program.json()["message"].endswith("requires you to be logged in to download it")
    browser = download(client, version, headers=BROWSER)
    assert browser.status_code == 307
    for text in (browser["Location"], browser.content.decode()):
        assert "login?returnUrl" in text
        assert "reason=download-auth" in text
    page = client.get(browser["Location"])
    assert page["Location"] == f"/accounts/login/?next=%2Fapi%2Fdownload%2Fmodels%2F{version.pk}"
    sent = download(client, version, headers=BROWSER | shelf.bearer())
    assert followed(Client(), sent).status_code == 200


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"]
)
def test_signing_in_leads_back_to_this_site_only(client: Client, back: str) -> None:
    assert client.get("/login", {"returnUrl": back})["Location"] == "/accounts/login/?next=%2F"


def test_no_token_of_an_address_is_written_to_the_log(client: Client, hidden: Version, caplog: Any) -> None:
    secret = shelf.secret("otto")
    with caplog.at_level(logging.DEBUG):
        download(client, hidden, {"token": secret})
        download(client, hidden, {"token": secret, "type": "Negative"})
        client.get("/api/download/models/999999", {"token": secret})
        client.get("/api/download/models/x", {"token": secret})
    assert secret not in caplog.text


def test_a_download_costs_a_fixed_number_of_queries(
    client: Client, version: Version, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        shelf.next_version(version)
    # The first asks for the stamp as well; whoever comes after it asks for nothing else.
    with django_assert_max_num_queries(4):
        sent = download(client, version)
    with django_assert_max_num_queries(1):
        assert followed(client, sent).status_code == 200
    with django_assert_max_num_queries(1):
        download(client, version)


@pytest.mark.s3
def test_with_a_store_that_signs_addresses_the_bytes_still_come_from_here(
    client: Client, s3_blobs: Any
) -> None:
    version = shelf.published()
    sent = download(client, version)
    assert followed(client, sent, "head").status_code == followed(client, sent).status_code == 200
