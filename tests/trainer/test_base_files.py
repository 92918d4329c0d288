"""Installing a single-file checkpoint: converted by the engine, checked, digested, whole or not at all."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from hub.models import BaseModel
from tests import kill
from trainer import base_shapes
from trainer.base_folder import base_digest
from trainer.child import EngineChild
from trainer.services import base_files, base_places, bases

pytest.importorskip("torch")
from benchmarks import checkpoints
from tests.trainer.engine.test_convert import spoiled
from trainer.engine.convert import convert

pytestmark = pytest.mark.django_db
Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def models(tmp_path: Path, settings: Any) -> Path:
    """An empty models folder."""
    settings.MODELS_DIR = tmp_path / "models"
    return tmp_path / "models"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a checkpoint of a family that is thin inside, which from then on is what the family looks like."""

    def make(family: str, name: str = "model.safetensors", **claims: str) -> Path:
        path = tmp_path / name
        plan = checkpoints.thin_plan(family)
        monkeypatch.setattr(base_shapes, "plan_of", thin_of(plan))
        checkpoints.write(path, plan, **claims)
        return path

    return make


def thin_of(plan: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """A table of families in which each has this plan, with the schedule that is asked for."""

    def plan_of(_family: str, *, prediction: str, zero_snr: bool, resolution: int) -> dict[str, Any]:
        assert not zero_snr
        plan["scheduler"]["prediction_type"] = prediction
        plan["unet"]["sample_size"] = resolution // 8
        return plan

    return plan_of


def test_a_checkpoint_becomes_a_base_with_all_its_digests(
    write: Write, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write("sdxl", "My Model v1.safetensors", title="My model 1.0", license="CreativeML Open RAIL-M")
    call_command("install_base_model", str(path), "--json")
    said = capsys.readouterr()
    base = BaseModel.objects.get()
    assert json.loads(said.out)["name"] == base.name == "my-model-1-0"
    assert "Converting the UNet (4 of 4)" in said.err
    assert (base.title, base.family, base.prediction_type, base.resolution) == (
        "My model 1.0",
        "sdxl",
        "epsilon",
        1024,
    )
    assert base.folder == str(models / base.name)
    assert base.digest == base_digest(base.folder)
    assert base.record["licence"] == "CreativeML Open RAIL-M"
    assert base.record["source"] == {
        "file": "My Model v1.safetensors",
        "size": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    unet = models / base.name / "unet" / "diffusion_pytorch_model.safetensors"
    assert (
        base.record["parts"]["unet/diffusion_pytorch_model.safetensors"]
        == hashlib.sha256(unet.read_bytes()).hexdigest()
    )
    assert not unet.stat().st_mode & 0o222
    assert [path.name for path in models.iterdir() if path.is_dir()] == [base.name]


def test_the_same_checkpoint_again_is_not_converted_again(
    write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write("sd1")
    first = bases.install(path, name="mine")
    monkeypatch.setattr(base_files, "EngineChild", None)
    again = bases.install(path, name="mine")
    assert (again.pk, again.digest, again.folder) == (first.pk, first.digest, first.folder)
    assert again.record["source"] == first.record["source"]


def test_an_sd2_file_that_does_not_say_is_asked_about_and_the_answer_is_kept(write: Write) -> None:
    path = write("sd2")
    with pytest.raises(CommandError, match="--prediction v_prediction for a 768 model"):
        call_command("install_base_model", str(path))
    call_command("install_base_model", str(path), "--name", "two", "--prediction", "v_prediction")
    base = BaseModel.objects.get()
    assert (base.family, base.prediction_type, base.resolution) == ("sd2", "v_prediction", 768)
    scheduler = json.loads((Path(base.folder) / "scheduler" / "scheduler_config.json").read_text())
    assert scheduler["prediction_type"] == "v_prediction"
    # The other answer makes another base, and that does not take a name unasked.
    with pytest.raises(CommandError, match="another name"):
        call_command("install_base_model", str(path), "--name", "two", "--prediction", "epsilon")


def test_a_file_that_the_engine_refuses_leaves_nothing(write: Write, models: Path) -> None:
    path = write("sd1")
    bad = path.with_name("bad.safetensors")
    spoiled(path, bad, "model.diffusion_model.out.2.bias", lambda own: own * float("inf"))
    with pytest.raises(CommandError, match=r"'conv_out.bias' of the unet holds infinite or undefined"):
        call_command("install_base_model", str(bad))
    assert not BaseModel.objects.exists()
    assert [path for path in models.iterdir() if path.is_dir()] == []


def test_without_torch_it_says_what_to_install(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("sd1")
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho \"ModuleNotFoundError: No module named 'torch'\" >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(base_files, "EngineChild", lambda: EngineChild(str(program)))
    with pytest.raises(CommandError, match=r"pip install 'glossa\[site,train\]'"):
        call_command("install_base_model", str(path))


def test_a_full_disk_is_told_before_anything_is_converted(
    write: Write, monkeypatch: pytest.MonkeyPatch, models: Path
) -> None:
    path = write("sd1")
    usage = shutil.disk_usage(path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=0))
    monkeypatch.setattr(base_files, "EngineChild", None)
    with pytest.raises(
        CommandError, match=r"takes 0\.\d GiB and .* must stay free.*has 0\.0 GiB left.*HUB_MODELS_DIR"
    ):
        call_command("install_base_model", str(path))
    assert not (models / "model").exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from django.conf import settings
from trainer.services import base_places
settings.MODELS_DIR = Path(sys.argv[1])
with base_places.making("mine") as folder:
    folder.mkdir()
    (folder / "half.safetensors").write_bytes(b"half")
    print("half made", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_install_that_was_killed_leaves_nothing_installed_and_can_be_run_again(
    write: Write, models: Path
) -> None:
    words = [sys.executable, "-c", kill.SETUP + KILLED, str(models)]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "hub.settings"}
    assert subprocess.run(words, env=environment, timeout=120, check=False).returncode == -signal.SIGKILL
    (left,) = (path for path in models.iterdir() if path.is_dir())
    assert left.name.startswith(".mine.part-") and (left / "half.safetensors").exists()
    base = bases.install(write("sd1"), name="mine")
    assert [path.name for path in models.iterdir() if path.is_dir()] == ["mine"]
    assert base.digest == base_digest(models / "mine")


def test_a_base_that_was_half_replaced_when_the_power_went_is_back(models: Path) -> None:
    (models / ".mine.old").mkdir(parents=True)
    (models / ".mine.old" / "model_index.json").write_text("{}")
    with base_places.making("mine"):
        assert (models / "mine" / "model_index.json").is_file()


def test_two_installs_do_not_work_at_the_same_time(write: Write, models: Path) -> None:
    path = write("sd1")
    with base_places.making("other"), pytest.raises(CommandError, match="wait until it is done"):
        call_command("install_base_model", str(path))


def test_the_engine_of_a_killed_install_cannot_write_into_the_next_one(
    write: Write, models: Path, tmp_path: Path
) -> None:
    path = write("sd1")
    with base_places.making("mine") as killed:
        killed.mkdir()
    with base_places.making("mine") as again:
        again.mkdir()
        plan = base_shapes.plan_of("sd1", prediction="epsilon", zero_snr=False, resolution=64)
        with pytest.raises(FileNotFoundError):
            convert(path, killed, plan, lambda *_, **__: None, lambda: False)
        assert (list(again.iterdir()), killed.exists()) == ([], False)
