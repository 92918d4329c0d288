"""What is measured of one picture: edges, writing, faces, a thumb."""

import io
import time
from random import Random

import pytest
from PIL import Image, ImageDraw, ImageFilter

from hub.formats.looks import look_at
from hub.formats.pictures import reencode
from tests.trainer.advice import made_sets
from trainer.advice import Look

SIZE = (560, 560)


def scene(seed: int) -> Image.Image:
    """A figure in front of a ground."""
    rng = Random(seed)
    picture = made_sets.ground(rng, SIZE)
    made_sets.Figure(rng).draw(picture, made_sets.any_pose(rng))
    return made_sets.as_photo(picture, rng)


def windows() -> Image.Image:
    """Rows of dark windows in a pale wall."""
    wall = Image.new("RGB", SIZE, "#d8d0c0")
    draw = ImageDraw.Draw(wall)
    for y in range(30, 520, 60):
        for x in range(30, 520, 44):
            draw.rectangle((x, y, x + 22, y + 34), fill="#303848")
    return wall


def test_blur_makes_edges_wide_at_the_size_it_can_be_seen_at() -> None:
    sharp, soft = scene(1), scene(1).filter(ImageFilter.GaussianBlur(4))
    before, after = look_at(sharp)["edges"], look_at(soft)["edges"]
    assert isinstance(before, dict) and isinstance(after, dict)
    assert before["512"] < 2.3 < 3.5 < after["512"]
    assert after["64"] < 2.3


def test_a_sharp_thing_before_a_soft_ground_is_sharp() -> None:
    picture = scene(2).filter(ImageFilter.GaussianBlur(9))
    ImageDraw.Draw(picture).polygon([(200, 150), (380, 220), (290, 420)], fill="black")
    edges = look_at(picture)["edges"]
    assert isinstance(edges, dict) and edges["512"] < 2.3


def test_edges_are_not_measured_larger_than_the_picture_is() -> None:
    edges = look_at(scene(3).resize((200, 150)))["edges"]
    assert isinstance(edges, dict) and list(edges) == ["64", "128"]
    assert look_at(Image.new("RGB", (70, 70), "teal"))["edges"] == {"64": 0.0}


@pytest.mark.parametrize(("colour", "size"), [("white", 24), ("black", 24), ("white", 60)])
def test_a_line_of_writing_is_seen(colour: str, size: int) -> None:
    picture = Image.new("RGB", SIZE, "#6a8a70")
    ImageDraw.Draw(picture).text((30, 40), "Holidays 2024", font=made_sets.font_of(0, size), fill=colour)
    letters = look_at(picture)["letters"]
    assert isinstance(letters, int) and 8 <= letters <= 14


def test_a_row_of_windows_is_no_writing() -> None:
    assert look_at(windows())["letters"] == 0


def test_a_face_is_seen_and_a_wall_is_none() -> None:
    picture = Image.new("RGB", SIZE, "#406080")
    made_sets.Face(Random(4)).draw(picture, 280, 260, 120)
    assert look_at(picture)["faces"] == 1
    assert look_at(windows())["faces"] == 0


def test_a_picture_made_of_marks_is_looked_at_quickly() -> None:
    picture = Image.new("RGB", (512, 512), "white")
    draw = ImageDraw.Draw(picture)
    for y in range(2, 510, 5):
        for x in range(2, 510, 4):
            draw.rectangle((x, y, x + 1, y + 2), fill="black")
    for x in range(6, 506, 7):
        draw.rectangle((x, 40, x + 3, 43), fill="black")
    began = time.process_time()
    assert look_at(picture)["faces"] == 0
    assert time.process_time() - began < 20


def test_a_look_is_taken_where_the_picture_is_decoded_and_only_when_asked_for() -> None:
    out = io.BytesIO()
    scene(5).save(out, "JPEG")
    assert "look" not in reencode(out.getvalue()).facts
    facts = reencode(out.getvalue(), look=True).facts
    look = Look.of(facts, digest="5", width=1, height=1)
    assert (look.width, look.height, look.image is not None) == (*SIZE, True)
    assert set(look.edges or {}) == {64, 128, 256, 512}


@pytest.mark.parametrize(
    "stored",
    [{}, {"look": None}, {"look": {"version": 0, "faces": 9}}, {"look": {"version": 1, "thumb": "?"}}],
)
def test_what_was_not_measured_is_empty(stored: dict[str, object]) -> None:
    look = Look.of(stored, digest="a", width=300, height=200)
    assert (look.short, look.thumb, look.image, look.faces, look.letters) == (200, b"", None, 0, 0)
