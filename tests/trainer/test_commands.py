"""Installing base models and seeding the catalogue."""

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from hub.formats import Tensor, tensor_digest, write_canonical
from hub.models import BaseModel, Version
from tests import samples
from trainer.base_folder import BUNDLED, base_digest
from trainer.sets import get_set

pytestmark = pytest.mark.django_db
MEASURES = {"strength": {"value": 2.8, "control": 2.3}}


def said(capsys: pytest.CaptureFixture[str], *words: Any) -> dict[str, Any]:
    """The JSON that a command printed."""
    call_command(*words)
    return dict(json.loads(capsys.readouterr().out))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the bundled base."""
    return Path(shutil.copytree(BUNDLED, tmp_path / "some-base"))


def test_a_base_is_copied_checked_and_known_by_its_digest(
    folder: Path, tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.MODELS_DIR = tmp_path / "models"
    facts = said(capsys, "install_base_model", str(folder), "--name", "mine", "--json")
    base = BaseModel.objects.get(name="mine")
    assert (base.family, base.is_installed, base.resolution) == ("tiny", True, 64)
    assert facts["digest"] == base.digest == base_digest(folder) == base_digest(tmp_path / "models" / "mine")
    assert base.folder == str(tmp_path / "models" / "mine")
    assert said(capsys, "install_base_model", str(folder), "--name", "mine", "--json") == facts


@pytest.mark.parametrize(
    "name", ["unet/model.bin", "text_encoder/pytorch_model.pt", "vae/model.ckpt", "run.py"]
)
def test_a_base_with_code_or_pickles_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"anything")
    with pytest.raises(CommandError, match=r"pickle|does not belong"):
        call_command("install_base_model", str(folder))
    assert not BaseModel.objects.exists()


def test_a_folder_that_is_no_base_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="not a diffusers folder"):
        call_command("install_base_model", str(tmp_path))


def test_another_base_does_not_take_a_name_unasked(folder: Path, tmp_path: Path, settings: Any) -> None:
    settings.MODELS_DIR = tmp_path / "models"
    call_command("install_base_model", str(folder), "--name", "mine")
    (folder / "unet" / "more.json").write_text("{}")
    with pytest.raises(CommandError, match="another name"):
        call_command("install_base_model", str(folder), "--name", "mine")
    call_command("install_base_model", str(folder), "--name", "mine", "--replace")
    assert BaseModel.objects.get(name="mine").digest == base_digest(folder)


@pytest.fixture
def bundle(tmp_path: Path, settings: Any) -> Path:
    """A small bundle: the real base, one set, and one entry of the catalogue with a sheet."""
    root = tmp_path / "bundled"
    root.mkdir()
    (root / "base").symlink_to(BUNDLED)
    shutil.copytree(BUNDLED.parent / "sets" / "zebra-wave", root / "sets" / "zebra-wave")
    entry(root / "catalogue" / "zebra-wave", value=0.25)
    settings.BUNDLED_DIR = root
    return root


def entry(folder: Path, *, value: float) -> None:
    """What training a set leaves, in the form that the catalogue has."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {"emb_params": Tensor("F32", (2, 128), struct.pack("<256f", *[value, -value] * 128))}
    data = write_canonical(tensors, family="tiny", trigger="zebra-wave")
    (folder / "embedding.safetensors").write_bytes(data)
    result = {
        "tensor_digest": tensor_digest(tensors),
        "steps": 9,
        "provenance": {"seed": 3},
        "losses": {"last": 1},
    }
    (folder / "result.json").write_text(json.dumps(result))
    for name in ("A-0-0.png", "sheet.png"):
        (folder / name).write_bytes(samples.picture())
    image = {
        "path": "A-0-0.png",
        "block": "A",
        "row": 0,
        "column": 0,
        "prompt": "it",
        "seed": 11,
        "alt": "it",
    }
    sheet = {
        "images": [image],
        "sheet": "sheet.png",
        "intact": True,
        "base_digest": "5a",
        "measures": MEASURES,
    }
    (folder / "sheet.json").write_text(json.dumps(sheet))


def test_a_new_hub_gets_the_base_and_a_published_catalogue_with_sheets(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = said(capsys, "seed_catalogue", "--json")
    assert done == {"base": "tiny", "entries": 1, "published": ["zebra-wave"]}
    version = Version.objects.get()
    assert (version.embedding.full_name, version.number, version.state) == (
        "glossa/zebra-wave",
        1,
        "published",
    )
    assert (version.sheet_state, version.previews.count()) == ("done", 2)
    assert version.provenance["seed"] == 3
    assert version.insights["measures"] == MEASURES
    assert version.embedding.summary == get_set("zebra-wave").description
    assert version.base_model == BaseModel.objects.get(name="tiny")


def test_seeding_again_changes_nothing_and_a_better_entry_is_the_next_version(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "seed_catalogue", "--json")
    assert said(capsys, "seed_catalogue", "--json")["published"] == []
    entry(bundle / "catalogue" / "zebra-wave", value=0.5)
    assert said(capsys, "seed_catalogue", "--json")["published"] == ["zebra-wave"]
    assert [version.number for version in Version.objects.order_by("number")] == [1, 2]
