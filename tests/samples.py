"""Every good embedding file and picture that tests need, built in code; tests/hostile builds the others."""

import io
import json
import random
import struct
from array import array
from collections.abc import Mapping
from typing import Any

from PIL import Image

from hub.formats import Tensor, write_canonical

SIZES = {"F16": 2, "BF16": 2, "F32": 4, "F64": 8, "I32": 4, "I64": 8, "U8": 1, "BOOL": 1, "F8_E4M3": 1}
WIDTHS = {"tiny": 128, "sd1": 768, "sd2": 1024}
SLOTS = {"sdxl": {"clip_l": 768, "clip_g": 1280}}


def floats(count: int, *, seed: int = 1, scale: float = 0.02) -> list[float]:
    """Numbers like those of a trained token vector, the same for the same seed."""
    source = random.Random(seed)
    return [source.gauss(0, scale) for _ in range(count)]


def packed(dtype: str, values: list[float]) -> bytes:
    """Little-endian bytes of these values."""
    if dtype == "BF16":
        wide = array("f", values).tobytes()
        return b"".join(wide[at + 2 : at + 4] for at in range(0, len(wide), 4))
    return struct.pack(f"<{len(values)}{ {'F16': 'e', 'F32': 'f', 'F64': 'd'}[dtype] }", *values)


def tensor(vectors: int, width: int, *, seed: int = 1) -> Tensor:
    """An F32 tensor of token vectors."""
    return Tensor("F32", (vectors, width), packed("F32", floats(vectors * width, seed=seed)))


def raw_file(header: Any, body: bytes = b"", *, length: int | None = None) -> bytes:
    """A safetensors file with exactly this header: object, text or bytes; `length` may lie about it."""
    if not isinstance(header, bytes):
        header = (header if isinstance(header, str) else json.dumps(header)).encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(header) if length is None else length) + header + body


def safetensors_file(
    tensors: Mapping[str, tuple[str, list[int], bytes]], metadata: Mapping[str, str] | None = None
) -> bytes:
    """A sound file of these tensors (dtype, shape, bytes)."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    body = b""
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    return raw_file(header, body)


def keyed_file(
    widths: Mapping[str, int],
    *,
    vectors: int = 2,
    dtype: str = "F32",
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """A sound file with one tensor [vectors, width] for each key."""
    return safetensors_file(
        {
            key: (dtype, [vectors, width], packed(dtype, floats(vectors * width, seed=seed)))
            for seed, (key, width) in enumerate(widths.items())
        },
        metadata,
    )


def embedding_file(
    family: str = "tiny", *, vectors: int = 2, dtype: str = "F32", metadata: Mapping[str, str] | None = None
) -> bytes:
    """An embedding of one of the families with a single encoder, as kohya's scripts write it."""
    return keyed_file({"emb_params": WIDTHS[family]}, vectors=vectors, dtype=dtype, metadata=metadata)


def canonical_file(
    family: str = "tiny", *, trigger: str = "moss-dragon", vectors: int = 2, seed: int = 1
) -> bytes:
    """A canonical file of ours; other seeds give other vectors."""
    slots = SLOTS.get(family) or {"emb_params": WIDTHS[family]}
    return write_canonical(
        {
            slot: tensor(vectors, width, seed=seed + place)
            for place, (slot, width) in enumerate(slots.items())
        },
        family=family,
        trigger=trigger,
        metadata={},
    )


def lora_file() -> bytes:
    """A LoRA as kohya's scripts write it."""
    name = "lora_unet_down_blocks_0_attentions_0_proj_in"
    return safetensors_file(
        {
            f"{name}.alpha": ("F32", [], packed("F32", [4.0])),
            f"{name}.lora_down.weight": ("F16", [4, 32], packed("F16", floats(128))),
            f"{name}.lora_up.weight": ("F16", [32, 4], packed("F16", floats(128))),
        }
    )


def picture(
    form: str = "PNG", *, size: tuple[int, int] = (64, 48), colour: str = "seagreen", **options: Any
) -> bytes:
    """A picture with a bright corner, so that its orientation can be seen."""
    image = Image.new("RGB", size, colour)
    image.paste("white", (0, 0, size[0] // 4, size[1] // 4))
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()
