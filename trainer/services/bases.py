"""Installing base models: diffusers folders and single-file checkpoints, by name, with their digests."""

import shutil
from pathlib import Path
from typing import Any

from django.db import transaction

from hub.errors import Conflict, NotFound, Unacceptable
from hub.models import BaseModel
from hub.services.embeddings import names
from trainer.base_file import BaseFile, read_base_file
from trainer.base_folder import (
    BaseFolder,
    BaseFolderError,
    base_digest,
    digest_of,
    part_digests,
    read_base,
)
from trainer.services import base_facts, base_files, base_places
from trainer.services.base_files import Tell


def silent(_said: str) -> None:
    """Tell nobody."""


def look(path: Path, *, prediction: str = "") -> BaseFolder | BaseFile:
    """What a diffusers folder or a single-file checkpoint is, installing nothing. Unacceptable says why it is none."""
    try:
        return read_base_file(path, prediction=prediction) if path.is_file() else read_base(path)
    except BaseFolderError as error:
        raise Unacceptable(error.code, error.message, field="path", rule="E12.1") from None


def install(
    path: Path,
    *,
    name: str = "",
    title: str = "",
    copy: bool = True,
    replace: bool = False,
    prediction: str = "",
    licence: str = "",
    tell: Tell = silent,
) -> BaseModel:
    """Make a folder or a single-file checkpoint usable under a name.

    With `copy` a folder's files go to the models folder, read-only; a checkpoint is converted into a folder there, with
    `prediction` as the answer for one that does not say. The same base again changes nothing. Unacceptable says why it
    cannot serve; Conflict `name_taken` when another base has the name, unless `replace`.
    """
    if path.is_file():
        file = look(path, prediction=prediction)
        assert isinstance(file, BaseFile)
        name, place, parts = base_files.convert(
            file, name=name, title=title, licence=licence, replace=replace, tell=tell
        )
        base = _record(read_base(place), name=name, digest=digest_of(parts), place=place, title=title)
        return _with_facts(base, {})
    try:
        facts = read_base(path)
    except BaseFolderError as error:
        raise Unacceptable(error.code, error.message, field="folder", rule="E12.1") from None
    name = name or facts.name
    names.check_name(name)
    parts = part_digests(path)
    digest = digest_of(parts)
    known = BaseModel.objects.filter(name=name).first()
    if known is not None and known.digest not in ("", digest) and not replace:
        raise Conflict(
            "name_taken",
            f"Another base model is installed as “{name}”. Give this one another name.",
            field="name",
        )
    if known is not None and known.digest != digest:
        base_places.check_unused(known)
    place = _copied(path, name, digest) if copy else path.resolve()
    base = _record(facts, name=name, digest=digest, place=place, title=title)
    return _with_facts(base, {"parts": parts, **({"licence": licence} if licence else {})})


def installed() -> list[BaseModel]:
    """The bases that runs can be made on, by name."""
    return list(BaseModel.objects.filter(is_installed=True).order_by("name"))


def remove(name: str) -> bool:
    """Take a base out of use and delete its files, unless they were used in place; says whether they were deleted.

    The row stays, since versions and runs name it. Raises NotFound, and Conflict `base_in_use` while a run needs it.
    """
    with transaction.atomic():
        base = BaseModel.objects.select_for_update().filter(name=name, is_installed=True).first()
        if base is None:
            raise NotFound(f"No base model is installed as “{name}”.", code="base_not_found")
        base_places.check_unused(base)
        folder = Path(base.folder)
        base.is_installed, base.folder = False, ""
        base.save(update_fields=["is_installed", "folder"])
    is_ours = folder == base_places.folder_of(name)
    if is_ours:
        base_places.drop(name)
    return is_ours


def _copied(folder: Path, name: str, digest: str) -> Path:
    """The folder's files in the models folder; whole or not at all."""
    target = base_places.folder_of(name)
    if target.is_dir() and base_digest(target) == digest:
        return target
    with base_places.making(name) as partial:
        base_places.check_room(base_places.size_of(folder))
        shutil.copytree(folder, partial, ignore=shutil.ignore_patterns(".*"))
        if base_digest(partial) != digest:
            raise Conflict("state_conflict", "The folder changed while it was being copied; try again.")
        return base_places.take(partial, name)


def _with_facts(base: BaseModel, known: dict[str, Any]) -> BaseModel:
    """The base with what its folder says of it, and with what is known better, in its record."""
    base.record = {**base_facts.of(Path(base.folder)), **base.record, **known}
    base.save(update_fields=["record"])
    return base


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
