"""What moderators should look at, what they decided, and what the owner answered."""

from django.db import models

from hub.models.blob import Blob
from hub.models.people import Owner, User
from hub.models.preview import Preview
from hub.models.registry import Embedding, Version
from hub.models.sharing import Collection


def _one_of(*fields: str) -> models.Q:
    """Exactly one of these is set."""
    question = models.Q()
    for field in fields:
        question |= models.Q(**{f"{other}__isnull": other != field for other in fields})
    return question


def _open_once(field: str) -> models.UniqueConstraint:
    """One person has one open flag on a thing."""
    return models.UniqueConstraint(
        fields=[field, "raised_by"],
        condition=models.Q(settled_at__isnull=True, raised_by__isnull=False),
        name="flag_open_once_per_person" if field == "embedding" else f"flag_open_once_per_{field}",
    )


class Flag(models.Model):
    """Something about an embedding, a pack or an owner that a rule or a person noticed; a moderator settles it.

    `rule` is the rule's id in the security documentation, such as `N3` for a name that reads like a much pulled one.
    A person's flag has a `reason` besides; who raised it is shown to nobody. On an embedding it may name a version,
    and one of its pictures.
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

    embedding = models.ForeignKey(
        Embedding, null=True, blank=True, on_delete=models.CASCADE, related_name="flags"
    )
    version = models.ForeignKey(
        Version, null=True, blank=True, on_delete=models.CASCADE, related_name="flags"
    )
    picture = models.ForeignKey(Preview, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    pack = models.ForeignKey(
        Collection, null=True, blank=True, on_delete=models.CASCADE, related_name="flags"
    )
    owner = models.ForeignKey(Owner, null=True, blank=True, on_delete=models.CASCADE, related_name="flags")
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
            _open_once("embedding"),
            _open_once("pack"),
            _open_once("owner"),
            models.CheckConstraint(
                condition=_one_of("embedding", "pack", "owner"), name="flag_has_one_thing"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.embedding_id or self.pack_id or self.owner_id}"

    @property
    def thing(self) -> Embedding | Collection | Owner:
        """What it is about."""
        found = self.embedding or self.pack or self.owner
        assert found is not None
        return found

    @property
    def name(self) -> str:
        """`owner/name`, or the owner's name."""
        return str(self.thing)


class Ruling(models.Model):
    """A moderator's decision about a version, a picture of one, a pack or an owner; a rule of the hub has no `made_by`.

    It is lifted where it was wrong or is done with, and never erased. `before_state`, `before_reason` and `before`
    are what there was, and is again then. `category` is told to everybody, `reason` to the owner.
    """

    class Kind(models.TextChoices):
        """What was decided."""

        QUARANTINE = "quarantine", "held for a look"
        TAKE_DOWN = "take_down", "taken down"
        REMOVE_PICTURE = "remove_picture", "picture removed"
        CLEAR = "clear", "profile text removed"
        FREEZE = "freeze", "account frozen"

    # What can be decided about a version as a whole.
    OF_VERSIONS = [
        (Kind.QUARANTINE.value, Kind.QUARANTINE.label),
        (Kind.TAKE_DOWN.value, Kind.TAKE_DOWN.label),
    ]

    version = models.ForeignKey(
        Version, null=True, blank=True, on_delete=models.PROTECT, related_name="rulings"
    )
    pack = models.ForeignKey(
        Collection, null=True, blank=True, on_delete=models.SET_NULL, related_name="rulings"
    )
    owner = models.ForeignKey(Owner, null=True, blank=True, on_delete=models.PROTECT, related_name="rulings")
    picture = models.ForeignKey(Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    subject = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    rule = models.CharField(max_length=16, blank=True)
    category = models.CharField(max_length=16, choices=Flag.Reason.choices, default=Flag.Reason.OTHER)
    reason = models.CharField(max_length=280)
    before_state = models.CharField(max_length=16, blank=True)
    before_reason = models.CharField(max_length=280, blank=True)
    before = models.JSONField(default=dict, blank=True)
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
                condition=models.Q(lifted_at__isnull=True, kind__in=["quarantine", "take_down"]),
                name="ruling_open_once_per_version",
            ),
            models.UniqueConstraint(
                fields=["pack"], condition=models.Q(lifted_at__isnull=True), name="ruling_open_once_per_pack"
            ),
            models.UniqueConstraint(
                fields=["owner", "kind"],
                condition=models.Q(lifted_at__isnull=True),
                name="ruling_open_once_per_owner",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def thing(self) -> Embedding | Collection | Owner | None:
        """What it is about; a pack may be gone."""
        return self.version.embedding if self.version else self.pack or self.owner

    @property
    def name(self) -> str:
        """What it is about is called now, or was called then."""
        thing = self.thing
        return self.subject if thing is None else str(thing)


class Appeal(models.Model):
    """The owner's answer to a ruling: one message, judged by a moderator who did not make the ruling."""

    class Outcome(models.TextChoices):
        """What came of it."""

        UPHELD = "upheld", "the ruling stands"
        OVERTURNED = "overturned", "the ruling is taken back"

    ruling = models.OneToOneField(Ruling, on_delete=models.CASCADE, related_name="appeal")
    text = models.TextField()
    made_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    outcome = models.CharField(max_length=16, choices=Outcome.choices, blank=True)
    answer = models.CharField(max_length=280, blank=True)
    settled_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["made_at"]

    def __str__(self) -> str:
        return f"appeal to {self.ruling_id}"


class Notice(models.Model):
    """One of the owner's people is told by mail of a ruling, of its end or of an appeal's."""

    class About(models.TextChoices):
        """What happened."""

        MADE = "made", "a ruling was made"
        LIFTED = "lifted", "a ruling was taken back"
        ANSWERED = "answered", "an appeal was answered"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    ruling = models.ForeignKey(Ruling, on_delete=models.CASCADE, related_name="+")
    about = models.CharField(max_length=16, choices=About.choices)
    made_at = models.DateTimeField(auto_now_add=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["made_at", "pk"]

    def __str__(self) -> str:
        return f"{self.about} to {self.user_id}"
