"""Tables of training: runs, their pictures, what happened in them, and what they leave on the way."""

import uuid
from typing import Final

from django.db import models

from hub.models import BaseModel, Blob, Embedding, Owner, User, Version


class TrainingRun(models.Model):
    """One training of one version. Its id is the version's `run_key`, so a run can leave only one version.

    queued -> preparing -> training -> previewing -> done
    queued | preparing | training | previewing | paused -> cancelled    its owner stopped it
    queued | preparing | training | previewing | paused -> failed       `fault` says whose fault it was
    preparing | training | previewing -> queued    its worker was lost or told to stop: it goes on from the
                                                   newest checkpoint, or from the finished vectors
    preparing | training | previewing -> paused    store or disk out; claimed again like `queued`

    The row is the truth, messages only wake a worker. `lease_until` is on database time; every write of a
    worker carries `fence`, which each claim raises, and changes nothing when the fence is old.
    `attempts_without_progress` is raised before the engine starts and set back by each new checkpoint.
    Its pictures are deleted some weeks after its end; `picture_digests` stay. With `may_shrink` a run that ran out
    of memory is tried once more with smaller batches. `goes_on_from` is the run at whose step this one began,
    `start` the word whose vectors it started at.
    `seen_at` is when whoever started it saw how it ended, `told_at` when a mail about that went out, where asked.
    """

    class State(models.TextChoices):
        """Life of a run."""

        QUEUED = "queued", "waiting"
        PREPARING = "preparing", "preparing"
        TRAINING = "training", "training"
        PREVIEWING = "previewing", "drawing the preview sheet"
        PAUSED = "paused", "paused"
        DONE = "done", "done"
        CANCELLED = "cancelled", "stopped"
        FAILED = "failed", "failed"

    class Fault(models.TextChoices):
        """Whose fault a failure was."""

        NONE = "", "nobody's"
        RECIPE = "recipe", "the settings or pictures"
        MACHINE = "machine", "this hub"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(Owner, on_delete=models.PROTECT, related_name="runs")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    embedding = models.ForeignKey(Embedding, on_delete=models.PROTECT, related_name="runs")
    base_model = models.ForeignKey(BaseModel, on_delete=models.PROTECT, related_name="+")
    submission_key = models.UUIDField(null=True, blank=True)
    recipe = models.JSONField()
    warnings = models.JSONField(default=list, blank=True)
    licence = models.CharField(max_length=64)
    consent = models.CharField(max_length=280)
    bundled_set = models.CharField(max_length=64, blank=True)
    picture_digests = models.JSONField(default=list, blank=True)
    pictures_purged_at = models.DateTimeField(null=True, blank=True)
    start = models.ForeignKey(Version, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    goes_on_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="continuations"
    )
    goes_on_at = models.PositiveIntegerField(null=True, blank=True)
    may_shrink = models.BooleanField(default=False)

    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    stage = models.CharField(max_length=120, blank=True)
    cancel_requested = models.BooleanField(default=False)
    lease_until = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    woken_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=120, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    attempts_without_progress = models.PositiveIntegerField(default=0)

    step = models.PositiveIntegerField(default=0)
    max_steps = models.PositiveIntegerField()
    progress = models.JSONField(default=dict, blank=True)
    result = models.JSONField(default=dict, blank=True)
    fault = models.CharField(max_length=16, choices=Fault.choices, default=Fault.NONE, blank=True)
    code = models.CharField(max_length=64, blank=True)
    message = models.CharField(max_length=500, blank=True)
    detail = models.TextField(blank=True)
    version = models.OneToOneField(
        Version, null=True, blank=True, on_delete=models.SET_NULL, related_name="run"
    )

    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    seconds = models.FloatField(default=0)
    seen_at = models.DateTimeField(null=True, blank=True)
    tell_by_mail = models.BooleanField(default=False)
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "submission_key"], name="run_submission_once"),
        ]
        indexes = [
            models.Index(fields=["state", "created_at"], name="run_line"),
            models.Index(fields=["owner", "-created_at"], name="run_of_owner"),
            models.Index(fields=["owner", "seen_at"], name="run_unseen"),
        ]

    def __str__(self) -> str:
        return f"{self.embedding} {self.id}"

    @property
    def trigger(self) -> str:
        """The word being learned."""
        return str(self.recipe["trigger"])

    @property
    def is_over(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.state in OVER

    @property
    def is_running(self) -> bool:
        """Whether a worker has it in hand."""
        return self.state in RUNNING


RUNNING: Final = (
    TrainingRun.State.PREPARING,
    TrainingRun.State.TRAINING,
    TrainingRun.State.PREVIEWING,
)
WAITING: Final = (TrainingRun.State.QUEUED, TrainingRun.State.PAUSED)
OVER: Final = (
    TrainingRun.State.DONE,
    TrainingRun.State.CANCELLED,
    TrainingRun.State.FAILED,
)


class BaseProbe(models.Model):
    """How fast steps on a base model were on a machine, and what memory they took: the newest is what pages tell.

    `digest` is that of the base measured: another base under the same name was not measured. `resolutions` is what
    the engine said, the smallest first: `resolution`, `batches` (`batch`, `seconds` a step, `peak_bytes`), `largest`
    and `limit`.
    """

    base_model = models.ForeignKey(BaseModel, on_delete=models.CASCADE, related_name="probes")
    digest = models.CharField(max_length=64)
    host = models.CharField(max_length=120)
    device = models.CharField(max_length=120)
    precision = models.CharField(max_length=16)
    load_seconds = models.FloatField()
    resolutions = models.JSONField()
    measured_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-measured_at"]
        indexes = [models.Index(fields=["base_model", "-measured_at"], name="probe_newest")]

    def __str__(self) -> str:
        return f"{self.base_model_id} on {self.host}"


MASK_TYPE: Final = "image/png"


class TrainingImage(models.Model):
    """A prepared picture: turned, stripped, re-encoded. Without a run it waits for its owner's next one.

    `mask` is a grey PNG of the same shape, white for what counts. `facts` has what was measured, and as `focus` the
    part to learn from: left, top, right and bottom as shares of the sides.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(Owner, on_delete=models.CASCADE, related_name="+")
    run = models.ForeignKey(
        TrainingRun,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="images",
    )
    position = models.PositiveIntegerField(default=0)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    mask = models.ForeignKey(Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    content_type = models.CharField(max_length=32)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    source_name = models.CharField(max_length=120, blank=True)
    caption = models.CharField(max_length=2048, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["position", "created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "position"],
                condition=models.Q(run__isnull=False),
                name="image_position_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.position}"


class RunEvent(models.Model):
    """Something that happened in a run, in order: `points` of the loss curve, `state`, `note`."""

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="events")
    sequence = models.PositiveIntegerField()
    kind = models.CharField(max_length=16)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["sequence"]
        constraints = [models.UniqueConstraint(fields=["run", "sequence"], name="event_sequence_once")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.sequence} {self.kind}"


class Checkpoint(models.Model):
    """The state of a run after a step, exact enough to go on from as if nothing had happened."""

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="checkpoints")
    step = models.PositiveIntegerField()
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-step"]
        constraints = [models.UniqueConstraint(fields=["run", "step"], name="checkpoint_step_once")]

    def __str__(self) -> str:
        return f"{self.run_id} step {self.step}"


class CheckpointPart(models.Model):
    """What a checkpoint stands on beside its own file; most parts serve many checkpoints and are stored once."""

    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.CASCADE, related_name="parts")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["checkpoint", "blob"], name="checkpoint_part_once")]

    def __str__(self) -> str:
        return f"{self.checkpoint_id} {self.blob_id}"


class Snapshot(models.Model):
    """The word as it was on the way, a canonical file: what the sheet's growth row is drawn with.

    `label` is the engine's: `step 40`, or `average`.
    """

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="snapshots")
    position = models.PositiveIntegerField()
    label = models.CharField(max_length=40)
    step = models.PositiveIntegerField()
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["run", "label"], name="snapshot_label_once")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.label}"


class GrowthPicture(models.Model):
    """A small picture drawn with the word while it was being learned."""

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="growth")
    step = models.PositiveIntegerField()
    position = models.PositiveIntegerField()
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    content_type = models.CharField(max_length=32)
    prompt = models.CharField(max_length=400, blank=True)
    seed = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["step", "position"]
        constraints = [
            models.UniqueConstraint(fields=["run", "step", "position"], name="growth_picture_once")
        ]

    def __str__(self) -> str:
        return f"{self.run_id} step {self.step}.{self.position}"
