"""Who asked for the files of a gated embedding, and what they were answered."""

from django.db import models

from hub.models.people import User
from hub.models.registry import Embedding


class AccessRequest(models.Model):
    """One person's wish for the files of one embedding: `pending` until it is `accepted` or `rejected`.

    Accepted is the grant itself, and rejected is for good unless the owner takes it up again; either may be put back
    to pending. `email` is what the person agreed to share and `terms` what they agreed to; both are empty for a grant
    that nobody asked for. `decided_by` is None where the gate itself let them in, or whoever decided is gone.
    """

    class State(models.TextChoices):
        """Life of a request."""

        PENDING = "pending", "waiting"
        ACCEPTED = "accepted", "accepted"
        REJECTED = "rejected", "rejected"

    embedding = models.ForeignKey(Embedding, on_delete=models.CASCADE, related_name="access_requests")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="access_requests")
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    message = models.CharField(max_length=1_000, blank=True)
    email = models.CharField(max_length=254, blank=True)
    terms = models.TextField(blank=True)
    reason = models.CharField(max_length=280, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["embedding", "user"], name="access_asked_once")]
        indexes = [models.Index(fields=["embedding", "state", "-created_at"], name="access_by_state")]

    def __str__(self) -> str:
        return f"{self.user} at the gate of {self.embedding}"
