"""A frozen base model behind one small interface that hides its family.

Loaded from a local diffusers folder and never changed: `encode`, `denoise`, `noised`, `target`, latents in
and out. The families built so far have one CLIP text encoder; the per-encoder lists are for those with two.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, DPMSolverMultistepScheduler, UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from hub.formats.families import FAMILIES
from trainer.base_folder import BaseFolder, base_digest, read_base
from trainer.engine.events import machine_fault
from trainer.engine.tokens import RowOverlay

# Libraries without type hints; as Any, so that the strict checks stay on for our own code.
_VAE: Any = AutoencoderKL
_UNET: Any = UNet2DConditionModel
_DDIM: Any = DDIMScheduler
_DPM: Any = DPMSolverMultistepScheduler
_TEXT: Any = CLIPTextModel
_TOKENS: Any = CLIPTokenizer
BUILT = ("tiny", "sd1", "sd2")
Rows = list[Tensor]


@dataclass
class Encoder:
    """One text encoder with its tokenizer; `slot` is the tensor's name in a canonical file."""

    slot: str
    tokenizer: Any
    model: Any
    overlay: RowOverlay

    @property
    def table(self) -> Tensor:
        """The frozen token table."""
        return self.overlay.table.weight


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
        self.encoders: list[Encoder] = [self._encoder(folder, FAMILIES[facts.family].slots[0])]
        # The noise schedule in fp32; rescaling for zero terminal SNR is done by the scheduler class.
        self.scheduler_config = _DDIM.load_config(folder, subfolder="scheduler")
        schedule = _DDIM.from_config(self.scheduler_config)
        self.alphas: Tensor = schedule.alphas_cumprod.to(device, torch.float32)
        self.timesteps = int(schedule.config.num_train_timesteps)
        for module in self.modules():
            module.requires_grad_(False)
            module.eval()

    @classmethod
    def load(cls, folder: Path | str, *, precision: str) -> "BaseModel":
        """Load a folder on this machine's device. Raises BaseFolderError or a machine fault."""
        facts = read_base(folder)
        if facts.family not in BUILT:
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

    def encode(self, ids: list[Tensor]) -> Tensor:
        """Conditioning of prompts, one id tensor [n, 77] per encoder. In fp32: it is 2 % of the work."""
        cond: Tensor = self.encoders[0].model(ids[0]).last_hidden_state
        return cond

    def denoise(self, noisy: Tensor, timesteps: Tensor, cond: Tensor) -> Tensor:
        """The UNet's prediction, in fp32."""
        out = self.unet(
            noisy.to(self.dtype), timesteps, encoder_hidden_states=cond.to(self.dtype), return_dict=False
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

    def _encoder(self, folder: str, slot: str) -> Encoder:
        tokenizer = _TOKENS.from_pretrained(folder, subfolder="tokenizer", local_files_only=True)
        model = _TEXT.from_pretrained(
            folder,
            subfolder="text_encoder",
            local_files_only=True,
            use_safetensors=True,
            torch_dtype=torch.float32,
        ).to(self.device)
        overlay = RowOverlay(model.get_input_embeddings())
        if overlay.first != len(tokenizer):
            raise machine_fault("base_incomplete", "The token table and the tokenizer differ in size.")
        model.set_input_embeddings(overlay)
        return Encoder(slot, tokenizer, model, overlay)


def placement(precision: str) -> tuple[torch.device, torch.dtype]:
    """Device and UNet dtype for a precision setting on this machine."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if precision == "auto":
        precision = "bf16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "fp32"
    return device, torch.bfloat16 if precision == "bf16" else torch.float32
