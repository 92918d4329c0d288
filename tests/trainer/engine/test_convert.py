"""A single-file checkpoint becomes a diffusers folder whose tensors are those of the file, bit for bit."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from benchmarks import checkpoints
from tests.trainer.engine.conftest import Recorder
from trainer.base_folder import BaseFolderError, read_base
from trainer.engine.base_model import BaseModel
from trainer.engine.convert import convert

FAMILIES = ("sd1", "sd2", "sdxl")
Made = tuple[Path, dict[str, Any], dict[str, Any]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """A checkpoint of each family, its plan, and the tensors that went in."""
    found = {}
    for family in FAMILIES:
        path = tmp_path_factory.mktemp(family) / "model.safetensors"
        plan = checkpoints.thin_plan(family, prediction="v_prediction" if family == "sd2" else "epsilon")
        found[family] = (path, plan, checkpoints.write(path, plan))
    return found


def converted(path: Path, plan: dict[str, Any], folder: Path) -> Recorder:
    said = Recorder()
    folder.mkdir(exist_ok=True)
    assert convert(path, folder, plan, said, lambda: False)
    return said


@pytest.mark.parametrize("family", FAMILIES)
def test_every_tensor_comes_back_bit_for_bit(family: str, made: dict[str, Made], tmp_path: Path) -> None:
    path, plan, parts = made[family]
    said = converted(path, plan, tmp_path)
    assert [event["part"] for event in said.of("converting")][-2:] == ["vae", "unet"]
    for part, wanted in parts.items():
        (file,) = (tmp_path / part).glob("*.safetensors")
        found = {name.removeprefix("text_model."): tensor for name, tensor in load_file(file).items()}
        assert found.keys() == wanted.keys()
        for name, tensor in wanted.items():
            assert found[name].dtype == tensor.dtype
            assert torch.equal(found[name], tensor), f"{part} {name}"


@pytest.mark.parametrize("family", FAMILIES)
def test_the_engine_and_diffusers_load_what_was_made(
    family: str, made: dict[str, Made], tmp_path: Path
) -> None:
    path, plan, parts = made[family]
    converted(path, plan, tmp_path)
    facts = read_base(tmp_path)
    assert (facts.family, facts.prediction, facts.resolution) == (
        family,
        plan["scheduler"]["prediction_type"],
        64,
    )
    base = BaseModel.load(tmp_path, precision="fp32")
    # Loaded under the names of the library at hand: nothing was left to chance.
    for number, encoder in enumerate(base.encoders):
        wanted = parts["text_encoder_2" if number else "text_encoder"]
        assert torch.equal(encoder.table, wanted["embeddings.token_embedding.weight"].float())
        state = {name.removeprefix("text_model."): own for name, own in encoder.model.state_dict().items()}
        name = "encoder.layers.1.self_attn.k_proj.weight"
        assert torch.equal(state[name], wanted[name].float())
    for name, tensor in parts["unet"].items():
        assert torch.equal(base.unet.state_dict()[name], tensor.float())
    pipeline = {"sdxl": StableDiffusionXLPipeline}.get(family, StableDiffusionPipeline)
    assert pipeline.from_pretrained(tmp_path, local_files_only=True).unet.config.sample_size == 8


def test_the_vocabulary_is_the_whole_one_and_open_clip_pads_with_its_first_entry(
    made: dict[str, Made], tmp_path: Path
) -> None:
    path, plan, _ = made["sdxl"]
    converted(path, plan, tmp_path)
    first, second = (encoder.tokenizer for encoder in BaseModel.load(tmp_path, precision="fp32").encoders)
    assert len(first) == len(second) == 49408
    assert (first.pad_token_id, second.pad_token_id) == (49407, 0)
    for tokenizer, pad in ((first, 49407), (second, 0)):
        assert tokenizer("a photo of a cat", padding="max_length").input_ids[:8] == [
            49406, 320, 1125, 539, 320, 2368, 49407, pad,
        ]  # fmt: skip


def test_a_zero_terminal_schedule_is_kept(made: dict[str, Made], tmp_path: Path) -> None:
    path, _, _ = made["sd1"]
    converted(path, checkpoints.thin_plan("sd1", prediction="v_prediction", zero_snr=True), tmp_path)
    assert read_base(tmp_path).sampler == "ddim"
    assert float(BaseModel.load(tmp_path, precision="fp32").alphas[-1]) == 0


def spoiled(source: Path, target: Path, name: str, change: Any) -> Path:
    """A copy of a checkpoint with one tensor changed, or dropped where the change gives None."""
    with safe_open(source, "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # not a dict
    tensors[name] = change(tensors.get(name))
    save_file({key: tensor for key, tensor in tensors.items() if tensor is not None}, target)
    return target


UNET = "model.diffusion_model."


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        (UNET + "out.2.bias", lambda own: None, r"unet lacks 1 of its \d+ tensors, 'conv_out.bias'"),
        (UNET + "out.2.bias", lambda own: torch.zeros(8).half(), r"of shape \[8\]; this family has \[4\]"),
        (UNET + "out.2.bias", lambda own: own * float("nan"), "infinite or undefined"),
        (UNET + "out.2.bias", lambda own: own.to(torch.float8_e4m3fn), "float8_e4m3fn; get the fp16"),
        (UNET + "input_blocks.1.1.adapter.weight", lambda own: torch.zeros(2), "unet holds 1 tensors that this family"),
        ("first_stage_model.decoder.conv_in.bias", lambda own: None, "vae lacks 1"),
        ("cond_stage_model.transformer.text_model.final_layer_norm.bias", lambda own: None, "text_encoder lacks 1"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_refused_with_what_was_found(
    name: str, change: Any, words: str, made: dict[str, Made], tmp_path: Path
) -> None:
    path, plan, _ = made["sd1"]
    bad = spoiled(path, tmp_path / "bad.safetensors", name, change)
    with pytest.raises(BaseFolderError, match=words):
        converted(bad, plan, tmp_path / "folder")


def test_the_oldest_checkpoints_name_their_text_encoder_without_its_wrapper(
    made: dict[str, Made], tmp_path: Path
) -> None:
    path, plan, parts = made["sd1"]
    with safe_open(path, "pt") as file:
        tensors = {key.replace(".text_model.", "."): file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    save_file(tensors, tmp_path / "old.safetensors")
    converted(tmp_path / "old.safetensors", plan, tmp_path / "folder")
    table = load_file(tmp_path / "folder" / "text_encoder" / "model.safetensors")
    assert all(torch.equal(table[f"text_model.{name}"], own) for name, own in parts["text_encoder"].items())


def test_asked_to_stop_it_stops_before_the_next_part(made: dict[str, Made], tmp_path: Path) -> None:
    path, plan, _ = made["sd1"]
    assert not convert(path, tmp_path, plan, Recorder(), lambda: True)
    assert not (tmp_path / "model_index.json").exists()


def test_a_header_that_lies_about_its_tensors_is_refused(made: dict[str, Made], tmp_path: Path) -> None:
    path, plan, _ = made["sd1"]
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    entries = json.loads(data[8 : 8 + length])
    # Two tensors of the same bytes: the first reaches into the second.
    first = next(name for name in entries if name != "__metadata__")
    entries[first]["data_offsets"][1] += 2
    header = json.dumps(entries).encode()
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(struct.pack("<Q", len(header)) + header + data[8 + length :])
    with pytest.raises(BaseFolderError, match=r"is damaged .*download it again"):
        converted(bad, plan, tmp_path / "folder")


def test_a_word_is_learned_on_a_base_made_from_a_file(
    made: dict[str, Made], tmp_path: Path, recipe: Any, train: Any
) -> None:
    path, plan, _ = made["sdxl"]
    converted(path, plan, tmp_path)
    settings = {"family": "sdxl", "resolution": 64, "max_steps": 3, "batch": 1, "min_snr_gamma": 5.0}
    said = train(recipe(**settings), on=BaseModel.load(tmp_path, precision="fp32")).last
    assert (said["event"], said["steps"], said["base_intact"]) == ("result", 3, True)
    assert [own["slot"] for own in said["encoders"]] == ["clip_l", "clip_g"]
    assert said["growth"][0]["step"] == 0
    assert said["growth"][0]["tensor_digest"] != said["tensor_digest"]
