"""What moderators should look at, and what they decided."""

from django.db import models

from hub.models.people import User
from hub.models.registry import Embedding, Version


class Flag(models.Model):
    """Something about an embedding that a rule or a person noticed. It changes nothing; a moderator settles it.

    `rule` is the rule's id in the security documentation, such as `N3` for a name that reads like a much pulled one.
    A person's flag has a `reason` besides; who raised it is shown to nobody.
    """

    class Reason(models.TextChoices):
        """Why a person raised it."""

        ILLEGAL = "illegal", "illegal content"
        LIKENESS = "likeness", "a person who did not agree"
        COPYRIGHT = "copyright", "somebody else's work"
        DECEPTIVE = "deceptive", "pretends to be something or somebody else"
        HARMFUL = "harmful", "a file that does harm"
        MISLABELLED = "mislabelled", "wrong facts: base model, licence, kind"
        SPAM = "spam", "spam"
        OTHER = "other", "something else"

    class Outcome(models.TextChoices):
        """What became of it."""

        DISMISSED = "dismissed", "nothing to do"
        ACTED = "acted", "something was done"

    embedding = models.ForeignKey(Embedding, on_delete=models.CASCADE, related_name="flags")
    version = models.ForeignKey(
        Version, null=True, blank=True, on_delete=models.CASCADE, related_name="flags"
    )
    rule = models.CharField(max_length=16)
    detail = models.JSONField(default=dict)
    reason = models.CharField(max_length=16, choices=Reason.choices, blank=True)
    text = models.TextField(blank=True)
    raised_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    outcome = models.CharField(max_length=16, choices=Outcome.choices, blank=True)
    note = models.CharField(max_length=280, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["embedding", "rule"], condition=models.Q(reason=""), name="flag_once_per_rule"
            ),
            models.UniqueConstraint(
                fields=["embedding", "raised_by"],
                condition=models.Q(settled_at__isnull=True, raised_by__isnull=False),
                name="flag_open_once_per_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.embedding_id}"


class Ruling(models.Model):
    """A moderator's decision about a version. It is lifted where it was wrong or is done with, and never erased.

    `before_state` and `before_reason` are what the version goes back to then.
    """

    class Kind(models.TextChoices):
        """What was decided."""

        QUARANTINE = "quarantine", "held for a look"
        TAKE_DOWN = "take_down", "taken down"

    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="rulings")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    reason = models.CharField(max_length=280)
    before_state = models.CharField(max_length=16)
    before_reason = models.CharField(max_length=280, blank=True)
    made_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    lifted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_reason = models.CharField(max_length=280, blank=True)

    class Meta:
        ordering = ["-made_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["version"],
                condition=models.Q(lifted_at__isnull=True),
                name="ruling_open_once_per_version",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.version_id}"
