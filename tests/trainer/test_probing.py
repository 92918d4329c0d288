"""`manage.py probe_base_model`: what a base costs on this machine, and who tells of it."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from hub.models import BaseModel
from tests.trainer.conftest import Submit
from trainer import runs
from trainer.base_folder import BUNDLED
from trainer.models import BaseProbe, TrainingRun
from trainer.runs import pace
from trainer.services import bases, probing

pytestmark = pytest.mark.django_db
Probed = Callable[..., BaseProbe]


@pytest.fixture
def probed(base: BaseModel) -> Probed:
    """A probe of the base as the engine would report one: half a second for a batch of 8 at its own 64 pixels."""

    def keep(resolution: int = 64, digest: str | None = None, **seconds: float) -> BaseProbe:
        batches = [
            {"batch": int(name[1:]), "seconds": taken, "peak_bytes": 1 << 30}
            for name, taken in (seconds or {"b8": 0.5}).items()
        ]
        found = {"resolution": resolution, "batches": batches, "largest": 8, "limit": "time"}
        return BaseProbe.objects.create(
            base_model=base, digest=base.digest if digest is None else digest, host="here", device="a card",
            precision="bfloat16", load_seconds=1, resolutions=[found],
        )  # fmt: skip

    return keep


def test_a_base_is_measured_by_the_engine_and_the_row_is_kept(
    capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    pytest.importorskip("torch")
    bases.install(BUNDLED, copy=False)
    call_command("probe_base_model", "tiny", "--steps", "1", "--seconds", "0", "--json")
    said = capsys.readouterr()
    facts = json.loads(said.out)
    (found,) = facts["resolutions"]
    assert (found["resolution"], found["largest"], found["limit"]) == (64, 1, "time")
    assert found["batches"][0]["seconds"] > 0
    assert "64 px, batch 1:" in said.err
    kept = BaseProbe.objects.get()
    assert (kept.resolutions, kept.device, kept.digest) == (
        facts["resolutions"],
        facts["device"],
        kept.base_model.digest,
    )
    assert facts["precision"] == "float32" and "thread" in facts["device"]


def test_a_base_that_is_not_installed_is_not_measured() -> None:
    with pytest.raises(CommandError, match="No base model is installed as “nothing”"):
        call_command("probe_base_model", "nothing")


@pytest.mark.parametrize("side", ["100", "0", "2048"])
def test_a_resolution_that_nobody_can_train_at_is_refused(side: str) -> None:
    with pytest.raises(CommandError, match="multiple of 64 from 64 to 1536"):
        call_command("probe_base_model", "tiny", "--resolution", side)


def test_it_does_not_disturb_a_run_unasked(
    submit: Submit, engine_python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = submit()
    later = timezone.now() + timedelta(minutes=1)
    TrainingRun.objects.filter(pk=run.pk).update(state="training", lease_until=later)
    with pytest.raises(CommandError, match="Wait until it is over"):
        call_command("probe_base_model", "tiny")
    assert not BaseProbe.objects.exists()


def test_an_engine_that_dies_is_told_of_and_nothing_is_kept(
    base: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer.child import EngineChild

    program = tmp_path / "dead"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(probing, "EngineChild", lambda: EngineChild(str(program)))
    with pytest.raises(CommandError, match="ended with status"):
        call_command("probe_base_model", base.name)
    assert not BaseProbe.objects.exists()


def test_without_runs_the_probe_says_how_long_one_takes(submit: Submit, probed: Probed) -> None:
    run = submit()
    assert runs.estimate(run) is None
    probed()
    # 40 steps of half a second.
    assert runs.estimate(run) == 20
    assert not pace.paces([run.base_model_id])[run.base_model_id].is_whole


def test_runs_that_were_finished_know_better_than_a_probe(submit: Submit, probed: Probed) -> None:
    run, past = submit(), submit(name="older-glow")
    probed()
    TrainingRun.objects.filter(pk=past.pk).update(
        state="done", step=40, seconds=80, finished_at=timezone.now()
    )
    assert runs.estimate(run) == 80
    assert pace.paces([run.base_model_id])[run.base_model_id].is_whole


def test_a_batch_that_was_not_tried_is_taken_for_several_smaller_ones(probed: Probed) -> None:
    assert pace.usual_step(probed(b1=0.1, b2=0.15)) == pytest.approx(0.6)


def test_what_was_not_measured_is_not_known(base: BaseModel, probed: Probed) -> None:
    probed(resolution=128)
    assert pace.paces([base.pk]) == {}
    probed(digest="of the files before these")
    assert pace.paces([base.pk]) == {}
    assert pace.expected(base, None) == {}


def test_the_newest_probe_counts(base: BaseModel, probed: Probed) -> None:
    probed(b8=3.0)
    probed(b8=1.0)
    found = pace.paces([base.pk])[base.pk]
    assert found.seconds == 1
    assert pace.expected(base, found) == {"quick": 250, "standard": 800, "thorough": 2000}
