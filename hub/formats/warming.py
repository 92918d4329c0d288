"""Files of our own making, one for each way in which an embedding comes, on which a template practises."""

from collections.abc import Iterator

from hub.formats.data import Tensor
from hub.formats.safetensors_file import write_safetensors
from hub.formats.torch_writer import write_torch
from hub.formats.values import narrow, packed_floats

_WIDTH, _SECOND_WIDTH = 768, 1280


def samples() -> Iterator[tuple[str, bytes]]:
    """Name and content of each."""
    one, other = _tensor(_WIDTH), _tensor(_SECOND_WIDTH)
    said = {
        "modelspec.trigger_phrase": "moss-dragon",
        "modelspec.architecture": "stable-diffusion-v1/textual-inversion",
    }
    yield "moss-dragon.safetensors", write_safetensors({"emb_params": one}, said)
    yield "moss-dragon.safetensors", write_safetensors({"<moss>": _narrowed("BF16", one)}, {})
    pair = {"clip_g": _narrowed("F16", other), "clip_l": _narrowed("F16", one)}
    yield "moss-dragon.safetensors", write_safetensors(pair, {"format": "pt"})
    yield "moss-dragon.pt", write_torch(one, name="moss-dragon", step=500)


def _tensor(width: int) -> Tensor:
    numbers = [(number * 37 % 101 - 50) / 1000 for number in range(2 * width)]
    return Tensor("F32", (2, width), packed_floats(numbers))


def _narrowed(dtype: str, tensor: Tensor) -> Tensor:
    return Tensor(dtype, tensor.shape, narrow(dtype, tensor.data))
