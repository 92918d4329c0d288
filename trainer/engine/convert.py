"""A single-file checkpoint into a diffusers folder: tensors renamed, cut and turned, never computed with.

Part by part, so that memory holds one part at a time. Each part is held against the family's shapes before it is
written; configs come from the plan, the tokenizer from the bundled base, and nothing is fetched.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from diffusers.loaders import single_file_utils as ldm
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from trainer.base_folder import BUNDLED, BaseFolderError
from trainer.engine.events import OnEvent

Tensors = dict[str, Tensor]

# Libraries without type hints; as Any, so that the strict checks stay on for our own code.
_LDM: Any = ldm
_VAE: Any = AutoencoderKL
_UNET: Any = UNet2DConditionModel
_DDIM: Any = DDIMScheduler
_TOKENS: Any = CLIPTokenizer
_CONFIG: Any = CLIPTextConfig
UNET = "model.diffusion_model."
VAE = "first_stage_model."
_TRAINABLE = (torch.float16, torch.bfloat16, torch.float32)
_OPEN_CLIP = ".model."


def convert(
    file: Path, folder: Path, plan: dict[str, Any], on_event: OnEvent, should_stop: Callable[[], bool]
) -> bool:
    """Write the folder's parts; False when asked to stop. Raises BaseFolderError for a file that does not fit."""
    try:
        return _converted(file, folder, plan, on_event, should_stop)
    except SafetensorError as error:
        raise BaseFolderError(
            "base_incomplete", f"'{file.name}' is damaged ({error}); download it again."
        ) from None


def _converted(
    file: Path, folder: Path, plan: dict[str, Any], on_event: OnEvent, should_stop: Callable[[], bool]
) -> bool:
    with safe_open(file, "pt") as source:
        names = list(source.keys())
        parts = [*_encoders(plan), ("vae", VAE, _vae), ("unet", UNET, _unet)]
        for number, (part, prefix, build) in enumerate(parts):
            if should_stop():
                return False
            on_event("converting", part=part, done=number, total=len(parts))
            own = {name: source.get_tensor(name) for name in names if name.startswith(prefix)}
            build(plan, own, folder / part)
    _DDIM(**plan["scheduler"]).save_pretrained(folder / "scheduler")
    index = _index(plan, [part for part, _, _ in parts])
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")
    return True


def _encoders(plan: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """The text encoders: folder, prefix of their tensors, and what builds them."""
    found = []
    for number, own in enumerate(plan["encoders"]):
        end = f"_{number + 1}" if number else ""

        def build(
            _plan: dict[str, Any],
            tensors: Tensors,
            folder: Path,
            own: dict[str, Any] = own,
            number: int = number,
        ) -> None:
            _text(own, tensors, folder, is_second=bool(number))

        found.append((f"text_encoder{end}", own["prefix"], build))
    return found


def _text(own: dict[str, Any], tensors: Tensors, folder: Path, *, is_second: bool) -> None:
    """A text encoder and, beside it, its tokenizer."""
    tokenizer = _TOKENS.from_pretrained(BUNDLED, subfolder="tokenizer", local_files_only=True)
    tokenizer.pad_token = own["pad"]
    kind: Any = CLIPTextModelWithProjection if is_second else CLIPTextModel
    config = _CONFIG(
        vocab_size=len(tokenizer),
        max_position_embeddings=77,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        architectures=[kind.__name__],
        **own["config"],
    )
    with torch.device("meta"):
        model = kind(config)
    if own["prefix"].endswith(_OPEN_CLIP):
        made = _LDM.convert_open_clip_checkpoint(model, tensors, prefix=own["prefix"])
    else:
        made = {name.removeprefix(own["prefix"]): tensor for name, tensor in tensors.items()}
    made = {_wrapped(name): tensor for name, tensor in made.items() if not name.endswith("position_ids")}
    wanted = {_wrapped(name): tensor for name, tensor in model.state_dict().items()}
    if not is_second:
        # Some tools write the projection beside the first encoder too; Stable Diffusion does not read it.
        made.pop("text_projection.weight", None)
    _write(made, wanted, folder, "model.safetensors")
    config.save_pretrained(folder)
    tokenizer.save_pretrained(folder.with_name(folder.name.replace("text_encoder", "tokenizer")))


def _wrapped(name: str) -> str:
    """The name as every release of transformers reads it; the newest writes it shorter."""
    return name if name.startswith(("text_model.", "text_projection.")) else f"text_model.{name}"


def _vae(plan: dict[str, Any], tensors: Tensors, folder: Path) -> None:
    with torch.device("meta"):
        model = _VAE(**plan["vae"])
    made = _LDM.convert_ldm_vae_checkpoint(tensors, model.config)
    _write(made, model.state_dict(), folder, "diffusion_pytorch_model.safetensors")
    model.save_config(folder)


def _unet(plan: dict[str, Any], tensors: Tensors, folder: Path) -> None:
    with torch.device("meta"):
        model = _UNET(**plan["unet"])
    made = _LDM.convert_ldm_unet_checkpoint(tensors, model.config)
    _write(made, model.state_dict(), folder, "diffusion_pytorch_model.safetensors")
    model.save_config(folder)


def _write(made: Tensors, wanted: Tensors, folder: Path, name: str) -> None:
    """Check a part and write it, on the disk before this returns."""
    _check(folder.name, made, wanted)
    # Not its parent: that is gone when another install of the name has begun.
    folder.mkdir(exist_ok=True)
    path = folder / name
    save_file({key: tensor.contiguous() for key, tensor in made.items()}, path, metadata={"format": "pt"})
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _check(part: str, made: Tensors, wanted: Tensors) -> None:
    """All tensors of the part and no other, in its shapes, of a type that can be trained with, all finite."""
    missing = sorted(wanted.keys() - made.keys())
    if missing:
        raise BaseFolderError(
            "base_incomplete",
            f"The {part} lacks {len(missing)} of its {len(wanted)} tensors, '{missing[0]}' first; "
            "use the full checkpoint.",
        )
    foreign = sorted(made.keys() - wanted.keys())
    if foreign:
        raise BaseFolderError(
            "base_family_unknown",
            f"The {part} holds {len(foreign)} tensors that this family does not have, '{foreign[0]}' first; "
            "this is another kind of model.",
        )
    for name, tensor in made.items():
        if tensor.shape != wanted[name].shape:
            raise BaseFolderError(
                "base_family_unknown",
                f"'{name}' of the {part} is of shape {list(tensor.shape)}; this family has {list(wanted[name].shape)}.",
            )
        if tensor.dtype not in _TRAINABLE:
            raise BaseFolderError(
                "base_number_type",
                f"'{name}' of the {part} is stored as {str(tensor.dtype).removeprefix('torch.')}; "
                "get the fp16, bf16 or fp32 release of this model.",
            )
        if not bool(torch.isfinite(tensor).all()):
            raise BaseFolderError(
                "base_not_finite",
                f"'{name}' of the {part} holds infinite or undefined numbers, so it draws black pictures; "
                "download it again, or use another release.",
            )


def _index(plan: dict[str, Any], parts: list[str]) -> dict[str, Any]:
    """model_index.json, so that diffusers loads the folder as a pipeline too."""
    index: dict[str, Any] = {
        "_class_name": plan["pipeline"],
        "_diffusers_version": diffusers.__version__,
        "scheduler": ["diffusers", "DDIMScheduler"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    for part in parts:
        if part.startswith("text_encoder"):
            is_second = part != "text_encoder"
            index[part] = ["transformers", "CLIPTextModelWithProjection" if is_second else "CLIPTextModel"]
            index[part.replace("text_encoder", "tokenizer")] = ["transformers", "CLIPTokenizer"]
    if plan["pipeline"] == "StableDiffusionXLPipeline":
        return {**index, "force_zeros_for_empty_prompt": True}
    return {
        **index,
        "safety_checker": [None, None],
        "feature_extractor": [None, None],
        "requires_safety_checker": False,
    }
