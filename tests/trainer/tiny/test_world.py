"""The tiny world: the same for the same seed, honest captions, and nothing held out slips in."""

from itertools import islice
from random import Random

import numpy as np
import pytest
from PIL import ImageChops

from trainer.tiny import shapes, world
from trainer.tiny.world import Scene


def scenes(count: int, seed: int = 1, *, held_out: bool = False) -> list[Scene]:
    rng = Random(seed)
    return [world.random_scene(rng, held_out=held_out) for _ in range(count)]


def test_the_same_seed_gives_the_same_pictures_and_captions():
    first, second = list(world.examples(12, 3)), list(world.examples(12, 3))
    assert [(scene, text) for scene, text, _ in first] == [(scene, text) for scene, text, _ in second]
    assert all(
        ImageChops.difference(a, b).getbbox() is None for (*_, a), (*_, b) in zip(first, second, strict=True)
    )


def test_training_never_sees_held_out_shapes_fills_or_colours():
    for scene in scenes(3000):
        assert scene.shape in shapes.SHAPES
        assert scene.fill == "plain" or scene.fill in shapes.FILLS
        assert all(colour in world.COLOURS for colour in scene.colours)
        assert scene.defect not in world.HELD_OUT_DEFECTS


def test_training_never_sees_held_out_combinations_and_the_examination_can():
    known = {(scene.shape, scene.colours[0], scene.fill) for scene in scenes(3000)}
    kept = {(scene.shape, scene.colours[0], scene.fill) for scene in scenes(100, held_out=True)}
    assert all(world.is_held_out(*combination) for combination in kept)
    assert not known & kept


def test_held_out_words_stand_in_no_caption():
    forbidden = {*shapes.HELD_OUT_SHAPES, *shapes.HELD_OUT_FILLS, *world.PALETTES, *world.HELD_OUT_DEFECTS}
    for _, text, _ in world.examples(300, 5):
        assert not forbidden & set(text.split())


def test_a_caption_says_nothing_untrue():
    rng = Random(2)
    for scene in scenes(2000):
        words = world.caption(scene, rng).replace(" background", "").split()
        assert all(word not in words for word in shapes.SHAPES if word != scene.shape)
        assert all(word not in words for word in shapes.FILLS if word != scene.fill)
        allowed = {*scene.colours, scene.ground, scene.outline}
        assert all(word in allowed for word in words if word in world.COLOURS or word in world.GROUNDS)
        assert ("small" in words) <= scene.small
        assert ("face" in words) == scene.face


def test_a_caption_leaves_every_part_out_now_and_then():
    rng, scene = Random(2), Scene("star", ("red", "white"), "striped", "blue")
    texts = [world.caption(scene, rng) for _ in range(400)]
    for part in ("star", "striped", "red and white", "on a blue background"):
        share = sum(part in text for text in texts) / len(texts)
        assert 0.8 < share < 1.0, part


def test_half_of_the_snapshots_are_spoilt_and_their_captions_do_not_say_so():
    rng, seen = Random(4), []
    for scene in scenes(6000):
        text = world.caption(scene, rng)
        if text.startswith("a snapshot of"):
            assert not set(world.DEFECTS) & set(text.split())
            seen.append(scene.defect is not None)
    assert 0.4 < sum(seen) / len(seen) < 0.6


def test_articles_follow_the_next_word():
    assert world.plain_caption(Scene("star", ("orange",), ground="blue")).startswith(
        "a picture of an orange star"
    )
    assert world.plain_caption(Scene("star", ("red",), ground="blue")).startswith("a picture of a red star")


def test_an_object_always_stands_out_from_its_ground():
    for scene in scenes(500):
        assert all(world.stands_out(colour, scene.ground) for colour in scene.colours)


@pytest.mark.parametrize("shape", [*shapes.SHAPES, *shapes.HELD_OUT_SHAPES])
def test_every_silhouette_stays_inside_the_picture_with_ground_all_around(shape):
    picture = np.asarray(world.render(Scene(shape, ("black",), ground="white"), Random(1)))
    edge = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert edge.min() > 200
    assert 0.08 < (picture.max(2) < 128).mean() < 0.5


@pytest.mark.parametrize("fill", [*shapes.FILLS, *shapes.HELD_OUT_FILLS])
def test_every_fill_shows_both_colours(fill):
    scene = Scene("square", ("black", "white"), fill, "blue")
    middle = np.asarray(world.render(scene, Random(1)))[20:44, 20:44].max(2)
    assert 0.2 < (middle < 100).mean() < 0.8
    assert 0.2 < (middle > 200).mean() < 0.8


def test_a_large_picture_shows_the_same_scene():
    scene = Scene("heart", ("red", "white"), "dotted", "blue")
    small = world.render(scene, Random(4), 64)
    large = world.render(scene, Random(4), 192).reduce(3)
    assert np.abs(np.asarray(small, int) - np.asarray(large, int)).mean() < 6


def test_defects_are_seen_and_murk_has_grain_at_every_size():
    clear = Scene("star", ("red",), ground="blue")
    for defect in (*world.DEFECTS, *world.HELD_OUT_DEFECTS):
        spoilt = world.render(Scene("star", ("red",), ground="blue", defect=defect), Random(1), 192)
        assert ImageChops.difference(world.render(clear, Random(1), 192), spoilt).getbbox()


def test_examples_are_drawn_one_by_one():
    assert len(list(islice(world.examples(10**9, 1), 2))) == 2
