"""What tools push: uploads that wait for the commit that names them, and names that an embedding had before."""

from django.db import models

from hub.models.blob import Blob
from hub.models.people import Owner, User
from hub.models.registry import Embedding


class PendingUpload(models.Model):
    """A large file that somebody announced for an embedding; `blob` is set once all its bytes are here.

    It opens these bytes to that person and embedding alone, and is swept when no commit names it for a day.
    `store_upload` is what the file store calls it while its parts are sent straight there.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    embedding = models.ForeignKey(Embedding, on_delete=models.CASCADE, related_name="+")
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    blob = models.ForeignKey(Blob, null=True, on_delete=models.PROTECT, related_name="+")
    store_upload = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "embedding", "sha256"], name="pending_upload_once")
        ]

    def __str__(self) -> str:
        return self.sha256


class PendingPart(models.Model):
    """One part of a pending upload that comes in several."""

    upload = models.ForeignKey(PendingUpload, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["upload", "number"], name="pending_part_once")]

    def __str__(self) -> str:
        return f"{self.upload} {self.number}"


class FormerName(models.Model):
    """A name that an embedding had: it leads to the embedding for ever, and nobody else gets it."""

    owner = models.ForeignKey(Owner, on_delete=models.PROTECT, related_name="former_names")
    name = models.CharField(max_length=96)
    look_alike = models.CharField(max_length=96)
    embedding = models.ForeignKey(Embedding, on_delete=models.CASCADE, related_name="former_names")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="former_name_once_per_owner")]

    def __str__(self) -> str:
        return f"{self.owner.name}/{self.name}"
