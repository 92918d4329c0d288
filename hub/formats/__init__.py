"""Embedding files, in and out, without a tensor library: bytes to EmbeddingData, and on to every tool's file.

    data = read("moss-dragon.safetensors")         # FormatError says why not, and by which rule
    data.family, data.vectors, data.trigger        # ('sd1', 4, 'moss-dragon')
    write_layout(data, "diffusers", trigger="moss-dragon")

Only the standard library and blake3 are used, plus Pillow in `pictures` and `image_writer`, which are not
imported from here.
"""

from hub.formats.base_models import BASE_MODELS, base_of_checkpoint, bases_of, check_base_claim, known_base
from hub.formats.canonical import tensor_digest, write_canonical
from hub.formats.data import EmbeddingData, Tensor
from hub.formats.errors import FormatError
from hub.formats.families import FAMILIES
from hub.formats.inspection import inspect_file
from hub.formats.limits import Limits
from hub.formats.pairs import may_be_half, merge_pair
from hub.formats.reading import check_claims, read
from hub.formats.tool_files import (
    LAYOUTS,
    STORED_LAYOUTS,
    layouts_for,
    served_layouts,
    tools_for,
    write_layout,
)
from hub.formats.trigger import check_trigger, is_vocabulary_word, suggest_trigger

__all__ = [
    "BASE_MODELS",
    "FAMILIES",
    "LAYOUTS",
    "STORED_LAYOUTS",
    "EmbeddingData",
    "FormatError",
    "Limits",
    "Tensor",
    "base_of_checkpoint",
    "bases_of",
    "check_base_claim",
    "check_claims",
    "check_trigger",
    "inspect_file",
    "is_vocabulary_word",
    "known_base",
    "layouts_for",
    "may_be_half",
    "merge_pair",
    "read",
    "served_layouts",
    "suggest_trigger",
    "tensor_digest",
    "tools_for",
    "write_canonical",
    "write_layout",
]
