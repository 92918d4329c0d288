"""What a run needs before it is accepted, and that a refused one leaves nothing."""

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image

from hub import blobs
from hub.access import Viewer
from hub.errors import Conflict, Forbidden, Full, HubError, RateLimited, Unacceptable, UnacceptableFile
from hub.models import Blob, Embedding, OutboxJob
from tests import factories, samples
from trainer.models import TrainingImage, TrainingRun
from trainer.services import pictures as keeping
from trainer.services import submitting
from trainer.services.submission import Submission

pytestmark = pytest.mark.django_db
Submit = Callable[..., TrainingRun]


def stored() -> tuple[int, ...]:
    """How many rows of everything a submission makes, and blobs, there are."""
    tables = (TrainingRun, TrainingImage, Embedding, Blob, OutboxJob)
    return (*(table.objects.count() for table in tables), len(list(blobs.walk())))


@pytest.fixture
def submit(submit: Submit, pictures: Any) -> Submit:
    """With pictures as files, which go through the sandbox."""

    def send(viewer: Viewer | None = None, **changes: Any) -> TrainingRun:
        if "bundled_set" not in changes and "picture_ids" not in changes:
            changes.setdefault("pictures", pictures)
        return submit(viewer, **changes)

    return send


def refusal(submit: Submit, **changes: Any) -> HubError:
    """The error of a submission, which has to leave nothing."""
    before = stored()
    with pytest.raises(HubError) as caught:
        submit(**changes)
    assert stored() == before
    return caught.value


def test_a_good_form_is_a_waiting_run_with_its_pictures_and_a_promise(submit: Submit) -> None:
    run = submit()
    assert (run.state, run.max_steps, run.recipe["seed"]) == ("queued", 40, 7)
    assert [image.position for image in run.images.all()] == [0, 1, 2]
    assert run.embedding.full_name == "mia/moss-glow"
    assert OutboxJob.objects.filter(name="run_training", args=[str(run.id)]).exists()
    assert run.licence and run.consent


def test_the_same_form_twice_is_one_run(submission: Any, pictures: Any, maker: Viewer) -> None:
    form = submission(pictures=pictures)
    runs = {submitting.submit(maker, form=form).id for _ in range(3)}
    assert len(runs) == TrainingRun.objects.count() == 1


def test_a_taken_name_is_refused(submit: Submit) -> None:
    factories.published("mia", "moss-glow")
    error = refusal(submit, name="moss-glow")
    assert isinstance(error, Conflict)
    assert (error.code, error.field) == ("name_taken", "name")


def test_the_name_of_a_run_that_came_to_nothing_can_be_used_again(submit: Submit) -> None:
    assert submit().embedding == submit().embedding


def test_another_version_of_an_own_embedding_can_be_trained(submit: Submit) -> None:
    own = factories.published("mia", "moss-glow")
    assert submit(embedding=own).embedding == own


def test_a_stranger_cannot_train_a_version_of_somebody_elses_embedding(submit: Submit) -> None:
    error = refusal(submit, embedding=factories.published("ada", "moss-glow"))
    assert isinstance(error, Forbidden)


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("moss", "trigger_vocabulary"),
        ("Moss Glow", "trigger_illegal"),
        ("moss_2", "trigger_numbered"),
        ("learned_embeds", "trigger_reserved"),
    ],
)
def test_a_word_that_cannot_be_a_trigger_is_refused(submit: Submit, word: str, code: str) -> None:
    error = refusal(submit, trigger=word)
    assert (error.code, error.field) == (code, "trigger")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"licence": ""}, "licence"),
        ({"consent": False}, "consent"),
        ({"base_model": "sd9"}, "base_model"),
        ({"pictures": []}, "pictures"),
        ({"preset": "wild"}, "preset"),
        ({"settings": {"lr": 5.0}}, "lr"),
        ({"settings": {"vectors_per_token": 17}}, "vectors_per_token"),
        ({"settings": {"resolution": 1088}}, "resolution"),
        ({"settings": {"max_steps": 20_000}}, "max_steps"),
        ({"settings": {"shoe_size": 44}}, "shoe_size"),
        ({"settings": {"kind": "object"}}, "kind"),
        ({"settings": {"batch": "two"}}, "batch"),
        ({"settings": {"flip": "perhaps"}}, "flip"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_its_field(
    submit: Submit, changes: dict[str, Any], field: str
) -> None:
    error = refusal(submit, **changes)
    assert isinstance(error, Unacceptable)
    assert error.field == field


def test_settings_may_be_written_as_on_a_command_line(submit: Submit) -> None:
    written = {"batch": "2", "grad_clip": "off", "norm": "off", "early_stop": "on", "noise_offset": "0.05"}
    recipe = submit(settings=written).recipe
    assert {name: recipe[name] for name in written} == {
        "batch": 2,
        "grad_clip": None,
        "norm": "off",
        "early_stop": True,
        "noise_offset": 0.05,
    }


def test_more_pictures_than_a_run_takes_are_refused(submit: Submit, pictures: Any, settings: Any) -> None:
    settings.HUB = {**settings.HUB, "HUB_RUN_MAX_IMAGES": 2}
    assert refusal(submit).detail["rule"] == "J2"


def test_waiting_runs_of_one_person_are_limited(submit: Submit, settings: Any) -> None:
    settings.HUB = {**settings.HUB, "HUB_RUN_MAX_WAITING": 2}
    submit()
    submit(name="moss-dim")
    error = refusal(submit, name="moss-dark")
    assert isinstance(error, RateLimited)
    assert error.code == "too_many_runs"


def test_runs_of_one_person_in_a_day_are_limited(submit: Submit, settings: Any) -> None:
    settings.HUB = {**settings.HUB, "HUB_RUN_MAX_PER_DAY": 1}
    run = submit()
    TrainingRun.objects.update(state="done")
    assert refusal(submit, name="moss-dim").code == "too_many_runs"
    TrainingRun.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(hours=25))
    assert submit(name="moss-dim").state == "queued"


def test_hours_of_training_of_one_person_in_a_day_are_limited(submit: Submit) -> None:
    submit()
    TrainingRun.objects.update(state="done", seconds=4 * 3600, finished_at=timezone.now())
    assert refusal(submit, name="moss-dim").code == "too_many_runs"
    assert submit(factories.viewer("ben", made_by_operator=True), name="moss-dim").state == "queued"


def test_a_new_self_made_account_waits_a_day(submit: Submit) -> None:
    newcomer = factories.viewer("nell")
    assert refusal(submit, viewer=newcomer).detail["rule"] == "J7"
    assert newcomer.user is not None
    newcomer.user.date_joined -= timedelta(hours=25)
    newcomer.user.save()
    assert submit(newcomer).state == "queued"


def test_two_pictures_are_taken_with_a_warning_and_fewer_steps(submit: Submit, pictures: Any) -> None:
    run = submit(pictures=pictures[:2], settings={"max_steps": 900})
    assert "Only 2 different pictures" in run.warnings[0]
    assert run.max_steps == run.recipe["max_steps"] == 500


def not_a_picture() -> bytes:
    return b"%PDF-1.7 this is no picture"


def one_pixel() -> bytes:
    return samples.picture(size=(1, 1))


def hundred_megapixels() -> bytes:
    file = io.BytesIO()
    Image.new("1", (10_000, 10_000)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("bad", "says"),
    [(not_a_picture, "picture"), (one_pixel, "16"), (hundred_megapixels, "megapixel")],
)
def test_a_bad_picture_is_refused_in_words_and_nothing_is_kept(
    maker: Viewer, tmp_path: Path, bad: Callable[[], bytes], says: str
) -> None:
    path = tmp_path / "bad.png"
    path.write_bytes(bad())
    before = stored()
    with pytest.raises(UnacceptableFile) as caught:
        keeping.add(maker, path=path, filename="bad.png")
    assert stored() == before
    assert says in caught.value.message.lower()


def test_a_bad_picture_among_good_ones_is_named(submit: Submit, pictures: Any, tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(not_a_picture())
    with pytest.raises(Unacceptable, match=r"bad\.png") as caught:
        submit(pictures=[*pictures, (bad, "bad.png")])
    assert caught.value.field == "pictures"
    assert not TrainingRun.objects.exists()
    assert not TrainingImage.objects.exists()
    assert not Embedding.objects.exists()


def test_pictures_checked_before_are_used_in_their_order_once(
    submission: Any, pictures: Any, maker: Viewer
) -> None:
    kept = [keeping.add(maker, path=path, filename=name) for path, name in pictures]
    ids = [image.id for image in reversed(kept)]
    run = submitting.submit(maker, form=submission(picture_ids=ids))
    assert [image.id for image in run.images.order_by("position")] == ids
    with pytest.raises(Unacceptable) as caught:
        submitting.submit(maker, form=submission(name="moss-dim", picture_ids=ids))
    assert caught.value.field == "pictures"


def test_nobody_trains_from_pictures_of_somebody_else(submission: Any, pictures: Any, maker: Viewer) -> None:
    path, name = pictures[0]
    theirs = keeping.add(factories.viewer("ben", made_by_operator=True), path=path, filename=name)
    with pytest.raises(Unacceptable):
        submitting.submit(maker, form=submission(picture_ids=[theirs.id]))


def test_a_bundled_set_needs_no_pictures_and_no_consent(maker: Viewer, submission: Any) -> None:
    form: Submission = submission(name="zebra-wave", bundled_set="zebra-wave", consent=False)
    run = submitting.submit(maker, form=form)
    assert run.images.count() == 10


def test_a_waiting_run_is_stopped_at_once_and_only_once(submit: Submit, maker: Viewer) -> None:
    run = submit()
    assert submitting.cancel(maker, run=run).state == "cancelled"
    assert submitting.cancel(maker, run=run).state == "cancelled"
    TrainingRun.objects.update(state="done", cancel_requested=False)
    with pytest.raises(Conflict):
        submitting.cancel(maker, run=run)


def test_nobody_stops_the_run_of_somebody_else(submit: Submit) -> None:
    with pytest.raises(Forbidden):
        submitting.cancel(factories.viewer("ben"), run=submit())


def test_a_full_disk_takes_no_picture(maker: Viewer, pictures: Any, disk_blobs: Any, settings: Any) -> None:
    settings.HUB = {**settings.HUB, "HUB_MIN_FREE_BYTES": 1 << 60}
    path, name = pictures[0]
    with pytest.raises(Full):
        keeping.add(maker, path=path, filename=name)
    assert not TrainingImage.objects.exists()
    assert not Blob.objects.exists()


def test_pictures_that_waited_a_week_for_a_run_go(submit: Submit, kept: Any, maker: Viewer) -> None:
    used = submit()
    waiting = kept(maker)
    assert keeping.purge() == 0
    TrainingImage.objects.update(created_at=timezone.now() - timedelta(days=8))
    assert keeping.purge() == len(waiting)
    assert used.images.count() == 3
