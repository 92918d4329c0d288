"""What a single-file checkpoint is, told from its header."""

import json
import struct
from pathlib import Path

import pytest

from trainer.base_file import read_base_file
from trainer.base_folder import BaseFolderError

UNET = "model.diffusion_model."
CLIP = "text_model.embeddings.token_embedding.weight"
COMMON = {
    UNET + "input_blocks.0.0.weight": [320, 4, 3, 3],
    "first_stage_model.decoder.conv_in.weight": [512, 4, 3, 3],
}


def cross(block: str, *shape: int) -> dict[str, list[int]]:
    return {f"{UNET}{block}.transformer_blocks.0.attn2.to_k.weight": list(shape)}


SD1 = COMMON | cross("input_blocks.1.1", 320, 768) | {f"cond_stage_model.transformer.{CLIP}": [49408, 768]}
SD2 = (
    COMMON
    | cross("input_blocks.1.1", 320, 1024)
    | {"cond_stage_model.model.token_embedding.weight": [49408, 1024]}
)
SDXL = (
    COMMON
    | cross("input_blocks.4.1", 640, 2048)
    | {
        f"conditioner.embedders.0.transformer.{CLIP}": [49408, 768],
        "conditioner.embedders.1.model.token_embedding.weight": [49408, 1280],
    }
)


def checkpoint(folder: Path, shapes: dict[str, list[int]], **claims: str) -> Path:
    """A checkpoint of these names and shapes whose bytes are a hole in the file."""
    header: dict[str, object] = {"__metadata__": {f"modelspec.{k}": v for k, v in claims.items()}}
    end = 0
    for name, shape in shapes.items():
        size = 2
        for side in shape:
            size *= side
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    path = folder / "model.safetensors"
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)
    return path


@pytest.mark.parametrize(
    ("shapes", "claims", "facts"),
    [
        (SD1, {}, ("sd1", (768,), "epsilon", 512)),
        (SD1, {"prediction_type": "v"}, ("sd1", (768,), "v_prediction", 512)),
        (SD2, {"prediction_type": "epsilon"}, ("sd2", (1024,), "epsilon", 512)),
        (SD2, {"architecture": "stable-diffusion-v2-768-v"}, ("sd2", (1024,), "v_prediction", 768)),
        (SDXL, {"resolution": "1024x1024"}, ("sdxl", (768, 1280), "epsilon", 1024)),
        (SDXL | {"v_pred": [0], "ztsnr": [0]}, {}, ("sdxl", (768, 1280), "v_prediction", 1024)),
    ],
)
def test_the_tensors_say_what_it_is(
    tmp_path: Path, shapes: dict[str, list[int]], claims: dict[str, str], facts: tuple[object, ...]
) -> None:
    base = read_base_file(checkpoint(tmp_path, shapes, **claims))
    assert (base.family, base.encoders, base.prediction, base.resolution) == facts
    assert base.zero_snr == ("ztsnr" in shapes)


@pytest.mark.parametrize(
    ("shapes", "claims", "words"),
    [
        (SD1, {"architecture": "stable-diffusion-xl-v1-base"}, "claimed as sdxl, but the file is sd1"),
        (
            SDXL | {"v_pred": [0]},
            {"prediction_type": "epsilon"},
            "claimed as epsilon, but the file is v_pred",
        ),
        (SD2, {}, "--prediction"),
        (SD1 | {UNET + "input_blocks.0.0.weight": [320, 9, 3, 3]}, {}, "9 channels"),
        (SDXL | {"conditioner.embedders.0.model.token_embedding.weight": [49408, 1280]}, {}, "refiner"),
        (COMMON | cross("input_blocks.1.1", 320, 768), {}, "width 768 is missing"),
        ({k: v for k, v in SD1.items() if "first_stage" not in k}, {}, "no VAE"),
        ({"lora_unet_x.lora_up.weight": [4, 4]}, {}, "no Stable Diffusion UNet"),
    ],
)
def test_what_cannot_be_a_base_is_refused_with_the_reason(
    tmp_path: Path, shapes: dict[str, list[int]], claims: dict[str, str], words: str
) -> None:
    with pytest.raises(BaseFolderError, match=words):
        read_base_file(checkpoint(tmp_path, shapes, **claims))


def test_the_operator_answers_where_the_file_does_not_say(tmp_path: Path) -> None:
    assert read_base_file(checkpoint(tmp_path, SD2), prediction="v_prediction").resolution == 768
    with pytest.raises(BaseFolderError, match="claimed as epsilon"):
        read_base_file(checkpoint(tmp_path, SD2, prediction_type="v"), prediction="epsilon")


@pytest.mark.parametrize(
    "content", [b"", b"short", struct.pack("<Q", 2**40), struct.pack("<Q", 4) + b"[1]\n"]
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(BaseFolderError, match="download it again"):
        read_base_file(path)


def test_a_download_cut_short_is_refused(tmp_path: Path) -> None:
    path = checkpoint(tmp_path, SD1)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1)
    with pytest.raises(BaseFolderError, match="its header tells of"):
        read_base_file(path)


def test_a_pickle_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BaseFolderError, match=r"\.safetensors release"):
        read_base_file(tmp_path / "model.ckpt")
