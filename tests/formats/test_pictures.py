"""Strangers' pictures: what is refused (P1, P2), and what the re-made picture is like (P3)."""

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image, ImageCms

from hub.formats import FormatError
from hub.formats.pictures import Picture, dhash, reencode
from tests import samples


def opened(picture: Picture) -> Image.Image:
    return Image.open(io.BytesIO(picture.data))


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is this large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


ANIMATION = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]


@pytest.mark.parametrize(
    ("data", "rule", "said"),
    [
        (b"", "P1", "an empty file"),
        (b"words", "P1", "plain text"),
        (samples.picture("GIF"), "P1", "a GIF picture"),
        (samples.picture("TIFF"), "P1", "a TIFF picture"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "P1", "SVG"),
        (samples.canonical_file(), "P1", "a safetensors file"),
        (saved(ANIMATION[0], "WEBP", save_all=True, append_images=ANIMATION[1:]), "P1", "animated"),
        (saved(ANIMATION[0], "PNG", save_all=True, append_images=ANIMATION[1:]), "P1", "animated"),
        (samples.picture(size=(1, 1)), "P2", "1 x 1"),
        (samples.picture(size=(15, 400)), "P2", "sides are 16 to 16384"),
        (png_claiming(16_385, 16), "P2", "16385 x 16"),
        (png_claiming(10_000, 10_000), "P2", "megapixels"),
        (png_claiming(7_000, 7_000), "P2", "49 megapixels"),
        (png_claiming(60_000, 60_000), "P2", "megapixels"),
        (png_claiming(100, 100), "P2", "damaged"),
        (samples.picture("JPEG", size=(300, 300))[:-400], "P2", "damaged"),
        (samples.picture("PNG")[:60], "P2", "damaged"),
        (samples.picture("WEBP")[:40], "P2", "damaged"),
        (b"\xff\xd8\xff" + bytes(400), "P2", "damaged"),
    ],
)
def test_bad_picture_is_refused_in_words(data: bytes, rule: str, said: str) -> None:
    with pytest.raises(FormatError, match=said) as refusal:
        reencode(data)
    assert (refusal.value.code, refusal.value.rule) == ("invalid_image", rule)


def test_picture_over_twenty_mebibytes_is_too_large() -> None:
    with pytest.raises(FormatError) as refusal:
        reencode(b"\xff\xd8\xff" + bytes(20 << 20))
    assert (refusal.value.code, refusal.value.rule) == ("picture_too_large", "P2")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(("target", "format"), [("webp", "WEBP"), ("png", "PNG")])
def test_every_allowed_format_is_remade_in_ours(form: str, target: str, format: str) -> None:
    picture = reencode(samples.picture(form), form=target)
    assert opened(picture).format == format
    assert opened(picture).mode == "RGB"
    assert (picture.width, picture.height, picture.min_side) == (64, 48, 48)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_pixel_mode_becomes_plain_colour(mode: str) -> None:
    image = Image.new("RGB", (32, 32), (200, 200, 200))
    image = Image.new("I;16", (32, 32), 200 * 256) if mode == "I;16" else image.convert(mode)
    picture = reencode(saved(image, "JPEG" if mode == "CMYK" else "PNG"))
    assert all(abs(channel - 200) <= (56 if mode == "1" else 4) for channel in picture.mean_colour)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_picture_is_turned_by_its_exif(orientation: int) -> None:
    upright = Image.open(io.BytesIO(samples.picture(size=(64, 48))))
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # transposes that camera software undoes by the tag
    lying = upright.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = reencode(saved(lying, "PNG", exif=exif), form="png")
    assert opened(picture).tobytes() == upright.tobytes()
    assert (picture.original_width, picture.original_height) == (64, 48)


def test_nothing_a_camera_or_program_wrote_survives() -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    for form in ("JPEG", "PNG", "WEBP"):
        data = samples.picture(form, exif=exif, xmp=b"<secret place/>") + b"secret place, appended"
        for target in ("webp", "png"):
            assert b"secret" not in reencode(data, form=target).data


def test_colours_are_converted_by_the_profile() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    plain = Image.new("RGB", (32, 32), "green")
    unreadable = reencode(saved(plain, "PNG", icc_profile=b"no profile at all"))
    assert "unreadable colour profile dropped" in unreadable.notes
    wrong_space = reencode(saved(plain, "PNG", icc_profile=profile.tobytes()))
    assert any("profile dropped" in note for note in wrong_space.notes)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    right = reencode(saved(plain, "PNG", icc_profile=srgb), form="png")
    assert "colours converted to sRGB" in right.notes
    assert "icc_profile" not in opened(right).info


def test_transparency_is_put_on_white() -> None:
    picture = reencode(saved(Image.new("RGBA", (32, 32), (0, 0, 0, 0)), "PNG"))
    assert picture.mean_colour == (255, 255, 255)
    assert "transparency put on white" in picture.notes


@pytest.mark.parametrize("form", ["webp", "png"])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_kept_on_request_and_facts_are_those_of_the_picture_on_white(
    mode: str, form: str
) -> None:
    image = Image.new("RGBA", (64, 48), (0, 0, 0, 255))
    image.paste((200, 40, 40, 0), (32, 0, 64, 48))
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    info: dict[str, Any] = {"exif": exif, **({"transparency": 0} if mode == "P" else {})}
    file = Image.new("P", (64, 48), 0) if mode == "P" else image.convert(mode)
    if mode == "P":
        file.putpalette([200, 40, 40, 0, 0, 0])
        file.paste(1, (0, 0, 32, 48))
    kept = reencode(saved(file, "PNG", **info), form=form, keep_clear=True)
    again = opened(kept)
    assert again.mode == "RGBA" and not again.getexif()
    alpha = again.getchannel("A")
    assert (alpha.getpixel((5, 5)), alpha.getpixel((60, 5))) == (255, 0)
    assert "transparency kept, shown on white" in kept.notes
    flat = reencode(saved(file, "PNG", **info), form=form)
    assert opened(flat).mode == "RGB"
    assert {**kept.facts, "notes": ()} == {**flat.facts, "notes": ()}


def test_nothing_is_kept_of_colours_that_lie_hidden_where_a_picture_is_clear() -> None:
    file = Image.new("RGBA", (64, 48), (200, 10, 10, 0))
    file.paste((0, 0, 250, 90), (0, 0, 32, 48))
    kept = opened(reencode(saved(file, "PNG"), form="png", keep_clear=True))
    assert (kept.getpixel((60, 5)), kept.getpixel((5, 5))) == ((255, 255, 255, 0), (0, 0, 250, 90))


@pytest.mark.parametrize("image", [Image.new("RGBA", (32, 32), "navy"), Image.new("RGB", (32, 32), "navy")])
def test_what_is_nowhere_transparent_is_the_same_with_and_without_the_request(image: Image.Image) -> None:
    data = saved(image, "PNG")
    assert reencode(data, keep_clear=True) == reencode(data)


def test_large_picture_is_made_smaller_and_never_larger() -> None:
    assert reencode(samples.picture("JPEG", size=(900, 300)), max_side=300).width == 300
    assert reencode(samples.picture("JPEG", size=(90, 30)), max_side=300).width == 90


def test_same_picture_gives_the_same_bytes() -> None:
    data = samples.picture("JPEG")
    assert reencode(data) == reencode(data)


def test_facts_tell_sharp_from_soft_and_like_from_unlike() -> None:
    noise = Image.effect_noise((256, 256), 80).convert("RGB")
    soft = noise.resize((16, 16)).resize((256, 256), Image.Resampling.BICUBIC)
    sharp, blurred = reencode(saved(noise, "PNG")), reencode(saved(soft, "PNG"))
    assert sharp.sharpness > 10 * blurred.sharpness

    def apart(one: Image.Image, other: Image.Image) -> int:
        return (int(dhash(one), 16) ^ int(dhash(other), 16)).bit_count()

    assert apart(soft, soft.resize((200, 200))) <= 4
    assert apart(soft, soft.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) > 12


def test_phone_picture_with_a_second_one_inside_is_a_still() -> None:
    data = saved(ANIMATION[0], "MPO", save_all=True, append_images=ANIMATION[1:])
    assert reencode(data).original_format == "JPEG"
