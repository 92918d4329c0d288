"""What a file is, as one flat record of facts: the answer of `manage.py inspect` and of the upload page."""

import json
import os
from pathlib import Path

from hub.formats.canonical import tensor_digest
from hub.formats.data import EmbeddingData
from hub.formats.detect import sniff
from hub.formats.digests import Digester
from hub.formats.errors import FormatError
from hub.formats.families import FAMILIES
from hub.formats.limits import DEFAULT_LIMITS, Limits
from hub.formats.reading import read, refuse_large
from hub.formats.tool_files import write_layout
from hub.formats.trigger import vocabulary
from hub.formats.warming import samples

_BLOCK = 1 << 16
_FIRST_TIMES = 12
ROW_KEYS = [
    "file",
    "verdict",
    "rule",
    "message",
    "container",
    "layout",
    "family",
    "encoders",
    "trigger",
    "step",
    "digests",
    "warnings",
]


def inspect_file(path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS) -> dict[str, object]:
    """The record of a file; never raises for what is in it. OSError when it cannot be read.

    It parses in this process: give files of strangers to hub.sandbox instead.
    """
    with Path(path).open("rb") as file:
        digests, head = hash_stream(file.fileno(), limits)
    facts, _data = examine(head, filename=Path(path).name, limits=limits)
    return {
        "file": os.fspath(path),
        **row(facts),
        "digests": {**digests, **_tensors(facts)},
    }


def examine(
    data: bytes, *, filename: str, limits: Limits = DEFAULT_LIMITS, token: str | None = None
) -> tuple[dict[str, object], EmbeddingData | None]:
    """All facts about these bytes, and the embedding unless it is refused.

    Beside the keys of `ROW_KEYS` (without `file`, and of the digests only `tensors`): `code` and `detail` of
    a refusal; `token`, `name`, `metadata`, `negative`, `question` of an embedding, what its tensors are
    in the file (`stored`) and what else decides which tools load it (`words`, `pickle_names`, `is_new_torch`).
    """
    try:
        refuse_large(len(data), limits)
        embedding = read(data, filename=filename, limits=limits, token=token)
    except FormatError as error:
        container = "unknown" if error.rule == "U2" else sniff(data).container
        return _refused(error, container), None
    return _accepted(embedding), embedding


def preload() -> None:
    """Load what examining needs from files, while files may still be opened, and go all its ways once or twice.

    Python rewrites functions that it runs for the first times. Done here it is not done again in every child, each
    of which would need its own copy of the memory.
    """
    vocabulary()
    for _ in range(_FIRST_TIMES):
        for filename, data in samples():
            facts, embedding = examine(data, filename=filename)
            assert embedding is not None
            write_layout(embedding, "canonical", trigger=embedding.trigger)
            json.loads(json.dumps(facts))


def examine_descriptor(
    descriptor: int, *, filename: str, max_bytes: int, max_vectors: int, token: str | None = None
) -> tuple[dict[str, object], bytes]:
    """The sandbox child's reader: facts of an open file, and the canonical bytes of its embedding, if any.

    The digests of the file itself are made by whoever asks: hashing is no parsing.
    """
    limits = Limits(max_bytes=max_bytes, max_vectors=max_vectors)
    data = _read_capped(descriptor, max_bytes + 1)
    facts, embedding = examine(data, filename=filename, limits=limits, token=token)
    if embedding is None:
        return facts, b""
    return facts, write_layout(embedding, "canonical", trigger=embedding.trigger)


def row(facts: dict[str, object]) -> dict[str, object]:
    """Only what the outer interface promises, in its order."""
    return {key: facts.get(key) for key in ROW_KEYS if key != "file"}


def hash_stream(descriptor: int, limits: Limits = DEFAULT_LIMITS) -> tuple[dict[str, str], bytes]:
    """Digests of a whole open file as the tools make them, and its bytes up to one over the limit."""
    digester, kept = Digester(), bytearray()
    while block := os.read(descriptor, _BLOCK):
        digester.update(block)
        kept += block[: limits.max_bytes + 1 - len(kept)]
    return digester.digests, bytes(kept)


def _read_capped(descriptor: int, most: int) -> bytes:
    """The bytes of an open file, up to so many."""
    blocks, size = [], 0
    while size < most and (block := os.read(descriptor, min(_BLOCK, most - size))):
        blocks.append(block)
        size += len(block)
    return b"".join(blocks)


def _accepted(data: EmbeddingData) -> dict[str, object]:
    return {
        "verdict": "ask" if data.question else "accept",
        "rule": None,
        "message": data.question or f"An embedding for {FAMILIES[data.family].title}.",
        "container": data.container,
        "layout": data.layout,
        "family": data.family,
        "encoders": [
            {"name": e.name, "vectors": e.vectors, "width": e.width, "dtype": e.dtype} for e in data.encoders
        ],
        "trigger": data.trigger,
        "step": data.step,
        "digests": {"tensors": tensor_digest(data.tensors)},
        "warnings": list(data.warnings),
        "code": None,
        "token": data.token,
        "name": data.name,
        "words": list(data.words),
        "stored": {name: [dtype, list(shape)] for name, (dtype, shape) in data.stored.items()},
        "pickle_names": list(data.pickle_names),
        "is_new_torch": data.is_new_torch,
        "question": data.question,
        "negative": data.metadata.get("modelspec.is_negative_embedding", "").lower() == "true",
        "metadata": data.metadata,
    }


def _refused(error: FormatError, container: str) -> dict[str, object]:
    return {
        "verdict": "refuse",
        "rule": error.rule,
        "message": error.message,
        "container": container,
        "layout": None,
        "family": None,
        "encoders": [],
        "trigger": None,
        "step": None,
        "digests": {},
        "warnings": [],
        "code": error.code,
        "detail": error.detail,
    }


def _tensors(facts: dict[str, object]) -> dict[str, str]:
    digests = facts["digests"]
    return dict(digests) if isinstance(digests, dict) else {}
