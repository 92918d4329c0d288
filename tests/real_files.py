"""Embedding files as the real writers make them: torch.save old and new, safetensors, Pillow. Needs torch.

`tests/samples.py` builds files without torch; these prove that what people really have is read.
"""

import base64
import io
import json
import zlib
from collections.abc import Callable, Mapping
from itertools import chain, repeat
from typing import Any

import safetensors.torch
import torch
from PIL import Image, PngImagePlugin

from hub.formats.families import XTI_LAYERS

DTYPES = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32, "F64": torch.float64}
PICKLED = ("torch-zip", "torch-legacy")
TOKEN = "<moss-dragon>"
Tensors = Mapping[str, torch.Tensor]


def vectors(
    count: int, width: int, *, seed: int = 1, dtype: str = "F32", scale: float = 0.02
) -> torch.Tensor:
    """Rows like those of trained token vectors, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed * 7919 + width)
    rows = torch.randn(count, width, generator=generator, dtype=torch.float64) * scale
    return rows.to(DTYPES[dtype])


def encoders(family: str, count: int, *, dtype: str = "F32", seed: int = 1) -> dict[str, torch.Tensor]:
    """The tensors of an embedding of several encoders, by slot."""
    widths = {"sdxl": (768, 1280), "flux": (768, 4096), "sd3": (768, 1280, 4096)}[family]
    names = {768: "clip_l", 1280: "clip_g", 4096: "t5xxl"}
    return {names[width]: vectors(count, width, seed=seed, dtype=dtype) for width in widths}


def saved(value: Any, container: str) -> bytes:
    """The value as the container's own library writes it."""
    if container == "safetensors":
        return bytes(safetensors.torch.save({key: tensor.contiguous() for key, tensor in value.items()}))
    out = io.BytesIO()
    torch.save(value, out, _use_new_zipfile_serialization=container == "torch-zip")
    return out.getvalue()


# One function for each layout of a single encoder: what its writer hands to the container.


def webui(tensor: torch.Tensor, **changes: Any) -> dict[str, Any]:
    """The WebUI after training."""
    return {
        "string_to_token": {"*": 265},
        "string_to_param": {"*": tensor},
        "name": "moss-dragon",
        "step": 1500,
        "sd_checkpoint": "81761151",
        "sd_checkpoint_name": "v1-5-pruned",
        **changes,
    }


def webui_parameter(tensor: torch.Tensor) -> dict[str, Any]:
    """The WebUI when the trained parameter itself was saved."""
    return webui(torch.nn.Parameter(tensor))


def paper(tensor: torch.Tensor, *more: tuple[str, torch.Tensor]) -> dict[str, Any]:
    """The code of the paper: a ParameterDict, and a token id that is one number of a longer tensor."""
    words = torch.nn.ParameterDict()
    words["*"] = torch.nn.Parameter(tensor)
    for word, other in more:
        words[word] = torch.nn.Parameter(other)
    return {"string_to_token": {"*": torch.arange(264, 341)[1]}, "string_to_param": words}


SINGLE: dict[str, tuple[str, tuple[str, ...], Callable[[torch.Tensor], Any]]] = {
    "webui": ("string_to_param", PICKLED, webui),
    "webui-parameter": ("string_to_param", PICKLED, webui_parameter),
    "paper": ("string_to_param", PICKLED, paper),
    "diffusers": ("token-tensor", (*PICKLED, "safetensors"), lambda tensor: {TOKEN: tensor}),
    "kohya": ("emb_params", (*PICKLED, "safetensors"), lambda tensor: {"emb_params": tensor}),
    "onetrainer": ("emp_params", ("safetensors",), lambda tensor: {"emp_params": tensor}),
    "onetrainer-out": (
        "emp_params",
        ("safetensors",),
        lambda tensor: {"emp_params": tensor, "emp_params_out": tensor + 1},
    ),
    "bundle": (
        "lora-bundle",
        ("safetensors",),
        lambda tensor: {
            "bundle_emb.moss-dragon.string_to_param.*": tensor,
            "lora_unet_x.alpha": torch.tensor(4.0),
            "lora_unet_x.lora_down.weight": torch.zeros(2, 2, 1, 1),
        },
    ),
}


def pivotal(tensors: Tensors) -> dict[str, torch.Tensor]:
    """The first names that diffusers' advanced scripts gave to the encoders."""
    return {f"text_encoders_{number}": tensor for number, tensor in enumerate(tensors.values())}


def pairs(tensors: Tensors) -> list[dict[str, torch.Tensor]]:
    """One small dict for each vector, as a notebook for SDXL writes them."""
    rows = zip(tensors["clip_l"], tensors["clip_g"], strict=True)
    return [{"emb": left.clone(), "emb2": right.clone()} for left, right in rows]


def xti(count: int, *, dtype: str = "F32") -> dict[str, torch.Tensor]:
    """One set of vectors for each layer."""
    return {layer: vectors(count, 768, seed=100 + n, dtype=dtype) for n, layer in enumerate(XTI_LAYERS)}


# Pictures, as the WebUI draws them.


def payload(tensor: torch.Tensor, **changes: Any) -> bytes:
    """What the WebUI puts into a picture."""
    value = webui(tensor, **changes)
    return json.dumps(value, default=lambda tensor: {"TORCHTENSOR": tensor.tolist()}).encode()


def _background(size: int) -> Image.Image:
    red = Image.linear_gradient("L").resize((size, size)).point(lambda value: max(value, 17) | 1)
    return Image.merge("RGB", (red, red.rotate(90), red.rotate(180)))


def text_picture(carried: bytes, *, packed: bool = False, international: bool = False) -> bytes:
    """A PNG that carries this in a text chunk: tEXt, zTXt or iTXt."""
    texts = PngImagePlugin.PngInfo()
    text = base64.b64encode(carried).decode()
    (texts.add_itxt if international else texts.add_text)("sd-ti-embedding", text, zip=packed)
    out = io.BytesIO()
    _background(64).save(out, "PNG", pnginfo=texts)
    return out.getvalue()


def pixel_picture(carried: bytes, *, form: str = "PNG", mode: str = "RGB", **options: Any) -> bytes:
    """A picture that carries this in the low bits of two panels beside it."""
    size = 64
    packed = zlib.compress(carried, 9)
    columns = -(-len(packed) // (size * 3))
    space = columns * size * 3
    low, high = (
        bytes(
            (half ^ key) | 0x40
            for half, key in zip(chain(halves, repeat(0, space - len(packed))), _keys(), strict=False)
        )
        for halves in ([byte & 15 for byte in packed], [byte >> 4 for byte in packed])
    )
    picture = Image.new("RGB", (2 * columns + size + 2, size))
    picture.paste(Image.frombytes("RGB", (columns, size), low), (0, 0))
    picture.paste(_background(size), (columns + 1, 0))
    picture.paste(Image.frombytes("RGB", (columns, size), high), (columns + size + 2, 0))
    out = io.BytesIO()
    picture.convert(mode).save(out, form, **options)
    return out.getvalue()


def _keys() -> Any:
    state = 0
    while True:
        state = (1664525 * state + 1013904223) % 2**32
        yield state % 255 % 16
