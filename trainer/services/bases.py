"""Installing base models: local diffusers folders of safetensors and JSON, by name, with their digest."""

import shutil
from pathlib import Path

from django.conf import settings
from django.db import transaction

from hub.errors import Conflict, Unacceptable
from hub.models import BaseModel
from hub.services import names
from trainer.base_file import BaseFile, read_base_file
from trainer.base_folder import BaseFolder, BaseFolderError, base_digest, read_base


def look(path: Path, *, prediction: str = "") -> BaseFolder | BaseFile:
    """What a diffusers folder or a single-file checkpoint is, installing nothing. Unacceptable says why it is none."""
    try:
        return read_base_file(path, prediction=prediction) if path.is_file() else read_base(path)
    except BaseFolderError as error:
        raise Unacceptable(error.code, error.message, field="path", rule="E12.1") from None


def install(
    folder: Path, *, name: str = "", title: str = "", copy: bool = True, replace: bool = False
) -> BaseModel:
    """Make a folder usable under a name. With `copy` its files go to the models folder, read-only.

    The same base again changes nothing. Unacceptable says why a folder cannot serve; Conflict `name_taken`
    when another base has the name, unless `replace`.
    """
    if folder.is_file():
        raise Unacceptable("base_single_file", _why_no_file(folder), field="folder", rule="E12.1")
    try:
        facts = read_base(folder)
    except BaseFolderError as error:
        raise Unacceptable(error.code, error.message, field="folder", rule="E12.1") from None
    name = name or facts.name
    names.check_name(name)
    digest = base_digest(folder)
    known = BaseModel.objects.filter(name=name).first()
    if known is not None and known.digest not in ("", digest) and not replace:
        raise Conflict(
            "name_taken",
            f"Another base model is installed as “{name}”. Give this one another name.",
            field="name",
        )
    place = _copied(folder, name, digest) if copy else folder.resolve()
    return _record(facts, name=name, digest=digest, place=place, title=title)


def _why_no_file(path: Path) -> str:
    """That single files cannot be installed, and what to do with this one."""
    no = "Single files cannot be installed yet"
    try:
        family, said = read_base_file(path).family, ""
    except BaseFolderError as error:
        if error.code != "base_prediction_unknown":
            return f"{no}, and this one could be no base: {error.message}"
        family = "sd2"
        said = (
            " This file does not say its prediction type: see that prediction_type in scheduler_config.json is "
            "v_prediction for a 768 model, epsilon for a 512 base model."
        )
    return (
        f"{no}: save '{path.name}' (single-file {family} checkpoint) as a diffusers folder with safetensors "
        f"(from_single_file, then save_pretrained) and install that.{said}"
    )


def _copied(folder: Path, name: str, digest: str) -> Path:
    """The folder's files in the models folder; whole or not at all."""
    target = Path(settings.MODELS_DIR) / name
    if target.is_dir() and base_digest(target) == digest:
        return target
    partial = target.with_name(f".{name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder, partial, ignore=shutil.ignore_patterns(".*"))
    for path in partial.rglob("*"):
        if path.is_file():
            path.chmod(0o444)
    if base_digest(partial) != digest:
        shutil.rmtree(partial, ignore_errors=True)
        raise Conflict("state_conflict", "The folder changed while it was being copied; try again.")
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    return target


def _record(facts: BaseFolder, *, name: str, digest: str, place: Path, title: str) -> BaseModel:
    with transaction.atomic():
        base, _ = BaseModel.objects.update_or_create(
            name=name,
            defaults={
                "title": (title or facts.title)[:120],
                "family": facts.family,
                "digest": digest,
                "folder": str(place),
                "resolution": facts.resolution,
                "prediction_type": facts.prediction,
                "record": facts.record,
                "is_installed": True,
            },
        )
    return base
