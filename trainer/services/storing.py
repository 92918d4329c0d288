"""What the engine wrote into its work folder, put into the store: checkpoints with their parts, small pictures."""

from collections.abc import Container
from pathlib import Path
from typing import Any

from hub.models import Blob
from hub.services.versions import ingest
from trainer.services.recording import content_type


def checkpoint(event: dict[str, Any], *, known: Container[str]) -> tuple[Blob, set[str]]:
    """A checkpoint and the digests of its parts; parts that are `known` are there already.

    Raises Unavailable, Full, and FileNotFoundError when the engine has gone on so far that it dropped the files.
    """
    parts = {part["sha256"]: Path(part["path"]) for part in event.get("parts", [])}
    for digest, path in parts.items():
        if digest not in known:
            ingest.store(path)
    return ingest.store(Path(event["path"])), set(parts)


def pictures(event: dict[str, Any]) -> list[dict[str, Any]]:
    """The small pictures of a step, as `recording.add_growth` takes them. Raises Unavailable, Full."""
    return [
        {
            "blob": ingest.store(Path(image["path"])),
            "content_type": content_type(Path(image["path"])),
            "prompt": str(image.get("prompt", ""))[:400],
            "seed": int(image.get("seed", 0)),
        }
        for image in event["images"]
    ]
