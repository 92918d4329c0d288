"""What readers need: the text that search looks through, fingerprints of values, pulls by day, stamps."""

from django.db import models

from hub.models.registry import Embedding, Version


class SearchText(models.Model):
    """The folded words of an embedding, in four columns of falling weight.

    Written in the transaction that changes the embedding; the full-text indexes over it are kept by the database.
    Folded: lower case, no accents, everything but letters and digits a space.
    """

    embedding = models.OneToOneField(
        Embedding,
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="search_text",
    )
    word = models.TextField(blank=True)
    tags = models.TextField(blank=True)
    summary = models.TextField(blank=True)
    body = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.word


class Stamp(models.Model):
    """A number that is drawn anew whenever anything changes that doors tell of an embedding.

    Triggers of the database draw it, in the transaction that makes the change, so that no writer can forget to.
    """

    embedding = models.OneToOneField(
        Embedding, primary_key=True, on_delete=models.CASCADE, related_name="stamp"
    )
    number = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.number)


class Download(models.Model):
    """Pulls of one version on one day."""

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="pulls")
    day = models.DateField()
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "day"], name="download_day_once")]

    def __str__(self) -> str:
        return f"{self.version} {self.day}: {self.count}"


class Fingerprint(models.Model):
    """Sketches of a published version's first vectors (hub.formats.sketch), by which near copies are found.

    Derived from the tensors: `fsck --repair` makes missing ones.
    """

    version = models.OneToOneField(
        Version, primary_key=True, on_delete=models.CASCADE, related_name="fingerprint"
    )
    sketches = models.TextField()

    def __str__(self) -> str:
        return f"{self.version}: {self.sketches[:16]}"


class FingerprintBand(models.Model):
    """One part of one sketch: versions that share a band may be near copies of one another."""

    fingerprint = models.ForeignKey(Fingerprint, on_delete=models.CASCADE, related_name="bands")
    family = models.CharField(max_length=32)
    value = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["family", "value", "fingerprint"], name="fingerprint_band_once")
        ]

    def __str__(self) -> str:
        return f"{self.family} {self.value:x}"
