"""Rows that keep promises: jobs written with their cause, and the chained audit log."""

import uuid

from django.db import models


class OutboxJob(models.Model):
    """A job that was promised in the transaction of its cause; the relay sends it to the broker.

    A row lives until its job is done, so an empty or lost broker loses nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80)
    queue = models.CharField(max_length=40)
    args = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    run_after = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["sent_at", "created_at"], name="outbox_unsent")]

    def __str__(self) -> str:
        return f"{self.name}{self.args}"


class AuditEntry(models.Model):
    """One act, written in the transaction that did it; each row holds the hash of the row before."""

    sequence = models.BigIntegerField(unique=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=120)
    token_prefix = models.CharField(max_length=16, blank=True)
    act = models.CharField(max_length=80)
    subject = models.CharField(max_length=255)
    detail = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["sequence"]

    def __str__(self) -> str:
        return f"{self.sequence} {self.act} {self.subject}"
