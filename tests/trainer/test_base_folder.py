"""A base-model folder is read without loading it, and refused when it is not one."""

import json
import shutil
from pathlib import Path

import pytest

from trainer.base_folder import BaseFolderError, base_digest, find_base, read_base


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "painter"
    configs = {
        "model_index.json": {"_class_name": "StableDiffusionPipeline"},
        "text_encoder/config.json": {"hidden_size": 768},
        "unet/config.json": {"sample_size": 64},
        "vae/config.json": {"block_out_channels": [128, 256, 512, 512]},
        "scheduler/scheduler_config.json": {"prediction_type": "epsilon"},
        "tokenizer/tokenizer.json": {},
    }
    for name, values in configs.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    (root / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"weights")
    return root


def refusal(folder: Path) -> str:
    with pytest.raises(BaseFolderError) as refused:
        read_base(folder)
    return refused.value.code


def test_facts_are_read_from_the_configs(folder: Path) -> None:
    base = read_base(folder)
    assert (base.name, base.family, base.encoders) == ("painter", "sd1", (768,))
    assert (base.resolution, base.prediction) == (512, "epsilon")
    assert (base.sampler, base.guidance, base.steps) == ("dpmpp_2m_karras", 7.0, 20)


def test_own_record_wins(folder: Path) -> None:
    record = {
        "name": "p",
        "title": "Painter",
        "sampler": "ddim",
        "guidance": 3.0,
        "steps": 12,
        "resolution": 256,
    }
    (folder / "glossa.json").write_text(json.dumps(record))
    base = read_base(folder)
    assert (base.name, base.title, base.sampler) == ("p", "Painter", "ddim")
    assert (base.guidance, base.steps, base.resolution) == (3.0, 12, 256)


@pytest.mark.parametrize(("widths", "family"), [((1024,), "sd2"), ((128,), "tiny"), ((768, 1280), "sdxl")])
def test_family_follows_from_the_encoders(folder: Path, widths: tuple[int, ...], family: str) -> None:
    for part, width in zip(("text_encoder", "text_encoder_2"), widths, strict=False):
        (folder / part).mkdir(exist_ok=True)
        (folder / part / "config.json").write_text(json.dumps({"hidden_size": width}))
    if len(widths) == 2:
        assert refusal(folder) == "base_incomplete"
        (folder / "tokenizer_2").mkdir()
    assert read_base(folder).family == family


def test_what_is_not_a_base_is_refused(folder: Path, tmp_path: Path) -> None:
    assert refusal(tmp_path / "nothing") == "base_not_found"
    (folder / "unet" / "model.bin").write_bytes(b"\x80")
    assert refusal(folder) == "base_pickle"
    (folder / "unet" / "model.bin").rename(folder / "unet" / "model.py")
    assert refusal(folder) == "base_foreign_file"
    (folder / "unet" / "model.py").unlink()
    (folder / "text_encoder" / "config.json").write_text('{"hidden_size": 777}')
    assert refusal(folder) == "base_family_unknown"
    (folder / "text_encoder" / "config.json").write_text("[]")
    assert refusal(folder) == "base_incomplete"
    shutil.rmtree(folder / "vae")
    assert refusal(folder) == "base_incomplete"


def test_digest_follows_weights_and_configs_but_not_cards(folder: Path) -> None:
    before = base_digest(folder)
    (folder / "README.md").write_text("reworded")
    (folder / "glossa.json").write_text('{"name": "p"}')
    assert base_digest(folder) == before
    (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"other")
    assert base_digest(folder) != before


def test_digest_does_not_depend_on_where_the_folder_lies(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    assert base_digest(tmp_path / "copy") == base_digest(folder)


def test_base_is_found_by_name_or_path(folder: Path, tmp_path: Path) -> None:
    assert find_base("painter", tmp_path) == folder
    assert find_base(str(folder)) == folder
    for missing in ("poet", "./poet"):
        with pytest.raises(BaseFolderError):
            find_base(missing, tmp_path)
