"""Names that bytes have elsewhere, kept for ever; and files that were made from a version on request."""

from django.db import models

from hub.models.blob import Blob
from hub.models.registry import Version


class Digest(models.Model):
    """One digest of one file of a version, or of the upload it was made from (`path` is empty then).

    Written before the version is published and frozen with it: whoever holds a file finds the version by any of
    its names, also after the bytes are gone. What is cut from a SHA-256 (AutoV2 and so on) has no row of its own.
    """

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="digests")
    path = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=16)
    value = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "path", "kind"], name="digest_kind_once")]
        indexes = [models.Index(fields=["value"], name="digest_value")]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class Conversion(models.Model):
    """A layout of a version that was asked for: made from the file with the SHA-256 `source` by the writer `writer`.

    A cache: it may be dropped at any time and is made again when it is asked for.
    """

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="conversions")
    source = models.CharField(max_length=64)
    layout = models.CharField(max_length=32)
    writer = models.CharField(max_length=16)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "layout", "writer"], name="conversion_once")]

    def __str__(self) -> str:
        return f"{self.version} as {self.layout}"
