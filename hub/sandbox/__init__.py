"""A stranger's file is read in a child process that can do nothing else; what comes back is distrusted again.

The child is forked from a warm template (`hub.formats.__main__`), gets an open descriptor and answers on a pipe
under limits of memory, time and output. A child that crashes, stalls or reaches for anything is a refused file.
This module knows no Django: limits are parameters.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.formats.canonical import read_canonical, tensor_digest
from hub.formats.detect import sniff
from hub.formats.errors import FormatError
from hub.formats.inspection import hash_stream, row
from hub.formats.limits import DEFAULT_LIMITS, MIB, Limits
from hub.sandbox.outcomes import Bounds, SandboxRefusal, SandboxUnavailable, mismatch
from hub.sandbox.process import run_child

__all__ = [
    "Bounds",
    "PictureResult",
    "SandboxRefusal",
    "SandboxResult",
    "SandboxUnavailable",
    "inspect_embedding",
    "protections",
    "read_embedding",
    "read_picture",
]

_EMBEDDING_READER = "hub.formats.inspection:examine_descriptor"
_PICTURE_READER = "hub.formats.pictures:reencode_descriptor"
# The children of this template have decoders too; those of the other one are forked faster without.
_TEMPLATE, _DECODING_TEMPLATE = "hub.formats.inspection", "hub.formats.carriers"
_SNIFFED_BYTES = 1024
EMBEDDING_BOUNDS = Bounds()
PICTURE_BOUNDS = Bounds(memory=768 * MIB)


@dataclass(frozen=True, slots=True)
class SandboxResult:
    """Facts about an embedding (hub.formats.inspection.examine), and its canonical file, checked again."""

    facts: dict[str, Any]
    canonical: bytes


@dataclass(frozen=True, slots=True)
class PictureResult:
    """A re-encoded picture and its facts (see hub.formats.pictures.Picture)."""

    data: bytes
    facts: dict[str, Any]


def read_embedding(
    path: str | os.PathLike[str],
    *,
    filename: str,
    limits: Limits = DEFAULT_LIMITS,
    bounds: Bounds = EMBEDDING_BOUNDS,
    token: str | None = None,
) -> SandboxResult:
    """An uploaded embedding, read in a child. `facts["verdict"]` is `accept`, or `ask` with a `question`.

    Of a file with several words `token` picks one.

    FormatError with code and rule for a refused file, SandboxRefusal when the child did not survive it,
    SandboxUnavailable when no child can run.
    """
    facts, canonical = _examine(path, filename, limits, bounds, token)
    if facts["verdict"] == "refuse":
        raise FormatError(facts["code"], facts["message"], rule=facts["rule"], detail=facts["detail"])
    return SandboxResult(facts, canonical)


def inspect_embedding(
    path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS, bounds: Bounds = EMBEDDING_BOUNDS
) -> dict[str, Any]:
    """The record of `manage.py inspect` for one file: never raises for its content, OSError if unreadable."""
    name = os.fspath(path)
    try:
        facts, _canonical = _examine(path, Path(name).name, limits, bounds)
    except SandboxRefusal as refusal:
        facts = {"verdict": "refuse", "rule": refusal.rule, "message": refusal.message}
        with Path(name).open("rb") as file:
            digests, _kept = hash_stream(file.fileno(), Limits(max_bytes=0))
        facts |= {"encoders": [], "digests": digests, "warnings": []}
    return {"file": name, **row(facts)}


def read_picture(
    path: str | os.PathLike[str],
    *,
    max_side: int,
    form: str = "webp",
    bounds: Bounds = PICTURE_BOUNDS,
    **asked: bool,
) -> PictureResult:
    """An uploaded picture, decoded and encoded anew in a child: upright, sRGB, without metadata.

    `form` is `webp` or `png`; what else may be asked, `look`, `as_mask` and `keep_clear`, is told at
    `hub.formats.pictures.reencode`.

    FormatError (`invalid_image`, P1 or P2; `bad_mask`), SandboxRefusal, SandboxUnavailable.
    """
    arguments = {"max_side": max_side, "form": form, **asked}
    answer = run_child(_PICTURE_READER, path, arguments, bounds=bounds)
    start = b"\x89PNG" if form == "png" else b"RIFF"
    width, height = answer.facts.get("width"), answer.facts.get("height")
    sizes = all(type(side) is int and 0 < side <= max_side for side in (width, height))
    if not sizes or not answer.body.startswith(start):
        raise mismatch()
    return PictureResult(answer.body, answer.facts)


def protections() -> list[str]:
    """Which fences this machine can raise around a child, for the start-up log and `check --deploy`."""
    report = "hub.formats.lockdown:report"
    return run_child(report, os.devnull, {}, bounds=EMBEDDING_BOUNDS, template=_TEMPLATE).protections


def _examine(
    path: str | os.PathLike[str], filename: str, limits: Limits, bounds: Bounds, token: str | None = None
) -> tuple[dict[str, Any], bytes]:
    arguments = {
        "filename": filename[:255],
        "max_bytes": limits.max_bytes,
        "max_vectors": limits.max_vectors,
        "token": token,
    }
    with Path(path).open("rb", buffering=0) as file:
        digests, start = hash_stream(file.fileno(), Limits(max_bytes=_SNIFFED_BYTES))
    template = _TEMPLATE
    if sniff(start).container == "image":  # pixels that may carry an embedding have to be decoded
        template = _DECODING_TEMPLATE
        bounds = PICTURE_BOUNDS if bounds is EMBEDDING_BOUNDS else bounds
    answer = run_child(_EMBEDDING_READER, path, arguments, bounds=bounds, template=template)
    facts = answer.facts
    if facts.get("verdict") != "refuse":
        digests["tensors"] = _checked(facts, answer.body, limits)
    elif [type(facts.get(key)) for key in ("code", "message", "rule", "detail")] != [str, str, str, dict]:
        raise mismatch()
    return {**facts, "digests": digests}, answer.body if "tensors" in digests else b""


def _checked(facts: Mapping[str, Any], canonical: bytes, limits: Limits) -> str:
    """The digest of the tensors in a child's canonical file, which is read again and has to be as its facts say."""
    try:
        family, tensors = read_canonical(canonical, limits)
        digest = tensor_digest(tensors)
        found = [(encoder.name, tensors[encoder.slot].shape) for encoder in family.encoders]
        said = [(encoder["name"], (encoder["vectors"], encoder["width"])) for encoder in facts["encoders"]]
        agree = (facts["family"], facts["digests"]["tensors"], said) == (family.id, digest, found)
    except (FormatError, KeyError, TypeError) as error:
        raise mismatch() from error
    if not agree or facts["verdict"] not in ("accept", "ask"):
        raise mismatch()
    return digest
