"""The published algorithm of textual inversion, written from its description, to compare the trainer with.

Gal et al. and the reference program that most people run: one new token; each step opens, crops and mirrors its
pictures, encodes them with the VAE, passes every prompt through the text encoder with the whole token table
trainable, moves the table by AdamW on the plain squared error, reads the loss, and puts every row but the new one
back. Nothing of the engine is used. The test of the `classic` preset and the benchmarks share this one copy.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from PIL import Image
from torch import Tensor
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

# The documented command: 3,000 updates of four pictures, one at a time, at 5e-4 a picture.
STEPS, BATCH, ACCUMULATE, RATE, DECAY = 3000, 1, 4, 2e-3, 1e-2
WORD = "mossglow"


@dataclass
class Inputs:
    """What one pass of the UNet looks at. Prompts hold [name]."""

    pictures: list[str]
    flipped: list[bool]
    prompts: list[str]
    timesteps: Tensor
    latent_noise: Tensor
    noise: Tensor


def pixels_of(path: str, mirrored: bool, side: int) -> Tensor:
    """The middle square of a picture file, in -1..1."""
    with Image.open(path) as picture:
        short = min(picture.size)
        left, top = (picture.width - short) / 2, (picture.height - short) / 2
        box = (left, top, left + short, top + short)
        small = picture.convert("RGB").resize((side, side), Image.Resampling.LANCZOS, box=box)
    values = torch.frombuffer(bytearray(small.tobytes()), dtype=torch.uint8).view(side, side, 3)
    values = values.permute(2, 0, 1) / 127.5 - 1
    return values.flip(2) if mirrored else values


class Reference:
    """A word being learned on the base in `folder`, the published way.

    UNet and VAE may be given, so that two ways of training can share what neither changes.
    """

    def __init__(
        self,
        folder: Path | str,
        initializer: str,
        *,
        side: int,
        lr: float = RATE,
        dtype: torch.dtype = torch.float32,
        unet: Any = None,
        vae: Any = None,
    ) -> None:
        self.side, self.dtype = side, dtype
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.vae = vae or AutoencoderKL.from_pretrained(folder, subfolder="vae", torch_dtype=dtype)
        self.unet = unet or UNet2DConditionModel.from_pretrained(folder, subfolder="unet", torch_dtype=dtype)
        self.scheduler = DDPMScheduler.from_pretrained(folder, subfolder="scheduler")
        self.vae.to(self.device).eval().requires_grad_(False)
        self.unet.to(self.device).eval().requires_grad_(False)
        ends = [""] + (["_2"] if (Path(folder) / "text_encoder_2").is_dir() else [])
        self.tokenizers = [CLIPTokenizer.from_pretrained(folder, subfolder=f"tokenizer{end}") for end in ends]
        self.texts = [
            (CLIPTextModelWithProjection if end else CLIPTextModel).from_pretrained(
                folder, subfolder=f"text_encoder{end}", torch_dtype=torch.float32
            )
            for end in ends
        ]
        self.tables, self.new = [], 0
        for tokenizer, text in zip(self.tokenizers, self.texts, strict=True):
            self._add_word(tokenizer, text, initializer)
        self.before = [table.detach().clone() for table in self.tables]
        self.optimiser = torch.optim.AdamW(
            self.tables, lr=lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=DECAY
        )

    def _add_word(self, tokenizer: Any, text: Any, initializer: str) -> None:
        # The reference starts from one token and refuses more; a set's last word is its noun.
        *_, start = tokenizer(initializer, add_special_tokens=False).input_ids
        tokenizer.add_tokens(WORD)
        self.new = tokenizer.convert_tokens_to_ids(WORD)
        text.resize_token_embeddings(len(tokenizer), mean_resizing=False)
        text.to(self.device).train().requires_grad_(False)
        table = text.get_input_embeddings().weight.requires_grad_(True)
        with torch.no_grad():
            table[self.new] = table[start]
        self.tables.append(table)

    def rows(self) -> list[Tensor]:
        """The learned row of each encoder."""
        return [table[self.new :].detach().clone() for table in self.tables]

    def update(self, parts: Sequence[Inputs]) -> float:
        """One update from one or more passes; the mean loss."""
        total = 0.0
        for number, inputs in enumerate(parts):
            loss = self.loss(inputs)
            (loss / len(parts)).backward()
            if number == len(parts) - 1:
                self.optimiser.step()
                self.optimiser.zero_grad()
            # As published: after every pass, every row that is not the new one.
            with torch.no_grad():
                for table, before in zip(self.tables, self.before, strict=True):
                    others = torch.ones(len(table), dtype=torch.bool, device=self.device)
                    others[self.new] = False
                    table[others] = before[others]
            total += loss.detach().item() / len(parts)
        return total

    def loss(self, inputs: Inputs) -> Tensor:
        """The squared error of one pass, with everything it needs computed afresh."""
        shown = [
            pixels_of(path, turned, self.side)
            for path, turned in zip(inputs.pictures, inputs.flipped, strict=True)
        ]
        pixels = torch.stack(shown).to(self.device, self.vae.dtype)
        found = self.vae.encode(pixels).latent_dist
        noise, timesteps = inputs.noise.to(self.device), inputs.timesteps.to(self.device)
        latents = found.mean + found.std * inputs.latent_noise.to(self.device)
        latents = latents.detach().float() * self.vae.config.scaling_factor
        noisy = self.scheduler.add_noise(latents, noise, timesteps)
        hidden, extra = self._conditioning([text.replace("[name]", WORD) for text in inputs.prompts])
        predicted = self.unet(
            noisy.to(self.dtype), timesteps, hidden.to(self.dtype), added_cond_kwargs=extra
        ).sample
        target = noise
        if self.scheduler.config.prediction_type == "v_prediction":
            target = self.scheduler.get_velocity(latents, noise, timesteps)
        return torch.nn.functional.mse_loss(predicted.float(), target)

    def _conditioning(self, prompts: list[str]) -> tuple[Tensor, dict[str, Tensor] | None]:
        states, pooled = [], None
        for tokenizer, text in zip(self.tokenizers, self.texts, strict=True):
            ids = tokenizer(
                prompts, padding="max_length", max_length=77, truncation=True, return_tensors="pt"
            ).input_ids
            assert (ids == self.new).any(dim=1).all()
            with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
                out = text(ids.to(self.device), output_hidden_states=len(self.texts) > 1)
            states.append(out.hidden_states[-2] if len(self.texts) > 1 else out.last_hidden_state)
            pooled = getattr(out, "text_embeds", None)
        if pooled is None:
            return states[0], None
        sizes = torch.tensor([[self.side, self.side, 0, 0, self.side, self.side]] * len(prompts))
        extra = {"text_embeds": pooled.to(self.dtype), "time_ids": sizes.to(self.device, self.dtype)}
        return torch.cat(states, dim=-1), extra

    def checkpoint(self, folder: Path) -> int:
        """What it needs to go on, written to a folder; its bytes."""
        for number, text in enumerate(self.texts):
            tensors = {name: tensor.contiguous() for name, tensor in text.state_dict().items()}
            safetensors.torch.save_file(tensors, folder / f"text-{number}.safetensors")
        torch.save(self.optimiser.state_dict(), folder / "optimizer.bin")
        return sum(path.stat().st_size for path in folder.iterdir())


class Stream:
    """Random inputs as the reference draws them: pictures in turn, half of them mirrored, uniform timesteps."""

    def __init__(
        self, pictures: Sequence[str], prompts: Sequence[str], latent: Sequence[int], seed: int
    ) -> None:
        self.pictures, self.prompts, self.latent = list(pictures), list(prompts), tuple(latent)
        self.rng, self.noise = random.Random(seed), torch.Generator().manual_seed(seed)
        self.waiting: list[str] = []

    def inputs(self, batch: int, schedule: int = 1000) -> Inputs:
        """The next `batch` samples."""
        chosen = []
        for _ in range(batch):
            self.waiting = self.waiting or self.rng.sample(self.pictures, len(self.pictures))
            chosen.append(self.waiting.pop())
        shape = (batch, *self.latent)
        return Inputs(
            chosen,
            [self.rng.random() < 0.5 for _ in range(batch)],
            [self.rng.choice(self.prompts) for _ in range(batch)],
            torch.randint(schedule, (batch,), generator=self.noise),
            torch.randn(shape, generator=self.noise),
            torch.randn(shape, generator=self.noise),
        )
