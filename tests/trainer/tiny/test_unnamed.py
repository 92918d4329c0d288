"""Things that no word names: of every sort, described by their numbers alone, and like nothing held out."""

import numpy as np
import pytest

from trainer.tiny import shapes, unnamed, world
from trainer.tiny.unnamed import any_colour, any_fill, any_shape, marks, shape_numbers

RNG = world.dice("unnamed")


def held_out_fills(shift: int) -> list[np.ndarray]:
    """The marks of the held-out fills moved by up to `shift` units."""
    moves = range(-shift, shift + 1)
    return [
        np.sign(marks(lambda u, v, f=field, x=x, y=y: f(u - x, v - y)))
        for field in shapes.HELD_OUT_FILLS.values()
        for x in moves
        for y in moves
    ]


def test_no_fill_looks_like_a_held_out_one():
    known = np.stack(held_out_fills(5))
    for _ in range(200):
        seen = np.sign(marks(any_fill(RNG)[0]))
        assert np.abs(known @ seen).max() / len(seen) < 0.75


@pytest.mark.parametrize("name", shapes.HELD_OUT_SHAPES)
def test_no_silhouette_looks_like_a_held_out_one(name):
    held = shapes.radii(shapes.HELD_OUT_SHAPES[name])
    assert min(np.abs(any_shape(RNG)[0] - held).mean() for _ in range(300)) > 0.1


def test_a_held_out_palette_is_told_from_others():
    for first, second in world.PALETTES.values():
        assert unnamed.is_like_a_palette((first, second))
        assert unnamed.is_like_a_palette((second,))
    assert not unnamed.is_like_a_palette((world.COLOURS["red"], world.COLOURS["white"]))


def test_the_numbers_tell_two_things_apart_and_are_the_same_for_the_same_thing():
    (first, one), (second, other) = any_fill(world.dice("a")), any_fill(world.dice("b"))
    again, same = any_fill(world.dice("a"))
    assert (one == same).all() and (marks(first) == marks(again)).all()
    assert np.abs(one - other).mean() > 0.05 and np.abs(marks(first) - marks(second)).mean() > 0.1
    reach, points = any_shape(RNG)
    assert np.abs(shapes.radii(points) - reach).mean() < 0.02
    assert np.abs(shape_numbers(reach)).max() < 2


def test_colours_lie_where_the_world_has_some():
    found = np.array([any_colour(RNG) for _ in range(300)])
    assert found.min() >= 30 and found.max() <= 252 and found.std(0).min() > 50


def test_marks_cover_a_fair_part_of_the_object():
    shares = [(marks(any_fill(RNG)[0]) > 0).mean() for _ in range(100)]
    assert 0.2 < min(shares) < 0.45 < max(shares) < 0.75


def test_what_describes_a_fill_is_near_one_in_size():
    found = np.array([any_fill(RNG)[1] for _ in range(300)])
    assert found.shape == (300, unnamed.NUMBERS["marks"])
    assert np.abs(found).max() < 2 and (found.std(0) > 0.1).all()
