"""Makes a training state from an exported base, so that training can go on where the state folder is gone."""

from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel

from trainer.tiny import train
from trainer.tiny.export import samples_seen
from trainer.tiny.networks import BOS, EOS, VOCABULARY
from trainer.tiny.state import Average, save_state
from trainer.tiny.tokens import ShortTable, build_tokenizer
from trainer.tiny.vae import STEPS


def adopt(base: Path, state: Path) -> bool:
    """Fills an empty state folder from the exported base, at its step; False where there is nothing to do."""
    if (state / "vae.safetensors").exists() or not (base / "model_index.json").exists():
        return False
    vae = AutoencoderKL.from_pretrained(base / "vae", dtype=torch.float32)
    table = ShortTable(build_tokenizer())
    text, unet = train.build(table)
    whole = CLIPTextModel.from_pretrained(base / "text_encoder", dtype=torch.float32).state_dict()
    name = next(key for key in whole if key.endswith("token_embedding.weight"))
    whole[name] = whole[name][short_ids(table)]
    text.load_state_dict(whole)
    unet.load_state_dict(
        UNet2DConditionModel.from_pretrained(base / "unet", dtype=torch.float32).state_dict()
    )
    _save(state / "vae.safetensors", STEPS, {"vae": vae})
    _save(state / "base.safetensors", samples_seen(base) // train.BATCH, {"text": text, "unet": unet})
    return True


def short_ids(table: ShortTable) -> list[int]:
    """The vocabulary ids behind the short table's rows; an unused entry stands for the unknown row."""
    unused = next(index for index in range(VOCABULARY) if index not in table.short)
    return [*table.ids, unused, BOS, EOS]


def _save(path: Path, step: int, parts: dict[str, Any]) -> None:
    average = Average([parameter for part in parts.values() for parameter in part.parameters()])
    save_state(path, step, {**parts, "average": average})
