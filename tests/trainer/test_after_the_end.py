"""Runs that are over: going on from a kept step, taking an earlier snapshot, pictures that are deleted in time."""

import json
import struct
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from hub import blobs
from hub.access import Viewer
from hub.errors import Conflict, NotFound, Unacceptable
from hub.models import Blob, OutboxJob, Version
from hub.services.versions import publishing
from tests import factories
from trainer import worker
from trainer.models import TrainingImage, TrainingRun
from trainer.recipe import Recipe
from trainer.services import continuing, finishing, leases, pictures, snapshots, submitting

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("child")]
Submit = Callable[..., TrainingRun]


def go(run: TrainingRun) -> TrainingRun:
    worker.run_training.fn(str(run.id))
    run.refresh_from_db()
    return run


def stopped(run: TrainingRun) -> TrainingRun:
    """The run as if its owner had stopped it after half of its steps, with what the engine kept until then."""
    whole = go(run)
    publishing.discard_draft(Viewer(run.created_by), version=whole.version)
    whole.checkpoints.filter(step__gt=20).delete()
    whole.snapshots.all().delete()
    TrainingRun.objects.filter(pk=run.pk).update(state="cancelled", step=20, version=None)
    run.refresh_from_db()
    return run


@pytest.fixture
def browser(maker: Viewer) -> Client:
    client = Client()
    client.force_login(maker.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def vectors(run: TrainingRun) -> bytes:
    return blobs.read(str(run.version.tensors_id))


def test_a_stopped_run_is_gone_on_from_and_ends_as_if_it_had_never_stopped(
    submit: Submit, maker: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.services.recording.KEPT_CHECKPOINTS", 9)
    whole = go(submit(name="moss-whole", trigger="moss-glow"))
    half = stopped(submit(name="moss-half", trigger="moss-glow"))
    more = continuing.go_on(maker, run=half, step=20)
    assert (more.goes_on_from, more.goes_on_at, more.step, more.state) == (half, 20, 20, "queued")
    assert more.embedding == half.embedding and more.images.count() == 3
    go(more)
    assert more.state == "done" and vectors(more) == vectors(whole)
    assert next(point[0] for e in more.events.filter(kind="points") for point in e.data["points"]) == 21


def test_the_page_of_a_stopped_run_offers_to_go_on_once_for_two_presses(
    submit: Submit, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.services.recording.KEPT_CHECKPOINTS", 9)
    half = stopped(submit())
    page = browser.get(f"/runs/{half.id}").content.decode()
    assert "Go on training" in page and '<option value="10">step 10</option>' in page
    form = {"step": "20", "max_steps": "40", "key": str(uuid.uuid4())}
    first, again = (browser.post(f"/runs/{half.id}/go-on", form)["Location"] for _ in range(2))
    assert first == again
    assert "Goes on from" in browser.get(first).content.decode()
    assert "Gone on from in" in browser.get(f"/runs/{half.id}").content.decode()


def test_what_cannot_be_gone_on_from_is_said(submit: Submit, maker: Viewer, browser: Client) -> None:
    run = submit()
    with pytest.raises(Conflict):
        continuing.go_on(maker, run=run, step=10)
    go(run)
    with pytest.raises(Conflict):
        continuing.go_on(maker, run=run, step=7)
    with pytest.raises(Unacceptable) as refusal:
        continuing.go_on(maker, run=run, step=40)
    assert refusal.value.field == "max_steps"
    with pytest.raises(Unacceptable):
        continuing.go_on(maker, run=run, step=40, max_steps=40)
    with pytest.raises(NotFound):
        continuing.go_on(factories.viewer("ben", made_by_operator=True), run=run, step=40, max_steps=80)
    answer = browser.post(f"/runs/{run.id}/go-on", {"step": "7", "max_steps": "x"}, follow=True)
    assert "Choose a kept step" in answer.content.decode()
    assert TrainingRun.objects.count() == 1


def test_a_checkpoint_taken_over_differs_in_its_recipe_alone() -> None:
    recipe = Recipe(trigger="moss-glow", kind="style", family="tiny", max_steps=40)
    header = {
        "__metadata__": {"glossa.checkpoint": json.dumps({"step": 20, "recipe": recipe.to_json()})},
        "0.rows": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
    }
    text = json.dumps(header).encode()
    data = struct.pack("<Q", len(text)) + text + b"\1\2\3\4"
    longer = recipe.replace(max_steps=80)
    made = continuing.adopted(data, longer)
    (length,) = struct.unpack_from("<Q", made)
    state = json.loads(json.loads(made[8 : 8 + length])["__metadata__"]["glossa.checkpoint"])
    assert length % 8 == 0 and made[8 + length :] == b"\1\2\3\4"
    assert state == {"step": 20, "recipe": longer.to_json()}
    with pytest.raises(Conflict):
        continuing.adopted(b"no checkpoint", longer)


def test_an_earlier_snapshot_becomes_the_draft_and_its_sheet_is_drawn_again(
    submit: Submit, maker: Viewer, browser: Client
) -> None:
    run = go(submit())
    first = submit(name="moss-dim", settings={"seed": 8})
    go(first)
    early = run.snapshots.get()
    early.blob_id = first.version.tensors_id
    early.label, early.step = "step 10", 10
    early.save()
    OutboxJob.objects.all().delete()
    before = run.version.tensor_digest
    answer = browser.post(f"/runs/{run.id}/take", {"label": "step 10"})
    assert answer["Location"] == f"/runs/{run.id}"
    version = Version.objects.get(pk=run.version_id)
    assert version.tensor_digest == first.version.tensor_digest != before
    assert (version.state, version.sheet_state, version.previews.count()) == ("draft", "waiting", 0)
    assert version.provenance["snapshot"] == "step 10"
    assert OutboxJob.objects.get(name="render_sheet").args == [version.pk]
    worker.render_sheet.fn(version.pk)
    version.refresh_from_db()
    assert version.sheet_state == "done"
    assert snapshots.take(maker, run=TrainingRun.objects.get(pk=run.pk), label="step 10").pk == version.pk
    with pytest.raises(NotFound):
        snapshots.take(maker, run=run, label="step 11")


def test_after_publishing_a_snapshot_is_a_draft_of_its_own(
    submit: Submit, maker: Viewer, browser: Client
) -> None:
    run = go(submit())
    other = go(submit(name="moss-dim", settings={"seed": 8}))
    run.snapshots.update(blob_id=other.version.tensors_id)
    publishing.publish(maker, version=run.version)
    answers = [browser.post(f"/runs/{run.id}/take", {"label": "step 0"})["Location"] for _ in range(2)]
    draft = Version.objects.get(embedding=run.embedding, state="draft")
    assert answers == [f"/mia/moss-glow/drafts/{draft.pk}"] * 2


def test_pictures_of_an_ended_run_are_deleted_after_a_month_and_the_page_says_when(
    submit: Submit, browser: Client
) -> None:
    run = go(submit())
    kept = list(run.images.values_list("blob_id", flat=True))
    assert run.picture_digests == kept
    date = timezone.now() + timedelta(days=30)
    assert f"{date:%B %Y}" in browser.get(f"/runs/{run.id}").content.decode()
    assert pictures.purge() == 0
    TrainingRun.objects.update(finished_at=timezone.now() - timedelta(days=31))
    assert pictures.purge() == 3
    assert pictures.purge() == 0
    run.refresh_from_db()
    assert run.pictures_purged_at is not None and run.picture_digests == kept
    assert not Blob.objects.filter(pk__in=kept).exists() and not any(blobs.exists(one) for one in kept)
    page = browser.get(f"/runs/{run.id}").content.decode()
    assert "The pictures were deleted" in page and "Learned from 3 pictures" in page


def test_pictures_that_another_run_still_needs_stay(submit: Submit, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = go(submit()), submit(name="moss-dim")
    TrainingRun.objects.filter(pk=old.pk).update(finished_at=timezone.now() - timedelta(days=31))
    pictures.purge()
    old.refresh_from_db()
    assert old.pictures_purged_at is not None
    assert new.images.count() == 3 and all(blobs.exists(image.blob_id) for image in new.images.all())
    monkeypatch.setitem(settings.HUB, "HUB_TRAINING_IMAGE_DAYS", 60)
    assert pictures.delete_on(old) is not None


def test_pictures_are_deleted_at_once_when_their_owner_says_so(
    submit: Submit, browser: Client, maker: Viewer
) -> None:
    run = submit()
    with pytest.raises(Conflict):
        pictures.forget(maker, run=run)
    go(run)
    assert browser.post(f"/runs/{run.id}/forget").status_code == 302
    assert not TrainingImage.objects.exists()
    with pytest.raises(Conflict, match="pictures"):
        continuing.go_on(maker, run=run, step=40, max_steps=80)
    assert "Go on training" not in browser.get(f"/runs/{run.id}").content.decode()


def test_a_run_that_takes_too_long_saves_stops_and_can_be_gone_on_from(
    submit: Submit, maker: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.HUB, "HUB_RUN_HOURS", 0.5 / 3600)
    run = go(submit(settings={"max_steps": 5000}))
    assert (run.state, run.code) == ("failed", "time_limit")
    assert "go on from it" in run.message
    assert run.checkpoints.exists()
    monkeypatch.setitem(settings.HUB, "HUB_RUN_HOURS", 4)
    step = run.checkpoints.first().step
    assert continuing.go_on(maker, run=run, step=step).step == step


@pytest.mark.parametrize(("trouble", "grace"), [("deaf", 0.5), ("compile", 600.0)])
def test_an_engine_deaf_to_the_limit_is_killed(
    submit: Submit, monkeypatch: pytest.MonkeyPatch, trouble: str, grace: float
) -> None:
    monkeypatch.setitem(settings.HUB, "HUB_RUN_HOURS", 0.5 / 3600)
    monkeypatch.setattr("trainer.supervisor.LIMIT_GRACE", grace)
    run = go(submit(initializer=trouble, settings={"max_steps": 5000}))
    assert (run.state, run.code) == ("failed", "time_limit")
    assert not worker._child.running


def test_an_engine_that_takes_too_much_memory_is_ended_with_advice(
    submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.HUB, "HUB_RUN_MEMORY_GB", 1)
    monkeypatch.setattr("trainer.workspace.memory_of", lambda pid: 2 << 30)
    run = go(submit())
    assert (run.state, run.code) == ("failed", "out_of_memory")
    assert "fewer pictures per step" in run.message


def test_a_run_out_of_memory_is_tried_once_more_with_smaller_batches_where_that_is_allowed(
    submit: Submit,
) -> None:
    run = go(submit(initializer="starve", may_shrink=True, settings={"batch": 4}))
    assert (run.state, run.code, run.attempts) == ("failed", "out_of_memory", 2)
    assert (run.recipe["batch"], run.recipe["accumulate"]) == (2, 2)
    assert any("2 at a time instead of 4" in warning for warning in run.warnings)
    other = go(submit(name="moss-dim", initializer="starve", settings={"batch": 4}))
    assert (other.code, other.attempts, other.recipe["batch"]) == ("out_of_memory", 1, 4)


def test_shrinking_needs_the_lease(submit: Submit) -> None:
    run = submit(may_shrink=True)
    claim = leases.claim(run.id, "one")
    assert claim is not None
    submitting.cancel(Viewer(run.created_by), run=run)
    TrainingRun.objects.filter(pk=run.pk).update(fence=99)
    with pytest.raises(leases.LeaseLost):
        finishing.shrink(claim)


def test_memory_of_a_process_is_told() -> None:
    import os

    from trainer import workspace

    assert workspace.memory_of(os.getpid()) > 1 << 20
    assert workspace.memory_of(None) == 0
    assert Path("/proc").exists()
