"""The command that installs base models: what it says without installing."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from hub.models import BaseModel
from tests.trainer.test_base_file import SD1, SD2, checkpoint
from trainer.base_folder import BUNDLED

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


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        (SD1, r"^Single files cannot be installed yet: .*single-file sd1 checkpoint.*save_pretrained"),
        (
            SD2,
            r"^Single files cannot be installed yet: .*sd2.*save_pretrained.*prediction_type in scheduler_conf",
        ),
        ({"lora.up": [4, 4]}, r"^Single files cannot be installed yet, and .* no Stable Diffusion UNet"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--prediction", "epsilon")])
def test_a_single_file_is_not_installed_and_the_refusal_says_what_to_do(
    tmp_path: Path, shapes: dict[str, list[int]], words: str, options: tuple[str, ...]
) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("install_base_model", str(checkpoint(tmp_path, shapes)), *options)
    assert not BaseModel.objects.exists()


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_a_prediction_type_that_would_have_no_effect_is_refused(options: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match=r"scheduler_config\.json"):
        call_command("install_base_model", str(BUNDLED), "--prediction", "epsilon", *options)
    assert not BaseModel.objects.exists()


def test_a_base_is_installed_under_a_title(tmp_path: Path, settings: Any) -> None:
    settings.MODELS_DIR = tmp_path / "models"
    call_command("install_base_model", str(BUNDLED), "--name", "mine", "--title", "My base")
    assert BaseModel.objects.get(name="mine").title == "My base"
