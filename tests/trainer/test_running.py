"""A claimed run from start to end, with a real child process: what comes out, and what each mishap leaves."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from dramatiq.middleware import Shutdown

from hub import blobs
from hub.access import Viewer
from hub.models import Version
from hub.services.versions import drafting
from trainer import runs, worker
from trainer.child import EngineChild
from trainer.models import TrainingRun
from trainer.recorder import Recorder
from trainer.services import continuing, finishing, leases, submitting
from trainer.supervisor import Attempt

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("child")]
Submit = Callable[..., TrainingRun]


def go(run: TrainingRun) -> TrainingRun:
    """Let this process be the worker, woken for the run."""
    worker.run_training.fn(str(run.id))
    run.refresh_from_db()
    return run


def vectors(run: TrainingRun) -> bytes:
    """The bytes of the run's draft."""
    assert run.version is not None
    return blobs.read(str(run.version.tensors_id))


def test_a_worker_asked_to_stop_while_its_engine_rests_leaves_at_once(
    submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = submit()
    stopped_at = []

    def stop(*_: Any) -> None:
        stopped_at.append(time.monotonic())
        raise Shutdown

    monkeypatch.setattr(finishing, "keep_sheet", stop)
    with pytest.raises(Shutdown):
        go(run)
    assert time.monotonic() - stopped_at[0] < worker.STOP_SECONDS
    run.refresh_from_db()
    assert (run.state, run.attempts_without_progress, run.lease_until) == ("queued", 0, None)


def test_scalars_go_to_a_folder_of_the_run_where_the_operator_wants_them(
    submit: Submit, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []
    send = EngineChild.send
    monkeypatch.setattr(
        EngineChild, "send", lambda self, command: (sent.append(command), send(self, command))
    )
    first = go(submit())
    settings.HUB = {**settings.HUB, "HUB_TENSORBOARD_DIR": str(tmp_path)}
    second = go(submit(name="moss-dim", trigger="moss-glow"))
    boards = {command["id"]: command["board"] for command in sent if command["do"] == "train"}
    assert boards == {str(first.id): None, str(second.id): str(tmp_path / str(second.id))}


def meanwhile(act: Callable[[], Any], when: Callable[[], bool]) -> threading.Thread:
    """Do something in another thread as soon as something is true."""

    def wait() -> None:
        deadline = time.monotonic() + 120
        while not when() and time.monotonic() < deadline:
            time.sleep(0.02)
        act()
        connection.close()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def reached(run: TrainingRun, step: int) -> Callable[[], bool]:
    return lambda: TrainingRun.objects.filter(pk=run.pk, step__gte=step).exists()


def test_a_run_ends_with_one_draft_its_sheet_its_curve_and_its_provenance(submit: Submit) -> None:
    run = go(submit())
    assert (run.state, run.step, run.message) == ("done", 40, "")
    assert run.seconds > 0 and run.finished_at is not None
    version = run.version
    assert version is not None
    assert (version.state, version.run_key, version.trigger) == ("draft", run.id, "moss-glow")
    assert version.provenance["run"] == str(run.id)
    assert version.provenance["licence"] == "cc0-1.0"
    assert len(version.provenance["picture_digests"]) == 3
    assert version.sheet_state == Version.SheetState.DONE
    assert version.previews.count() == 5
    assert version.insights["intact"] is True
    assert [point[0] for point in runs.curve(run)[0]] == list(range(1, 41))
    assert [(one.step, one.position) for one in run.growth.all()] == [(10, 0), (20, 0), (30, 0), (40, 0)]


def test_own_preview_prompts_are_on_the_sheet_and_stay_on_one_that_is_drawn_again(submit: Submit) -> None:
    def drawn() -> list[tuple[Any, ...]]:
        cells = version.previews.filter(block="H").order_by("row", "column")
        return list(cells.values_list("prompt", "seed", "is_control"))

    run = go(submit(settings={"preview_prompts": ["[name] on a mug"]}))
    version = run.version
    assert version is not None
    wanted = [
        ("moss-glow on a mug", 21, False), ("moss-glow on a mug", 22, False),
        ("picture on a mug", 21, True), ("picture on a mug", 22, True),
    ]  # fmt: skip
    assert drawn() == wanted
    drafting.draw_again(version)
    assert drawn() == []
    worker.render_sheet.fn(version.pk)
    assert drawn() == wanted


def test_ten_deliveries_of_one_message_leave_one_version(submit: Submit) -> None:
    run = submit()
    for _ in range(10):
        go(run)
    assert Version.objects.count() == 1
    assert run.attempts == 1


def test_two_workers_woken_for_one_run_do_it_once(submit: Submit, engine_python: str) -> None:
    run = submit()
    second = leases.claim_next("second")
    assert second is not None
    thread = meanwhile(lambda: go(TrainingRun.objects.get(pk=run.pk)), lambda: True)
    Attempt(worker._child, second).work(worker_folder(second))
    thread.join()
    assert Version.objects.count() == 1


def worker_folder(claim: leases.Claim) -> Any:
    from django.conf import settings

    folder = Path(settings.DATA_DIR) / "work" / f"test-{claim.run_id}"
    folder.mkdir(parents=True)
    return folder


def test_the_worker_does_all_that_waits_before_it_rests(submit: Submit) -> None:
    first, second = submit(), submit(name="moss-dim")
    go(first)
    second.refresh_from_db()
    assert second.state == "done"


def test_an_engine_that_dies_goes_on_from_its_checkpoint_to_the_same_bits(submit: Submit) -> None:
    whole = go(submit())
    broken = go(submit(name="moss-dim", initializer="crash at 25", trigger="moss-glow"))
    assert broken.attempts == 2
    assert vectors(broken) == vectors(whole)


def test_an_engine_that_dies_where_it_cannot_get_further_ends_as_poison(submit: Submit) -> None:
    run = go(submit(initializer="crash at 5"))
    assert (run.state, run.code, run.attempts) == ("failed", "poison", 2)
    assert "not tried again" in run.message
    assert not Version.objects.exists()


def test_a_fault_of_the_settings_is_told_and_not_tried_again(submit: Submit) -> None:
    run = go(submit(initializer="refuse"))
    assert (run.state, run.fault, run.code, run.attempts) == ("failed", "recipe", "too_dark", 1)
    assert run.message == "The pictures are black."


def test_a_fault_of_the_machine_is_tried_again_and_then_told_without_details(submit: Submit) -> None:
    run = go(submit(initializer="break"))
    assert (run.state, run.fault, run.attempts) == ("failed", "machine", 2)
    assert "0x0" not in run.message


def test_vectors_that_nobody_may_upload_are_refused_from_the_engine_too(submit: Submit) -> None:
    run = go(submit(initializer="spoil"))
    assert (run.state, run.fault) == ("failed", "machine")
    assert not Version.objects.exists()


def test_a_sheet_that_cannot_be_drawn_costs_the_sheet_and_not_the_word(submit: Submit) -> None:
    child = worker._child
    run = submit(initializer="crash in sheet")
    go(run)
    # The stand-in dies after each result; the second attempt only draws, and has no reason to die.
    assert run.state == "done"
    assert run.version is not None and run.version.sheet_state == Version.SheetState.DONE
    assert Version.objects.count() == 1
    child.kill()


def test_a_cancel_is_obeyed_within_a_step_and_keeps_the_checkpoint(submit: Submit, maker: Viewer) -> None:
    run = submit(settings={"max_steps": 5000})
    thread = meanwhile(lambda: submitting.cancel(maker, run=run), reached(run, 20))
    go(run)
    thread.join()
    assert run.state == "cancelled"
    assert run.step < 500
    newest = run.checkpoints.first()
    assert newest is not None
    assert newest.step == run.step
    assert not Version.objects.exists()


def test_an_engine_that_does_not_hear_a_cancel_is_killed(
    submit: Submit, maker: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.supervisor.CANCEL_GRACE", 0.5)
    run = submit(initializer="deaf", settings={"max_steps": 5000})
    thread = meanwhile(lambda: submitting.cancel(maker, run=run), reached(run, 20))
    go(run)
    thread.join()
    assert run.state == "cancelled"
    assert not worker._child.running


def test_a_run_stopped_while_it_compiles_ends_at_once_and_can_be_gone_on_with(
    submit: Submit, maker: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long enough that waiting for an answer would never end.
    monkeypatch.setattr("trainer.supervisor.CANCEL_GRACE", 600.0)
    whole = go(submit(name="moss-dim", trigger="moss-glow"))
    run = submit(trigger="moss-glow", initializer="compile")
    thread = meanwhile(lambda: submitting.cancel(maker, run=run), lambda: worker._child.is_deaf)
    go(run)
    thread.join()
    assert (run.state, run.fault) == ("cancelled", "")
    assert not worker._child.running
    assert runs.kept_steps(run) == [0]
    again = go(continuing.go_on(maker, run=run, step=0))
    assert again.state == "done"
    assert vectors(again) == vectors(whole)


def test_a_worker_told_to_stop_while_its_engine_compiles_leaves_at_once_and_gives_the_run_back(
    submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "STOP_SECONDS", 600.0)
    take = Recorder.take

    def interrupted(self: Recorder, event: dict[str, Any]) -> None:
        if event["event"] == "compiling":
            raise Shutdown
        take(self, event)

    run = submit(initializer="compile")
    monkeypatch.setattr(Recorder, "take", interrupted)
    with pytest.raises(Shutdown):
        go(run)
    assert not worker._child.running
    run.refresh_from_db()
    assert (run.state, run.attempts_without_progress, run.lease_until) == ("queued", 0, None)


def test_a_worker_that_lost_its_lease_stops_the_engine_and_writes_nothing(submit: Submit) -> None:
    run = submit(settings={"max_steps": 5000})

    def steal() -> None:
        TrainingRun.objects.filter(pk=run.pk).update(lease_until=Now() - timedelta(seconds=1))
        leases.requeue_lost_runs()
        assert leases.claim(run.id, "thief")

    thread = meanwhile(steal, reached(run, 20))
    go(run)
    thread.join()
    assert not worker._child.running
    assert (run.worker, run.state) == ("thief", "preparing")


def test_a_worker_told_to_stop_saves_and_gives_the_run_back(
    submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = submit(settings={"max_steps": 60})
    whole = go(submit(name="moss-dim", trigger="moss-glow", settings={"max_steps": 60}))
    TrainingRun.objects.filter(pk=run.pk).exclude(state="done").update(state="queued")
    run.refresh_from_db()
    again = submit(name="moss-dark", trigger="moss-glow", settings={"max_steps": 60})
    real = Recorder.progress

    def interrupted(self: Recorder, event: dict[str, Any]) -> None:
        if event["step"] == 33:
            raise Shutdown
        real(self, event)

    monkeypatch.setattr(Recorder, "progress", interrupted)
    with pytest.raises(Shutdown):
        go(again)
    again.refresh_from_db()
    assert (again.state, again.attempts_without_progress) == ("queued", 0)
    newest = again.checkpoints.first()
    assert newest is not None and newest.step >= 33
    monkeypatch.setattr(Recorder, "progress", real)
    assert vectors(go(again)) == vectors(whole)


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(submit: Submit, settings: Any) -> None:
    whole = go(submit())
    run = submit(name="moss-dim", trigger="moss-glow", initializer="crash at 25")
    claim = leases.claim_next("one")
    assert claim is not None
    worker.attempt(claim)
    newest, before = run.checkpoints.all()[:2]
    assert (newest.step, before.step) == (20, 10)
    digest = newest.blob_id
    path = blobs_path(digest)
    path.chmod(0o644)
    path.write_bytes(b"rot")
    assert vectors(go(run)) == vectors(whole)


def blobs_path(digest: str) -> Any:
    from django.conf import settings

    return (
        Path(settings.STORAGES["blobs"]["OPTIONS"]["location"]) / "sha256" / digest[:2] / digest[2:4] / digest
    )


def test_a_store_that_is_out_at_the_start_pauses_the_run(submit: Submit, request: Any) -> None:
    run = submit()
    request.getfixturevalue("blobs_out")
    go(run)
    assert run.state == "paused"
    assert run.attempts_without_progress == 0
    assert "by itself" in runs.waiting_for(run)


def test_the_engine_stays_warm_between_runs(submit: Submit) -> None:
    go(submit())
    pid = worker._child.pid
    go(submit(name="moss-dim"))
    assert worker._child.pid == pid is not None


def test_a_child_of_an_earlier_worker_is_none(child: EngineChild) -> None:
    assert not child.running
