"""What is said of an embedding, inside the file or in a form, against what its bytes say (F8). Bytes win."""

import hashlib
from collections.abc import Mapping

from hub.formats.base_models import doubt_checkpoint
from hub.formats.data import EmbeddingData
from hub.formats.errors import FormatError
from hub.formats.families import FAMILIES, Family, family_of_architecture

_STEP_KEYS = ("glossa.steps", "glossa.step", "ss_steps")


def check_claims(data: EmbeddingData, **claims: object) -> None:
    """FormatError (`metadata_mismatch`, F8) when a form or request claims something else than the bytes say.

    Known claims: `family`, `vectors`, `width`. A claim of None or of an empty string is no claim.
    """
    facts = {
        "family": data.family,
        "vectors": data.vectors,
        "width": data.encoders[0].width,
    }
    for name, claimed in claims.items():
        if claimed not in (None, "") and str(claimed) != str(facts[name]):
            raise FormatError(
                "metadata_mismatch",
                f"The {name} is said to be {str(claimed)[:60]}, but the file has {facts[name]}.",
                rule="F8",
                detail={"field": name, "claimed": claimed, "found": facts[name]},
            )


def claims_inside(family: Family, metadata: Mapping[str, str], body: bytes | None) -> list[str]:
    """Warnings about what a file says of itself and its bytes contradict."""
    warnings = []
    for key, said in (
        (
            "modelspec.architecture",
            family_of_architecture(metadata.get("modelspec.architecture", "")),
        ),
        ("glossa.family", FAMILIES.get(metadata.get("glossa.family", ""))),
    ):
        if said and said.modelspec != family.modelspec:
            warnings.append(f"{key} says {said.title}, but the tensors are those of {family.title}.")
    doubt = doubt_checkpoint(metadata.get("sd_checkpoint_name", ""), family.id)
    if doubt:
        warnings.append(doubt)
    claimed = metadata.get("modelspec.hash_sha256", "").lower().removeprefix("0x")
    if claimed and body is not None and claimed != hashlib.sha256(body).hexdigest():
        warnings.append(
            "modelspec.hash_sha256 is not the hash of these tensors: they were changed after it was made."
        )
    return warnings


def names_family(family: Family, metadata: Mapping[str, str]) -> bool:
    """Whether the file's own metadata answers the question that its tensors leave open."""
    return family_of_architecture(metadata.get("modelspec.architecture", "")) is family


def step_of(metadata: Mapping[str, str]) -> int | None:
    """The training step, where a trainer left it in the metadata."""
    for key in _STEP_KEYS:
        text = metadata.get(key, "")
        if text.isascii() and text.isdigit() and len(text) <= 9:
            return int(text)
    return None


def is_private(key: str) -> bool:
    """Whether a metadata key may hold a thumbnail or the paths that training scripts leave: never kept."""
    return key == "modelspec.thumbnail" or (key.startswith("ss_") and key not in _STEP_KEYS)
