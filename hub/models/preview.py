"""Preview images of a version: the cells of its preview sheet, the sheet itself, and its cover."""

from django.db import models

from hub.models.blob import Blob
from hub.models.registry import Version


class Preview(models.Model):
    """One picture with everything needed to make it again.

    `role` is `image` (a cell of the sheet), `sheet` (all cells in one picture) or `upload` (the publisher's own).
    `block` is the sheet's block letter A to H; block C and every picture with `is_control` is rendered without
    the word.
    """

    class Role(models.TextChoices):
        """What the picture is."""

        IMAGE = "image", "image"
        SHEET = "sheet", "sheet"
        UPLOAD = "upload", "upload"

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="previews")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.IMAGE)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    content_type = models.CharField(max_length=32, default="image/png")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    block = models.CharField(max_length=1, blank=True)
    row = models.PositiveIntegerField(default=0)
    column = models.PositiveIntegerField(default=0)
    is_control = models.BooleanField(default=False)
    prompt = models.TextField(blank=True)
    negative_prompt = models.TextField(blank=True)
    seed = models.BigIntegerField(default=0)
    parameters = models.JSONField(default=dict, blank=True)
    alt = models.CharField(max_length=400, blank=True)

    class Meta:
        ordering = ["block", "row", "column", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "role", "block", "row", "column"],
                name="preview_cell_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.role} {self.block}{self.row}.{self.column}"
