"""Single-file checkpoints as the original code of each family saves them, made from random diffusers models.

The names are turned back here by rules of our own, so that a conversion can be held against what went in.
"""

import json
import re
import struct
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from trainer import base_shapes

Tensors = dict[str, Tensor]
VOCABULARY = 49408
# What the original files hold beside what is read of them.
NOT_KEPT = ("logit_scale", "position_ids")
TYPES = {torch.float16: "F16", torch.bfloat16: "BF16", torch.float32: "F32"}
RESNET = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0", "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}  # fmt: skip
HEADS = {
    "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2",
}  # fmt: skip


def thin_plan(family: str, **facts: Any) -> dict[str, Any]:
    """The plan of a family with its real structure and text widths, and next to nothing inside."""
    plan = base_shapes.plan_of(
        family, **{"prediction": "epsilon", "zero_snr": False, "resolution": 64, **facts}
    )
    levels = len(plan["unet"].get("block_out_channels", (1, 2, 3, 4)))
    plan["unet"] |= {"block_out_channels": [16] * levels, "norm_num_groups": 4, "attention_head_dim": 4}
    plan["vae"] |= {"block_out_channels": [8, 8, 8, 8], "norm_num_groups": 4}
    for own in plan["encoders"]:
        own["config"] = {**own["config"], "intermediate_size": 8, "num_attention_heads": 4}
        # SD 2.x keeps 23 of 24: the last one, which is left out, goes by its number.
        own["config"]["num_hidden_layers"] = 23 if family == "sd2" else 2
    if family == "sd2":
        plan["encoders"][0]["config"]["intermediate_size"] = 4
    if family == "sdxl":
        plan["unet"] |= {"transformer_layers_per_block": [1, 1, 2], "addition_time_embed_dim": 8}
        plan["unet"]["projection_class_embeddings_input_dim"] = (
            6 * 8 + plan["encoders"][1]["config"]["projection_dim"]
        )
    return plan


def write(
    path: Path, plan: dict[str, Any], *, dtype: torch.dtype = torch.float16, **claims: str
) -> dict[str, Tensors]:
    """Write a checkpoint of random networks; returns their tensors by part, under their diffusers names."""
    parts = random_parts(plan, dtype)
    tensors = {**turned(plan, parts), "model_ema.decay": torch.zeros((), dtype=dtype)}
    entries: dict[str, Any] = {"__metadata__": {f"modelspec.{key}": value for key, value in claims.items()}}
    end = 0
    for name, tensor in tensors.items():
        entries[name] = {
            "dtype": TYPES[dtype],
            "shape": list(tensor.shape),
            "data_offsets": [end, end + tensor.nbytes],
        }
        end += tensor.nbytes
    header = json.dumps(entries).encode()
    # Tensor by tensor, so that a file of some gigabytes is in memory once.
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        for tensor in tensors.values():
            file.write(tensor.contiguous().view(-1).view(torch.uint8).numpy().data)
    return parts


def random_parts(plan: dict[str, Any], dtype: torch.dtype) -> dict[str, Tensors]:
    """Random tensors for every part of a plan, under the names that diffusers gives them."""
    with torch.device("meta"):
        models: dict[str, Any] = {
            "unet": UNet2DConditionModel(**plan["unet"]),
            "vae": AutoencoderKL(**plan["vae"]),
        }
        for number, own in enumerate(plan["encoders"]):
            kind = CLIPTextModelWithProjection if number else CLIPTextModel
            config = CLIPTextConfig(
                vocab_size=VOCABULARY, max_position_embeddings=77, bos_token_id=49406, eos_token_id=49407,
                **own["config"],
            )  # fmt: skip
            models[encoder(number)] = kind(config)
    torch.manual_seed(len(plan["encoders"]))
    return {
        part: {
            name.removeprefix("text_model."): torch.empty(tensor.shape, dtype=dtype).normal_(std=0.02)
            for name, tensor in model.state_dict().items()
        }
        for part, model in models.items()
    }


def encoder(number: int) -> str:
    """The folder of a text encoder."""
    return f"text_encoder{'_2' if number else ''}"


def turned(plan: dict[str, Any], parts: dict[str, Tensors]) -> Tensors:
    """All parts under their original names."""
    return {
        name: own for part, tensors in parts.items() for name, own in turned_part(plan, part, tensors).items()
    }


def turned_part(plan: dict[str, Any], part: str, tensors: Tensors) -> Tensors:
    """One part under its original names."""
    if part == "unet":
        return {f"model.diffusion_model.{name}": own for name, own in unet(tensors, plan["unet"]).items()}
    if part == "vae":
        return {f"first_stage_model.{name}": own for name, own in vae(tensors).items()}
    prefix = plan["encoders"][part != encoder(0)]["prefix"]
    turn = open_clip if prefix.endswith(".model.") else clip
    return {prefix + name: own for name, own in turn(tensors).items()}


def unet(tensors: Tensors, config: dict[str, Any]) -> Tensors:
    """A UNet under its original names."""
    layers = config.get("layers_per_block", 2)
    made = {}
    for name, tensor in tensors.items():
        head = next((old for old in HEADS if name.startswith(f"{old}.")), None)
        if head:
            made[name.replace(head, HEADS[head], 1)] = tensor
            continue
        where, rest = _place(name, layers, config)
        if ".resnets." in name:
            part, end = rest.rsplit(".", 1)
            rest = f"{RESNET[part]}.{end}"
        made[f"{where}.{rest}"] = tensor
    return made


def _place(name: str, layers: int, config: dict[str, Any]) -> tuple[str, str]:
    """Where a block's tensor stands in the original, and the rest of its name."""
    match = re.fullmatch(
        r"(down_blocks|up_blocks|mid_block)\.(?:(\d+)\.)?(resnets|attentions|\w+samplers)\.(\d+)\.(.+)", name
    )
    assert match, name
    side, block, kind, number, rest = match[1], int(match[2] or 0), match[3], int(match[4]), match[5]
    if side == "mid_block":
        return f"middle_block.{1 if kind == 'attentions' else 2 * number}", rest
    if kind == "downsamplers":
        return f"input_blocks.{(block + 1) * (layers + 1)}.0.op", rest.removeprefix("conv.")
    if kind == "upsamplers":
        types = config.get("up_block_types", ["UpBlock2D", *["CrossAttnUpBlock2D"] * 3])
        after = 2 if types[block].startswith("CrossAttn") else 1
        return f"output_blocks.{block * (layers + 1) + layers}.{after}", rest
    slot = 1 if kind == "attentions" else 0
    if side == "down_blocks":
        return f"input_blocks.{1 + block * (layers + 1) + number}.{slot}", rest
    return f"output_blocks.{block * (layers + 1) + number}.{slot}", rest


def vae(tensors: Tensors) -> Tensors:
    """A VAE of four levels under its original names; its attention is written as convolutions."""
    made = {}
    for name, tensor in tensors.items():
        name = re.sub(r"up_blocks\.(\d)", lambda m: f"up.{3 - int(m[1])}", name).replace(
            "down_blocks.", "down."
        )
        name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
        name = (
            name.replace("resnets.", "block.")
            .replace("downsamplers.0", "downsample")
            .replace("upsamplers.0", "upsample")
        )
        if "mid_block.attentions.0" in name:
            name = name.replace("mid_block.attentions.0", "mid.attn_1").replace("group_norm", "norm")
            name = re.sub(r"to_([qkv])\.", r"\1.", name).replace("to_out.0", "proj_out")
            tensor = tensor[:, :, None, None] if tensor.ndim == 2 else tensor
        made[name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")] = tensor
    return made


def clip(tensors: Tensors) -> Tensors:
    """CLIP-L as the original wraps it, with the ids of places that old releases saved."""
    made = {f"text_model.{name}": tensor for name, tensor in tensors.items()}
    places = torch.arange(77).unsqueeze(0).to(tensors["final_layer_norm.bias"].dtype)
    return {**made, "text_model.embeddings.position_ids": places}


def open_clip(tensors: Tensors) -> Tensors:
    """An OpenCLIP text tower: query, key and value in one tensor, the projection turned."""
    dtype = tensors["final_layer_norm.bias"].dtype
    made: Tensors = {"logit_scale": torch.ones((), dtype=dtype)}
    simple = {
        "embeddings.token_embedding.weight": "token_embedding.weight",
        "embeddings.position_embedding.weight": "positional_embedding",
        "final_layer_norm.weight": "ln_final.weight",
        "final_layer_norm.bias": "ln_final.bias",
    }
    width = tensors["final_layer_norm.weight"].shape[0]
    for old, new in simple.items():
        made[new] = tensors[old]
    made["text_projection"] = tensors.get("text_projection.weight", torch.ones(width, width, dtype=dtype)).T
    count = 1 + max(int(name.split(".")[2]) for name in tensors if name.startswith("encoder.layers."))
    for number in range(count):
        made |= _resblock(tensors, f"encoder.layers.{number}", f"transformer.resblocks.{number}")
    if count == 23:
        # The layer that SD 2.x leaves out.
        made |= _resblock(tensors, "encoder.layers.0", "transformer.resblocks.23")
    return made


def _resblock(tensors: Tensors, old: str, new: str) -> Tensors:
    made = {}
    for end in ("weight", "bias"):
        made[f"{new}.attn.in_proj_{end}"] = torch.cat(
            [tensors[f"{old}.self_attn.{p}_proj.{end}"] for p in "qkv"]
        )
        for ours, theirs in (
            ("self_attn.out_proj", "attn.out_proj"), ("layer_norm1", "ln_1"), ("layer_norm2", "ln_2"),
            ("mlp.fc1", "mlp.c_fc"), ("mlp.fc2", "mlp.c_proj"),
        ):  # fmt: skip
            made[f"{new}.{theirs}.{end}"] = tensors[f"{old}.{ours}.{end}"]
    return made
