"""Blobs in an S3 bucket: conditional puts with a checksum that the store verifies."""

import base64
import hashlib
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.utils.http import content_disposition_header
from storages.backends.s3 import S3Storage

from hub.blobs.names import absent, is_name, path_of
from hub.errors import Full, Unavailable
from hub.killpoints import kill_point

# No call may hang: two tries of these are the longest a request waits for the store.
_PATIENCE = Config(connect_timeout=3, read_timeout=12, retries={"total_max_attempts": 2, "mode": "standard"})
_IN_MEMORY = 8 << 20
_EXISTS = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
_ABSENT = frozenset({"NoSuchKey", "404", "NotFound"})
_NO_CONDITIONS = frozenset({"NotImplemented", "501"})
_NO_ROOM = frozenset({"XMinioStorageFull", "InsufficientStorage", "QuotaExceeded", "507"})


class BucketStorage(S3Storage):
    """Django's storage on a bucket that people's tools may know under another address than the hub does.

    The address is part of what is signed, so links are signed by a client of their own. `public_url` None is
    the provider's own address, an empty one means that nobody but the hub reaches the bucket.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._signing = threading.Lock()
        self._signer: Any = None

    def get_default_settings(self) -> dict[str, Any]:
        """The options of django-storages, and ours."""
        return {**super().get_default_settings(), "public_url": None}

    @property
    def signer(self) -> Any:
        """A client that only signs; it never calls, so all threads may share it."""
        with self._signing:
            if self._signer is None:
                self._signer = self._create_session().client(
                    "s3",
                    region_name=self.region_name,
                    endpoint_url=self.public_url,
                    config=self.client_config,
                )
        return self._signer


class S3Store:
    """A bucket, with blobs under the configured prefix."""

    def __init__(self, storage: BucketStorage) -> None:
        self.storage = storage
        if storage.client_config.read_timeout != _PATIENCE.read_timeout:
            storage.client_config = storage.client_config.merge(_PATIENCE)

    def put(self, source: bytes | Path, sha256: str, length: int) -> None:
        """Store the bytes unless they are there; a damaged object is written again."""
        kill_point("K3")
        with translated(sha256):
            try:
                self._put(source, sha256, IfNoneMatch="*")
            except ClientError as error:
                code = code_of(error)
                if code not in _EXISTS | _NO_CONDITIONS:
                    raise
                if not self._is_sound(sha256, length):
                    self._put(source, sha256)
                    if code in _NO_CONDITIONS and not self._is_sound(sha256, length):
                        raise Unavailable("store_unavailable", "The file store lost what it took.") from error
        kill_point("K4")

    def open(self, sha256: str) -> BinaryIO:
        """A local copy, so that it can be read twice and in any order."""
        copy = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  the caller closes it
        try:
            with translated(sha256):
                body = self._client.get_object(**self._key(sha256))["Body"]
                for piece in body.iter_chunks(1 << 20):
                    copy.write(piece)
        except BaseException:
            copy.close()
            raise
        copy.seek(0)
        return cast("BinaryIO", copy)

    def size(self, sha256: str) -> int | None:
        """Length, or None when it is not there."""
        with translated(sha256):
            try:
                return int(self._client.head_object(**self._key(sha256))["ContentLength"])
            except ClientError as error:
                if code_of(error) in _ABSENT:
                    return None
                raise

    def delete(self, sha256: str) -> None:
        """Remove the object."""
        with translated(sha256):
            self._client.delete_object(**self._key(sha256))

    def walk(self) -> Iterator[str]:
        """Names in the order of their keys."""
        prefix = self.object_name("sha256/")
        with translated(""):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.storage.bucket_name, Prefix=prefix):
                names = (entry["Key"].rpartition("/")[2] for entry in page.get("Contents", ()))
                yield from filter(is_name, names)

    def url(self, sha256: str, filename: str, content_type: str) -> str | None:
        """An address signed for a few minutes; None when the bucket has none for people."""
        if self.storage.public_url == "":
            return None
        answer = {
            "ResponseContentDisposition": content_disposition_header(True, filename),
            "ResponseContentType": content_type,
        }
        return str(
            self.storage.signer.generate_presigned_url(
                "get_object",
                Params={**self._key(sha256), **answer},
                ExpiresIn=self.storage.querystring_expire,
            )
        )

    def sweep(self, max_age_seconds: float) -> int:
        """Nothing to do: a put that broke off leaves no object."""
        return 0

    @property
    def _client(self) -> Any:
        return self.storage.connection.meta.client

    def object_name(self, path: str) -> str:
        """The key of something below the configured prefix."""
        return f"{self.storage.location}/{path}" if self.storage.location else path

    def _key(self, sha256: str) -> dict[str, str]:
        return {"Bucket": self.storage.bucket_name, "Key": self.object_name(path_of(sha256))}

    def _put(self, source: bytes | Path, sha256: str, **condition: str) -> None:
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        call = {**self._key(sha256), "ChecksumSHA256": checksum, **condition}
        if isinstance(source, bytes):
            self._client.put_object(Body=source, **call)
            return
        with source.open("rb") as file:
            self._client.put_object(Body=file, **call)

    def _is_sound(self, sha256: str, length: int) -> bool:
        """Whether the stored bytes are the right ones: by the bytes, since an object may be from anywhere."""
        if self.size(sha256) != length:
            return False
        with self.open(sha256) as file:
            digest = hashlib.sha256()
            while piece := file.read(1 << 20):
                digest.update(piece)
        return digest.hexdigest() == sha256


def code_of(error: ClientError) -> str:
    """What the store calls the failure."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def translated(sha256: str) -> Iterator[None]:
    """Turn the client library's errors into the hub's."""
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        if code in _ABSENT:
            raise absent(sha256) from None
        if code in _NO_ROOM:
            raise Full("storage_full", "The hub's file store is full; nothing was stored.") from error
        raise _unavailable() from error
    except (BotoCoreError, OSError) as error:
        raise _unavailable() from error


def _unavailable() -> Unavailable:
    return Unavailable("store_unavailable", "The hub's file store does not answer; try again in a minute.")
