"""The registry's tables: base models, embeddings, versions, files, commits, tags."""

import uuid

from django.db import models

from hub.models.blob import Blob
from hub.models.people import Owner, User


class Kind(models.TextChoices):
    """What an embedding is of."""

    STYLE = "style", "style"
    OBJECT = "object", "object"
    SUBJECT = "subject", "subject"
    NEGATIVE = "negative", "negative"


class Visibility(models.TextChoices):
    """Who may see an embedding."""

    PUBLIC = "public", "public"
    UNLISTED = "unlisted", "unlisted"
    PRIVATE = "private", "private"


class BaseModel(models.Model):
    """A base model by name: its family, and where its files are if it is installed here."""

    name = models.SlugField(max_length=96, unique=True)
    title = models.CharField(max_length=120)
    family = models.CharField(max_length=32)
    digest = models.CharField(max_length=64, blank=True)
    folder = models.CharField(max_length=500, blank=True)
    resolution = models.PositiveIntegerField(default=512)
    prediction_type = models.CharField(max_length=32, blank=True)
    record = models.JSONField(default=dict, blank=True)
    is_installed = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    """A word people filter by."""

    slug = models.SlugField(max_length=48, unique=True)

    def __str__(self) -> str:
        return self.slug


class EmbeddingQuerySet(models.QuerySet["Embedding"]):
    """Named questions about embeddings."""

    def alive(self) -> "EmbeddingQuerySet":
        """Not deleted by their owner."""
        return self.filter(deleted_at__isnull=True)

    def listed(self) -> "EmbeddingQuerySet":
        """Public, and with a version that lists may offer."""
        return self.alive().filter(visibility=Visibility.PUBLIC, head__state=Version.State.PUBLISHED)


class Gate(models.TextChoices):
    """How people come by the files of an embedding: all who see it, all who agree to the terms, all who are let in."""

    OFF = "off", "no gate"
    AUTO = "auto", "whoever agrees"
    MANUAL = "manual", "whoever is let in"


class Embedding(models.Model):
    """The named thing a person publishes, `owner/name`.

    `head` is what `main` resolves to: the newest published version that is not yanked. `last_number` only
    grows, so that a version number is used once for ever. `said` is the front matter of a pushed card, cleaned: what
    the hub knows itself wins over it.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(Owner, on_delete=models.PROTECT, related_name="embeddings")
    name = models.CharField(max_length=96)
    look_alike = models.CharField(max_length=96)
    title = models.CharField(max_length=120)
    summary = models.CharField(max_length=280, blank=True)
    card = models.TextField(blank=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    visibility = models.CharField(max_length=16, choices=Visibility.choices, default=Visibility.PUBLIC)
    tags = models.ManyToManyField(Tag, blank=True, related_name="embeddings")
    head = models.ForeignKey(
        "Version",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_constraint=True,
    )
    gate = models.CharField(max_length=16, choices=Gate.choices, default=Gate.OFF, db_default=Gate.OFF)
    gate_terms = models.TextField(blank=True, default="", db_default="")
    said = models.JSONField(null=True, blank=True)
    last_number = models.PositiveIntegerField(default=0)
    downloads = models.PositiveBigIntegerField(default=0)
    likes = models.PositiveBigIntegerField(default=0, db_default=0)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = EmbeddingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="embedding_name_once_per_owner"),
            models.UniqueConstraint(
                fields=["owner", "look_alike"],
                name="embedding_look_alike_once_per_owner",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at"], name="embedding_newest"),
            models.Index(fields=["-downloads"], name="embedding_most_pulled"),
            models.Index(fields=["-likes"], name="embedding_most_liked"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner.name}/{self.name}"

    @property
    def is_gated(self) -> bool:
        """Whether its files are for those who were let in; `hub.catalog.gates` says for whom."""
        return self.gate != Gate.OFF


class VersionQuerySet(models.QuerySet["Version"]):
    """Named questions about versions."""

    def published(self) -> "VersionQuerySet":
        """Offered: published and not yanked."""
        return self.filter(state=Version.State.PUBLISHED)

    def resolvable(self) -> "VersionQuerySet":
        """Pulled by exact number or commit: published or yanked."""
        return self.filter(state__in=[Version.State.PUBLISHED, Version.State.YANKED])


class Version(models.Model):
    """One frozen release of an embedding.

    `draft -> checking -> published <-> yanked`; any of these `<-> quarantined`; `-> taken_down`; `-> deleted`.
    The number is given when it is published. From then on the columns that say what it is are held by
    database triggers; only state, reason, label and the derived `insights` and `sheet_*` columns may change.
    `tensors` is the canonical file as it arrived; it is let go only after the version was deleted or taken down.
    """

    class State(models.TextChoices):
        """Life of a version."""

        DRAFT = "draft", "draft"
        CHECKING = "checking", "checking"
        PUBLISHED = "published", "published"
        YANKED = "yanked", "yanked"
        QUARANTINED = "quarantined", "quarantined"
        TAKEN_DOWN = "taken_down", "taken down"
        DELETED = "deleted", "deleted"

    class SheetState(models.TextChoices):
        """Whether the hub has rendered this version's preview sheet."""

        NONE = "none", "no base model of this family is installed"
        WAITING = "waiting", "waiting for a worker"
        RENDERING = "rendering", "being rendered"
        DONE = "done", "rendered"
        FAILED = "failed", "could not be rendered"

    embedding = models.ForeignKey(Embedding, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(null=True, blank=True)
    label = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.DRAFT)
    state_reason = models.CharField(max_length=280, blank=True)
    state_changed_at = models.DateTimeField(null=True, blank=True)
    notes = models.TextField(blank=True)
    trigger = models.CharField(max_length=64)
    family = models.CharField(max_length=32)
    base_model = models.ForeignKey(
        BaseModel, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    vectors = models.PositiveIntegerField()
    encoders = models.JSONField(default=list)
    licence = models.CharField(max_length=64)
    tensors = models.ForeignKey(Blob, null=True, on_delete=models.PROTECT, related_name="+")
    tensor_digest = models.CharField(max_length=64, db_index=True)
    source_name = models.CharField(max_length=200, blank=True)
    source_sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    source_container = models.CharField(max_length=32, blank=True)
    source_layout = models.CharField(max_length=32, blank=True)
    initializer = models.CharField(max_length=120, blank=True)
    warnings = models.JSONField(default=list, blank=True)
    provenance = models.JSONField(default=dict, blank=True)
    run_key = models.UUIDField(null=True, blank=True, unique=True)
    insights = models.JSONField(default=dict, blank=True)
    sheet_state = models.CharField(max_length=16, choices=SheetState.choices, default=SheetState.NONE)
    sheet_message = models.CharField(max_length=280, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True)

    objects = VersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["embedding", "number"], name="version_number_once"),
            models.UniqueConstraint(
                fields=["embedding", "label"],
                condition=~models.Q(label=""),
                name="version_label_once",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["draft", "checking", "deleted", "quarantined"])
                | models.Q(number__isnull=False, published_at__isnull=False),
                name="version_published_has_number",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["deleted", "taken_down"]) | models.Q(tensors__isnull=False),
                name="version_has_its_tensors",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.embedding} {self.name}"

    @property
    def name(self) -> str:
        """`v3`, or `draft`."""
        return f"v{self.number}" if self.number else "draft"

    @property
    def is_published(self) -> bool:
        """Frozen and resolvable: published or yanked."""
        return self.state in (self.State.PUBLISHED, self.State.YANKED)


class File(models.Model):
    """A file of a published version, by its path in the tree."""

    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="files")
    path = models.CharField(max_length=120)
    layout = models.CharField(max_length=32)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["version", "path"], name="file_path_once")]

    def __str__(self) -> str:
        return self.path


class Commit(models.Model):
    """A version together with one card text: what a commit id names, for ever.

    `sha` is the first 40 hex digits of a SHA-256 over the embedding's permanent id, the parent's sha, the
    version number, and path and digest of every file in the tree, README.md included. `readme` is let go only
    after the embedding was deleted.
    """

    embedding = models.ForeignKey(Embedding, on_delete=models.PROTECT, related_name="commits")
    version = models.ForeignKey(
        Version, null=True, blank=True, on_delete=models.PROTECT, related_name="commits"
    )
    sequence = models.PositiveIntegerField()
    sha = models.CharField(max_length=40, unique=True)
    parent = models.CharField(max_length=40, blank=True)
    readme = models.ForeignKey(Blob, null=True, on_delete=models.PROTECT, related_name="+")
    message = models.CharField(max_length=280, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["sequence"]
        constraints = [models.UniqueConstraint(fields=["embedding", "sequence"], name="commit_sequence_once")]

    def __str__(self) -> str:
        return self.sha
