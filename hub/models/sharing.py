"""What people gather and like: packs (`Collection`), their members and revisions, likes."""

from django.db import models

from hub.models.people import Owner, User
from hub.models.registry import Embedding, Version


class Collection(models.Model):
    """A pack: an owner's ordered list of versions with notes, `owner/name` in the name space of the embeddings."""

    class Visibility(models.TextChoices):
        """Who may see a pack; what moderators hold, its owner alone."""

        PUBLIC = "public", "public"
        PRIVATE = "private", "private"
        HELD = "held", "held"

    owner = models.ForeignKey(Owner, on_delete=models.PROTECT, related_name="collections")
    name = models.CharField(max_length=96)
    look_alike = models.CharField(max_length=96)
    title = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    visibility = models.CharField(max_length=16, choices=Visibility.choices, default=Visibility.PUBLIC)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-updated_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="collection_name_once_per_owner"),
            models.UniqueConstraint(
                fields=["owner", "look_alike"], name="collection_look_alike_once_per_owner"
            ),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner.name}/{self.name}"


class CollectionMember(models.Model):
    """One pinned version in a pack; `trigger` is in small letters, since a folder may know no others."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="members")
    embedding = models.ForeignKey(Embedding, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="memberships")
    trigger = models.CharField(max_length=64)
    note = models.CharField(max_length=280, blank=True)
    position = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["collection", "embedding"], name="member_embedding_once"),
            models.UniqueConstraint(fields=["collection", "trigger"], name="member_trigger_once"),
        ]

    def __str__(self) -> str:
        return f"{self.version} in {self.collection}"


class CollectionRevision(models.Model):
    """A pack as it once was, so that its revision id can be pulled later: texts, and versions with notes in order."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="revisions")
    title = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    members = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.collection} at {self.created_at:%Y-%m-%d %H:%M}"


class FormerPackName(models.Model):
    """A name that a pack had before: it leads to the pack, and nothing else of its owner gets it."""

    owner = models.ForeignKey(Owner, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=96)
    look_alike = models.CharField(max_length=96)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="former_names")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="former_pack_name_once")]

    def __str__(self) -> str:
        return self.name


class Like(models.Model):
    """One person likes one embedding. `Embedding.likes` counts them."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="likes")
    embedding = models.ForeignKey(Embedding, on_delete=models.CASCADE, related_name="liked_by")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "embedding"], name="liked_once")]
        indexes = [models.Index(fields=["user", "-created_at"], name="liked_newest")]

    def __str__(self) -> str:
        return f"{self.user} likes {self.embedding}"
