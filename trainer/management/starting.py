"""An embedding to start from, as the command line gives it: read in the sandbox, handed on as a canonical file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub import sandbox
from hub.formats.errors import FormatError
from trainer.recipe import RecipeError


@dataclass(frozen=True)
class Start:
    """An embedding's canonical bytes, its tensor digest and its number of vectors."""

    canonical: bytes
    digest: str
    vectors: int

    def settings(self) -> dict[str, Any]:
        """The recipe's part of it."""
        return {
            "initializer_mode": "file",
            "initializer_file": self.digest,
            "vectors_per_token": self.vectors,
        }

    def written_in(self, folder: Path) -> str:
        """The file, for the engine."""
        path = folder / "start.safetensors"
        path.write_bytes(self.canonical)
        return str(path)


def read_start(path: Path) -> Start:
    """The embedding in a file of any container. Raises RecipeError with the reason, OSError."""
    try:
        found = sandbox.read_embedding(path, filename=path.name)
    except FormatError as error:
        raise RecipeError("start", error.message) from None
    vectors = {int(encoder["vectors"]) for encoder in found.facts["encoders"]}
    if found.facts["verdict"] != "accept" or len(vectors) != 1:
        raise RecipeError("start", "This file does not hold exactly one word of one family.")
    return Start(found.canonical, str(found.facts["digests"]["tensors"]), vectors.pop())
