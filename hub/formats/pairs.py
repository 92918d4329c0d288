"""Two files that are one embedding: the halves that diffusers' SDXL script writes, one for each text encoder."""

from hub.formats.canonical import check_tensors
from hub.formats.data import EmbeddingData
from hub.formats.errors import FormatError
from hub.formats.families import FAMILIES
from hub.formats.names import shown

_HALVES = {"sd1": "clip_l", "clip_g": "clip_g"}


def may_be_half(family: str, layout: str) -> bool:
    """Whether a file of this family and layout can be one of the two files of an SDXL embedding."""
    return family == "clip_g" or (family == "sd1" and layout == "token-tensor")


def merge_pair(first: EmbeddingData, second: EmbeddingData) -> EmbeddingData:
    """One SDXL embedding of its two halves, in whichever order. Layout, container and metadata are those of CLIP-L's.

    FormatError (`not_a_pair`, U6) unless one half is 768 wide, the other 1280, and token and number of vectors
    are the same.
    """
    by_slot = {_HALVES[half.family]: half for half in (first, second) if half.family in _HALVES}
    if len(by_slot) != 2:
        families = " and ".join(FAMILIES[half.family].title for half in (first, second))
        raise _refusal(f"A pair has vectors 768 and 1280 wide; these are {families}.")
    left, right = by_slot["clip_l"], by_slot["clip_g"]
    if left.token != right.token:
        raise _refusal(
            f"The halves are for different words: {shown(left.token or '')} and {shown(right.token or '')}.",
            tokens=[left.token, right.token],
        )
    if left.vectors != right.vectors:
        raise _refusal(
            f"The halves have {left.vectors} and {right.vectors} vectors; both need the same number.",
            vectors=[left.vectors, right.vectors],
        )
    tensors = {slot: next(iter(half.tensors.values())) for slot, half in by_slot.items()}
    ordered = {slot: tensors[slot] for slot in FAMILIES["sdxl"].slots}
    check_tensors(FAMILIES["sdxl"], ordered)
    warnings = [
        warning for half in (left, right) for warning in half.warnings if "second file" not in warning
    ]
    return EmbeddingData(
        tensors=ordered,
        family="sdxl",
        layout=left.layout,
        container=left.container,
        token=left.token,
        trigger=left.trigger,
        step=left.step,
        source_dtypes={slot: next(iter(by_slot[slot].source_dtypes.values())) for slot in ordered},
        metadata={**right.metadata, **left.metadata},
        warnings=tuple(dict.fromkeys(warnings)),
        name=left.name,
        pickle_names=tuple(sorted({*left.pickle_names, *right.pickle_names})),
        is_new_torch=left.is_new_torch,
    )


def _refusal(message: str, **detail: object) -> FormatError:
    return FormatError("not_a_pair", message, rule="U6", detail=detail)
