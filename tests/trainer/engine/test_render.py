"""Pictures are those of the diffusers pipeline; the sheet proves that the base is intact."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

import hub.formats
from tests.trainer.engine.conftest import Recorder
from trainer.engine import canonical
from trainer.engine.base_model import BaseModel
from trainer.engine.render import Shot, render
from trainer.engine.sheet import Subject, make_sheet
from trainer.prompts import sheet_plan

PROMPTS = ("a photo of a [name] star", "a [name], red house on white", "a picture in the style of [name]")


@pytest.fixture(scope="module")
def rows(base: BaseModel) -> tuple[torch.Tensor, ...]:
    rng = torch.Generator().manual_seed(5)
    return (torch.randn(2, base.encoders[0].table.shape[1], generator=rng) * 0.05,)


def subject(rows: tuple[torch.Tensor, ...], **changes: Any) -> Subject:
    settings = {
        "kind": "style",
        "trigger": "mossglow",
        "initializer": "flat",
        "rows": rows,
        "growth": {"step 0": rows, "step 5": rows},
        "tensor_digest": "ab" * 32,
        **changes,
    }
    return Subject(**settings)


def pipeline_picture(
    folder: Path, embedding: Path, prompt: str, negative: str, seed: int, base: BaseModel
) -> Image.Image:
    """The same picture as a stranger would make it from the base and the file."""
    pipeline = StableDiffusionPipeline.from_pretrained(folder, torch_dtype=torch.float32, safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.load_textual_inversion(embedding.parent, weight_name=embedding.name, token="mossglow")
    return pipeline(
        prompt,
        negative_prompt=negative or None,
        num_inference_steps=base.facts.steps,
        guidance_scale=base.facts.guidance,
        height=base.facts.resolution,
        width=base.facts.resolution,
        generator=torch.Generator("cpu").manual_seed(seed),
    ).images[0]


def difference(one: Image.Image, other: Image.Image) -> int:
    return int(np.abs(np.asarray(one, dtype=int) - np.asarray(other, dtype=int)).max())


@pytest.mark.parametrize("which", ["v_prediction", "epsilon"])
@pytest.mark.filterwarnings("ignore")  # of the libraries in the role of a stranger's program
def test_batched_pictures_equal_the_pipeline(
    which: str, request: pytest.FixtureRequest, rows: tuple[torch.Tensor, ...], tmp_path: Path
) -> None:
    name = "base" if which == "v_prediction" else "epsilon_base"
    base: BaseModel = request.getfixturevalue(name)
    file = tmp_path / "mossglow.safetensors"
    canonical.write(base, list(rows), trigger="mossglow", metadata={}, path=file)
    shots = [Shot(prompt, seed, rows=rows) for prompt, seed in zip(PROMPTS, (1, 2, 3), strict=True)]
    shots += [Shot("a red star", 4, negative_prompt="[name] photo", rows=rows), Shot("a cat", 5)]
    for shot, picture in zip(shots, render(base, shots), strict=True):
        prompt, negative = (t.replace("[name]", "mossglow") for t in (shot.prompt, shot.negative_prompt))
        theirs = pipeline_picture(base.facts.path, file, prompt, negative, shot.seed, base)
        assert difference(picture, theirs) <= 2, shot


def test_pictures_depend_on_rows_seed_and_strength(base: BaseModel, rows: tuple[torch.Tensor, ...]) -> None:
    shot = Shot(PROMPTS[0], 1, rows=rows)
    other = (rows[0].flip(1),)  # a constant added to all would be taken out again by the layer norms
    shots = [
        shot,
        Shot(PROMPTS[0], 2, rows=rows),
        Shot(PROMPTS[0], 1, rows=other),
        Shot(PROMPTS[0], 1, rows=rows, weight=1.4),
    ]
    pictures = [picture.tobytes() for picture in render(base, shots)]
    assert len(set(pictures)) == 4
    assert difference(render(base, [shot])[0], render(base, shots)[0]) <= 2


def test_sheet_shows_every_cell_with_its_parameters_and_is_intact(
    base: BaseModel, rows: tuple[torch.Tensor, ...], tmp_path: Path
) -> None:
    made = make_sheet(
        base, subject(rows), tmp_path, cache=None, should_stop=lambda: False, on_event=Recorder()
    )
    assert made is not None
    plan = sheet_plan("style", initializer="flat", growth=["step 0", "step 5"])
    assert len(made["images"]) == len(plan)
    assert made["intact"] is True
    with Image.open(made["sheet"]) as whole:
        assert whole.format == "WEBP"
    by_place = {(i["block"], i["row"], i["column"]): i for i in made["images"]}
    strong = by_place["E", 0, 3]
    with Image.open(strong["path"]) as picture:
        text = picture.text["parameters"]
        assert picture.size == (strong["width"], strong["height"]) == (64, 64)
    assert text.splitlines()[0] == strong["prompt"] == "a picture in the style of (mossglow:1.2)"
    assert f"Steps: 4, Sampler: DDIM, CFG scale: 3, Seed: {strong['seed']}, Size: 64x64" in text
    assert 'TI hashes: "mossglow: abababababab"' in text
    assert by_place["C", 0, 0]["is_control"] is True
    assert by_place["C", 0, 0]["prompt"] == "a picture in the style of flat"
    assert all(image["alt"] for image in made["images"])


def test_negative_kind_names_the_word_in_the_negative_prompt(
    base: BaseModel, rows: tuple[torch.Tensor, ...], tmp_path: Path
) -> None:
    made = make_sheet(
        base,
        subject(rows, kind="negative", growth={}),
        tmp_path,
        cache=None,
        should_stop=lambda: False,
        on_event=Recorder(),
    )
    assert made is not None
    shown = next(i for i in made["images"] if i["block"] == "G" and not i["is_control"])
    assert (shown["negative_prompt"], shown["alt"]) == ("mossglow", f"{shown['prompt']} (without: mossglow)")
    with Image.open(shown["path"]) as picture:
        assert picture.text["parameters"].splitlines()[1] == "Negative prompt: mossglow"


def test_own_prompts_are_drawn_apart_and_leave_the_fixed_sheet_as_it_is(
    base: BaseModel, rows: tuple[torch.Tensor, ...], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    options: dict[str, Any] = {"cache": cache, "should_stop": lambda: False, "on_event": Recorder()}
    fixed = make_sheet(base, subject(rows), tmp_path / "1", **options)
    kept = sorted(cache.iterdir())
    for file in kept:
        file.unlink()
    asked = ("[name] on a mug", "a [name] stamp", "[name]")
    own = make_sheet(base, subject(rows, prompts=asked), tmp_path / "2", **options)
    assert fixed is not None and own is not None
    assert sorted(cache.iterdir()) == kept, "pictures of own prompts are nobody else's"
    count = len(fixed["images"])
    for one, other in zip(fixed["images"], own["images"][:count], strict=True):
        assert Path(one["path"]).read_bytes() == Path(other["path"]).read_bytes()
    assert own["intact"] is True
    drawn = {(one["row"], one["column"]): one for one in own["images"][count:]}
    assert {one["block"] for one in drawn.values()} == {"H"} and len(drawn) == 12
    first, control = drawn[0, 0], drawn[1, 0]
    assert (first["prompt"], control["prompt"]) == ("mossglow on a mug", "flat on a mug")
    assert (first["seed"], control["seed"], control["is_control"]) == (21, 21, True)
    assert (first["steps"], first["guidance"], first["sampler"], first["rows"]) == (4, 3.0, "ddim", "final")
    with Image.open(first["path"]) as picture, Image.open(control["path"]) as bare:
        assert picture.tobytes() != bare.tobytes()
        text = picture.text["parameters"]
        assert "TI hashes" not in bare.text["parameters"]
    assert text.splitlines()[0] == "mossglow on a mug"
    assert "Steps: 4, Sampler: DDIM, CFG scale: 3, Seed: 21, Size: 64x64" in text and "TI hashes" in text
    with Image.open(fixed["sheet"]) as short, Image.open(own["sheet"]) as long:
        line = 128 + 38 + 8  # picture, caption, gap
        assert (long.width, long.height) == (short.width, short.height + 2 * line)


def test_own_prompt_of_a_negative_word_is_drawn_against_it(
    base: BaseModel, rows: tuple[torch.Tensor, ...], tmp_path: Path
) -> None:
    asked = subject(rows, kind="negative", growth={}, prompts=("a red star",))
    made = make_sheet(base, asked, tmp_path, cache=None, should_stop=lambda: False, on_event=Recorder())
    assert made is not None
    shown, bare = (one for one in made["images"] if one["block"] == "H" and one["column"] == 0)
    assert (shown["prompt"], shown["negative_prompt"]) == ("a red star", "mossglow")
    assert (bare["prompt"], bare["negative_prompt"]) == ("a red star", "")
    with Image.open(shown["path"]) as picture, Image.open(bare["path"]) as control:
        assert picture.tobytes() != control.tobytes()


def test_controls_come_from_the_cache_the_second_time(
    base: BaseModel, rows: tuple[torch.Tensor, ...], tmp_path: Path
) -> None:
    options: dict[str, Any] = {
        "cache": tmp_path / "cache",
        "should_stop": lambda: False,
        "on_event": Recorder(),
    }
    first = make_sheet(base, subject(rows), tmp_path / "1", **options)
    second = make_sheet(base, subject((rows[0] * 2,)), tmp_path / "2", **options)
    assert first is not None and second is not None
    assert (first["cached"], second["cached"]) == (0, 16)
    control = "C-3-1.png"
    assert Image.open(tmp_path / "1" / control).tobytes() == Image.open(tmp_path / "2" / control).tobytes()


def test_damaged_cache_is_drawn_again(
    base: BaseModel, rows: tuple[torch.Tensor, ...], tmp_path: Path
) -> None:
    options: dict[str, Any] = {
        "cache": tmp_path / "cache",
        "should_stop": lambda: False,
        "on_event": Recorder(),
    }
    make_sheet(base, subject(rows, growth={}), tmp_path / "1", **options)
    for file in (tmp_path / "cache").iterdir():
        file.write_bytes(file.read_bytes()[:30])
    again = make_sheet(base, subject(rows, growth={}), tmp_path / "2", **options)
    assert again is not None
    assert (again["cached"], again["intact"]) == (0, True)


def test_touched_base_is_not_called_intact(
    base_folder: Path, rows: tuple[torch.Tensor, ...], tmp_path: Path
) -> None:
    base = BaseModel.load(base_folder, precision="fp32")
    before = base.fingerprint()
    base.encoders[0].table[0, 0] += 1
    assert base.fingerprint() != before


def test_sheet_stops_when_asked(base: BaseModel, rows: tuple[torch.Tensor, ...], tmp_path: Path) -> None:
    asked: list[int] = []

    def should_stop() -> bool:
        asked.append(1)
        return len(asked) > 2

    made = make_sheet(
        base, subject(rows), tmp_path / "s", cache=None, should_stop=should_stop, on_event=Recorder()
    )
    assert made is None
    assert len(asked) == 3


def test_written_file_reads_back_bit_equal(
    base: BaseModel, rows: tuple[torch.Tensor, ...], tmp_path: Path
) -> None:
    digest = canonical.write(
        base, list(rows), trigger="mossglow", metadata={}, path=tmp_path / "m.safetensors"
    )
    assert torch.equal(canonical.read(base, tmp_path / "m.safetensors")[0], rows[0])
    assert digest == canonical.digest(base, list(rows))
    assert hub.formats.read(tmp_path / "m.safetensors").trigger == "mossglow"
