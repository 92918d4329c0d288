"""What a picture says of its making, read in a child like every foreign byte."""

import os

from hub.formats.generation_parameters import Generation, generation_of
from hub.sandbox import EMBEDDING_BOUNDS
from hub.sandbox.process import run_child

_READER = "hub.formats.generation_parameters:read_descriptor"


def read_generation(path: str | os.PathLike[str], *, max_bytes: int) -> Generation | None:
    """How a PNG, JPEG or WebP picture was made; None when it does not say. SandboxRefusal, SandboxUnavailable."""
    answer = run_child(_READER, path, {"max_bytes": max_bytes}, bounds=EMBEDDING_BOUNDS)
    return generation_of(answer.facts.get("generation"))
