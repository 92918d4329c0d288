"""Trains the text encoder and the denoiser of the tiny base on cached latents; resumable, on all cores.

Every random choice is a function of the step and the process, so a run that was cut goes on as if it had not been.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from diffusers import UNet2DConditionModel
from torch.nn import functional
from transformers import CLIPTextModel

from trainer.tiny.networks import build_scheduler, build_text_encoder, build_unet
from trainer.tiny.parallel import average_gradients
from trainer.tiny.shapes import FILLS
from trainer.tiny.state import Average, Log, load_pictures, load_state, save_state
from trainer.tiny.tokens import LENGTH, ShortTable, build_tokenizer
from trainer.tiny.vae import encode, load_vae
from trainer.tiny.world import DEFECTS

PICTURES, SEED = 32_000, 2
STEPS = 12_000
BATCH = 40  # over all processes
PEAK_RATE = 1.6e-3
FALL_FROM = 0.65  # the share of the steps at the full rate
SHORT_LENGTH, SHORT_UNTIL = 32, 0.75  # no caption needs more; the long padding is learned at the end
# Silhouettes are decided where noise is strong and seen best where nothing distracts; fills come after them.
SHAPES_UNTIL = 0.4
NOISY = (0.6, 0.95)  # timesteps are 1000 * u ** NOISY for even u; before and after
CLEAR = (0.4, 0.05)  # the share of the batch that is drawn from the plain pictures alone
DROP, UNKNOWN = 0.10, 0.05
SAVE_EVERY = 200


def cached_latents(state: Path, rank: int, processes: int) -> torch.Tensor:
    """The scaled latent means of all training pictures, encoded once, each process its share."""
    paths = [state / f"latents-{SEED}-{PICTURES}-{part}-of-{processes}.npy" for part in range(processes)]
    if not paths[rank].exists():
        pictures, _ = load_pictures(state, PICTURES, SEED)
        vae = load_vae(state)
        mine = pictures[rank * PICTURES // processes : (rank + 1) * PICTURES // processes]
        means = torch.cat([encode(vae, mine[i : i + 50])[0] for i in range(0, len(mine), 50)])
        np.save(paths[rank], (means * vae.config.scaling_factor).half().numpy())
    if processes > 1:
        dist.barrier()
    return torch.cat([torch.from_numpy(np.load(path)) for path in paths]).float()


def rate(step: int, steps: int) -> float:
    """Warm-up over 200 steps, the full rate for a while, then a cosine to 2 %."""
    share = max(0.0, (step / steps - FALL_FROM) / (1 - FALL_FROM))
    return PEAK_RATE * min(1.0, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + float(np.cos(np.pi * share))))


def parameter_groups(modules: Iterable[torch.nn.Module]) -> list[dict[str, object]]:
    """Weight decay for matrices and kernels, none for embeddings, norms and biases."""
    decayed: list[torch.nn.Parameter] = []
    free: list[torch.nn.Parameter] = []
    for module in modules:
        for name, parameter in module.named_parameters():
            (free if parameter.ndim < 2 or "embedding.weight" in name else decayed).append(parameter)
    return [{"params": decayed, "weight_decay": 0.01}, {"params": free, "weight_decay": 0.0}]


class Examples:
    """The batches: which pictures, which captions, which noise, all given by step and process."""

    def __init__(self, state: Path, rank: int, processes: int) -> None:
        self.rank, self.processes = rank, processes
        self.table = ShortTable(build_tokenizer())
        self.latents = cached_latents(state, rank, processes)
        captions = load_pictures(state, PICTURES, SEED)[1]
        self.rows = torch.tensor(self.table.rows(captions))
        distracting = {"patterned", "small", "shape", "outline", "face", *FILLS, *DEFECTS}
        self.clear = torch.tensor(
            [i for i, text in enumerate(captions) if not distracting & set(text.split())]
        )
        self.empty = torch.tensor(self.table.rows([""]))[0]
        self.signal = build_scheduler().alphas_cumprod

    def batch(
        self, step: int, length: int, phase: int = 0
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Noisy latents, timesteps, caption rows and what the denoiser is to say; phase 0 learns shapes, 1 fills."""
        count = BATCH // self.processes
        shared = torch.Generator().manual_seed(7_919 * step + 3)
        own = torch.Generator().manual_seed((7_919 * step + 5) * self.processes + self.rank)
        strata = torch.randperm(BATCH, generator=shared)[self.rank :: self.processes][:count]
        even = (strata + torch.rand(count, generator=own)) / BATCH
        times = (1000 * even ** NOISY[phase]).long().clamp(max=999)
        which = torch.randint(len(self.latents), (count,), generator=own)
        clear = self.clear[torch.randint(len(self.clear), (count,), generator=own)]
        which = torch.where(torch.rand(count, generator=own) < CLEAR[phase], clear, which)
        clean, rows = self.latents[which], self.rows[which].clone()
        noise = torch.randn(clean.shape, generator=own)
        lottery = torch.rand(count, 2, generator=own)
        ends = (rows == self.table.end).int().argmax(1)
        place = 1 + (lottery[:, 1] * (ends - 1)).long()
        veiled = lottery[:, 0] > 1 - UNKNOWN
        rows[veiled, place[veiled]] = self.table.unknown
        rows[lottery[:, 0] < DROP] = self.empty
        signal = self.signal[times].sqrt()[:, None, None, None]
        spread = (1 - self.signal[times]).sqrt()[:, None, None, None]
        return signal * clean + spread * noise, times, rows[:, :length], signal * noise - spread * clean


def build(table: ShortTable) -> tuple[CLIPTextModel, UNet2DConditionModel]:
    """Both networks, untrained, the text encoder with the short table."""
    torch.manual_seed(11)
    text = build_text_encoder(len(table), table.start, table.end)
    torch.nn.init.normal_(text.get_input_embeddings().weight, std=0.1)
    return text, build_unet().to(memory_format=torch.channels_last)


@torch.no_grad()
def lengthen(positions: list[torch.Tensor]) -> None:
    """Gives the padding positions that were not trained yet the last trained one, to go on from there."""
    for table in positions:
        table[SHORT_LENGTH:] = table[SHORT_LENGTH - 1]


def train(rank: int, processes: int, state: Path, steps: int) -> None:
    """Trains up to `steps` in step with the other processes; rank 0 keeps `base.safetensors` in the state folder."""
    examples = Examples(state, rank, processes)
    text, unet = build(examples.table)
    parameters = [*text.parameters(), *unet.parameters()]
    names = [name for name, _ in text.named_parameters()]
    position = next(i for i, name in enumerate(names) if "position_embedding" in name)
    optimizer = torch.optim.AdamW(parameter_groups((text, unet)), lr=PEAK_RATE, betas=(0.9, 0.99))
    average = Average(parameters)
    kept = {"text": text, "unet": unet, "optimizer": optimizer, "average": average}
    done = load_state(state / "base.safetensors", kept)
    log = Log("base", done) if rank == 0 else None
    for step in range(done, steps):
        if step == int(SHORT_UNTIL * steps):
            lengthen([parameters[position], average.shadow[position]])
        for group in optimizer.param_groups:
            group["lr"] = rate(step, steps)
        length = SHORT_LENGTH if step < SHORT_UNTIL * steps else LENGTH
        noisy, times, rows, target = examples.batch(step, length, int(step >= SHAPES_UNTIL * steps))
        words = text(rows).last_hidden_state
        guess = unet(noisy.contiguous(memory_format=torch.channels_last), times, words).sample
        loss = functional.mse_loss(guess, target)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(parameters)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        average.update(step)
        if log:
            log.take(step, loss.detach())
            if (step + 1) % SAVE_EVERY == 0 or step + 1 == steps:
                save_state(state / "base.safetensors", step + 1, kept)


def load_base(state: Path) -> tuple[CLIPTextModel, UNet2DConditionModel, ShortTable, int]:
    """The averaged networks as far as trained, the table of rows and the number of steps."""
    table = ShortTable(build_tokenizer())
    text, unet = build(table)
    average = Average([*text.parameters(), *unet.parameters()])
    done = load_state(state / "base.safetensors", {"average": average})
    average.copy_to([*text.parameters(), *unet.parameters()])
    return text.eval(), unet.eval(), table, done
