"""What moderators should look at: flags that the hub raises by itself."""

from django.db import models

from hub.models.registry import Embedding


class Flag(models.Model):
    """Something about an embedding that a rule noticed. It changes nothing by itself; a moderator settles it.

    `rule` is the rule's id in the security documentation, such as `N3` for a name that reads like a much pulled one.
    """

    embedding = models.ForeignKey(Embedding, on_delete=models.CASCADE, related_name="flags")
    rule = models.CharField(max_length=16)
    detail = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["embedding", "rule"], name="flag_once_per_rule")]

    def __str__(self) -> str:
        return f"{self.rule} {self.embedding_id}"
