"""The written files load with the libraries that people use, and hold the same numbers there."""

import json
from pathlib import Path
from typing import Any

import pytest

from hub.formats import FAMILIES, layouts_for, write_canonical, write_layout
from hub.formats.values import floats_of
from tests import samples

pytestmark = pytest.mark.client

TRIGGER = "moss-dragon"
VECTORS = 2
SAFE = [
    (family, *layout)
    for family in ("tiny", "sd1", "sd2", "sdxl", "sd3", "flux")
    for layout in layouts_for(family, TRIGGER)
    if layout[1].endswith(".safetensors")
]


def tensors_of(family: str) -> dict[str, Any]:
    return {e.slot: samples.tensor(VECTORS, e.width, seed=e.width) for e in FAMILIES[family].encoders}


def written(family: str, layout: str, folder: Path) -> Path:
    canonical = write_canonical(tensors_of(family), family=family, trigger=TRIGGER)
    path = folder / dict(layouts_for(family, TRIGGER))[layout]
    path.write_bytes(write_layout(canonical, layout, trigger=TRIGGER))
    return path


@pytest.mark.parametrize(("family", "layout", "filename"), SAFE)
def test_every_layout_loads_in_the_safetensors_library(
    family: str, layout: str, filename: str, tmp_path: Path
) -> None:
    from safetensors import safe_open

    values = {tensor.data for tensor in tensors_of(family).values()}
    with safe_open(written(family, layout, tmp_path), "np") as file:
        loaded = {file.get_tensor(key).tobytes() for key in file.keys()}  # noqa: SIM118 - no mapping
    assert loaded <= values
    assert loaded == values or layout.startswith("diffusers")


def clip_tokenizer(folder: Path) -> Any:
    from transformers import CLIPTokenizer

    words = ["<|startoftext|>", "<|endoftext|>", *"abcdefghijklmnopqrstuvwxyz-"]
    entries = [*words, *(f"{word}</w>" for word in words[2:])]
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(entries)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))


def clip(width: int, tokenizer: Any) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
    )
    return CLIPTextModel(config)


def t5(width: int) -> tuple[Any, Any]:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel

    core = Tokenizer(models.WordLevel({"<unk>": 0, "a": 1, "</s>": 2}, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, unk_token="<unk>", eos_token="</s>")
    config = T5Config(vocab_size=3, d_model=width, d_kv=4, d_ff=8, num_layers=1, num_heads=1)
    return tokenizer, T5EncoderModel(config)


def pipeline(tokenizer: Any, encoder: Any) -> Any:
    """The parts of a pipeline that an embedding is loaded into, with diffusers' own loader."""
    from diffusers.loaders import TextualInversionLoaderMixin

    class Pipeline(TextualInversionLoaderMixin):
        components: dict[str, object] = {}
        hf_device_map = None

    made = Pipeline()
    made.tokenizer, made.text_encoder = tokenizer, encoder
    return made


def assert_knows(tokenizer: Any, encoder: Any, slot: str, family: str) -> None:
    import torch

    ids = tokenizer.convert_tokens_to_ids([TRIGGER, f"{TRIGGER}_1"])
    assert len(set(ids)) == VECTORS
    rows = encoder.get_input_embeddings().weight[ids].detach().flatten()
    assert torch.equal(rows, torch.tensor(floats_of(tensors_of(family)[slot])))


@pytest.mark.parametrize(
    ("family", "layout"),
    [(family, layout) for family in ("tiny", "sd1", "sd2") for layout in ("diffusers", "canonical")],
)
def test_diffusers_loads_a_word_of_one_encoder(family: str, layout: str, tmp_path: Path) -> None:
    tokenizer = clip_tokenizer(tmp_path)
    encoder = clip(FAMILIES[family].encoders[0].width, tokenizer)
    token = {} if layout == "diffusers" else {"token": TRIGGER}
    pipeline(tokenizer, encoder).load_textual_inversion(str(written(family, layout, tmp_path)), **token)
    assert_knows(tokenizer, encoder, "emb_params", family)


def test_diffusers_loads_a_folder_as_it_loads_a_repository(tmp_path: Path) -> None:
    tokenizer = clip_tokenizer(tmp_path)
    encoder = clip(768, tokenizer)
    written("sd1", "diffusers", tmp_path)
    pipeline(tokenizer, encoder).load_textual_inversion(str(tmp_path))
    assert_knows(tokenizer, encoder, "emb_params", "sd1")


def test_diffusers_loads_the_pickle_that_convert_writes(tmp_path: Path) -> None:
    tokenizer = clip_tokenizer(tmp_path)
    encoder = clip(768, tokenizer)
    path = written("sd1", "webui-pt", tmp_path)
    pipeline(tokenizer, encoder).load_textual_inversion(str(path))
    assert_knows(tokenizer, encoder, "emb_params", "sd1")


@pytest.mark.parametrize("family", ["sdxl", "flux"])
def test_diffusers_loads_a_word_of_two_encoders_in_two_calls(family: str, tmp_path: Path) -> None:
    first_tokenizer, second_tokenizer = clip_tokenizer(tmp_path), clip_tokenizer(tmp_path)
    first, second = clip(768, first_tokenizer), None
    if family == "sdxl":
        second = clip(1280, second_tokenizer)
    else:
        second_tokenizer, second = t5(4096)
    written(family, "diffusers", tmp_path)
    written(family, "diffusers-2", tmp_path)
    pipe = pipeline(first_tokenizer, first)
    pipe.load_textual_inversion(str(tmp_path), token=TRIGGER)
    pipe.load_textual_inversion(
        str(tmp_path),
        weight_name="learned_embeds_2.safetensors",
        token=TRIGGER,
        text_encoder=second,
        tokenizer=second_tokenizer,
    )
    slots = FAMILIES[family].slots
    assert_knows(first_tokenizer, first, slots[0], family)
    assert_knows(second_tokenizer, second, slots[1], family)


@pytest.mark.parametrize("family", ["sdxl", "flux"])
def test_diffusers_loads_the_canonical_file_with_its_tensors_taken_out(family: str, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    state = load_file(written(family, "canonical", tmp_path))
    tokenizer = clip_tokenizer(tmp_path)
    encoder = clip(768, tokenizer)
    pipeline(tokenizer, encoder).load_textual_inversion({"any": state["clip_l"]}, token=TRIGGER)
    assert_knows(tokenizer, encoder, "clip_l", family)
