"""Answers that are kept for a while, so that a call that is sent again is not done again."""

from django.db import models

from hub.models.people import User


class KeptAnswer(models.Model):
    """What was answered to a call that came with a key; `status` is 0 while the call is still being worked on.

    `fingerprint` is a SHA-256 over method, address and body: the same key cannot stand for another call.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=128)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(blank=True)
    location = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="kept_answer_once")]

    def __str__(self) -> str:
        return self.key
