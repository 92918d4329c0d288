"""What is minimised equals the published algorithm, with everything cached and batched."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from tests.trainer.engine.conftest import Images, Recorder, rows_of
from trainer.engine import canonical
from trainer.engine.base_model import BaseModel
from trainer.engine.dataset import Dataset, prepare
from trainer.engine.events import Fault
from trainer.engine.fit import Fit
from trainer.engine.framing import frame
from trainer.engine.objective import gradient, sample_losses
from trainer.engine.pictures import load, picture_from, to_pixels
from trainer.engine.probe import Probe
from trainer.engine.randomness import draw
from trainer.engine.render import Shot, render
from trainer.engine.start import start_rows
from trainer.engine.tokens import prompt_ids
from trainer.recipe import Recipe

Make = Callable[..., Recipe]
Train = Callable[..., Recorder]


def prepared(base: BaseModel, recipe: Recipe, images: Images) -> Dataset:
    data = prepare(base, recipe, [picture_from(image) for image in images])
    assert data is not None
    return data


def test_sampling_from_the_cache_equals_encoding_afresh_bit_for_bit(
    base: BaseModel, recipe: Make, images: Images
) -> None:
    data = prepared(base, recipe(flip=True), images)
    image = load(picture_from(images[2]))
    pixels = to_pixels(image, frame(image.size, (64, 64))).unsqueeze(0)
    bucket = data.buckets[0]
    noise = torch.randn(1, *bucket.means.shape[2:])
    for orientation, shown in enumerate((pixels, pixels.flip(-1))):
        distribution = base.vae.encode(shown).latent_dist
        fresh = (distribution.mean + distribution.std * noise) * base.vae.config.scaling_factor
        cached = base.sampled(bucket.means[orientation, [2]], bucket.deviations[orientation, [2]], noise)
        assert torch.equal(cached, fresh)


def test_four_parts_of_one_equal_one_batch_of_four(base: BaseModel, recipe: Make, images: Images) -> None:
    whole, parts = recipe(batch=4), recipe(batch=1, accumulate=4)
    data, rows = prepared(base, whole, images), start_rows(base, whole)
    inputs = draw(whole, data, 3, base.timesteps)
    loss, together = gradient(base, whole, data, rows, inputs, Fit(4))
    same_loss, apart = gradient(base, parts, data, rows, inputs, Fit(1))
    assert torch.allclose(loss, same_loss, rtol=1e-5)
    assert (together[0] - apart[0]).norm() < 1e-5 * together[0].norm()


def test_distinct_prompts_once_equal_every_prompt_by_itself(
    base: BaseModel, recipe: Make, images: Images
) -> None:
    settings = recipe(batch=4, templates=("a photo of [name]",))
    data, rows = prepared(base, settings, images), start_rows(base, settings)
    inputs = draw(settings, data, 0, base.timesteps)
    with torch.no_grad(), base.showing(rows):
        together = sample_losses(base, settings, data, inputs)
        apart = torch.cat([sample_losses(base, settings, data, inputs.part(n, n + 1)) for n in range(4)])
    assert torch.allclose(together, apart, atol=1e-6)


@pytest.mark.parametrize("which", ["base", "epsilon_base"])
@pytest.mark.parametrize("gamma", [None, 5.0])
def test_loss_equals_a_ten_line_reference(
    which: str, gamma: float | None, request: pytest.FixtureRequest, recipe: Make, images: Images
) -> None:
    base: BaseModel = request.getfixturevalue(which)
    settings = recipe(batch=4, min_snr_gamma=gamma)
    data, rows = prepared(base, settings, images), start_rows(base, settings)
    inputs = draw(settings, data, 0, base.timesteps)
    with torch.no_grad(), base.showing(rows):
        ours = sample_losses(base, settings, data, inputs)
        for n in range(4):
            t = int(inputs.timesteps[n])
            alpha = float(base.alphas[t])
            mean, deviation = (
                x[int(inputs.flipped[n]), inputs.pictures[n]]
                for x in (data.buckets[0].means, data.buckets[0].deviations)
            )
            z = (mean + deviation * inputs.latent_noise[n]) * base.vae.config.scaling_factor
            noise = inputs.noise[n]
            noisy = alpha**0.5 * z + (1 - alpha) ** 0.5 * noise
            ids = prompt_ids(
                base.encoders[0].tokenizer, data.prompts[inputs.prompts[n]], settings.vectors_per_token
            )
            cond = base.encoders[0].model(torch.tensor([ids])).last_hidden_state
            predicted = base.unet(noisy[None], torch.tensor([t]), encoder_hidden_states=cond).sample[0]
            velocity = base.facts.prediction == "v_prediction"
            target = alpha**0.5 * noise - (1 - alpha) ** 0.5 * z if velocity else noise
            snr = alpha / (1 - alpha)
            weight = 1.0 if gamma is None else min(snr, gamma) / (snr + 1 if velocity else snr)
            assert float(ours[n]) == pytest.approx(
                weight * float((predicted - target).square().mean()), rel=1e-4
            )


def test_zero_rate_leaves_the_initializer(base: BaseModel, recipe: Make, train: Train) -> None:
    settings = recipe(lr=0.0, vectors_per_token=1, initializer="star", average=0.0)
    learned = rows_of(train(settings).last)
    assert torch.equal(learned, start_rows(base, settings)[0])
    tokenizer = base.encoders[0].tokenizer
    with base.showing([learned]):
        with_word = base.encode([torch.tensor([prompt_ids(tokenizer, "a photo of [name]", 1)])])
    plain = base.encode([torch.tensor([prompt_ids(tokenizer, "a photo of star", 1)])])
    assert torch.equal(with_word.hidden, plain.hidden)
    shown, control = render(base, [Shot("a photo of [name]", 3, rows=(learned,)), Shot("a photo of star", 3)])
    assert shown.tobytes() == control.tobytes()


@pytest.mark.parametrize("skip", [1, 2])
def test_clip_skip_counts_layers_as_the_pipeline_does(base: BaseModel, skip: int) -> None:
    encoder = base.encoders[0]
    ids = torch.tensor([prompt_ids(encoder.tokenizer, "a red house", 0)])
    with torch.no_grad():
        states = encoder.model(ids, output_hidden_states=True).hidden_states
        wanted = encoder.model.final_layer_norm(states[-skip])
        assert torch.allclose(base.encode([ids], skip).hidden, wanted, atol=1e-6)


def test_clip_skip_is_trained_with_kept_in_the_file_and_drawn_with(
    base: BaseModel, recipe: Make, train: Train
) -> None:
    result = train(recipe(max_steps=5, clip_skip=2), preview_every=5)
    path = Path(result.last["embedding"])
    assert canonical.clip_skip(path) == 2
    assert canonical.clip_skip(Path(train(recipe(max_steps=5)).last["embedding"])) == 1
    (preview,) = result.of("preview")
    with Image.open(preview["images"][0]["path"]) as picture:
        assert "Clip skip: 2" in picture.text["parameters"]
    pictures = [render(base, [Shot("a red house", 1, clip_skip=skip)])[0].tobytes() for skip in (1, 2)]
    assert pictures[0] != pictures[1]


def test_long_prompts_learn_beyond_place_75(
    base: BaseModel, recipe: Make, train: Train, images: Images
) -> None:
    lines = ("red " * 74 + "[name] house", "a [name]")
    with pytest.raises(Fault):
        prepared(base, recipe(templates=lines), images)
    settings = recipe(templates=lines, long_prompts="chunks", max_steps=5)
    data = prepared(base, settings, images)
    first = base.encoders[0].overlay.first
    assert data.ids[0].shape == (3, 154)
    # The word's two vectors stay together in the second chunk.
    assert [int(n) for n in (data.ids[0][1] >= first).nonzero()] == [78, 79]
    rows = rows_of(train(settings).last)
    assert (rows - start_rows(base, settings)[0]).abs().max() > 1e-4
    with torch.no_grad(), base.showing([rows]):
        short, padded = (base.encode([data.ids[0][2:3, :places]]).hidden for places in (77, 154))
    assert torch.allclose(padded[:, :77], short, atol=1e-6)


def test_fixed_input_loss_is_fixed_and_told_by_thirds(base: BaseModel, recipe: Make, images: Images) -> None:
    settings = recipe()
    probe = Probe(base, settings, prepared(base, settings, images))
    rows = start_rows(base, settings)
    losses = probe.losses(rows)
    assert len(losses) == 8
    assert probe.losses(rows) == losses
    assert probe.loss(rows) == pytest.approx(sum(losses) / 8)
    low, middle, high = probe.thirds(rows)
    assert (3 * low + 2 * middle + 3 * high) / 8 == pytest.approx(probe.loss(rows))
