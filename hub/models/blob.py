"""The row that names stored bytes by their SHA-256."""

from django.db import models


class Blob(models.Model):
    """Content-addressed bytes in the store; the name is the SHA-256 of the bytes, for ever.

    `deleting` is set by gc before the bytes go, so that an upload of the same bytes can put them back.
    `git_sha1` is the id that git would give the same content; the Hugging Face door shows it.
    """

    sha256 = models.CharField(primary_key=True, max_length=64)
    size = models.BigIntegerField()
    git_sha1 = models.CharField(max_length=40)
    created_at = models.DateTimeField(auto_now_add=True)
    deleting = models.BooleanField(default=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(size__gte=0), name="blob_size_not_negative")]

    def __str__(self) -> str:
        return self.sha256
