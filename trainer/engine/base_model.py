"""A frozen base model behind one small interface that hides its family.

Loaded from a local diffusers folder and never changed: `encode`, `denoise`, `noised`, `target`, latents in
and out. What is told about prompts is a `Cond`; lists per encoder have one entry, or two for SDXL.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, DPMSolverMultistepScheduler, UNet2DConditionModel
from torch import Tensor

from trainer.base_folder import BaseFolder, base_digest, read_base
from trainer.engine.events import machine_fault
from trainer.engine.text import READINGS, Cond, Encoder, load_encoders

# Libraries without type hints; as Any, so that the strict checks stay on for our own code.
_VAE: Any = AutoencoderKL
_UNET: Any = UNet2DConditionModel
_DDIM: Any = DDIMScheduler
_DPM: Any = DPMSolverMultistepScheduler
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class BaseModel:
    """A loaded base model. Nothing here has gradients except what flows to rows shown by `showing`."""

    def __init__(self, facts: BaseFolder, device: torch.device, dtype: torch.dtype) -> None:
        self.facts = facts
        self.device = device
        self.dtype = dtype
        self.digest = base_digest(facts.path)
        options: dict[str, Any] = {
            "local_files_only": True,
            "use_safetensors": True,
            "torch_dtype": torch.float32,
        }
        folder = str(facts.path)
        self.vae: Any = _VAE.from_pretrained(folder, subfolder="vae", **options).to(device)
        options["torch_dtype"] = dtype
        self.unet: Any = _UNET.from_pretrained(folder, subfolder="unet", **options).to(device)
        self.encoders: list[Encoder] = load_encoders(facts.path, facts.family, device)
        # The noise schedule in fp32; rescaling for zero terminal SNR is done by the scheduler class.
        self.scheduler_config = _DDIM.load_config(folder, subfolder="scheduler")
        schedule = _DDIM.from_config(self.scheduler_config)
        self.alphas: Tensor = schedule.alphas_cumprod.to(device, torch.float32)
        self.timesteps = int(schedule.config.num_train_timesteps)
        for module in self.modules():
            module.requires_grad_(False)
            module.eval()
        if device.type == "cuda":
            # Both only change the speed: layout of the weights, and TF32 for what is fp32.
            self.unet.to(memory_format=torch.channels_last)
            torch.backends.cuda.matmul.allow_tf32 = True
        self._saved: tuple[str, ...] = ()
        # Inside it steps are compiled; `compiled.settle` puts something there.
        self.compiled: AbstractContextManager[None] = nullcontext()

    @classmethod
    def load(cls, folder: Path | str, *, precision: str) -> "BaseModel":
        """Load a folder on this machine's device. Raises BaseFolderError or a machine fault."""
        facts = read_base(folder)
        if facts.family not in READINGS:
            raise machine_fault(
                "base_family_not_built", f"Training on {facts.family} bases is not built yet."
            )
        device, dtype = placement(precision)
        return cls(facts, device, dtype)

    def modules(self) -> list[Any]:
        """All frozen parts."""
        return [self.vae, self.unet, *(encoder.model for encoder in self.encoders)]

    @contextmanager
    def showing(self, rows: Sequence[Tensor] | None) -> Iterator[None]:
        """Let each encoder know these rows inside the block; None is the bare base."""
        with ExitStack() as stack:
            for number, encoder in enumerate(self.encoders):
                stack.enter_context(encoder.overlay.showing(rows[number] if rows else None))
            yield

    def encode(self, ids: list[Tensor], clip_skip: int = 1) -> Cond:
        """Conditioning of prompts, one id tensor [n, 77 * chunks] per encoder."""
        read = [encoder.encode(own, clip_skip) for encoder, own in zip(self.encoders, ids, strict=True)]
        hidden = [states for states, _ in read]
        return Cond(hidden[0] if len(hidden) == 1 else torch.cat(hidden, dim=-1), read[-1][1])

    def denoise(self, noisy: Tensor, timesteps: Tensor, cond: Cond, sizes: Tensor) -> Tensor:
        """The UNet's prediction, in fp32. `sizes` [n, 6] are read by families with a pooled vector only."""
        pooled = cond.pooled
        extra = None if pooled is None else {"text_embeds": pooled.to(self.dtype), "time_ids": sizes}
        out = self.unet(
            noisy.to(self.dtype),
            timesteps,
            encoder_hidden_states=cond.hidden.to(self.dtype),
            added_cond_kwargs=extra,
            return_dict=False,
        )
        prediction: Tensor = out[0].float()
        return prediction

    def noised(self, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """Latents with the noise of their timesteps."""
        alpha = self.alphas[timesteps].view(-1, 1, 1, 1)
        return alpha.sqrt() * latents + (1 - alpha).sqrt() * noise

    def target(self, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """What the UNet should predict, by the scheduler's prediction type."""
        if self.facts.prediction == "epsilon":
            return noise
        if self.facts.prediction == "v_prediction":
            alpha = self.alphas[timesteps].view(-1, 1, 1, 1)
            return alpha.sqrt() * noise - (1 - alpha).sqrt() * latents
        raise machine_fault("base_prediction", f"Prediction type '{self.facts.prediction}' is not known.")

    def loss_weights(self, timesteps: Tensor, gamma: float | None) -> Tensor:
        """Min-SNR weights of the timesteps, all ones when `gamma` is None."""
        if gamma is None:
            return torch.ones_like(timesteps, dtype=torch.float32)
        alpha = self.alphas[timesteps]
        snr = alpha / (1 - alpha)
        divisor = snr + 1 if self.facts.prediction == "v_prediction" else snr.clamp(min=1e-8)
        return snr.clamp(max=gamma) / divisor

    def to_latents(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the VAE's latents of pictures in -1..1."""
        with torch.no_grad():
            distribution = self.vae.encode(pixels.to(self.device)).latent_dist
        return distribution.mean, distribution.std

    def sampled(self, mean: Tensor, deviation: Tensor, noise: Tensor) -> Tensor:
        """One sample of the latent distribution, in the UNet's scale."""
        latents: Tensor = (mean + deviation * noise) * self.vae.config.scaling_factor
        return latents

    def to_pixels(self, latents: Tensor) -> Tensor:
        """Pictures in 0..1 of latents."""
        with torch.no_grad():
            images = self.vae.decode(latents.float() / self.vae.config.scaling_factor, return_dict=False)[0]
        pixels: Tensor = images / 2 + 0.5
        return pixels.clamp(0, 1)

    @property
    def latent_factor(self) -> int:
        """Pixels per latent place along one side."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))

    def sampler(self) -> Any:
        """A fresh sampler: the base's own where its record says so, else DPM-Solver++ 2M Karras."""
        if self.facts.sampler == "ddim":
            return _DDIM.from_config(self.scheduler_config)
        return _DPM.from_config(
            self.scheduler_config, algorithm_type="dpmsolver++", solver_order=2, use_karras_sigmas=True
        )

    def fingerprint(self) -> str:
        """SHA-256 over every tensor in memory: equal before and after a run, or the base was touched."""
        total = hashlib.sha256()
        for module in self.modules():
            for name, tensor in sorted(module.state_dict().items()):
                total.update(name.encode())
                total.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
        return total.hexdigest()

    def save_memory(self, measures: tuple[str, ...]) -> None:
        """Take these measures against full memory, of MEASURES in `fit`, and end all others."""
        wanted = set(measures)
        if wanted == set(self._saved):
            return
        if "checkpointing" in wanted:
            self.unet.enable_gradient_checkpointing()
        else:
            self.unet.disable_gradient_checkpointing()
        self.unet.set_attention_slice("auto" if "slicing" in wanted else None)
        home = torch.device("cpu") if "encoders" in wanted else self.device
        for encoder in self.encoders:
            encoder.model.to(home)
        self._saved = measures


def placement(precision: str) -> tuple[torch.device, torch.dtype]:
    """Device and UNet dtype for a precision setting on this machine."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if precision == "auto":
        halves = ("bf16" if torch.cuda.is_bf16_supported() else "fp16") if device.type == "cuda" else "fp32"
        return device, PRECISIONS[halves]
    return device, PRECISIONS[precision]
