"""The command that installs base models: what it says without installing."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from hub.models import BaseModel
from tests import factories
from tests.trainer.conftest import Submit
from tests.trainer.test_base_file import SD2, checkpoint
from trainer.base_folder import BUNDLED
from trainer.models import TrainingRun

pytestmark = pytest.mark.django_db


def test_a_dry_run_says_what_a_folder_is_and_leaves_nothing(
    tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.MODELS_DIR = tmp_path / "models"
    call_command("install_base_model", str(BUNDLED), "--dry-run", "--json")
    assert json.loads(capsys.readouterr().out)["family"] == "tiny"
    assert not BaseModel.objects.exists()
    assert not settings.MODELS_DIR.exists()


def test_a_dry_run_says_what_a_single_file_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = checkpoint(tmp_path, SD2)
    call_command("install_base_model", str(path), "--dry-run", "--json", "--prediction", "v_prediction")
    said = json.loads(capsys.readouterr().out)
    assert (said["family"], said["prediction_type"], said["resolution"]) == ("sd2", "v_prediction", 768)


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_a_prediction_type_that_would_have_no_effect_is_refused(options: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match=r"scheduler_config\.json"):
        call_command("install_base_model", str(BUNDLED), "--prediction", "epsilon", *options)
    assert not BaseModel.objects.exists()


def test_a_base_is_installed_under_a_title(tmp_path: Path, settings: Any) -> None:
    settings.MODELS_DIR = tmp_path / "models"
    call_command("install_base_model", str(BUNDLED), "--name", "mine", "--title", "My base")
    assert BaseModel.objects.get(name="mine").title == "My base"


def test_what_is_installed_is_listed(
    tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.MODELS_DIR = tmp_path / "models"
    call_command("install_base_model", "--list")
    assert "seed_catalogue" in capsys.readouterr().out
    call_command("install_base_model", str(BUNDLED), "--name", "mine")
    capsys.readouterr()
    call_command("install_base_model", "--list")
    name, family, resolution, prediction, digest, folder = capsys.readouterr().out.strip().split("\t")
    assert (name, family, resolution, prediction) == ("mine", "tiny", "64 px", "v_prediction")
    assert (folder, len(digest)) == (str(tmp_path / "models" / "mine"), 12)
    call_command("install_base_model", "--list", "--json")
    assert json.loads(capsys.readouterr().out)[0]["digest"].startswith(digest)


def test_a_base_is_removed_with_its_files_and_its_row_stays(tmp_path: Path, settings: Any) -> None:
    settings.MODELS_DIR = tmp_path / "models"
    call_command("install_base_model", str(BUNDLED), "--name", "mine")
    version = factories.version(base_model=BaseModel.objects.get(name="mine"))
    call_command("install_base_model", "--remove", "mine")
    version.refresh_from_db()
    assert (version.base_model.name, version.base_model.is_installed, version.base_model.folder) == (
        "mine",
        False,
        "",
    )
    assert not (tmp_path / "models" / "mine").exists()
    with pytest.raises(CommandError, match="No base model is installed as “mine”"):
        call_command("install_base_model", "--remove", "mine")
    call_command("install_base_model", str(BUNDLED), "--name", "mine")
    assert BaseModel.objects.get(name="mine").is_installed


def test_files_used_in_place_are_not_deleted(
    tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.MODELS_DIR = tmp_path / "models"
    folder = Path(shutil.copytree(BUNDLED, tmp_path / "elsewhere"))
    call_command("install_base_model", str(folder), "--name", "mine", "--in-place")
    call_command("install_base_model", "--remove", "mine")
    assert "lie where they were" in capsys.readouterr().out
    assert (folder / "model_index.json").is_file()


def test_a_base_that_a_run_needs_is_not_removed(submit: Submit, tmp_path: Path, settings: Any) -> None:
    settings.MODELS_DIR = tmp_path / "models"
    run = submit()
    with pytest.raises(CommandError, match="0 runs in progress and 1 that wait"):
        call_command("install_base_model", "--remove", run.base_model.name)
    TrainingRun.objects.filter(pk=run.pk).update(state="training")
    with pytest.raises(CommandError, match="1 runs in progress"):
        call_command("install_base_model", "--remove", run.base_model.name)
    TrainingRun.objects.filter(pk=run.pk).update(state="done")
    call_command("install_base_model", "--remove", run.base_model.name)
    assert TrainingRun.objects.get(pk=run.pk).base_model.name == "tiny"


def test_a_base_that_a_run_needs_is_not_replaced(submit: Submit, tmp_path: Path, settings: Any) -> None:
    settings.MODELS_DIR = tmp_path / "models"
    run = submit()
    with pytest.raises(CommandError, match="0 runs in progress and 1 that wait"):
        call_command("install_base_model", str(BUNDLED), "--name", run.base_model.name, "--replace")
    TrainingRun.objects.filter(pk=run.pk).update(state="done")
    call_command("install_base_model", str(BUNDLED), "--name", run.base_model.name, "--replace")


@pytest.mark.parametrize("words", [(), ("--list", "--remove", "x"), (str(BUNDLED), "--list")])
def test_one_thing_is_asked_for_at_a_time(words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="Give the path"):
        call_command("install_base_model", *words)
