"""Bytes that people's tools send straight to the bucket, under addresses that are signed for one length and one hour.

They lie apart from the blobs, and nothing here believes what they are called: who takes them in fetches them, looks at
them, and drops them.
"""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError
from django.core.files.storage import storages

from hub.blobs.s3 import BucketStorage, S3Store, code_of, translated
from hub.errors import Invalid, NotFound

ADDRESS_SECONDS: Final = 3600
# Uploads are swept by their rows long before; this is for those whose row is gone.
LEFT_OVER_SECONDS: Final = 48 * 3600
_FOLDER: Final = "uploads/"
_GONE: Final = frozenset({"NoSuchUpload", "404"})
_WRONG: Final = frozenset(
    {"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "MalformedXML", "NoSuchUpload"}
)


def place() -> "Uploads | None":
    """Where tools can send files to by themselves; None where all bytes come through the site."""
    storage = storages["blobs"]
    if not isinstance(storage, BucketStorage) or storage.public_url == "":
        return None
    return Uploads(storage)


class Uploads:
    """Uploads by name, in one piece or in parts."""

    def __init__(self, storage: BucketStorage) -> None:
        self._store = S3Store(storage)
        self._storage = storage

    def address(self, name: str, size: int) -> str:
        """Where to PUT the whole of so many bytes, no more and no fewer."""
        return self._signed("put_object", self._key(name) | {"ContentLength": size})

    def begin(self, name: str, earlier: str) -> str:
        """The id of an upload in parts: that of an earlier one, if it is still open."""
        with translated(name):
            if earlier:
                with suppress(ClientError):
                    self._client.list_parts(**self._key(name), UploadId=earlier, MaxParts=1)
                    return earlier
            return str(self._client.create_multipart_upload(**self._key(name))["UploadId"])

    def part_address(self, name: str, upload: str, number: int, size: int) -> str:
        """Where to PUT one part of so many bytes."""
        more = {"UploadId": upload, "PartNumber": number, "ContentLength": size}
        return self._signed("upload_part", self._key(name) | more)

    def finish(self, name: str, upload: str, tags: dict[int, str]) -> None:
        """Make one of the parts, by number and the tag that the store gave each. Invalid `part_missing`."""
        parts = [{"PartNumber": number, "ETag": tags[number]} for number in sorted(tags)]
        with translated(name):
            try:
                self._client.complete_multipart_upload(
                    **self._key(name), UploadId=upload, MultipartUpload={"Parts": parts}
                )
            except ClientError as error:
                if code_of(error) not in _WRONG:
                    raise
                if self.size(name) is None:
                    message = "A part of the file did not come; send the file again."
                    raise Invalid("part_missing", message) from None

    def size(self, name: str) -> int | None:
        """How many bytes came; None where nothing did."""
        with suppress(NotFound), translated(name):
            return int(self._client.head_object(**self._key(name))["ContentLength"])
        return None

    def fetch(self, name: str, target: Path, *, most: int) -> None:
        """Write what came, up to so many bytes and one more, which tells that there were too many."""
        with translated(name):
            body = self._client.get_object(**self._key(name))["Body"]
            left = most + 1
            with target.open("wb") as file:
                while left and (piece := body.read(min(left, 1 << 20))):
                    left -= file.write(piece)
            body.close()

    def drop(self, name: str, upload: str = "") -> None:
        """Remove what came, whole or in parts; no error where nothing did."""
        with translated(name):
            if upload:
                self._abort(self._key(name)["Key"], upload)
            self._client.delete_object(**self._key(name))

    def sweep(self) -> int:
        """Remove what nobody has dropped for days; how many."""
        oldest, removed, where = time.time() - LEFT_OVER_SECONDS, 0, self._key("")
        with translated(""):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=where["Bucket"], Prefix=where["Key"]):
                for entry in page.get("Contents", ()):
                    if entry["LastModified"].timestamp() < oldest:
                        self._client.delete_object(Bucket=where["Bucket"], Key=entry["Key"])
                        removed += 1
            pages = self._client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=where["Bucket"], Prefix=where["Key"]):
                for entry in page.get("Uploads", ()):
                    if entry["Initiated"].timestamp() < oldest:
                        self._abort(entry["Key"], entry["UploadId"])
                        removed += 1
        return removed

    def _abort(self, key: str, upload: str) -> None:
        try:
            self._client.abort_multipart_upload(Bucket=self._storage.bucket_name, Key=key, UploadId=upload)
        except ClientError as error:
            if code_of(error) not in _GONE:
                raise

    @property
    def _client(self) -> Any:
        return self._storage.connection.meta.client

    def _key(self, name: str) -> dict[str, Any]:
        return {"Bucket": self._storage.bucket_name, "Key": self._store.object_name(f"{_FOLDER}{name}")}

    def _signed(self, call: str, params: dict[str, Any]) -> str:
        signer = self._storage.signer
        return str(signer.generate_presigned_url(call, Params=params, ExpiresIn=ADDRESS_SECONDS))
