"""SD 1.x, SD 2.x and SDXL train, resume and render as their own pipelines would, and their files load there."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
)
from safetensors.torch import load_file

import hub.formats
from tests.trainer.engine import families
from tests.trainer.engine.conftest import Images, trainer_in
from trainer.base_folder import BaseFolderError, read_base
from trainer.engine import canonical
from trainer.engine.base_model import BaseModel
from trainer.engine.dataset import Dataset, prepare
from trainer.engine.fit import Fit
from trainer.engine.objective import gradient, sample_losses
from trainer.engine.pictures import picture_from
from trainer.engine.randomness import draw
from trainer.engine.render import Shot, render
from trainer.engine.start import start_rows
from trainer.engine.tokens import prompt_ids
from trainer.recipe import Recipe

Make = Callable[..., BaseModel]
KINDS = [
    ("sd1", "epsilon"),
    ("sd2", "epsilon"),
    ("sd2", "v_prediction"),
    ("sdxl", "epsilon"),
]
WIDTHS = {"sd1": {"emb_params": 768}, "sd2": {"emb_params": 1024}, "sdxl": {"clip_l": 768, "clip_g": 1280}}


@pytest.fixture(scope="module")
def base_of(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """A loaded small base of a family and prediction type."""
    made: dict[tuple[str, str], BaseModel] = {}

    def get(family: str, prediction: str) -> BaseModel:
        if (family, prediction) not in made:
            folder = tmp_path_factory.mktemp("families") / f"{family}-{prediction}"
            made[family, prediction] = BaseModel.load(
                families.build(folder, family, prediction=prediction), precision="fp32"
            )
        return made[family, prediction]

    return get


def settings(family: str, **changes: Any) -> Recipe:
    values = {
        "resolution": 64,
        "batch": 2,
        "accumulate": 1,
        "max_steps": 6,
        "seed": 7,
        "vectors_per_token": 2,
    }
    # One template: text encoders of real width are what takes the time here.
    values |= {"initializer": "flat style", "templates": ("a photo of a [name] star",), **changes}
    return Recipe.for_preset("standard", family=family, kind="style", trigger="mossglow", **values)


def tensors(event: dict[str, Any]) -> dict[str, torch.Tensor]:
    return load_file(event["embedding"])


def prepared(base: BaseModel, recipe: Recipe, images: Images) -> Dataset:
    data = prepare(base, recipe, [picture_from(image) for image in images])
    assert data is not None
    return data


@pytest.mark.parametrize(("family", "prediction"), KINDS)
def test_run_stopped_and_resumed_ends_bit_equal_and_its_file_is_of_the_family(
    base_of: Make, family: str, prediction: str, images: Images, tmp_path: Path
) -> None:
    base = base_of(family, prediction)
    assert (base.facts.family, base.facts.prediction) == (family, prediction)
    train = trainer_in(tmp_path, base, images)
    whole = train(settings(family)).last
    stopped = train(settings(family), stop_at=4).last
    resumed = train(settings(family), resume=stopped["checkpoint"]).last
    assert (whole["event"], resumed["steps"]) == ("result", 6)
    assert Path(whole["embedding"]).read_bytes() == Path(resumed["embedding"]).read_bytes()
    data = hub.formats.read(whole["embedding"])
    assert (data.family, set(data.tensors)) == (family, set(WIDTHS[family]))
    found = tensors(whole)
    assert {name: own.shape[1] for name, own in found.items()} == WIDTHS[family]
    for own, start in zip(found.values(), start_rows(base, settings(family)), strict=True):
        # Every encoder's rows have learned something.
        assert (own - start).abs().max() > 1e-4
    assert len(whole["encoders"]) == len(WIDTHS[family])


@pytest.mark.parametrize(("family", "prediction"), KINDS)
@pytest.mark.filterwarnings("ignore")  # of the libraries in the role of a stranger's program
def test_pictures_equal_those_of_the_familys_own_pipeline(
    base_of: Make, family: str, prediction: str, tmp_path: Path
) -> None:
    base = base_of(family, prediction)
    rng = torch.Generator().manual_seed(5)
    rows = tuple(torch.randn(2, e.table.shape[1], generator=rng) * 0.05 for e in base.encoders)
    file = tmp_path / "mossglow.safetensors"
    canonical.write(base, list(rows), trigger="mossglow", metadata={}, path=file)
    pipeline = stranger(base, file)
    shots = [Shot("a photo of a [name] star", 1, rows=rows), Shot("a red star", 4, "[name] photo", rows=rows)]
    for shot, picture in zip(shots, render(base, shots), strict=True):
        theirs = pipeline(
            shot.prompt.replace("[name]", "mossglow"),
            negative_prompt=shot.negative_prompt.replace("[name]", "mossglow") or None,
            num_inference_steps=base.facts.steps,
            guidance_scale=base.facts.guidance,
            height=64,
            width=64,
            generator=torch.Generator("cpu").manual_seed(shot.seed),
        ).images[0]
        apart = np.abs(np.asarray(picture, dtype=int) - np.asarray(theirs, dtype=int)).max()
        assert apart <= 2, shot


def stranger(base: BaseModel, file: Path) -> Any:
    """The family's pipeline with the file loaded as its documentation says."""
    folder = base.facts.path
    if base.facts.family != "sdxl":
        pipeline = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None)
        pipeline.load_textual_inversion(file.parent, weight_name=file.name, token="mossglow")
    else:
        pipeline = StableDiffusionXLPipeline.from_pretrained(folder, add_watermarker=False)
        state = load_file(file)
        for key, encoder, tokenizer in (
            ("clip_l", pipeline.text_encoder, pipeline.tokenizer),
            ("clip_g", pipeline.text_encoder_2, pipeline.tokenizer_2),
        ):
            pipeline.load_textual_inversion(
                state[key], token="mossglow", text_encoder=encoder, tokenizer=tokenizer
            )
    pipeline.scheduler = DPMSolverMultistepScheduler.from_config(
        pipeline.scheduler.config, algorithm_type="dpmsolver++", solver_order=2, use_karras_sigmas=True
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def test_sdxl_loss_equals_a_reference_with_the_parts_of_its_pipeline(base_of: Make, images: Images) -> None:
    base = base_of("sdxl", "epsilon")
    recipe = settings("sdxl", min_snr_gamma=None)
    data, rows = prepared(base, recipe, images), start_rows(base, recipe)
    inputs = draw(recipe, data, 0, base.timesteps)
    scheduler = DDPMScheduler.from_pretrained(base.facts.path / "scheduler")
    with torch.no_grad(), base.showing(rows):
        ours = sample_losses(base, recipe, data, inputs)
        for n in range(2):
            place, turn = int(inputs.pictures[n]), int(inputs.flipped[n])
            bucket, prompt = data.buckets[0], data.prompts[inputs.prompts[n]]
            states, pooled = [], None
            for encoder in base.encoders:
                ids = torch.tensor([prompt_ids(encoder.tokenizer, prompt, 2)])
                out = encoder.model(ids, output_hidden_states=True)
                pooled = out[0]
                states.append(out.hidden_states[-2])
            z = bucket.means[turn, place] + bucket.deviations[turn, place] * inputs.latent_noise[n]
            noisy = scheduler.add_noise(
                z[None] * 0.13025, inputs.noise[n : n + 1], inputs.timesteps[n : n + 1]
            )
            height = 80 + 8 * place
            scale = 64 / height
            sizes = torch.tensor([[height, 96, 0, round((96 - height) / 2 * scale), 64, 64]])
            told = {"text_embeds": pooled, "time_ids": sizes}
            states = torch.cat(states, dim=-1)
            predicted = base.unet(noisy, inputs.timesteps[n], states, added_cond_kwargs=told).sample[0]
            wanted = (predicted - inputs.noise[n]).square().mean()
            assert float(ours[n]) == pytest.approx(float(wanted), rel=1e-4)


def test_sdxl_gradient_reaches_the_second_encoder_through_the_pooled_vector_too(
    base_of: Make, images: Images
) -> None:
    base = base_of("sdxl", "epsilon")
    ids = [torch.tensor([prompt_ids(e.tokenizer, "a [name] star", 1)]) for e in base.encoders]
    leaves = [torch.randn(1, e.table.shape[1]).requires_grad_(True) for e in base.encoders]
    with base.showing(leaves):
        pooled = base.encode(ids).pooled
    assert pooled is not None
    pooled.sum().backward()
    assert leaves[0].grad is None
    assert leaves[1].grad is not None and float(leaves[1].grad.abs().max()) > 0


def test_pooled_vector_is_taken_at_the_end_mark_whatever_the_config_calls_it(
    base_of: Make, tmp_path: Path
) -> None:
    """Real folders call the end mark 2; the library then takes the highest id, which is the new word's."""
    right = base_of("sdxl", "epsilon")
    historic = BaseModel.load(families.build(tmp_path / "historic", "sdxl", end_id=2), precision="fp32")
    pooled = []
    for base in (right, historic):
        ids = [torch.tensor([prompt_ids(e.tokenizer, "a [name] red star", 2)]) for e in base.encoders]
        with torch.no_grad(), base.showing([torch.ones(2, e.table.shape[1]) for e in base.encoders]):
            pooled.append(base.encode(ids).pooled)
    assert pooled[0] is not None and pooled[1] is not None
    assert torch.equal(pooled[0], pooled[1])


def test_sdxl_is_told_the_true_size_and_where_each_picture_was_cut(base_of: Make, images: Images) -> None:
    base = base_of("sdxl", "epsilon")
    sizes = prepared(base, settings("sdxl"), images).buckets[0].sizes
    assert sizes.shape == (2, 5, 6)
    assert sizes[0, 0].tolist() == [80, 96, 0, 6, 64, 64]


def test_half_precision_keeps_rows_and_loss_in_full(base_of: Make, images: Images, tmp_path: Path) -> None:
    folder = base_of("sd1", "epsilon").facts.path
    for precision in ("bf16", "fp16"):
        base = BaseModel.load(folder, precision=precision)
        assert {p.dtype for p in base.vae.parameters()} == {torch.float32}
        assert {p.dtype for e in base.encoders for p in e.model.parameters()} == {torch.float32}
        train = trainer_in(tmp_path / precision, base, images)
        whole = train(settings("sd1", precision=precision, max_steps=4)).last
        assert whole["event"] == "result"
        assert all(
            own.dtype == torch.float32 and torch.isfinite(own).all() for own in tensors(whole).values()
        )
        stopped = train(settings("sd1", precision=precision, max_steps=4), stop_at=2).last
        again = train(settings("sd1", precision=precision, max_steps=4), resume=stopped["checkpoint"]).last
        assert again["tensor_digest"] == whole["tensor_digest"]


def test_scaled_gradient_is_the_gradient(base_of: Make, images: Images) -> None:
    base, recipe = base_of("sd1", "epsilon"), settings("sd1")
    data, rows = prepared(base, recipe, images), start_rows(base, recipe)
    inputs = draw(recipe, data, 0, base.timesteps)
    _, plain = gradient(base, recipe, data, rows, inputs, Fit(2))
    loss, scaled = gradient(base, recipe, data, rows, inputs, Fit(2), torch.tensor(2.0**14))
    assert float(loss) < 100
    assert torch.allclose(plain[0], scaled[0], rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize(
    ("part", "change", "word"),
    [
        ("unet", {"in_channels": 9}, "inpainting"),
        ("scheduler", {"prediction_type": "flow"}, "prediction type 'flow'"),
    ],
)
def test_base_for_another_task_is_refused(
    tmp_path: Path, part: str, change: dict[str, Any], word: str
) -> None:
    folder = families.build(tmp_path / "b", "sd1")
    path = folder / part / ("scheduler_config.json" if part == "scheduler" else "config.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(BaseFolderError, match=word):
        read_base(folder)
