"""What each tool does with a file, as small rules: which names and shapes it looks for, and where it gives up.

Written from the description of the tools' loaders, not from the product's tables: tests hold those against these.
Every rule answers `Y` (loads), `~` (in part, or by luck) or `-` (does not load).
"""

import base64
import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

YES, PART, NO = "Y", "~", "-"
ENCODERS: Mapping[str, Mapping[str, int]] = {
    "tiny": {"clip_tiny": 128},
    "sd1": {"clip_l": 768},
    "sd2": {"clip_h": 1024},
    "sdxl": {"clip_l": 768, "clip_g": 1280},
    "sd3": {"clip_l": 768, "clip_g": 1280, "t5xxl": 4096},
    "flux": {"clip_l": 768, "t5xxl": 4096},
    "clip_g": {"clip_g": 1280},
    "t5": {"t5xxl": 4096},
}
_CLASSIC = ("sd1", "sd2", "sdxl")
_OLD_RECORDS = re.compile(r"[^/]+/(data/\d+|version|byteorder|\.data/serialization_id|data\.pkl)")


@dataclass(frozen=True)
class RawFile:
    """A file as its tools meet it: suffix, container, tensors by name, words where it is A1111's layout."""

    suffix: str
    container: str
    tensors: Mapping[str, tuple[tuple[int, ...], str]] = field(default_factory=dict)
    words: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    has_name: bool = False
    is_refused_by_torch: bool = False
    records: tuple[str, ...] = ()

    @property
    def is_pickle(self) -> bool:
        return self.container == "pickle"

    @property
    def only(self) -> tuple[int, ...] | None:
        """The shape of the one tensor there is."""
        return next(iter(self.tensors.values()))[0] if len(self.tensors) == 1 else None


def raw(data: bytes, filename: str) -> RawFile:
    """A file opened with the libraries that the tools use."""
    suffix = "." + filename.rsplit(".", 1)[-1]
    if data.startswith(b"\x89PNG"):
        return RawFile(suffix, "image", words=_in_picture(data))
    if data[8:9] == b"{":
        from safetensors import deserialize

        return RawFile(
            suffix,
            "safetensors",
            {name: (tuple(one["shape"]), one["dtype"]) for name, one in sorted(deserialize(data))},
        )
    return _pickled(data, suffix)


def _in_picture(data: bytes) -> dict[str, tuple[int, ...]]:
    from PIL import Image

    texts = Image.open(io.BytesIO(data)).text  # type: ignore[attr-defined]  # a PNG has them
    if "sd-ti-embedding" not in texts:
        return {"*": (1, 768)}  # hidden in the pixels, which only one sample does
    words = json.loads(base64.b64decode(texts["sd-ti-embedding"]))["string_to_param"]
    return {word: (len(one["TORCHTENSOR"]), len(one["TORCHTENSOR"][0])) for word, one in words.items()}


def _pickled(data: bytes, suffix: str) -> RawFile:
    import torch

    records: tuple[str, ...] = ()
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            records = tuple(archive.namelist())
    try:
        loaded: Any = torch.load(io.BytesIO(data), weights_only=True)
    except Exception:
        return RawFile(suffix, "pickle", is_refused_by_torch=True, records=records)
    words = loaded.get("string_to_param", {})
    return RawFile(
        suffix,
        "pickle",
        {key: (tuple(one.shape), str(one.dtype)) for key, one in loaded.items() if hasattr(one, "dtype")},
        {word: tuple(one.shape) for word, one in words.items()},
        has_name="name" in loaded,
        records=records,
    )


def comfyui(file: RawFile, family: str) -> str:
    """Looks for the encoder's own name, else takes whatever comes first, and drops it if its width is wrong."""
    if file.suffix not in (".safetensors", ".pt", ".bin"):
        return NO
    if file.is_refused_by_torch:
        return PART  # the raw archive is searched for numbers
    if len(file.words) > 1:
        return PART
    found = [_comfy_pick(file, encoder) for encoder in ENCODERS[family]]
    fitting = [shape[-1:] == (width,) for shape, width in zip(found, ENCODERS[family].values(), strict=True)]
    bundled = any(name.startswith("bundle_emb.") for name in file.tensors)
    by_name = sum(encoder in file.tensors for encoder in ENCODERS[family])
    if all(fitting):
        return YES if bundled or file.words or by_name or len(file.tensors) == 1 else PART
    return PART if any(fitting) else NO


def _comfy_pick(file: RawFile, encoder: str) -> tuple[int, ...]:
    if file.words:
        return next(iter(file.words.values()))
    if encoder in file.tensors:
        return file.tensors[encoder][0]
    for name, (shape, _) in file.tensors.items():
        if name.startswith("bundle_emb.") and name.endswith((f".{encoder}", ".string_to_param.*")):
            return shape
    return next(iter(file.tensors.values()))[0]


def a1111(file: RawFile, family: str) -> str:
    """Checks the records of a zip first; then one word, a pair for SDXL, or a single tensor."""
    if any(not _OLD_RECORDS.fullmatch(record) for record in file.records):
        return NO
    width = _webui_width(file)
    if family == "sd3":
        return PART if width == 2048 else NO  # its T5 part is passed over
    return YES if width is not None and {"sd1": 768, "sd2": 1024, "sdxl": 2048}.get(family) == width else NO


def forge(file: RawFile, family: str) -> str:
    """A1111's rules without the check of records; SD 3 and Flux look for single encoders only."""
    width = _webui_width(file)
    if family == "flux":
        return PART if width == 768 else NO
    return YES if width is not None and {"sd1": 768, "sd2": 1024, "sdxl": 2048}.get(family) == width else NO


def _webui_width(file: RawFile) -> int | None:
    if file.suffix not in (".png", ".pt", ".bin", ".safetensors") or file.is_refused_by_torch:
        return None
    if file.words:
        return next(iter(file.words.values()))[-1] if len(file.words) == 1 else None
    if {"clip_l", "clip_g"} <= set(file.tensors):
        return file.tensors["clip_l"][0][-1] + file.tensors["clip_g"][0][-1]
    return file.only[-1] if file.only else None


def sdnext(file: RawFile, family: str) -> str:
    """Pickles only as .pt and in A1111's layout; safetensors by width, as many tensors as the model has encoders."""
    if family not in _CLASSIC or file.suffix not in (".pt", ".safetensors") or file.is_refused_by_torch:
        return NO
    widths = list(ENCODERS[family].values())
    if file.is_pickle:
        if "*" not in file.words:
            return NO
        fits = [file.words["*"][-1]] == widths
        return (YES if len(file.words) == 1 else PART) if fits else NO
    return YES if _widths(file) == sorted(widths) else NO


def _widths(file: RawFile) -> list[int]:
    return sorted(shape[-1] if shape else 0 for shape, _ in file.tensors.values())


def invokeai(file: RawFile, family: str) -> str:
    """Knows `emb_params` and the SDXL pair; of another tensor it takes the first length as the width."""
    if (
        file.suffix not in (".pt", ".bin", ".safetensors")
        or family not in _CLASSIC
        or file.is_refused_by_torch
    ):
        return NO
    wanted = {"sd1": 768, "sd2": 1024, "sdxl": 1280}[family]
    if file.words:
        first = next(iter(file.words.values()))
        return (YES if len(file.words) == 1 else PART) if first[-1] == wanted else NO
    if "emb_params" in file.tensors:
        width = file.tensors["emb_params"][0][-1]
    elif {"clip_l", "clip_g"} <= set(file.tensors):
        width = file.tensors["clip_g"][0][-1]
    else:
        width = file.only[0] if file.only else 0
    return YES if width == wanted else NO


def diffusers(file: RawFile, family: str) -> str:
    """One key, or A1111's layout with its name; pairs by two calls with the tensors taken out by hand."""
    if family not in ("tiny", *_CLASSIC, "flux") or file.is_refused_by_torch or file.container == "image":
        return NO
    widths = set(ENCODERS[family].values())
    if file.words:
        if "*" not in file.words or not file.has_name:
            return NO
        return YES if len(file.words) == 1 else PART
    if file.only:
        return YES if file.only[-1] in widths else NO
    by_hand = len(widths) == len(file.tensors) == 2
    return YES if by_hand and set(_widths(file)) == widths else NO


def sdcpp(file: RawFile, family: str) -> str:
    """Looks at widths alone, and copies the bytes of safetensors as if they were F32."""
    if (
        family not in _CLASSIC
        or file.suffix not in (".safetensors", ".pt", ".ckpt")
        or file.is_refused_by_torch
    ):
        return NO
    if len(file.words) > 1 or (file.is_pickle and len(file.tensors) > 1):
        return PART
    if file.words:
        return YES if [one[-1] for one in file.words.values()] == list(ENCODERS[family].values()) else NO
    if not file.is_pickle and any(dtype != "F32" for _, dtype in file.tensors.values()):
        return NO
    widths = _widths(file)
    if widths == sorted(ENCODERS[family].values()):
        return YES
    fits_some = set(widths) <= set(ENCODERS[family].values()) and 768 in widths
    return PART if fits_some and len(widths) != len(ENCODERS[family]) else NO


def kohya(file: RawFile, family: str) -> str:
    """One word or one tensor for SD 1 and 2, the pair by its names for SDXL."""
    if family not in _CLASSIC or file.is_refused_by_torch or file.container == "image":
        return NO
    if family == "sdxl":
        return YES if set(file.tensors) == {"clip_l", "clip_g"} else NO
    if file.words:
        return YES if len(file.words) == 1 else PART
    return YES if file.only and file.only[-1:] == tuple(ENCODERS[family].values()) else NO


def onetrainer(file: RawFile, family: str) -> str:
    """Its own names, all of them: `emp_params` is really spelled so."""
    names = {
        "sd1": {"emp_params"},
        "sd2": {"emp_params"},
        "sdxl": {"clip_l", "clip_g"},
        "sd3": {"clip_l", "clip_g", "t5"},
        "flux": {"clip_l", "t5"},
        "t5": {"t5"},
        "clip_g": {"clip_g"},
    }
    return YES if file.container == "safetensors" and set(file.tensors) == names.get(family) else NO


RULES: Mapping[str, Callable[[RawFile, str], str]] = {
    "ComfyUI": comfyui,
    "A1111": a1111,
    "Forge": forge,
    "SD.Next": sdnext,
    "InvokeAI": invokeai,
    "diffusers": diffusers,
    "stable-diffusion.cpp": sdcpp,
    "kohya": kohya,
    "OneTrainer": onetrainer,
}
