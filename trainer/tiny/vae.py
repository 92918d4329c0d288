"""Trains the autoencoder on the tiny world: crops first, then whole pictures; resumable."""

from pathlib import Path

import torch
from diffusers import AutoencoderKL

from trainer.tiny.networks import build_vae, to_input
from trainer.tiny.parallel import average_gradients
from trainer.tiny.state import Average, Log, load_pictures, load_state, save_state

STEPS = 4400
VAE_PICTURES, SEED = 12_000, 1
WHOLE_FROM = 0.82  # the share of the steps that see 32x32 crops
PEAK_RATE = 2.5e-3


def start_low(vae: AutoencoderKL) -> None:
    """Starts with little latent noise: the reconstruction is learned at once, not after the noise is."""
    with torch.no_grad():
        vae.quant_conv.bias[4:] -= 7
        vae.quant_conv.weight[4:] *= 0.1
        vae.quant_conv.weight[:4] *= 2


def crops(pictures: torch.Tensor, step: int, rank: int, *, whole: bool) -> torch.Tensor:
    """A batch, a function of step and rank alone; half of it with its colours and axes exchanged."""
    generator = torch.Generator().manual_seed(1_000_003 * step + 101 * rank + 11)
    count, side = (4, 64) if whole else (10, 32)
    which = torch.randint(len(pictures), (count,), generator=generator)
    corners = torch.randint(65 - side, (count, 2), generator=generator).tolist()
    batch = torch.stack(
        [pictures[i, y : y + side, x : x + side] for i, (y, x) in zip(which, corners, strict=True)]
    )
    batch = to_input(batch)
    half = count // 2
    channels = torch.randperm(3, generator=generator)
    turns = int(torch.randint(4, (1,), generator=generator))
    sign = -1.0 if torch.rand(1, generator=generator) < 0.3 else 1.0
    batch[:half] = torch.rot90(batch[:half, channels], turns, (2, 3)) * sign
    return batch


def loss_of(vae: AutoencoderKL, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Difference, squared difference and difference of edges, plus a light pull to a unit normal."""
    posterior = vae.encode(batch).latent_dist
    noise = torch.randn(posterior.mean.shape, generator=generator)
    back = vae.decode(posterior.mean + posterior.std * noise).sample
    gap = back - batch
    edges = sum(
        (gap[..., n:, :] - gap[..., :-n, :]).abs().mean() + (gap[..., n:] - gap[..., :-n]).abs().mean()
        for n in (1, 2)
    )
    return gap.abs().mean() + 0.5 * gap.square().mean() + 0.25 * edges + 1e-4 * posterior.kl().mean() / 256


def rate(step: int, steps: int) -> float:
    """Warm-up over 100 steps, then a cosine to 3 %."""
    fall = 0.03 + 0.97 * 0.5 * (1 + torch.cos(torch.tensor(torch.pi * step / steps)).item())
    return PEAK_RATE * min(1.0, (step + 1) / 100) * fall


def train_vae(rank: int, processes: int, state: Path, steps: int) -> None:
    """Trains in step with the other processes; rank 0 keeps `vae.safetensors`, and all go on from it."""
    pictures, _ = load_pictures(state, VAE_PICTURES, SEED)
    torch.manual_seed(7)
    vae = build_vae()
    start_low(vae)
    vae.to(memory_format=torch.channels_last)
    parameters = list(vae.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.0)
    average = Average(parameters)
    kept = {"vae": vae, "optimizer": optimizer, "average": average}
    done = load_state(state / "vae.safetensors", kept)
    log = Log("vae", done) if rank == 0 else None
    for step in range(done, steps):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, steps)
        batch = crops(pictures, step, rank, whole=step >= WHOLE_FROM * steps)
        noise = torch.Generator().manual_seed(2 * step * processes + rank)
        loss = loss_of(vae, batch.to(memory_format=torch.channels_last), noise)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(parameters)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        average.update(step)
        if log:
            log.take(step, loss.detach())
            if (step + 1) % 500 == 0 or step + 1 == steps:
                save_state(state / "vae.safetensors", step + 1, kept)


def load_vae(state: Path) -> AutoencoderKL:
    """The autoencoder with its averaged weights and its scaling factor, as far as trained."""
    vae = build_vae()
    average = Average(vae.parameters())
    load_state(state / "vae.safetensors", {"average": average})
    average.copy_to(vae.parameters())
    vae.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    pictures, _ = load_pictures(state, VAE_PICTURES, SEED)
    means = torch.cat([encode(vae, pictures[i : i + 64])[0] for i in range(0, min(512, len(pictures)), 64)])
    vae.register_to_config(scaling_factor=round(1.0 / means.std().item(), 5))
    return vae


@torch.no_grad()
def encode(vae: AutoencoderKL, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Means and standard deviations of the latents of uint8 pictures, unscaled."""
    posterior = vae.encode(to_input(pictures).to(memory_format=torch.channels_last)).latent_dist
    return posterior.mean, posterior.std
