"""The written files load with the libraries that people use, and hold the same numbers there."""

import json
from pathlib import Path

import pytest

from hub.formats import layouts_for, write_canonical, write_layout
from hub.formats.values import floats_of
from tests import samples

TRIGGER = "moss-dragon"


@pytest.mark.client
def test_every_layout_loads_in_the_safetensors_library(tmp_path: Path) -> None:
    from safetensors import safe_open

    tensors = {"clip_l": samples.tensor(2, 768), "clip_g": samples.tensor(2, 1280, seed=2)}
    canonical = write_canonical(tensors, family="sdxl", trigger=TRIGGER)
    for layout, filename in layouts_for("sdxl", TRIGGER):
        path = tmp_path / filename
        path.write_bytes(write_layout(canonical, layout, trigger=TRIGGER))
        with safe_open(path, "np") as file:
            for key in file.keys():  # noqa: SIM118 - the library's object is no mapping
                slot = "clip_g" if layout == "diffusers-2" or key == "clip_g" else "clip_l"
                assert file.get_tensor(key).tobytes() == tensors[slot].data


@pytest.mark.client
def test_diffusers_loads_the_word_by_itself(tmp_path: Path) -> None:
    import torch
    from diffusers.loaders import TextualInversionLoaderMixin
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    words = ["<|startoftext|>", "<|endoftext|>", *"abcdefghijklmnopqrstuvwxyz-"]
    vocabulary = {
        word: number for number, word in enumerate([*words, *(f"{word}</w>" for word in words[2:])])
    }
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary))
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt"))
    config = CLIPTextConfig(
        vocab_size=len(vocabulary),
        hidden_size=128,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
    )
    encoder = CLIPTextModel(config)
    tensors = {"emb_params": samples.tensor(2, 128)}
    canonical = write_canonical(tensors, family="tiny", trigger=TRIGGER)
    path = tmp_path / "learned_embeds.safetensors"
    path.write_bytes(write_layout(canonical, "diffusers", trigger=TRIGGER))

    class Pipeline(TextualInversionLoaderMixin):
        """The two parts of a pipeline that an embedding is loaded into."""

        components: dict[str, object] = {}
        hf_device_map = None

    pipeline = Pipeline()
    pipeline.tokenizer, pipeline.text_encoder = tokenizer, encoder
    pipeline.load_textual_inversion(str(path))
    ids = tokenizer.convert_tokens_to_ids([TRIGGER, f"{TRIGGER}_1"])
    rows = encoder.get_input_embeddings().weight[ids].detach().flatten()
    assert torch.equal(rows, torch.tensor(floats_of(tensors["emb_params"])))
