"""Which part of a picture is learned from: a box to keep in sight, and a mask of what counts in it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction

from hub.access import Viewer, require
from hub.errors import NotFound, Unacceptable, UnacceptableFile
from hub.services.versions import ingest
from trainer.models import TrainingImage
from trainer.recipe import Recipe
from trainer.services.pictures import PREPARED_SIDE

ENDS = ("start", "end")
# What stands between the name of a picture and the ending, in the name of its mask.
MASK = ".mask"
# How far the shapes of a mask and its picture may differ: two pixels in a hundred, as the engine has it.
APART = 0.02


def keep_box(viewer: Viewer, *, picture_id: UUID, box: Sequence[float] | None) -> TrainingImage:
    """Remember with a picture that waits which part of it to keep in sight; None: its middle.

    `box` is left, top, right and bottom as shares of the sides, 0 to 1. NotFound without such a picture;
    Unacceptable `field_invalid` for numbers that are no box.
    """
    image = _waiting(viewer, picture_id)
    frame(image, box)
    return _changed(image, facts=image.facts)


def keep_end(viewer: Viewer, *, picture_id: UUID, end: str) -> TrainingImage:
    """Remember with a picture that waits which end of it is kept, `start` or `end`; else its middle. NotFound."""
    image = _waiting(viewer, picture_id)
    cut(image, end)
    return _changed(image, facts=image.facts)


def keep_mask(viewer: Viewer, *, picture_id: UUID, path: Path, filename: str) -> TrainingImage:
    """Check a mask and keep it with a picture that waits, in place of the one before. White is what counts.

    NotFound without such a picture; UnacceptableFile with the reason, `bad_mask` for one of another shape or all
    black. Then the picture stays as it was.
    """
    image = _waiting(viewer, picture_id)
    data = _mask_for(viewer, image, path, filename)
    with transaction.atomic():
        return _changed(image, mask=ingest.store(data))


def add_masks(viewer: Viewer, images: Sequence[TrainingImage], masks: Sequence[tuple[Path, str]]) -> None:
    """Give rows, not saved here, the masks that came with their files: `moss.mask.png` goes with `moss.png`.

    All are read before one is stored. Unacceptable `field_invalid` for one that goes with none, else as `keep_mask`.
    """
    by_stem = {Path(image.source_name).stem: image for image in images}
    read = []
    for path, filename in masks:
        name = Path(filename).name
        image = by_stem.get(Path(name).stem.removesuffix(MASK))
        if image is None:
            raise Unacceptable(
                "field_invalid",
                f"{name}: no picture was sent that it goes with; moss{MASK}.png goes with moss.png.",
                field="masks",
            )
        try:
            read.append((image, _mask_for(viewer, image, path, filename)))
        except UnacceptableFile as error:
            told = {**error.detail, "field": "masks"}
            raise UnacceptableFile(error.code, f"{name}: {error.message}", **told) from None
    for image, data in read:
        image.mask = ingest.store(data)


def drop_mask(viewer: Viewer, *, picture_id: UUID) -> TrainingImage:
    """Take the mask of a picture that waits away; harmless to repeat. NotFound without such a picture."""
    return _changed(_waiting(viewer, picture_id), mask=None)


def frame(image: TrainingImage, box: Sequence[float] | None) -> None:
    """Say on a row, not saved here, which box to keep in sight; None: the middle. Unacceptable for no box."""
    image.facts = {key: value for key, value in image.facts.items() if key != "focus"}
    if box is not None:
        image.facts["focus"] = checked(box)


def cut(image: TrainingImage, end: str) -> None:
    """Say in the same way which end of an oblong picture is kept: `start` (top or left), `end`, else the middle."""
    frame(image, _box_of(image, end) if end in ENDS else None)


def kept_end(image: TrainingImage) -> str:
    """`start` or `end` where just that is kept; nothing for the middle, and for any other box."""
    box = image.facts.get("focus")
    return next((end for end in ENDS if box and box == _box_of(image, end)), "")


def own_box(image: TrainingImage) -> list[float] | None:
    """The box that is neither of its ends."""
    return None if kept_end(image) else image.facts.get("focus")


def checked(box: Sequence[float], *, picture: str | None = None) -> list[float]:
    """Left, top, right and bottom, if they are a box within the picture. Unacceptable `field_invalid` else."""
    if len(box) == 4:
        left, top, right, bottom = (float(share) for share in box)
        if 0 <= left < right <= 1 and 0 <= top < bottom <= 1:
            return [left, top, right, bottom]
    raise Unacceptable(
        "field_invalid",
        "The part of a picture needs its left edge before the right one and its top above the bottom, all within it.",
        field="pictures",
        picture=picture,
    )


def heeded(recipe: Recipe, chosen: Mapping[str, object], images: Sequence[TrainingImage]) -> Recipe:
    """The recipe, with boxes and masks where the pictures have some and nothing else was chosen."""
    said = {
        "crop": "focus" if any(image.facts.get("focus") for image in images) else None,
        "mask": "file" if any(image.mask_id for image in images) else None,
    }
    changes = {name: value for name, value in said.items() if value and name not in chosen}
    return recipe.replace(**changes) if changes else recipe


def _box_of(image: TrainingImage, end: str) -> list[float] | None:
    """The end of an oblong picture that fills a square; None for a square picture."""
    share = min(image.width, image.height) / max(image.width, image.height)
    if share == 1:
        return None
    low, high = (0.0, share) if end == "start" else (1 - share, 1.0)
    return [0.0, low, 1.0, high] if image.height > image.width else [low, 0.0, high, 1.0]


def _mask_for(viewer: Viewer, image: TrainingImage, path: Path, filename: str) -> bytes:
    """What we make of a mask, if it fits its picture. Raises as `keep_mask`."""
    made = ingest.mask_of(viewer, path=path, filename=filename, max_side=PREPARED_SIDE)
    if abs(made.width * image.height / (made.height * image.width) - 1) > APART:
        raise UnacceptableFile(
            "bad_mask",
            f"The mask has another shape than its picture: {made.width} x {made.height} and not "
            f"{image.width} x {image.height} or as much larger or smaller. Paint it over the picture itself.",
            field="mask",
        )
    return made.data


def _waiting(viewer: Viewer, picture_id: UUID) -> TrainingImage:
    """The viewer's picture that no run has yet. NotFound."""
    require(viewer, "start_run", viewer.user)
    assert viewer.user is not None
    found = TrainingImage.objects.filter(pk=picture_id, owner_id=viewer.user.owner_id, run=None).first()
    if found is None:
        raise NotFound()
    return found


def _changed(image: TrainingImage, **values: Any) -> TrainingImage:
    """The row with these values, if no run has taken the picture meanwhile. NotFound."""
    if not TrainingImage.objects.filter(pk=image.pk, run=None).update(**values):
        raise NotFound()
    for name, value in values.items():
        setattr(image, name, value)
    return image
