"""Large files: announced, sent in one piece or several, taken in by a commit, and swept when none comes."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from hub import blobs
from hub.models import Blob, PendingUpload, Version
from hub.services.pushing import pending
from tests import factories, samples
from tests.hf import shelf
from tests.hf.conftest import Ask, not_with_the_old_client

DATA = samples.canonical_file("tiny", vectors=2, seed=3)
DIGEST = hashlib.sha256(DATA).hexdigest()
REPO = "/mara/moss-glow.git/info/lfs/objects"
NO_XET = {"HF_HUB_DISABLE_XET": "1"}


@pytest.fixture
def all_large(settings: Any) -> None:
    """Every file of a push is sent as a large one."""
    settings.HUB = {**settings.HUB, "HUB_PUSH_REGULAR_MB": 0}


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are sent in parts of a thousand bytes."""
    monkeypatch.setattr("hub.hf.lfs.PART_BYTES", 1000)


def push(ask: Ask, token: str, path: Path, how: str, **more: Any) -> Any:
    """Publish a file as mara's; `how` is the expression of what is handed to the client."""
    return ask(
        f"""
    with open(path, "rb") as file:
        answer = told(lambda: api.upload_file(
            path_or_fileobj={how}, path_in_repo="a.safetensors", repo_id="mara/moss-glow").oid)
    """,
        token=token,
        path=str(path),
        **more,
    )


def check_published(answer: list[str], digest: str = DIGEST) -> None:
    """The push became the second version, and nothing of it is left over."""
    assert answer[0] == "none", answer
    second = Version.objects.get(number=2)
    assert answer[1] == shelf.commit_of(second)
    assert second.source_sha256 == digest
    assert not PendingUpload.objects.exists()
    assert not Blob.objects.filter(pk=digest).exists() and not blobs.exists(digest)


@pytest.mark.client
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("all_large")
class TestClients:
    """With unmodified clients."""

    @pytest.fixture
    def path(self, tmp_path: Path, blob_store: str) -> Path:
        """The file to push, with an embedding to push it to."""
        factories.published("mara", "moss-glow")
        path = tmp_path / "a.safetensors"
        path.write_bytes(DATA)
        return path

    @pytest.mark.parametrize("how", ["path", "file"])
    def test_one_piece(self, ask: Ask, writer: str, path: Path, how: str) -> None:
        check_published(push(ask, writer, path, how, more=NO_XET if how == "path" else {}))

    @pytest.mark.usefixtures("small_parts")
    def test_several_pieces(self, ask: Ask, writer: str, path: Path, blob_store: str) -> None:
        if blob_store == "s3":
            pytest.skip("A bucket takes larger parts only, see test_lfs_bucket.")
        assert len(DATA) > 1000
        check_published(push(ask, writer, path, "path", more=NO_XET))

    def test_what_was_pushed_is_pulled_from_the_store(self, ask: Ask, writer: str, path: Path) -> None:
        push(ask, writer, path, "file")
        answer = ask(
            """
    import hashlib
    from huggingface_hub import hf_hub_download
    data = open(hf_hub_download("mara/moss-glow", "learned_embeds.safetensors"), "rb").read()
    answer = hashlib.sha256(data).hexdigest()
    """
        )
        assert answer == Version.objects.get(number=2).files.get(layout="diffusers").blob_id

    @not_with_the_old_client
    def test_xet_is_refused_and_nothing_is_left(self, ask: Ask, writer: str, path: Path) -> None:
        assert push(ask, writer, path, "path")[0] != "none"
        assert Version.objects.count() == 1 and not PendingUpload.objects.exists()


@pytest.fixture
def owned(client: Client, disk_blobs: Path) -> Version:
    """The first version of mara/moss-glow."""
    return factories.published("mara", "moss-glow").versions.get()


def announce(
    client: Client, *, oid: str = DIGEST, size: int = len(DATA), who: str = "mara", **more: Any
) -> Any:
    """The batch's answer for one object."""
    body = {"operation": "upload", "objects": [{"oid": oid, "size": size}], **more}
    response = client.post(
        f"{REPO}/batch", json.dumps(body), content_type="application/vnd.git-lfs+json",
        headers={**shelf.bearer(who, "read", "publish"), "accept": "application/vnd.git-lfs+json"},
    )  # fmt: skip
    assert response.status_code == 200, response.content
    return response.json()["objects"][0]


def href(answer: Any) -> str:
    """The path of the address to send to."""
    return str(answer["actions"]["upload"]["href"]).removeprefix("http://testserver")


def send(client: Client, address: str, data: bytes) -> Any:
    """PUT without any token, as clients do."""
    return client.put(address, data, content_type="application/octet-stream")


def commit(client: Client, *lines: dict[str, Any], who: str = "mara", repo: str = "mara/moss-glow") -> Any:
    """A commit of these lines."""
    records = [{"key": "header", "value": {"summary": "x"}}, *lines]
    return client.post(
        f"/api/models/{repo}/commit/main", "\n".join(json.dumps(line) for line in records),
        content_type="application/x-ndjson", headers=shelf.bearer(who, "read", "publish", "manage"),
    )  # fmt: skip


def large(oid: str = DIGEST, path: str = "a.safetensors") -> dict[str, Any]:
    """The line of a commit that names an object."""
    return {"key": "lfsFile", "value": {"path": path, "algo": "sha256", "oid": oid}}


@pytest.mark.django_db
class TestAnswers:
    """Without a client, what it would have to be a broken one for."""

    def test_other_bytes_than_announced_are_refused(self, client: Client, owned: Version) -> None:
        address = href(announce(client))
        assert send(client, address, b"\0" * len(DATA)).json()["code"] == "digest_mismatch"
        assert send(client, address, DATA[:-1]).json()["code"] == "length_mismatch"
        assert send(client, address, DATA + b"\0").status_code == 413
        assert send(client, address, DATA).status_code == 200
        assert PendingUpload.objects.get().blob_id == DIGEST
        assert "actions" not in announce(client), "what is here need not be sent again"

    def test_an_address_is_for_one_file_and_one_hour(
        self, client: Client, owned: Version, settings: Any
    ) -> None:
        address = href(announce(client))
        assert send(client, address[:-1] + ("A" if address[-1] != "A" else "B"), DATA).status_code == 404
        assert client.get(address).status_code == 405
        PendingUpload.objects.all().delete()
        assert send(client, address, DATA).status_code == 404

    def test_an_address_ends_with_the_token_it_was_made_for(self, client: Client, owned: Version) -> None:
        address = href(announce(client))
        owned.embedding.created_by.tokens.update(revoked_at=timezone.now())
        assert send(client, address, DATA).status_code == 404

    @pytest.mark.usefixtures("small_parts")
    def test_parts_are_put_together_in_order_and_none_may_be_missing(
        self, client: Client, owned: Version
    ) -> None:
        answer = announce(client, transfers=["basic", "multipart"])
        upload = answer["actions"]["upload"]
        addresses = [upload["header"][name] for name in sorted(upload["header"]) if name.isdigit()]
        assert len(addresses) == -(-len(DATA) // int(upload["header"]["chunk_size"]))
        for number in reversed(range(1, len(addresses))):
            part = send(client, addresses[number], DATA[number * 1000 : (number + 1) * 1000])
            assert part["ETag"]
        done = client.post(href(answer), "{}", content_type="application/json")
        assert (done.status_code, done.json()["code"]) == (400, "part_missing")
        assert send(client, addresses[0], DATA[:1001]).status_code == 413
        send(client, addresses[0], DATA[:1000])
        assert client.post(href(answer), "{}", content_type="application/json").status_code == 200
        verify = client.post(
            f"{REPO}/verify", {"oid": DIGEST, "size": len(DATA)}, content_type="application/json",
            headers=shelf.bearer("mara", "read", "publish"),
        )  # fmt: skip
        assert verify.status_code == 200

    def test_too_much_is_refused_before_a_byte_is_sent(self, client: Client, owned: Version) -> None:
        answer = announce(client, size=pending.largest() + 1)
        assert answer["error"]["code"] == 413 and "takes up to 20 MiB" in answer["error"]["message"]
        body = {"files": [{"path": "a.safetensors", "size": pending.largest() + 1, "sample": ""}]}
        response = client.post(
            "/api/models/mara/moss-glow/preupload/main", body, content_type="application/json",
            headers=shelf.bearer("mara", "publish"),
        )  # fmt: skip
        assert response.status_code == 413 and "a.safetensors has" in response["X-Error-Message"]

    def test_what_is_under_way_counts_for_the_quota(
        self, client: Client, owned: Version, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(settings.HUB, "HUB_QUOTA_MB", 1)
        assert "actions" in announce(client, size=600_000)
        assert "actions" in announce(client, size=600_000)
        refused = announce(client, oid="a" * 64, size=600_000)
        assert refused["error"]["code"] == 413 and "one name may fill" in refused["error"]["message"]

    def test_nobody_keeps_more_uploads_open_than_there_is_room_for(
        self, client: Client, owned: Version
    ) -> None:
        for number in range(pending.MOST_OPEN):
            announce(client, oid=f"{number:064x}")
        assert announce(client)["error"]["code"] == 409

    def test_to_know_a_digest_is_not_to_have_the_bytes(self, client: Client, owned: Version) -> None:
        secret = factories.published("otto", "secret", visibility="private").versions.get()
        shown = factories.published("otto", "shown").versions.get()
        for version, status in ((secret, 422), (shown, 200)):
            file = version.files.get(layout="canonical")
            assert "actions" in announce(client, oid=file.blob_id, size=file.blob.size)
            assert commit(client, large(file.blob_id)).status_code == status
        assert commit(client, large("0" * 64)).json()["code"] == "upload_missing"
        assert commit(client, large("../../etc/passwd")).json()["code"] == "malformed_digest"

    def test_an_upload_is_its_senders_alone(self, client: Client, owned: Version) -> None:
        factories.published("otto", "loud")
        send(client, href(announce(client)), DATA)
        refused = commit(client, large(), who="otto", repo="otto/loud")
        assert refused.json()["code"] == "upload_missing"
        assert commit(client, large()).status_code == 200

    def test_an_upload_without_a_commit_is_swept_after_a_day(self, client: Client, owned: Version) -> None:
        send(client, href(announce(client)), DATA)
        announce(client, oid="f" * 64)
        assert pending.sweep() == 0
        PendingUpload.objects.update(created_at=timezone.now() - timedelta(hours=25))
        assert pending.sweep() == 2
        assert not blobs.exists(DIGEST) and not Blob.objects.filter(pk=DIGEST).exists()
