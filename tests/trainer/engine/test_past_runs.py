"""A recipe of an earlier version gives the rows it gave then, and its checkpoints can be gone on from."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors
import safetensors.torch
import torch

from tests.trainer.engine.conftest import Images, Recorder, rows_of
from trainer.engine.base_model import BaseModel
from trainer.engine.dataset import prepare
from trainer.engine.pictures import picture_from
from trainer.engine.randomness import draw
from trainer.engine.seeds import generator
from trainer.recipe import Recipe

Make = Callable[..., Recipe]
Train = Callable[..., Recorder]
# Settings that 0.1.0's first recipes did not have.
LATER = {"background", "mask", "mask_outside", "tag_shuffle", "tag_drop", "long_prompts", "clip_skip"}
LATER |= {"initializer_mode", "initializer_file", "preview_prompts", "context_reg", "compile"}


def earlier(recipe: Recipe) -> str:
    """The recipe as it was written before those settings existed."""
    values = {name: value for name, value in recipe.to_dict().items() if name not in LATER}
    return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize("changes", [{}, {"flip": True, "batch": 3, "accumulate": 2, "caption_drop": 0.3}])
def test_steps_draw_what_they_drew(
    base: BaseModel, recipe: Make, images: Images, changes: dict[str, object]
) -> None:
    """The earlier draw, line by line: one epoch stream, then flips, prompts, drops, times and two noises."""
    settings = Recipe.from_json(earlier(recipe(**changes)))
    data = prepare(base, settings, [picture_from(image) for image in images])
    assert data is not None
    for step in (0, 1, 17):
        now = draw(settings, data, step, base.timesteps)
        samples = settings.batch * settings.accumulate
        rng = generator(settings.seed, "step", step)
        pictures = []
        for position in range(step * samples, (step + 1) * samples):
            epoch, place = divmod(position, 5)
            order = torch.randperm(5, generator=generator(settings.seed, "epoch", epoch))
            pictures.append(int(order[place]))
        assert now.pictures.tolist() == pictures
        flips = torch.rand(samples, generator=rng) < (0.5 if settings.flip else 0.0)
        assert torch.equal(now.flipped, flips.long())
        picks = torch.rand(samples, generator=rng).tolist()
        drops = (torch.rand(samples, generator=rng) < settings.caption_drop).tolist()
        assert now.prompts == [
            0 if drop else data.choices[p][int(pick * len(data.choices[p]))]
            for p, pick, drop in zip(pictures, picks, drops, strict=True)
        ]
        places = torch.rand(samples, generator=rng, dtype=torch.float64)
        places = (torch.randperm(samples, generator=rng) + places) / samples
        assert torch.equal(now.timesteps, (places * base.timesteps).long().clamp(max=base.timesteps - 1))
        shape = (samples, 4, 16, 16)
        assert torch.equal(now.latent_noise, torch.randn(shape, generator=rng))
        assert torch.equal(now.noise, torch.randn(shape, generator=rng))


def test_what_the_sheet_shows_changes_nothing_that_is_learned(recipe: Make, train: Train) -> None:
    plain, own = (train(recipe(**asked)).last for asked in ({}, {"preview_prompts": ["[name] on a mug"]}))
    assert own["tensor_digest"] == plain["tensor_digest"]
    assert own["losses"] == plain["losses"]
    assert own["provenance"]["recipe"] == {
        **plain["provenance"]["recipe"],
        "preview_prompts": ["[name] on a mug"],
    }


def first_format(path: Path, recipe: Recipe, *, blocks: list[list[int]], snapshots: list[int]) -> bytes:
    """A checkpoint as 0.1 wrote it first: one file, with sums by blocks of steps and the strip in it."""
    with safetensors.safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["glossa.checkpoint"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    parts = {
        step: safetensors.torch.load((path.parent / f"{sha256}.part").read_bytes())
        for step, sha256 in [(header["step"], header["total"]), *header["marks"]]
    }
    totals = {0: torch.zeros_like(tensors["0.rows"])} | {s: own["0.total"] for s, own in parts.items()}
    for place, (start, stop) in enumerate(blocks):
        tensors[f"0.block.{place}"] = totals[stop] - totals[start]
    for place, step in enumerate(snapshots):
        tensors[f"0.snapshot.{place}"] = parts[step]["0.rows"]
    old = {"blocks": blocks, "block_steps": 10, "snapshot_steps": 10, "snapshots": snapshots}
    header = {**header, **old, "format": 1, "recipe": earlier(recipe)}
    for name in ("fit", "total", "marks", "mark_steps"):
        del header[name]
    return safetensors.torch.save(tensors, {"glossa.checkpoint": json.dumps(header)})


def test_earlier_checkpoint_is_gone_on_from(recipe: Make, train: Train, tmp_path: Path) -> None:
    settings = recipe(max_steps=42)
    whole = train(settings).last
    path = Path(train(settings, stop_at=36).last["checkpoint"])
    blocks = [[0, 10], [10, 20], [20, 30], [30, 36]]
    old = tmp_path / "old.safetensors"
    old.write_bytes(first_format(path, settings, blocks=blocks, snapshots=[10, 20, 30]))
    resumed = train(settings, resume=str(old)).last
    assert resumed["losses"]["curve"] == whole["losses"]["curve"]
    strips = [
        {kept["label"]: rows_of({"embedding": kept["path"]}) for kept in one["growth"]}
        for one in (resumed, whole)
    ]
    average, expected = (strip.pop("average") for strip in strips)
    assert torch.allclose(average, expected, atol=1e-6)
    assert strips[0].keys() == strips[1].keys()
    assert all(torch.equal(rows, strips[1][label]) for label, rows in strips[0].items())
