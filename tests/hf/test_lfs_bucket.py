"""Large files that go straight to the bucket: no byte through the site, and nothing believed that was not read."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.test import Client
from django.utils import timezone

from hub.models import Blob, PendingUpload, Version
from hub.services.pushing import pending
from hub.wire import uploads
from tests import factories, samples
from tests.hf import shelf
from tests.hf.conftest import Ask
from tests.hf.test_lfs import (
    DATA,
    DIGEST,
    NO_XET,
    REPO,
    all_large,  # noqa: F401  # a fixture
    announce,
    check_published,
    commit,
    href,
    large,
    push,
)
from tests.parts.s3 import S3

# No store takes smaller parts, but for the last one.
PART = 5 << 20


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Files are sent in parts of five mebibytes, and may have as many vectors as that takes."""
    monkeypatch.setattr("hub.hf.lfs.PART_BYTES", PART)
    settings.HUB = {**settings.HUB, "HUB_MAX_VECTORS": 2000}


@pytest.fixture(scope="module")
def large_data() -> bytes:
    """An embedding of two parts."""
    data = samples.canonical_file("sd1", vectors=1800)
    assert PART < len(data) < 2 * PART
    return data


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The bodies of large files that came through the site, by the path of their addresses."""
    found: list[str] = []
    real = uploads.spool_body

    def spool(request: Any, target: Path, **more: Any) -> Any:
        found.append(request.path)
        return real(request, target, **more)

    monkeypatch.setattr(uploads, "spool_body", spool)
    return found


def put(address: str, data: bytes) -> httpx.Response:
    """Send bytes as clients do, without any token."""
    return httpx.put(address, content=data, timeout=30)


def staged(server: S3, settings: Any) -> list[str]:
    """The keys of uploads in the bucket, and the ids of those in parts that are open."""
    found: Any = server.client()
    where = {"Bucket": "hub", "Prefix": f"{settings.STORAGES['blobs']['OPTIONS']['location']}/uploads/"}
    keys = [entry["Key"] for entry in found.list_objects_v2(**where).get("Contents", ())]
    return keys + [entry["UploadId"] for entry in found.list_multipart_uploads(**where).get("Uploads", ())]


class Parts:
    """A file that is sent in parts, as the client does."""

    def __init__(self, client: Client, data: bytes) -> None:
        self.client, self.data, self.digest = client, data, hashlib.sha256(data).hexdigest()
        answer = announce(client, oid=self.digest, size=len(data), transfers=["basic", "multipart"])
        header = answer["actions"]["upload"]["header"]
        self.addresses = [header[name] for name in sorted(header) if name.isdigit()]
        self.whole = href(answer)
        self.tags: list[dict[str, Any]] = []

    def send(self, data: bytes = b"") -> None:
        """All parts, of these bytes or the right ones."""
        for number, address in enumerate(self.addresses):
            answer = put(address, (data or self.data)[number * PART : (number + 1) * PART])
            assert answer.status_code == 200, answer.text
            self.tags.append({"partNumber": number + 1, "etag": answer.headers["ETag"]})

    def complete(self, parts: Any) -> Any:
        """What the hub says to these being all."""
        body = {"oid": self.digest, "parts": parts}
        return self.client.post(self.whole, body, content_type="application/json").json()


def upload_of(address: str) -> list[str]:
    """The store's id of the upload that an address is for."""
    return parse_qs(urlsplit(address).query)["uploadId"]


@pytest.mark.s3
@pytest.mark.client
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("all_large")
class TestStraightToTheBucket:
    """With unmodified clients and a bucket: the bytes of large files do not pass through the site."""

    @pytest.fixture
    def path(self, tmp_path: Path, s3_blobs: S3) -> Path:
        """The file to push, with an embedding to push it to."""
        factories.published("mara", "moss-glow")
        path = tmp_path / "a.safetensors"
        path.write_bytes(DATA)
        return path

    @pytest.mark.parametrize("how", ["path", "file"])
    def test_one_piece(
        self, ask: Ask, writer: str, path: Path, s3_blobs: S3, asked: list[str], settings: Any, how: str
    ) -> None:
        check_published(push(ask, writer, path, how, more=NO_XET))
        assert asked == []
        assert staged(s3_blobs, settings) == []

    @pytest.mark.usefixtures("parts")
    def test_several_pieces(
        self,
        ask: Ask,
        writer: str,
        path: Path,
        s3_blobs: S3,
        asked: list[str],
        settings: Any,
        large_data: bytes,
    ) -> None:
        path.write_bytes(large_data)
        digest = hashlib.sha256(large_data).hexdigest()
        check_published(push(ask, writer, path, "path", more=NO_XET), digest)
        assert asked == []
        assert staged(s3_blobs, settings) == []

    def test_a_bucket_that_only_the_hub_reaches_is_filled_by_the_hub(
        self, ask: Ask, writer: str, path: Path, s3_blobs: S3, asked: list[str], settings: Any
    ) -> None:
        options = settings.STORAGES["blobs"]["OPTIONS"] | {"public_url": ""}
        settings.STORAGES = {**settings.STORAGES, "blobs": {**settings.STORAGES["blobs"], "OPTIONS": options}}
        check_published(push(ask, writer, path, "path", more=NO_XET))
        assert len(asked) == 1


@pytest.mark.s3
@pytest.mark.django_db
class TestWhatIsSentToTheBucket:
    """Without a client, what a liar would send."""

    @pytest.fixture
    def upload(self, client: Client, s3_blobs: S3) -> str:
        """The address that was announced for DATA."""
        factories.published("mara", "moss-glow")
        address = href(announce(client))
        assert address.startswith(s3_blobs.endpoint)
        return address

    def verify(self, client: Client, oid: str = DIGEST) -> Any:
        return client.post(
            f"{REPO}/verify", {"oid": oid, "size": len(DATA)}, content_type="application/json",
            headers=shelf.bearer("mara", "read", "publish"),
        )  # fmt: skip

    def test_nothing_is_here_before_it_was_sent_and_all_is_after(
        self, client: Client, upload: str, s3_blobs: S3, settings: Any
    ) -> None:
        assert self.verify(client).status_code == 404
        assert commit(client, large()).json()["code"] == "upload_missing"
        assert put(upload, DATA).status_code == 200
        assert PendingUpload.objects.get().blob_id is None
        assert self.verify(client).status_code == 200
        assert PendingUpload.objects.get().blob_id == DIGEST
        assert staged(s3_blobs, settings) == []
        assert commit(client, large()).status_code == 200

    def test_a_client_that_does_not_say_that_it_is_done_is_believed_no_less(
        self, client: Client, upload: str
    ) -> None:
        assert put(upload, DATA).status_code == 200
        assert commit(client, large()).status_code == 200
        assert Version.objects.get(number=2).source_sha256 == DIGEST

    def test_other_bytes_of_the_same_length_are_refused_and_removed(
        self, client: Client, upload: str, s3_blobs: S3, settings: Any
    ) -> None:
        assert put(upload, b"\0" * len(DATA)).status_code == 200
        assert len(staged(s3_blobs, settings)) == 1
        refused = self.verify(client)
        assert (refused.status_code, refused.json()["code"]) == (400, "digest_mismatch")
        assert staged(s3_blobs, settings) == []
        assert commit(client, large()).json()["code"] == "upload_missing"
        assert Version.objects.count() == 1 and not Blob.objects.filter(pk=DIGEST).exists()

    def test_the_address_takes_no_other_length(
        self, client: Client, upload: str, s3_blobs: S3, settings: Any
    ) -> None:
        for data in (DATA + b"\0", DATA[:-1], b""):
            assert put(upload, data).status_code == 403
        assert staged(s3_blobs, settings) == []

    def test_a_length_that_came_all_the_same_is_refused_and_removed(
        self, client: Client, upload: str, s3_blobs: S3, settings: Any
    ) -> None:
        put(upload, DATA)
        [key] = staged(s3_blobs, settings)
        bucket: Any = s3_blobs.client()
        bucket.put_object(Bucket="hub", Key=key, Body=DATA + DATA)
        assert self.verify(client).json()["code"] == "length_mismatch"
        assert staged(s3_blobs, settings) == []

    def test_the_address_is_for_sending_alone(self, client: Client, upload: str) -> None:
        put(upload, DATA)
        assert httpx.get(upload, timeout=30).status_code == 403
        assert httpx.delete(upload, timeout=30).status_code == 403

    @pytest.mark.usefixtures("parts", "upload")
    def test_parts_are_all_there_or_nothing_is(
        self, client: Client, s3_blobs: S3, settings: Any, large_data: bytes
    ) -> None:
        sent = Parts(client, large_data)
        again = Parts(client, large_data)
        assert [upload_of(one) for one in again.addresses] == [upload_of(one) for one in sent.addresses]
        sent.send()
        assert sent.complete(sent.tags[:-1])["code"] == "part_missing"
        assert sent.complete([5])["code"] == "malformed_request"
        assert put(sent.addresses[1], b"x").status_code == 403, "a part has its length, too"
        assert sent.complete(sent.tags) == {}
        row = PendingUpload.objects.get(sha256=sent.digest)
        assert row.blob_id == sent.digest
        assert staged(s3_blobs, settings) == []

    @pytest.mark.usefixtures("parts", "upload")
    def test_parts_of_other_bytes_are_refused_and_removed(
        self, client: Client, s3_blobs: S3, settings: Any, large_data: bytes
    ) -> None:
        sent = Parts(client, large_data)
        sent.send(large_data[:-1] + b"?")
        assert sent.complete(sent.tags)["code"] == "digest_mismatch"
        assert staged(s3_blobs, settings) == []
        assert not Blob.objects.filter(pk=sent.digest).exists()

    @pytest.mark.usefixtures("parts", "upload")
    def test_a_part_that_never_came_is_missed_and_the_file_can_be_sent_again(
        self, client: Client, large_data: bytes
    ) -> None:
        first = Parts(client, large_data)
        first.send()
        wrong = first.tags[-1] | {"etag": '"9e107d9d372bb6826bd81d3542a419d6"'}
        assert first.complete([*first.tags[:-1], wrong])["code"] == "part_missing"
        second = Parts(client, large_data)
        second.send()
        assert second.complete(second.tags) == {}

    @pytest.mark.usefixtures("parts")
    def test_what_nobody_commits_is_swept(
        self, client: Client, upload: str, s3_blobs: S3, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(upload, DATA)
        answer = announce(client, oid="f" * 64, size=PART + 1, transfers=["basic", "multipart"])
        put(answer["actions"]["upload"]["header"]["00001"], b"x" * PART)
        assert len(staged(s3_blobs, settings)) == 2
        assert pending.sweep() == 0
        PendingUpload.objects.update(created_at=timezone.now() - timedelta(hours=25))
        assert pending.sweep() == 2
        assert staged(s3_blobs, settings) == []
        # Sent after its row was gone, by an address that was still good.
        put(upload, DATA)
        assert pending.sweep() == 0
        monkeypatch.setattr("hub.blobs.uploads.LEFT_OVER_SECONDS", -60)
        assert pending.sweep() == 1
        assert staged(s3_blobs, settings) == []
