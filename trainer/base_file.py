"""Read what a single-file checkpoint is from its header alone: family, prediction type, resolution.

Pure standard library: no tensor is loaded. Names and shapes decide; what the file says of itself (ModelSpec) is only
taken where the tensors leave a question open, and refused where they contradict it.
"""

import json
import math
import struct
from dataclasses import dataclass, field
from pathlib import Path

from trainer.base_folder import BaseFolderError

# A checkpoint's header is larger than an embedding's: SDXL has 2,500 tensors.
MAX_HEADER_BYTES = 16 * 1024 * 1024
_UNET = "model.diffusion_model."
_FIRST = _UNET + "input_blocks.0.0.weight"
_VAE = "first_stage_model.decoder.conv_in.weight"
_CLIP = "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight"
_OLD_CLIP = "cond_stage_model.transformer.embeddings.token_embedding.weight"
_OPEN_CLIP = "cond_stage_model.model.token_embedding.weight"
_XL_CLIP = "conditioner.embedders.0.transformer.text_model.embeddings.token_embedding.weight"
_XL_OPEN_CLIP = "conditioner.embedders.1.model.token_embedding.weight"
_REFINER = "conditioner.embedders.0.model.token_embedding.weight"
# Family: the first cross-attention key of its UNet and the width it reads, then each text encoder's table and width.
_FAMILIES = {
    "sd1": ("input_blocks.1.1", 768, (((_CLIP, _OLD_CLIP), 768),)),
    "sd2": ("input_blocks.1.1", 1024, (((_OPEN_CLIP,), 1024),)),
    "sdxl": ("input_blocks.4.1", 2048, (((_XL_CLIP,), 768), ((_XL_OPEN_CLIP,), 1280))),
}
_ARCHITECTURES = {
    "stable-diffusion-v1": "sd1",
    "stable-diffusion-v2": "sd2",
    "stable-diffusion-xl-v1": "sdxl",
}
_PREDICTIONS = {"epsilon": "epsilon", "eps": "epsilon", "v": "v_prediction", "v_prediction": "v_prediction"}
_RESOLUTIONS = {"sd1": 512, "sd2": 512, "sdxl": 1024}

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class BaseFile:
    """Facts about a single-file checkpoint. `zero_snr`: its schedule ends in pure noise. `claims` is its ModelSpec."""

    path: Path
    family: str
    encoders: tuple[int, ...]
    prediction: str
    zero_snr: bool
    resolution: int
    title: str
    claims: dict[str, str] = field(default_factory=dict)


def read_base_file(path: Path, *, prediction: str = "") -> BaseFile:
    """The facts of a checkpoint. `prediction` answers for an SD 2.x file that does not say.

    Raises BaseFolderError for a pickle, a damaged header, another kind of model and a contradicted claim.
    """
    if path.suffix.lower() != ".safetensors":
        raise BaseFolderError(
            "base_pickle",
            f"'{path.name}' is not a safetensors file. Get the .safetensors release of this model, or have it saved as "
            "one by a tool you trust; a .ckpt can run code when it is opened.",
        )
    shapes, claims = _header(path)
    family = _family(shapes)
    claimed = _claimed_family(claims)
    if claimed and claimed != family:
        raise _contradiction("family", claimed, family)
    found = _prediction(shapes, claims, family, prediction)
    size = claims.get("modelspec.resolution", "").partition("x")[0]
    standard = 768 if family == "sd2" and found == "v_prediction" else _RESOLUTIONS[family]
    return BaseFile(
        path=path,
        family=family,
        encoders=tuple(width for _, width in _FAMILIES[family][2]),
        prediction=found,
        zero_snr="ztsnr" in shapes,
        resolution=int(size) if size.isdecimal() and 64 <= int(size) <= 2048 else standard,
        title=claims.get("modelspec.title", "")[:120] or path.stem,
        claims=claims,
    )


def _header(path: Path) -> tuple[Shapes, dict[str, str]]:
    """Shapes by name and the metadata; the declared tensors must fill the file exactly."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > MAX_HEADER_BYTES:
                raise ValueError(f"its header claims {length} bytes")
            entries = json.loads(file.read(length))
        claims = entries.pop("__metadata__", {})
        shapes = {name: tuple(int(n) for n in entry["shape"]) for name, entry in entries.items()}
        end = max((int(entry["data_offsets"][1]) for entry in entries.values()), default=0)
        claims = {str(key): str(value) for key, value in claims.items()}
    except OSError as error:
        raise BaseFolderError("base_not_found", f"'{path.name}' cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, struct.error, RecursionError):
        raise BaseFolderError(
            "base_incomplete", f"'{path.name}' has no sound safetensors header; download it again."
        ) from None
    size = path.stat().st_size
    if size != 8 + length + end:
        raise BaseFolderError(
            "base_incomplete",
            f"'{path.name}' has {size} bytes, its header tells of {8 + length + end}; download it again.",
        )
    return shapes, claims


def _family(shapes: Shapes) -> str:
    if _FIRST not in shapes:
        raise BaseFolderError(
            "base_family_unknown",
            "This file holds no Stable Diffusion UNet under its usual names; a LoRA, a VAE or a UNet alone is no base.",
        )
    if _REFINER in shapes:
        raise BaseFolderError("base_family_unknown", "This is the SDXL refiner; install the SDXL base.")
    channels = shapes[_FIRST][1] if len(shapes[_FIRST]) > 1 else 0
    if channels != 4:
        raise BaseFolderError(
            "base_family_unknown",
            f"This UNet takes {channels} channels: it is made for inpainting, depth or another task. "
            "Use the text-to-image model of its family.",
        )
    family = next((name for name in _FAMILIES if _reads(shapes, name)), None)
    if family is None:
        raise BaseFolderError("base_family_unknown", "This UNet belongs to none of sd1, sd2 and sdxl.")
    for keys, width in _FAMILIES[family][2]:
        found = next((shapes[key] for key in keys if key in shapes), None)
        if found is None or found[-1:] != (width,) or math.prod(found) == 0:
            raise BaseFolderError(
                "base_incomplete",
                f"The UNet is {family}, but its text encoder of width {width} is "
                f"{'missing' if found is None else f'of shape {list(found)}'}; use the full checkpoint.",
            )
    if _VAE not in shapes:
        raise BaseFolderError("base_incomplete", "This file holds no VAE; use the full checkpoint.")
    return family


def _reads(shapes: Shapes, family: str) -> bool:
    block, width, _ = _FAMILIES[family]
    shape = shapes.get(f"{_UNET}{block}.transformer_blocks.0.attn2.to_k.weight", ())
    return shape[-1:] == (width,)


def _claimed_family(claims: dict[str, str]) -> str:
    said = claims.get("modelspec.architecture", "").lower()
    return next((family for prefix, family in _ARCHITECTURES.items() if said.startswith(prefix)), "")


def _prediction(shapes: Shapes, claims: dict[str, str], family: str, asked: str) -> str:
    """From the marker tensor, then the file's word, then the operator's; only SD 2.x leaves it open."""
    said = _PREDICTIONS.get(claims.get("modelspec.prediction_type", "").lower(), "")
    if claims.get("modelspec.architecture", "").lower() == "stable-diffusion-v2-768-v":
        if said == "epsilon":
            raise _contradiction("prediction type", said, "v_prediction")
        said = "v_prediction"
    if "v_pred" in shapes:
        if said == "epsilon":
            raise _contradiction("prediction type", said, "v_prediction")
        said = "v_prediction"
    if said and asked and said != asked:
        raise _contradiction("prediction type", asked, said)
    if not said and not asked and family == "sd2":
        raise BaseFolderError(
            "base_prediction_unknown",
            "An SD 2.x file looks the same for both prediction types and this one does not say which it is: give "
            "--prediction v_prediction for a 768 model, --prediction epsilon for a 512 base model.",
        )
    return said or asked or "epsilon"


def _contradiction(what: str, claimed: str, found: str) -> BaseFolderError:
    return BaseFolderError(
        "base_contradicted", f"The {what} is claimed as {claimed}, but the file is {found}."
    )
