"""Installing a base model from a single-file checkpoint: the engine converts it, this process checks and keeps it."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.utils.text import slugify

from hub.errors import Conflict, Full, HubError, Unacceptable, Unavailable
from hub.models import BaseModel
from hub.services.embeddings import names
from trainer import base_shapes
from trainer.base_file import BaseFile
from trainer.base_folder import RECORD, BaseFolderError, file_digest, part_digests, read_base
from trainer.child import EngineChild, EngineDied, EngineSilent
from trainer.services import base_places

Tell = Callable[[str], None]
# A part of some gigabytes on a slow disk takes a while; nothing at all for this long is a hang.
PATIENCE = 1800.0
WORDS = {
    "text_encoder": "the text encoder",
    "text_encoder_2": "the second text encoder",
    "vae": "the VAE",
    "unet": "the UNet",
}


def convert(
    file: BaseFile, *, name: str, title: str, licence: str, replace: bool, tell: Tell
) -> tuple[str, Path, dict[str, str]]:
    """The name, folder and part digests of the base made from a checkpoint; the same file again is not converted again.

    Raises Unacceptable, Conflict, Full and Unavailable; whatever goes wrong leaves nothing behind.
    """
    name = name or slugify(file.title.replace(".", "-")) or slugify(file.path.stem)
    names.check_name(name)
    tell("Reading the file for its SHA-256")
    before = _stamp(file.path)
    source = {"file": file.path.name, "size": before[1], "sha256": file_digest(file.path)}
    known = BaseModel.objects.filter(name=name).first()
    is_same = known is not None and _is_same(known, source, file)
    if known is not None and known.digest and not is_same and not replace:
        raise Conflict(
            "name_taken",
            f"Another base model is installed as “{name}”. Give this one another name.",
            field="name",
        )
    target = base_places.folder_of(name)
    if is_same and (target / RECORD).is_file():
        return name, target, part_digests(target)
    if known is not None and not is_same:
        base_places.check_unused(known)
    with base_places.making(name) as partial:
        base_places.check_room(before[1])
        partial.mkdir()
        _run(file, partial, tell)
        if _stamp(file.path) != before:
            raise Conflict("state_conflict", "The file changed while it was being converted; try again.")
        tell("Reading what was made for its digests")
        parts = part_digests(partial)
        record = {
            "name": name,
            "title": title or file.title,
            "resolution": file.resolution,
            **({"licence": said} if (said := licence or file.claims.get("modelspec.license", "")) else {}),
            **({"author": said} if (said := file.claims.get("modelspec.author", "")) else {}),
            **(
                {"description": said} if (said := file.claims.get("modelspec.description", "")[:2000]) else {}
            ),
            "source": source,
            "parts": parts,
        }
        (partial / RECORD).write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", "utf-8")
        _check(partial, file)
        return name, base_places.take(partial, name), parts


def _is_same(known: BaseModel, source: dict[str, Any], file: BaseFile) -> bool:
    """Whether a base is the one that this file gives."""
    return (
        known.record.get("source", {}).get("sha256") == source["sha256"]
        and known.prediction_type == file.prediction
    )


def _stamp(path: Path) -> tuple[int, int, int]:
    facts = path.stat()
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


def _run(file: BaseFile, folder: Path, tell: Tell) -> None:
    """Have the engine write the folder."""
    plan = base_shapes.plan_of(
        file.family, prediction=file.prediction, zero_snr=file.zero_snr, resolution=file.resolution
    )
    child = EngineChild()
    child.start()
    try:
        child.send(
            {
                "do": "convert",
                "id": file.path.name,
                "file": os.path.abspath(file.path),
                "folder": os.path.abspath(folder),
                "plan": plan,
            }
        )
        for event in child.events(timeout=PATIENCE):
            if event["event"] == "converting":
                tell(f"Converting {WORDS[event['part']]} ({event['done'] + 1} of {event['total']})")
            elif event["event"] in ("failed", "stopped"):
                raise _refusal(event)
        child.stop()
    except EngineDied as error:
        raise _death(error) from None
    except EngineSilent:
        raise Unavailable(
            "engine_silent", "The conversion said nothing for half an hour; it was ended."
        ) from None
    finally:
        child.kill()


def _refusal(event: dict[str, Any]) -> HubError:
    """What the engine said against the file, as an error of the hub."""
    code, message = event.get("code", ""), event.get("message", "")
    if code.startswith("base_"):
        return Unacceptable(code, message, field="path", rule="E12.1")
    if "No space left" in event.get("detail", ""):
        return Full("storage_full", "The disk of the models folder ran full; make room and install again.")
    lines = event.get("detail", "").strip().splitlines()
    return Unavailable("engine_failed", " ".join(["The conversion failed.", message, *lines[-1:]]))


def _death(error: EngineDied) -> Unavailable:
    if "No module named" in error.log:
        said = (
            "it needs torch and diffusers. Install them (`pip install 'glossa[site,train]'`), "
            "or run this in the trainer's container"
        )
    else:
        said = f"it ended with status {error.code}" + (" (out of memory?)" if error.code == -9 else "")
    return Unavailable(
        "engine_failed", f"The conversion could not be done here: {said}. Nothing was installed."
    )


def _check(folder: Path, file: BaseFile) -> None:
    """The folder that was made is a base of the family and prediction type that the file is."""
    try:
        made = read_base(folder)
    except BaseFolderError as error:
        raise Unacceptable(error.code, error.message, field="path", rule="E12.1") from None
    assert (made.family, made.prediction) == (file.family, file.prediction)
