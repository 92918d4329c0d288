"""Which part of a picture is trained on, and how much each part of it counts."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, ImageDraw, ImageOps

from tests.trainer.engine.conftest import Images, Recorder
from trainer.engine.base_model import BaseModel
from trainer.engine.dataset import Dataset, dataset_digest, prepare
from trainer.engine.events import Fault
from trainer.engine.framing import bucket_sizes, frame
from trainer.engine.objective import sample_losses
from trainer.engine.pictures import (
    Picture,
    picture_from,
    to_pixels,
    to_weights,
    upright,
    upright_size,
    weights,
)
from trainer.engine.probe import Probe
from trainer.engine.randomness import bucket_turn, draw
from trainer.engine.start import start_rows
from trainer.engine.tags import caption_variants
from trainer.recipe import Recipe

Make = Callable[..., Recipe]
Train = Callable[..., Recorder]
WIDE, TALL, SQUARE = (300, 100), (100, 300), (200, 200)


def stored(folder: Path, sizes: list[tuple[int, int]]) -> Images:
    """Pictures of these sizes."""
    made = []
    for number, size in enumerate(sizes):
        picture = Image.new("RGB", size, (20 + 30 * number, 90, 160))
        ImageDraw.Draw(picture).ellipse((10, 10, 60, 60), fill=(240, 200 - 20 * number, 40))
        path = folder / f"{number}.png"
        picture.save(path)
        made.append({"path": str(path), "caption": None})
    return made


def prepared(base: BaseModel, recipe: Recipe, images: Images) -> Dataset:
    data = prepare(base, recipe, [picture_from(image) for image in images])
    assert data is not None
    return data


@pytest.mark.parametrize("source", [WIDE, TALL, SQUARE, (97, 131)])
@pytest.mark.parametrize("size", [(64, 64), (128, 64)])
def test_middle_is_what_pillow_would_cut(source: tuple[int, int], size: tuple[int, int]) -> None:
    picture = Image.effect_noise(source, 90).convert("RGB")
    fitted = ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
    values = torch.frombuffer(bytearray(fitted.tobytes()), dtype=torch.uint8).view(size[1], size[0], 3)
    assert torch.equal(to_pixels(picture, frame(source, size)), values.permute(2, 0, 1).float() / 127.5 - 1)


@pytest.mark.parametrize(
    ("focus", "box"),
    [
        ((0.0, 0.0, 1 / 3, 1.0), (0, 0, 100, 100)),
        ((0.5, 0.25, 2 / 3, 0.75), (150, 25, 200, 75)),
        ((0.9, 0.0, 1.0, 0.3), (270, 0, 300, 30)),
        ((0.0, 0.0, 1.0, 1.0), (100, 0, 200, 100)),
    ],
)
def test_focus_frame_is_the_smallest_that_holds_the_box_and_stays_inside(
    focus: tuple[float, ...], box: tuple[float, ...]
) -> None:
    assert frame(WIDE, (64, 64), focus).box == pytest.approx(box)  # type: ignore[arg-type]


def test_conditioning_tells_true_size_and_place_of_the_cut() -> None:
    own = frame((300, 200), (64, 64), (0.0, 0.0, 0.5, 0.5))
    assert own.conditioning() == [200, 300, 0, 0, 64, 64]
    assert frame(WIDE, (64, 64)).conditioning() == [100, 300, 0, 64, 64, 64]
    left = frame(WIDE, (64, 64), (0.0, 0.0, 0.3, 0.9))
    assert left.mirrored().conditioning()[3] == round((300 - 90) * 64 / 90)


def test_buckets_keep_shape_and_area_and_are_few() -> None:
    sizes = [(1600, 900)] * 4 + [(900, 1600)] * 3 + [(1000, 1000)] * 2 + [(3000, 1000)]
    chosen = bucket_sizes(sizes, 512)
    assert len(set(chosen)) <= 4
    assert chosen[7] == (512, 512)
    for (width, height), (wide, high) in zip(sizes[:9], chosen[:9], strict=True):
        assert wide % 64 == high % 64 == 0
        assert 0.75 * 512**2 <= wide * high <= 512**2
        assert wide / high == pytest.approx(width / height, rel=0.2)
    assert len(set(bucket_sizes([WIDE, TALL], 512))) == 1
    assert set(bucket_sizes([WIDE, TALL], 64)) == {(64, 64)}


def test_each_bucket_comes_as_often_as_it_has_pictures() -> None:
    turns = [bucket_turn(3, [4, 1, 2], step) for step in range(21)]
    assert Counter(bucket for bucket, _ in turns) == {0: 12, 1: 3, 2: 6}
    for bucket in range(3):
        assert [turn for own, turn in turns if own == bucket] == list(range([12, 3, 6][bucket]))


def test_batch_comes_from_one_bucket_and_all_pictures_are_seen(
    base: BaseModel, recipe: Make, tmp_path: Path
) -> None:
    settings = recipe(crop="buckets", resolution=128, batch=2)
    data = prepared(base, settings, stored(tmp_path, [WIDE, TALL, SQUARE, SQUARE, WIDE, TALL]))
    assert sorted(len(bucket.members) for bucket in data.buckets) == [2, 2, 2]
    seen: Counter[int] = Counter()
    for step in range(6):
        inputs = draw(settings, data, step, base.timesteps)
        bucket = data.buckets[inputs.bucket]
        assert inputs.noise.shape[1:] == bucket.means.shape[2:]
        seen.update(bucket.members[place] for place in inputs.pictures.tolist())
    assert seen == dict.fromkeys(range(6), 2)


def test_run_on_buckets_resumes_bit_equal_and_has_one_loss_for_all_shapes(
    base: BaseModel, recipe: Make, train: Train, tmp_path: Path
) -> None:
    settings = recipe(crop="buckets", resolution=128, batch=2, max_steps=8, flip=True)
    images = stored(tmp_path, [WIDE, TALL, SQUARE])
    whole = train(settings, pictures=images).last
    stopped = train(settings, pictures=images, stop_at=5).last
    resumed = train(settings, pictures=images, resume=stopped["checkpoint"]).last
    assert resumed["tensor_digest"] == whole["tensor_digest"]
    data = prepared(base, settings, images)
    probe = Probe(base, settings, data)
    rows = start_rows(base, settings)
    assert all(loss > 0 for loss in probe.losses(rows))
    assert sum(len(places) for places in probe.places) == 8


def masked(folder: Path) -> Picture:
    """A picture whose right half is transparent."""
    picture = Image.new("RGBA", (128, 128), (200, 40, 40, 255))
    picture.paste((0, 0, 0, 0), (64, 0, 128, 128))
    picture.save(folder / "m.png")
    return picture_from({"path": str(folder / "m.png")})


def test_alpha_weighs_the_loss_with_mean_one(tmp_path: Path) -> None:
    picture = masked(tmp_path)
    image = upright(picture.path)
    mask = weights(picture, image, "alpha", 0.1)
    small = to_weights(mask, frame(image.size, (64, 64)), 8)
    assert small.shape == (1, 8, 8)
    assert float(small.mean()) == pytest.approx(1.0)
    assert float(small[0, 0, 0] / small[0, 0, 7]) == pytest.approx(10, rel=0.03)
    assert weights(picture, image, "off", 0.1) is None
    assert torch.equal(to_weights(None, frame(image.size, (64, 64)), 8), torch.ones(1, 8, 8))


def test_given_mask_counts_and_must_fit(tmp_path: Path) -> None:
    Image.new("RGB", (128, 128), "red").save(tmp_path / "p.png")
    half = Image.new("L", (64, 64), 0)
    half.paste(255, (0, 0, 64, 32))
    half.save(tmp_path / "mask.png")
    picture = picture_from({"path": str(tmp_path / "p.png"), "mask": str(tmp_path / "mask.png")})
    mask = weights(picture, upright(picture.path), "file", 0.0)
    small = to_weights(mask, frame((128, 128), (64, 64)), 8)
    assert small[0, 0].tolist() == pytest.approx([2.0] * 8)
    assert small[0, 7].tolist() == [0.0] * 8
    for bad, word in (
        (Image.new("L", (64, 20), 255), "another shape"),
        (Image.new("L", (64, 64)), "leaves nothing"),
    ):
        bad.save(tmp_path / "mask.png")
        with pytest.raises(Fault, match=word):
            weights(picture, upright(picture.path), "file", 0.0)


def test_masked_loss_equals_a_reference_in_both_orientations(
    base: BaseModel, recipe: Make, tmp_path: Path
) -> None:
    picture = masked(tmp_path)
    settings = recipe(mask="alpha", flip=True, batch=4, min_snr_gamma=None)
    data = prepare(base, settings, [picture])
    assert data is not None
    masks = data.buckets[0].masks
    assert masks is not None and torch.equal(masks[0], masks[1].flip(-1))
    inputs = draw(settings, data, 0, base.timesteps)
    rows = start_rows(base, settings)
    plain = prepare(base, settings.replace(mask="off"), [picture])
    assert plain is not None and plain.buckets[0].masks is None
    with torch.no_grad(), base.showing(rows):
        ours = sample_losses(base, settings, data, inputs)
        errors = errors_of(base, settings, plain, inputs)
    for n in range(4):
        wanted = (errors[n] * masks[int(inputs.flipped[n]), 0]).mean()
        assert float(ours[n]) == pytest.approx(float(wanted), rel=1e-4)


def errors_of(base: BaseModel, recipe: Recipe, data: Dataset, inputs: Any) -> torch.Tensor:
    """Squared errors before they are averaged."""
    bucket = data.buckets[0]
    chosen = inputs.flipped, inputs.pictures
    z = base.sampled(bucket.means[chosen], bucket.deviations[chosen], inputs.latent_noise)
    cond = base.encode([ids[inputs.prompts] for ids in data.ids])
    noisy = base.noised(z, inputs.noise, inputs.timesteps)
    predicted = base.denoise(noisy, inputs.timesteps, cond, bucket.sizes[chosen])
    return (predicted - base.target(z, inputs.noise, inputs.timesteps)).square()


def test_lying_photo_is_measured_as_it_stands(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    Image.new("RGB", (80, 40)).save(tmp_path / "a.jpg", exif=exif)
    assert upright_size(tmp_path / "a.jpg") == upright(tmp_path / "a.jpg").size == (40, 80)


def test_sixteen_bit_grey_keeps_its_tones(tmp_path: Path) -> None:
    Image.new("I;16", (32, 32), 0x8000).save(tmp_path / "deep.png")
    assert upright(tmp_path / "deep.png").getpixel((5, 5)) == 128


@pytest.mark.parametrize("focus", [[0, 0, 1], "left", [0.5, 0, 0.4, 1], [0, 0, 2, 1]])
def test_focus_that_is_no_box_is_refused(tmp_path: Path, focus: object) -> None:
    path = stored(tmp_path, [SQUARE])[0]["path"]
    with pytest.raises(Fault) as refused:
        picture_from({"path": path, "focus": focus})
    assert (refused.value.fault, refused.value.code) == ("recipe", "bad_focus")


def test_digest_follows_focus_and_mask(tmp_path: Path) -> None:
    one = Picture(Path("a"), None, "1")
    others = [
        Picture(Path("a"), None, "1", focus=(0, 0, 1, 1)),
        Picture(Path("a"), None, "1", mask_sha256="2"),
    ]
    assert len({dataset_digest([picture]) for picture in (one, *others)}) == 3


def test_tags_are_shuffled_and_dropped_and_the_word_stays(recipe: Make) -> None:
    settings = recipe(captions=True, tag_shuffle=True, tag_drop=0.3)
    variants = caption_variants(settings, "red, [name], old house, by lake, on white", 2)
    assert variants == caption_variants(settings, "red, [name], old house, by lake, on white", 2)
    assert len(variants) == 8
    assert len(set(variants)) > 4
    kept = [str(variant).split(", ") for variant in variants]
    assert all("[name]" in tags for tags in kept)
    assert any(len(tags) < 5 for tags in kept)
    assert set().union(*kept) == {"red", "[name]", "old house", "by lake", "on white"}
    assert caption_variants(recipe(captions=True), "red, blue", 0) == ["red, blue"]
    assert caption_variants(settings, None, 0) == [None]


def test_only_dropping_keeps_the_order(recipe: Make) -> None:
    tags = ["a", "b", "c", "d", "e", "f"]
    for variant in caption_variants(recipe(tag_drop=0.5, captions=True), ", ".join(tags), 0):
        kept = [tag for tag in str(variant).split(", ") if tag]
        assert kept == sorted(kept)
