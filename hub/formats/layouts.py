"""Key layouts: which tensor of a file is which encoder's. Every known naming is mapped to canonical slots."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.formats.errors import FormatError
from hub.formats.families import XTI_LAYERS, Family, family_of_slots, family_of_width
from hub.formats.names import shown
from hub.formats.other_models import refuse_other_models
from hub.formats.structures import BARE

# Names that writers give to one encoder's tensor. `text_encoders_1` is decided by width.
_SLOT_NAMES = {
    "clip_l": "clip_l",
    "clip_g": "clip_g",
    "t5": "t5xxl",
    "t5xxl": "t5xxl",
    "llama": "llama",
    "gemma": "gemma",
    "text_encoders_0": "clip_l",
    "text_encoders_1": "clip_g",
}
_OUT = "_out"
_BUNDLED = re.compile(r"bundle_emb\.(?P<name>.+?)\.(?P<slot>string_to_param\..+|[^.]+)", re.DOTALL)
_SEPARATE_ROWS = (
    "Pivotal tuning keeps one token per row; they are taken as the vectors of one word. "
    "If the words were meant to be used apart, say so in the description."
)


@dataclass(frozen=True, slots=True)
class Mapped:
    """A file's keys understood: layout, slot to tensor name, the token, what to tell the uploader."""

    layout: str
    names: dict[str, str]
    token: str | None = None
    warnings: tuple[str, ...] = ()


def map_words(words: Sequence[str], wanted: str | None) -> Mapped:
    """The layout of the WebUI and the paper: the wanted word, else the first one and a warning that names the others.

    FormatError (U6) when the wanted word is not there.
    """
    chosen = words[0] if wanted is None else wanted
    if chosen not in words:
        raise _refusal(f"There is no {shown(chosen)} in the file.", words=list(words)[:20])
    if wanted is not None or len(words) == 1:
        return Mapped("string_to_param", {"emb_params": chosen}, chosen)
    listed = ", ".join(shown(word) for word in words[:5]) + (", …" if len(words) > 5 else "")
    warning = (
        f"The file holds {len(words)} words ({listed}); the first was taken. The convert command takes out another "
        "with --token."
    )
    return Mapped("string_to_param", {"emb_params": chosen}, chosen, (warning,))


def map_structure(layout: str) -> Mapped:
    """The layouts that are told by how the tensors lay in the file: a list of pairs, a tensor without a name."""
    if layout == "bare":
        return Mapped("bare", {"emb_params": BARE})
    return Mapped(layout, {"clip_l": "emb", "clip_g": "emb2"})


def map_keys(shapes: Mapping[str, tuple[int, ...]]) -> Mapped:
    """Which tensor is which slot. A single tensor of unknown encoder gets the slot `emb_params`.

    FormatError (`not_an_embedding`, U6) for anything that is no embedding, saying what it is if known.
    """
    keys = set(shapes)
    if any(key.startswith("bundle_emb.") for key in keys):
        return _map_bundle(keys)
    refuse_other_models(shapes)
    inputs = {key for key in keys if not _is_output(key)}
    if not inputs:
        raise _refusal("The file has output embeddings only; no generation tool reads those.")
    left_out = _left_out(keys - inputs)
    if inputs == set(XTI_LAYERS):
        return Mapped(
            "xti", {layer: layer for layer in XTI_LAYERS}, None, ("No generation tool reads XTI files.",)
        )
    if inputs == {"emb", "emb2"}:
        return map_structure("emb-list")
    if inputs <= set(_SLOT_NAMES):
        return _map_slots(inputs, shapes, left_out)
    if len(inputs) > 1:
        raise _unknown(inputs)
    (key,) = inputs
    if key in ("emb_params", "emp_params"):
        return Mapped(key, {"emb_params": key}, None, left_out)
    return Mapped("token-tensor", {"emb_params": key}, key, left_out)


def family_of(mapped: Mapped, widths: Mapping[str, int]) -> tuple[Family, dict[str, str]]:
    """The family of mapped tensors, and their names by canonical slot. FormatError (U6) if unknown."""
    if mapped.layout == "xti":
        family = family_of_slots(frozenset(XTI_LAYERS))
    elif len(widths) == 1:
        ((slot, width),) = widths.items()
        family = family_of_width(width)
        if family and slot != "emb_params" and slot not in (family.encoders[0].name, family.slots[0]):
            family = None
    else:
        family = family_of_slots(frozenset(widths))
    if family is None:
        found = ", ".join(f"{slot} {width}" for slot, width in widths.items())
        raise _refusal(
            f"No known text encoder has these token vectors: {found}.",
            widths=dict(widths),
        )
    if len(widths) == 1:
        return family, {family.slots[0]: next(iter(mapped.names.values()))}
    for encoder in family.encoders:
        if widths[encoder.slot] != encoder.width:
            raise _refusal(
                f"{encoder.slot} is {widths[encoder.slot]} wide; {family.title} needs {encoder.width}.",
                widths=dict(widths),
            )
    return family, {slot: mapped.names[slot] for slot in family.slots}


def _map_bundle(keys: set[str]) -> Mapped:
    found: dict[str, dict[str, str]] = {}
    for key in sorted(keys):
        match = _BUNDLED.fullmatch(key)
        if not key.startswith("bundle_emb."):
            continue
        slot = match["slot"] if match else ""
        slot = "emb_params" if slot.startswith("string_to_param.") else _SLOT_NAMES.get(slot, slot)
        if match is None or slot not in ("emb_params", *_SLOT_NAMES.values()):
            if not slot.removesuffix(_OUT) or not slot.endswith(_OUT):
                raise _refusal(f"The bundled embedding has an unknown part: {shown(key)}.", key=key)
            continue
        if slot in found.setdefault(match["name"], {}):
            raise _refusal(
                f"The bundled embedding has two parts for one encoder: {shown(key)}.",
                key=key,
            )
        found[match["name"]][slot] = key
    if len(found) != 1:
        listed = ", ".join(shown(name) for name in list(found)[:5])
        raise _refusal(f"The LoRA carries {len(found)} embeddings ({listed}). Take out one and upload that.")
    ((name, names),) = found.items()
    rest = "Only the embedding was taken out of this LoRA; the LoRA itself was left out."
    return Mapped("lora-bundle", names, name, (rest,))


def _map_slots(inputs: set[str], shapes: Mapping[str, tuple[int, ...]], left_out: tuple[str, ...]) -> Mapped:
    names: dict[str, str] = {}
    for key in sorted(inputs):
        slot = _SLOT_NAMES[key]
        if key == "text_encoders_1" and shapes[key][-1:] == (4096,):
            slot = "t5xxl"
        if slot in names:
            raise _refusal(f"{names[slot]} and {key} both claim to be the part for {slot}.")
        names[slot] = key
    pivotal = any(key.startswith("text_encoders_") for key in inputs) and shapes[min(inputs)][0] > 1
    return Mapped("slots", names, None, left_out + ((_SEPARATE_ROWS,) if pivotal else ()))


def _is_output(key: str) -> bool:
    """Whether this is an output embedding: added after the encoder, not looked up as a token."""
    name = key.removesuffix(_OUT)
    return name != key and (name in _SLOT_NAMES or name in ("emb_params", "emp_params"))


def _left_out(keys: set[str]) -> tuple[str, ...]:
    if not keys:
        return ()
    return (f"Output embeddings were left out, no generation tool reads them: {', '.join(sorted(keys))}.",)


def _unknown(keys: set[str]) -> FormatError:
    listed = ", ".join(shown(key) for key in sorted(keys)[:3]) + (", …" if len(keys) > 3 else "")
    return _refusal(
        f"The file holds {len(keys)} tensors ({listed}) in no known layout. If these are several words, upload one "
        "file for each.",
        keys=sorted(keys)[:20],
    )


def _refusal(message: str, **detail: object) -> FormatError:
    return FormatError("not_an_embedding", message, rule="U6", detail=detail)
