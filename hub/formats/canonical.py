"""The canonical file: one safetensors per embedding, F32, known keys, ModelSpec metadata, stable bytes."""

import hashlib
import math
import re
from collections.abc import Mapping

from hub.formats.data import Tensor
from hub.formats.detect import refuse_polyglot
from hub.formats.errors import FormatError
from hub.formats.families import FAMILIES, XTI_LAYERS, Family
from hub.formats.limits import Limits
from hub.formats.safetensors_file import read_safetensors, write_safetensors
from hub.formats.values import check_values

SLOT_ORDER = ("emb_params", "llama", "clip_l", "clip_g", "t5xxl", "gemma", *XTI_LAYERS)
WRITER = "glossa/1"
_IMPLEMENTATION = "https://github.com/Stability-AI/generative-models"
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_BROKEN = re.compile("[\ud800-\udfff]")


def tensor_digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over the F32 bytes alone, in canonical order: equal for equal values from any container."""
    digest = hashlib.sha256()
    for slot in sorted(tensors, key=_order):
        digest.update(tensors[slot].data)
    return digest.hexdigest()


def write_canonical(
    tensors: Mapping[str, Tensor],
    *,
    family: str,
    trigger: str,
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """The canonical file of an embedding; the same input is the same bytes.

    Metadata keys are `modelspec.…` or `glossa.…`; a bare key is taken as one of ours. Keys given win over the
    defaults, except hash and trigger, which are facts. FormatError (`invalid_embedding`) when the tensors are
    not the family's: wrong keys, widths, dtype, counts or values.
    """
    known = FAMILIES[family]
    ordered = {slot: tensors[slot] for slot in known.slots if slot in tensors}
    check_tensors(known, tensors)
    if not trigger or _CONTROL.search(trigger):
        raise FormatError("trigger_illegal", "A canonical file needs a trigger word.", rule="N5")
    facts = {
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": f"{known.modelspec}/textual-inversion",
        "modelspec.implementation": _IMPLEMENTATION,
        "modelspec.title": trigger,
        "glossa.family": family,
        "glossa.writer": WRITER,
    }
    for key, value in (metadata or {}).items():
        facts[key if key.startswith(("modelspec.", "glossa.")) else f"glossa.{key}"] = value
    broken = [key for key, value in facts.items() if _BROKEN.search(key + value)]
    if broken:
        raise _refusal("Metadata holds text that is not Unicode.", keys=broken)
    facts["modelspec.hash_sha256"] = "0x" + tensor_digest(ordered)
    facts["modelspec.trigger_phrase"] = trigger
    return write_safetensors(ordered, facts)


def read_canonical(data: bytes, limits: Limits) -> tuple[Family, dict[str, Tensor]]:
    """Family and tensors of a file that we wrote. FormatError for any other file, or one that was changed since."""
    file = read_safetensors(data)
    family = FAMILIES.get(file.metadata.get("glossa.family", ""))
    if family is None or list(file.entries) != list(family.slots):
        raise _refusal("This is no canonical file.")
    tensors = {slot: file.tensor(slot) for slot in family.slots}
    check_tensors(family, tensors)
    if max(tensor.vectors for tensor in tensors.values()) > limits.max_vectors:
        raise _refusal("The canonical file has too many vectors.", limit=limits.max_vectors)
    if file.metadata.get("modelspec.hash_sha256") != "0x" + tensor_digest(tensors):
        raise _refusal("The canonical file was changed after it was written.")
    refuse_polyglot(data, "safetensors")
    return family, tensors


def check_tensors(family: Family, tensors: Mapping[str, Tensor]) -> list[str]:
    """Warnings about an embedding's tensors; FormatError when they are not those of its family."""
    if set(tensors) != set(family.slots):
        raise _refusal(
            f"An embedding of {family.title} has the tensors {', '.join(family.slots)}; "
            f"these are {', '.join(sorted(tensors)) or 'none'}."
        )
    warnings: list[str] = []
    for encoder in family.encoders:
        tensor = tensors[encoder.slot]
        shape = tuple(tensor.shape)
        if len(shape) != 2 or shape[0] < 1 or shape[1] != encoder.width:
            raise _refusal(
                f"{encoder.slot} has shape {list(shape)}; {family.title} needs [n, {encoder.width}]."
            )
        if tensor.dtype != "F32" or len(tensor.data) != 4 * math.prod(shape):
            raise _refusal(f"{encoder.slot} is not F32 of shape {list(shape)}.")
        warnings += check_values(encoder.slot, tensor)
    counts = {slot: tensors[slot].vectors for slot in family.slots if slot != "t5xxl" and slot != "llama"}
    if len(set(counts.values())) > 1:
        raise _refusal(
            f"The encoders have different numbers of vectors: {counts}.".replace("'", ""),
            vectors=counts,
        )
    return warnings


def _order(slot: str) -> tuple[int, str]:
    return (SLOT_ORDER.index(slot) if slot in SLOT_ORDER else len(SLOT_ORDER), slot)


def _refusal(message: str, **detail: object) -> FormatError:
    return FormatError("invalid_embedding", message, rule="U6", detail=detail)
