"""Webhooks: addresses that are told of what happens to their owner's things, and each thing that they are told."""

import uuid
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from django.db import models
from django.utils import timezone

from hub.models.people import Owner, User
from hub.models.registry import Embedding

# How long a secret that was replaced still signs, beside the new one.
OVERLAP: Final = timedelta(hours=24)


class Webhook(models.Model):
    """An address, and which events it is told of; of one `embedding`, or of all that its owner has.

    Secrets are not kept: each is made from the hub's own key and its `nonce`. `failing_since` is the first failed
    attempt after the last good one, `failures` how many there were. `off_reason` is empty for one that its owner
    switched off; the hub has `told_at` about the others.
    """

    owner = models.ForeignKey(Owner, on_delete=models.CASCADE, related_name="webhooks")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    embedding = models.ForeignKey(
        Embedding, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    url = models.CharField(max_length=500)
    events = models.JSONField(default=list)
    nonce = models.CharField(max_length=43)
    former_nonce = models.CharField(max_length=43, blank=True)
    rotated_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    is_active = models.BooleanField(default=True)
    off_at = models.DateTimeField(null=True, blank=True)
    off_reason = models.CharField(max_length=280, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        # Without the path: with some services that alone is the secret.
        return f"webhook {self.pk} to {self.host}"

    @property
    def host(self) -> str:
        """Who is told, for lists and logs."""
        return urlsplit(self.url).netloc

    @property
    def nonces(self) -> list[str]:
        """What signs at the moment: the secret, and for a day the one before."""
        is_recent = self.rotated_at is not None and self.rotated_at > timezone.now() - OVERLAP
        return [self.nonce, self.former_nonce] if self.former_nonce and is_recent else [self.nonce]


class Delivery(models.Model):
    """One event for one webhook: `waiting` until it was `delivered`, given up (`failed`), or `dropped`.

    Dropped is what the owner may not see any more. `key` is its name for the receiver, the same at every attempt.
    `about` says what it is about in ids; what is sent is made from that at the moment of sending, and `body` is what
    was sent last. A worker holds it until `lease_until`.
    """

    class State(models.TextChoices):
        """Life of a delivery."""

        WAITING = "waiting", "waiting"
        DELIVERED = "delivered", "delivered"
        FAILED = "failed", "given up"
        DROPPED = "dropped", "not sent"

    key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=32)
    about = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField(auto_now_add=True)
    next_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveIntegerField(null=True, blank=True)
    milliseconds = models.PositiveIntegerField(null=True, blank=True)
    message = models.CharField(max_length=280, blank=True)
    body = models.TextField(blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["state", "next_at"], name="delivery_due"),
            models.Index(fields=["webhook", "-created_at"], name="delivery_of_webhook"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.key}"

    @property
    def is_in_hand(self) -> bool:
        """Whether a worker is at it."""
        return self.lease_until is not None and self.lease_until > timezone.now()

    @property
    def is_retried(self) -> bool:
        """Whether it was tried, and waits to be tried again."""
        return self.state == self.State.WAITING and self.attempts > 0 and not self.is_in_hand
