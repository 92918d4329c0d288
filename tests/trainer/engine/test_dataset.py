"""Pictures arrive upright, in sRGB, unsquashed and opaque, or are refused by name."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageCms

from tests.trainer.engine.conftest import Images
from trainer.engine.base_model import BaseModel
from trainer.engine.dataset import dataset_digest, prepare
from trainer.engine.events import Fault
from trainer.engine.framing import frame
from trainer.engine.pictures import Picture, load, picture_from, to_pixels
from trainer.recipe import Recipe

Make = Callable[..., Recipe]


def saved(picture: Image.Image, path: Path, **options: object) -> Picture:
    picture.save(path, **options)
    return Picture(path, None, "")


def halves(width: int = 80, height: int = 40) -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", (width, height), "red")
    picture.paste("blue", (width // 2, 0, width, height))
    return picture


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = load(saved(halves(), tmp_path / "a.png", exif=exif))
    assert upright.size == (40, 80)
    assert upright.getpixel((20, 5)) == (255, 0, 0)


def test_transparency_becomes_white(tmp_path: Path) -> None:
    clear = load(saved(Image.new("RGBA", (32, 32), (0, 0, 0, 0)), tmp_path / "a.png"))
    assert (clear.mode, clear.getpixel((5, 5))) == ("RGB", (255, 255, 255))
    palette = Image.new("P", (32, 32), 0)
    clear = load(saved(palette, tmp_path / "b.png", transparency=0))
    assert clear.getpixel((5, 5)) == (255, 255, 255)


def test_aspect_is_kept_by_cutting_the_middle() -> None:
    picture = Image.new("RGB", (120, 40), "red")
    picture.paste("blue", (40, 0, 80, 40))
    pixels = to_pixels(picture, frame(picture.size, (64, 64)))
    assert pixels.shape == (3, 64, 64)
    inner = pixels[:, 5:-5, 5:-5]
    assert torch.allclose(inner, torch.tensor([-1.0, -1.0, 1.0]).view(3, 1, 1).expand_as(inner), atol=0.02)


def test_colour_profile_is_turned_to_srgb(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    plain = Image.new("RGB", (32, 32), (10, 200, 30))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    same = load(saved(plain, tmp_path / "a.png", icc_profile=srgb))
    assert all(abs(a - b) <= 1 for a, b in zip(same.getpixel((3, 3)), (10, 200, 30), strict=True))
    unfit = load(saved(plain, tmp_path / "b.png", icc_profile=profile.tobytes()))
    assert unfit.getpixel((3, 3)) == (10, 200, 30)


@pytest.mark.parametrize("mode", ["L", "LA", "I;16", "CMYK", "1"])
def test_other_colour_modes_are_read(tmp_path: Path, mode: str) -> None:
    name = "a.jpg" if mode == "CMYK" else "a.png"
    assert load(saved(Image.new(mode, (32, 32)), tmp_path / name)).mode == "RGB"


def test_what_is_not_a_picture_is_refused_by_name(tmp_path: Path) -> None:
    text = tmp_path / "notes.png"
    text.write_text("not a picture")
    cut = tmp_path / "cut.png"
    cut.write_bytes(saved(halves(), tmp_path / "whole.png").path.read_bytes()[:60])
    small = saved(Image.new("RGB", (1, 1)), tmp_path / "small.png").path
    gif = saved(halves(), tmp_path / "a.gif").path
    moving = tmp_path / "moving.webp"
    halves().save(moving, save_all=True, append_images=[Image.new("RGB", (80, 40))])
    for path in (text, cut, small, gif, moving):
        with pytest.raises(Fault) as refused:
            load(Picture(path, None, ""))
        assert (refused.value.fault, refused.value.code) == ("recipe", "bad_picture")
        assert path.name in refused.value.message


def test_picture_of_a_hundred_megapixels_is_refused_before_decoding(tmp_path: Path) -> None:
    picture = saved(Image.new("1", (10000, 10000)), tmp_path / "bomb.png")
    with pytest.raises(Fault) as refused:
        load(picture)
    assert refused.value.code == "bad_picture"


def test_missing_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Fault) as refused:
        picture_from({"path": str(tmp_path / "gone.png")})
    assert refused.value.code == "picture_missing"


def test_no_pictures_is_refused(base: BaseModel, recipe: Make) -> None:
    with pytest.raises(Fault) as refused:
        prepare(base, recipe(), [])
    assert refused.value.code == "no_pictures"


def test_prompts_are_shared_between_pictures_and_captions_used(
    base: BaseModel, recipe: Make, images: Images
) -> None:
    captioned = [{**images[0], "caption": "on white"}, {**images[1], "caption": "[name] star"}, images[2]]
    pictures = [picture_from(image) for image in captioned]
    lines = ("a [name]", "the [name], [filewords]")
    data = prepare(base, recipe(templates=lines, captions=True), pictures)
    assert data is not None
    shown = [{data.prompts[n] for n in choice} for choice in data.choices]
    assert shown == [
        {"a [name], on white", "the [name], on white"},
        {"[name] star"},
        {"a [name]", "the [name]"},
    ]
    plain = prepare(base, recipe(templates=lines), pictures)
    assert plain is not None
    assert plain.choices[0] == plain.choices[1] == plain.choices[2]
    assert plain.ids[0].shape == (3, 77)


def test_dataset_digest_follows_pictures_and_captions_not_their_order() -> None:
    one, two = Picture(Path("a"), None, "1"), Picture(Path("b"), "star", "2")
    assert dataset_digest([one, two]) == dataset_digest([two, one])
    assert dataset_digest([one, two]) != dataset_digest([one, Picture(Path("b"), None, "2")])
