"""What the wizard asks for, and what must hold about it whoever asks."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from hub.errors import Unacceptable
from hub.formats.errors import FormatError
from hub.formats.trigger import check_trigger
from hub.models import BaseModel, Embedding, Owner, Version
from trainer import written
from trainer.options import MAX_TEXT
from trainer.recipe import Recipe, RecipeError
from trainer.services import beginning, limits, parts


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What the wizard asks for. Exactly one source of pictures: `picture_ids`, `pictures` or `bundled_set`.

    `name` makes a new embedding of the viewer's or of the `owner` given, `embedding` adds a version to one. `settings`
    are recipe fields that differ from the preset's, as values or in words. `start_from` names another word to go on
    from. `captions` say what else is in a picture, by its id or its file's name; with any of them the recipe learns
    with captions unless `settings` say otherwise. `ends` say in the same way which end of an oblong picture is kept,
    `boxes` which part of any picture, as left, top, right and bottom: see `parts`; a picture that neither mentions
    keeps the part it has. `masks` are files named after those in `pictures`. `key` makes sending the same form twice
    harmless.
    """

    trigger: str
    kind: str
    base_model: str
    licence: str
    consent: bool
    name: str = ""
    title: str = ""
    visibility: str = "public"
    owner: Owner | None = None
    embedding: Embedding | None = None
    initializer: str = ""
    start_from: str = ""
    preset: str = "standard"
    settings: dict[str, Any] = field(default_factory=dict)
    picture_ids: list[UUID] = field(default_factory=list)
    pictures: list[tuple[Path, str]] = field(default_factory=list)
    captions: dict[str, str] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=dict)
    boxes: dict[str, list[float]] = field(default_factory=dict)
    masks: list[tuple[Path, str]] = field(default_factory=list)
    bundled_set: str = ""
    may_shrink: bool = False
    key: UUID | None = None


def make_recipe(form: Submission, base: BaseModel, start: Version | None = None) -> Recipe:
    """The recipe of a submission, with the version that it starts from. Raises Unacceptable with the field."""
    try:
        chosen = written.from_values(form.settings)
        recipe = Recipe.for_preset(
            form.preset,
            family=base.family,
            kind=form.kind,
            trigger=form.trigger,
            initializer=form.initializer.strip(),
            base=base.name,
            **{
                "resolution": base.resolution,
                "seed": fresh_seed(),
                "captions": any(caption.strip() for caption in form.captions.values()),
                **chosen,
                **beginning.settings_of(start, base, chosen),
            },
        )
    except RecipeError as error:
        raise Unacceptable("field_invalid", error.message, field=error.field) from None
    limits.check_recipe(recipe)
    return recipe


def fresh_seed() -> int:
    """A seed short enough to read out and exact in every JSON reader."""
    return secrets.randbelow(2**31)


def base_model(form: Submission) -> BaseModel:
    """The base that is asked for. Unacceptable `base_not_found` when it is not installed."""
    base = BaseModel.objects.filter(name=form.base_model, is_installed=True).first()
    if base is None:
        raise Unacceptable(
            "base_not_found", "Choose a base model that is installed here.", field="base_model"
        )
    return base


def check_consent(form: Submission) -> None:
    """Consent (L4) stands before every run."""
    if not (form.consent or form.bundled_set):
        raise Unacceptable(
            "consent_missing", "Say that you may use these pictures.", field="consent", rule="L4"
        )


def check_captions(form: Submission) -> None:
    """None is longer than a prompt may be."""
    for name, caption in form.captions.items():
        if len(caption) > MAX_TEXT:
            raise Unacceptable(
                "field_invalid",
                f"A caption has at most {MAX_TEXT} characters; one here has {len(caption)}.",
                field="pictures",
                picture=name,
            )


def check_boxes(form: Submission) -> None:
    """Each lies within its picture."""
    for name, box in form.boxes.items():
        parts.checked(box, picture=name)


def check_word(form: Submission) -> None:
    """The trigger can be one (N5)."""
    try:
        check_trigger(form.trigger)
    except FormatError as error:
        raise Unacceptable(error.code, error.message, field="trigger", rule="N5") from None
