"""Which part of a picture is learned from: a box, and a mask; kept with the picture, heeded by the engine."""

import io
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from hub import blobs
from hub.access import Viewer
from hub.errors import NotFound, Unacceptable, UnacceptableFile
from hub.models import Blob
from hub.services.upkeep import gc
from tests import factories, samples
from trainer import runs
from trainer.engine.dataset import dataset_digest
from trainer.engine.pictures import load, picture_from, upright, weights
from trainer.models import TrainingImage, TrainingRun
from trainer.services import parts, pictures
from trainer.workspace import write_pictures

pytestmark = pytest.mark.django_db
Submit = Callable[..., TrainingRun]
BOX = [0.25, 0.5, 0.75, 1.0]


@pytest.fixture
def picture(maker: Viewer, tmp_path: Path) -> TrainingImage:
    """A picture of the maker's that waits, wider than tall."""
    path = tmp_path / "moss.png"
    path.write_bytes(samples.picture(size=(128, 96), colour="seagreen"))
    return pictures.add(maker, path=path, filename=path.name)


def mask(folder: Path, size: tuple[int, int] = (128, 96), mode: str = "L", white: Any = 255) -> Path:
    """A mask whose left half counts."""
    image = Image.new(mode, size, 0 if mode == "L" else (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 2 - 1, size[1]), fill=white)
    path = folder / "moss.mask.png"
    image.save(path)
    return path


def masked(viewer: Viewer, picture: TrainingImage, path: Path) -> TrainingImage:
    return parts.keep_mask(viewer, picture_id=picture.pk, path=path, filename=path.name)


def kept(picture: TrainingImage) -> TrainingImage:
    return TrainingImage.objects.get(pk=picture.pk)


def test_a_box_stays_with_its_picture_and_the_run_heeds_it(
    maker: Viewer, picture: TrainingImage, submit: Submit, tmp_path: Path
) -> None:
    parts.keep_box(maker, picture_id=picture.pk, box=BOX)
    assert kept(picture).facts["focus"] == BOX
    run = submit(picture_ids=[picture.pk])
    assert (run.recipe["crop"], run.recipe["mask"]) == ("focus", "off")
    [told] = write_pictures(run, tmp_path)
    assert picture_from(told).focus == tuple(BOX)


def test_what_the_form_says_of_a_part_goes_before_what_was_kept(
    maker: Viewer, picture: TrainingImage, submit: Submit
) -> None:
    parts.keep_box(maker, picture_id=picture.pk, box=BOX)
    whole = submit(picture_ids=[picture.pk], ends={str(picture.pk): ""})
    assert "focus" not in whole.images.get().facts and whole.recipe["crop"] == "centre"


def test_boxes_of_files_go_by_their_names(submit: Submit, pictures: Any) -> None:
    run = submit(pictures=pictures, boxes={"picture-1.png": BOX})
    assert [one.facts.get("focus") for one in run.images.order_by("position")] == [None, BOX, None]
    assert run.recipe["crop"] == "focus"


def test_masks_of_files_go_by_their_names(submit: Submit, pictures: Any, tmp_path: Path) -> None:
    path = mask(tmp_path, (96, 96))
    masks = [(path, "picture-1.mask.png"), (path, "picture-2.png")]
    run = submit(pictures=pictures, masks=masks)
    assert run.recipe["mask"] == "file"
    told = write_pictures(run, tmp_path)
    assert [bool(one["mask"]) for one in told] == [False, True, True]
    read = picture_from(told[1])
    counts = weights(read, upright(read.path), "file", 0.0)
    assert counts is not None and (counts.getpixel((10, 40)), counts.getpixel((90, 40))) == (255, 0)


def test_a_mask_that_goes_with_no_file_or_does_not_fit_is_refused_by_its_name(
    submit: Submit, pictures: Any, picture: TrainingImage, tmp_path: Path
) -> None:
    path = mask(tmp_path, (96, 96))
    with pytest.raises(Unacceptable, match="no picture was sent that it goes with"):
        submit(pictures=pictures, masks=[(path, "moss.mask.png")])
    with pytest.raises(Unacceptable, match="no picture was sent"):
        submit(picture_ids=[picture.pk], masks=[(path, "moss.mask.png")])
    with pytest.raises(
        UnacceptableFile, match=r"picture-1\.mask\.png: The mask has another shape"
    ) as refused:
        submit(pictures=pictures, masks=[(mask(tmp_path), "picture-1.mask.png")])
    assert refused.value.field == "masks"
    assert not TrainingRun.objects.exists()


def test_a_setting_of_ones_own_goes_before_boxes_and_masks(
    maker: Viewer, picture: TrainingImage, submit: Submit, tmp_path: Path
) -> None:
    parts.keep_box(maker, picture_id=picture.pk, box=BOX)
    masked(maker, picture, mask(tmp_path))
    run = submit(picture_ids=[picture.pk], settings={"crop": "buckets", "mask": "off"})
    assert (run.recipe["crop"], run.recipe["mask"]) == ("buckets", "off")


@pytest.mark.parametrize(
    "box",
    [[0.5, 0, 0.5, 1], [0, 0.9, 1, 0.1], [-0.1, 0, 1, 1], [0, 0, 1, 1.5], [float("nan")] * 4, [0, 1], []],
)
def test_numbers_that_are_no_box_are_refused_and_change_nothing(
    maker: Viewer, picture: TrainingImage, submit: Submit, box: list[float]
) -> None:
    parts.keep_box(maker, picture_id=picture.pk, box=BOX)
    with pytest.raises(Unacceptable, match="left edge before the right one") as refused:
        parts.keep_box(maker, picture_id=picture.pk, box=box)
    assert (refused.value.code, refused.value.field) == ("field_invalid", "pictures")
    assert kept(picture).facts["focus"] == BOX
    with pytest.raises(Unacceptable):
        submit(picture_ids=[picture.pk], boxes={str(picture.pk): box})
    assert not TrainingRun.objects.exists()


def test_a_box_that_is_an_end_is_that_end(maker: Viewer, picture: TrainingImage) -> None:
    left = parts.keep_end(maker, picture_id=picture.pk, end="start")
    assert (parts.kept_end(left), parts.own_box(left)) == ("start", None)
    assert kept(picture).facts["focus"] == [0, 0, 0.75, 1]
    drawn = parts.keep_box(maker, picture_id=picture.pk, box=[0, 0, 0.5, 0.5])
    assert (parts.kept_end(drawn), parts.own_box(drawn)) == ("", [0, 0, 0.5, 0.5])
    assert "focus" not in parts.keep_box(maker, picture_id=picture.pk, box=None).facts


@pytest.mark.parametrize(
    ("mode", "white"), [("L", 255), ("RGB", (255, 255, 255)), ("RGBA", (255, 255, 255, 255))]
)
def test_the_engine_weighs_by_the_mask_that_was_kept(
    maker: Viewer, picture: TrainingImage, submit: Submit, tmp_path: Path, mode: str, white: Any
) -> None:
    """Where a mask is clear, nothing counts: as the engine reads one that lies beside a picture."""
    masked(maker, picture, mask(tmp_path, mode=mode, white=white))
    run = submit(picture_ids=[picture.pk])
    assert (run.recipe["mask"], run.recipe["crop"]) == ("file", "centre")
    [told] = write_pictures(run, tmp_path)
    read = picture_from(told)
    weighed = weights(read, upright(read.path), "file", 0.1)
    assert weighed is not None
    assert [weighed.getpixel(place) for place in ((10, 50), (118, 50))] == [255, 26]
    assert dataset_digest([read]) != dataset_digest([picture_from({**told, "mask": None})])


@pytest.fixture
def clear(maker: Viewer, tmp_path: Path) -> TrainingImage:
    """A picture of the maker's that waits, whose right half is transparent."""
    path = tmp_path / "clear.png"
    mask(tmp_path, mode="RGBA", white=(200, 40, 40, 255)).rename(path)
    return pictures.add(maker, path=path, filename=path.name)


def test_what_is_transparent_hardly_counts_where_that_is_asked_for(
    clear: TrainingImage, submit: Submit, tmp_path: Path
) -> None:
    run = submit(picture_ids=[clear.pk], settings={"mask": "alpha", "background": "#00ff00"})
    assert run.recipe["mask"] == "alpha"
    [told] = write_pictures(run, tmp_path)
    read = picture_from(told)
    counts = weights(read, upright(read.path), "alpha", 0.1)
    assert counts is not None
    assert (counts.getpixel((20, 48)), counts.getpixel((120, 48))) == (255, 26)
    assert load(read, run.recipe["background"]).getpixel((120, 48)) == (0, 255, 0)


def test_transparency_of_which_nothing_is_said_is_white_and_counts_as_everything_does(
    clear: TrainingImage, submit: Submit, tmp_path: Path
) -> None:
    assert "transparency kept, shown on white" in pictures.remarks(clear)
    run = submit(picture_ids=[clear.pk])
    assert run.recipe["mask"] == "off"
    [told] = write_pictures(run, tmp_path)
    assert told["mask"] is None
    assert load(picture_from(told), run.recipe["background"]).getpixel((120, 48)) == (255, 255, 255)


def test_a_mask_is_made_anew_as_a_grey_png_that_holds_nothing_else(
    maker: Viewer, picture: TrainingImage, tmp_path: Path
) -> None:
    image = Image.open(mask(tmp_path)).convert("RGB")
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    image.save(tmp_path / "mask.jpg", exif=exif, quality=95)
    stored = blobs.read(masked(maker, picture, tmp_path / "mask.jpg").mask_id)
    assert b"taken at home" not in stored
    read = Image.open(io.BytesIO(stored))
    assert (read.format, read.size) == ("PNG", (128, 96))
    assert all(len(set(pixel)) == 1 for _count, pixel in read.convert("RGB").getcolors(1 << 15))


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (samples.picture(size=(96, 128)), "bad_mask", "another shape than its picture: 96 x 128 and not 128 x 96"),
        (samples.picture(size=(128, 96), colour="black"), "", ""),
        (b"GIF89a nothing more", "invalid_image", "JPEG, PNG or WebP"),
        (samples.picture(size=(128, 96))[:200], "invalid_image", "damaged"),
    ],
)  # fmt: skip
def test_a_mask_that_cannot_be_one_is_refused_in_words_and_leaves_nothing(
    maker: Viewer, picture: TrainingImage, tmp_path: Path, data: bytes, code: str, said: str
) -> None:
    path = tmp_path / "mask.png"
    if not code:
        Image.new("L", (128, 96)).save(path)
        code, said = "bad_mask", "black all over"
    else:
        path.write_bytes(data)
    before = Blob.objects.count()
    with pytest.raises(UnacceptableFile, match=said) as refused:
        masked(maker, picture, path)
    assert refused.value.code == code
    assert kept(picture).mask_id is None and Blob.objects.count() == before


def test_a_mask_larger_than_its_picture_fits_if_its_shape_does(
    maker: Viewer, picture: TrainingImage, tmp_path: Path
) -> None:
    assert masked(maker, picture, mask(tmp_path, size=(512, 384))).mask_id


def test_a_mask_is_replaced_taken_away_and_its_bytes_go(
    maker: Viewer, picture: TrainingImage, tmp_path: Path
) -> None:
    first = masked(maker, picture, mask(tmp_path)).mask_id
    second = masked(maker, picture, mask(tmp_path, white=200)).mask_id
    assert first != second and kept(picture).mask_id == second
    parts.drop_mask(maker, picture_id=picture.pk)
    parts.drop_mask(maker, picture_id=picture.pk)
    assert kept(picture).mask_id is None
    assert all(gc.mark(str(sha256)) for sha256 in (first, second))


def test_box_and_mask_go_on_to_the_next_run_and_end_with_the_pictures(
    maker: Viewer, picture: TrainingImage, submit: Submit, tmp_path: Path
) -> None:
    parts.keep_box(maker, picture_id=picture.pk, box=BOX)
    sha256 = str(masked(maker, picture, mask(tmp_path)).mask_id)
    run = submit(picture_ids=[picture.pk])
    pictures.lay_out(maker, run=run)
    [waiting] = runs.waiting_pictures(maker)
    assert (waiting.facts["focus"], waiting.mask_id) == (BOX, sha256)
    pictures.remove(maker, picture_id=waiting.pk)
    TrainingRun.objects.update(state=TrainingRun.State.CANCELLED)
    run.refresh_from_db()
    pictures.forget(maker, run=run)
    assert not blobs.exists(sha256) and not Blob.objects.filter(pk=sha256).exists()


def test_only_its_owner_sees_and_changes_what_is_said_of_a_picture(
    maker: Viewer, picture: TrainingImage, tmp_path: Path
) -> None:
    ben = factories.viewer("ben", made_by_operator=True)
    sha256 = str(masked(maker, picture, mask(tmp_path)).mask_id)
    assert runs.picture(maker, sha256=sha256) == (sha256, "image/png")
    for act in (
        lambda: runs.picture(ben, sha256=sha256),
        lambda: parts.keep_box(ben, picture_id=picture.pk, box=BOX),
        lambda: parts.keep_end(ben, picture_id=picture.pk, end="start"),
        lambda: masked(ben, picture, mask(tmp_path)),
        lambda: parts.drop_mask(ben, picture_id=picture.pk),
        lambda: parts.keep_box(maker, picture_id=uuid.uuid4(), box=BOX),
    ):
        with pytest.raises(NotFound):
            act()
    assert kept(picture).mask_id == sha256


def test_a_picture_that_a_run_has_is_not_changed_any_more(
    maker: Viewer, picture: TrainingImage, submit: Submit
) -> None:
    submit(picture_ids=[picture.pk])
    with pytest.raises(NotFound):
        parts.keep_box(maker, picture_id=picture.pk, box=BOX)
    assert "focus" not in kept(picture).facts
