"""Trains the text encoder and the denoiser of the tiny base on cached latents; resumable, on all cores.

Every random choice is a function of the step and the process, so a run that was cut goes on as if it had not been.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from diffusers import UNet2DConditionModel
from torch.nn import functional
from transformers import CLIPTextModel

from trainer.tiny.compounds import NAMELESS, STAND_INS
from trainer.tiny.networks import build_scheduler, build_text_encoder, build_unet
from trainer.tiny.parallel import average_gradients
from trainer.tiny.shapes import FILLS
from trainer.tiny.state import Average, Log, load_compounds, load_pictures, load_state, save_state
from trainer.tiny.tokens import LENGTH, ShortTable, build_tokenizer
from trainer.tiny.unnamed import NUMBERS
from trainer.tiny.vae import encode, load_vae
from trainer.tiny.world import DEFECTS

PICTURES, SEED = 32_000, 2
COMPOUNDS = 48_000
STEPS = 40_000
BATCH = 40  # over all processes
PEAK_RATE = 1.6e-3
FALL_FROM = 0.8  # the share of the steps at the full rate
SHORT_LENGTH, SHORT_UNTIL = 32, 0.92  # no caption needs more; the long padding is learned at the end
# Silhouettes are decided where noise is strong and seen best where nothing distracts; fills come after them, and
# compound words once the plain ones are known.
PHASES = (0.2, 0.4)  # the shares of the steps at which the second and the third begin
NOISY = (0.6, 0.95, 0.75)  # timesteps are 1000 * u ** NOISY for even u, by phase
CLEAR = (0.4, 0.05, 0.0)  # the share of the batch that is drawn from the plain pictures alone
PATTERNED = (
    0.0,
    0.0,
    0.3,
)  # the share that is drawn from the patterned ones alone: fills are the last to be learned
COMPOUND = (0.0, 0.0, 0.5)  # the share of the batch whose captions hold compound words
DROP, UNKNOWN = 0.10, 0.05
SAVE_EVERY = 200
KEEP_EVERY = 2_500  # steps between the checkpoints that stay, for `curve`


def cached_latents(state: Path, name: str, pictures: torch.Tensor, rank: int, processes: int) -> torch.Tensor:
    """The scaled latent means of the pictures, encoded once, each process its share."""
    paths = [state / f"latents-{name}-{part}-of-{processes}.npy" for part in range(processes)]
    if not paths[rank].exists():
        vae = load_vae(state)
        mine = pictures[rank * len(pictures) // processes : (rank + 1) * len(pictures) // processes]
        means = torch.cat([encode(vae, mine[i : i + 50])[0] for i in range(0, len(mine), 50)])
        np.save(paths[rank], (means * vae.config.scaling_factor).half().numpy())
    if processes > 1:
        dist.barrier()
    return torch.cat([torch.from_numpy(np.load(path)) for path in paths]).float()


def rate(step: int, steps: int) -> float:
    """Warm-up over 200 steps, the full rate for a while, then a cosine to 2 %."""
    share = max(0.0, (step / steps - FALL_FROM) / (1 - FALL_FROM))
    return PEAK_RATE * min(1.0, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + float(np.cos(np.pi * share))))


def parameter_groups(modules: Iterable[torch.nn.Module]) -> list[dict[str, Any]]:
    """Weight decay for matrices and kernels, none for embeddings, norms and biases."""
    decayed: list[torch.nn.Parameter] = []
    free: list[torch.nn.Parameter] = []
    for module in modules:
        for name, parameter in module.named_parameters():
            (free if parameter.ndim < 2 or "embedding.weight" in name else decayed).append(parameter)
    return [{"params": decayed, "weight_decay": 0.01}, {"params": free, "weight_decay": 0.0}]


@dataclass(frozen=True)
class Batch:
    """What one step learns from, N pictures; `sums` are the weights of the rows that stand at `places`."""

    noisy: torch.Tensor  # N x 4 x 16 x 16
    times: torch.Tensor  # N
    rows: torch.Tensor  # N x length, of the short table
    places: torch.Tensor  # N x 3, 0 where there is no compound token
    sums: torch.Tensor  # N x 3 x (rows of the short table + nameless ones)
    numbers: dict[str, torch.Tensor]  # N x k, what describes the unnamed parts of the picture
    target: torch.Tensor  # as noisy


class Examples:
    """The batches: which pictures, which captions, which noise, all given by step and process."""

    def __init__(self, state: Path, rank: int, processes: int) -> None:
        self.rank, self.processes = rank, processes
        self.table = ShortTable(build_tokenizer())
        pictures, captions = load_pictures(state, PICTURES, SEED)
        compounds, texts, self.numbers = load_compounds(state, COMPOUNDS, SEED)
        self.latents = torch.cat(
            [
                cached_latents(state, f"{SEED}-{PICTURES}", pictures, rank, processes),
                cached_latents(state, f"compounds-{SEED}-{COMPOUNDS}", compounds, rank, processes),
            ]
        )
        rows, places = self.table.rows_with_places([text["caption"] for text in texts], STAND_INS)
        self.rows = torch.cat([torch.tensor(self.table.rows(captions)), torch.tensor(rows)])
        self.places = torch.cat(
            [torch.zeros(PICTURES, len(STAND_INS), dtype=torch.long), torch.tensor(places)]
        )
        width = len(self.table) + len(NAMELESS)
        self.sums = torch.zeros(COMPOUNDS, len(STAND_INS), width, dtype=torch.float16)
        for index, text in enumerate(texts):
            for slot, token in enumerate(text["tokens"]):
                for word, weight in token.items():
                    for row in self.table.summands(word):
                        self.sums[index, slot, row] += weight
        distracting = {"patterned", "small", "shape", "outline", "face", *FILLS, *DEFECTS}
        self.clear = torch.tensor(
            [i for i, text in enumerate(captions) if not distracting & set(text.split())]
        )
        patterns = {"and", "patterned", *FILLS}
        self.patterned = torch.tensor([i for i, text in enumerate(captions) if patterns & set(text.split())])
        self.empty = torch.tensor(self.table.rows([""]))[0]
        self.signal = build_scheduler().alphas_cumprod

    def choose(self, count: int, phase: int, generator: torch.Generator) -> torch.Tensor:
        """Which examples, in the proportions of the phase."""
        which = torch.randint(PICTURES, (count,), generator=generator)
        clear = self.clear[torch.randint(len(self.clear), (count,), generator=generator)]
        patterned = self.patterned[torch.randint(len(self.patterned), (count,), generator=generator)]
        compound = PICTURES + torch.randint(COMPOUNDS, (count,), generator=generator)
        lot = torch.rand(count, generator=generator)
        which = torch.where(lot < CLEAR[phase] + PATTERNED[phase], patterned, which)
        which = torch.where(lot < CLEAR[phase], clear, which)
        return torch.where(lot > 1 - COMPOUND[phase], compound, which)

    def batch(self, step: int, length: int, phase: int = 0) -> Batch:
        """One process's share of a batch; phase 0 learns shapes, 1 fills, 2 compound words too."""
        count = BATCH // self.processes
        shared = torch.Generator().manual_seed(7_919 * step + 3)
        own = torch.Generator().manual_seed((7_919 * step + 5) * self.processes + self.rank)
        strata = torch.randperm(BATCH, generator=shared)[self.rank :: self.processes][:count]
        even = (strata + torch.rand(count, generator=own)) / BATCH
        times = (1000 * even ** NOISY[phase]).long().clamp(max=999)
        which = self.choose(count, phase, own)
        clean, rows, places = self.latents[which], self.rows[which].clone(), self.places[which].clone()
        lesson = (which - PICTURES).clamp(min=0)
        sums, numbers = self.sums[lesson].float(), {name: of[lesson] for name, of in self.numbers.items()}
        noise = torch.randn(clean.shape, generator=own)
        lottery = torch.rand(count, 2, generator=own)
        ends = (rows == self.table.end).int().argmax(1)
        place = 1 + (lottery[:, 1] * (ends - 1)).long()
        veiled = lottery[:, 0] > 1 - UNKNOWN
        rows[veiled, place[veiled]] = self.table.unknown
        dropped = lottery[:, 0] < DROP
        rows[dropped], places[dropped] = self.empty, 0
        signal = self.signal[times].sqrt()[:, None, None, None]
        spread = (1 - self.signal[times]).sqrt()[:, None, None, None]
        noisy, target = signal * clean + spread * noise, signal * noise - spread * clean
        return Batch(noisy, times, rows[:, :length], places, sums, numbers, target)


class CompoundWords(torch.nn.Module):
    """Puts the sums of known rows where a caption has stand-ins; otherwise the text encoder is as always."""

    def __init__(self, text: CLIPTextModel) -> None:
        super().__init__()
        self.batch: Batch | None = None
        table = text.get_input_embeddings()
        width = table.embedding_dim
        self.nameless = torch.nn.Parameter(torch.randn(len(NAMELESS) - len(NUMBERS), width) * 0.1)
        self.rows = torch.nn.ModuleDict({name: describer(size, width) for name, size in NUMBERS.items()})
        for parameter in self.parameters():
            parameter.grad = torch.zeros_like(parameter)  # every process has one to average, used or not
        table.register_forward_hook(self._replace)

    def _replace(self, table: torch.nn.Embedding, _: object, found: torch.Tensor) -> torch.Tensor:
        if self.batch is None or not self.batch.places.any():
            return found
        which, slot = self.batch.places.nonzero(as_tuple=True)
        shared, own = self.batch.sums[which, slot].split(
            [len(table.weight) + len(self.nameless), len(NUMBERS)], 1
        )
        described = torch.stack([row(self.batch.numbers[name]) for name, row in self.rows.items()], 1)
        sums = shared @ torch.cat([table.weight, self.nameless]) + (own[:, :, None] * described[which]).sum(1)
        return found.index_put((which, self.batch.places[which, slot]), sums)


def describer(size: int, width: int) -> torch.nn.Sequential:
    """Makes a row of the table from the numbers of a thing without a name."""
    last = torch.nn.Linear(128, width)
    torch.nn.init.normal_(last.weight, std=0.02)
    return torch.nn.Sequential(torch.nn.Linear(size, 128), torch.nn.SiLU(), last)


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
    compounds = CompoundWords(text)
    groups = parameter_groups((text, unet))
    groups[1]["params"].extend(compounds.parameters())
    optimizer = torch.optim.AdamW(groups, lr=PEAK_RATE, betas=(0.9, 0.99))
    average = Average(parameters)
    kept = {"text": text, "unet": unet, "optimizer": optimizer, "average": average, "compounds": compounds}
    done = load_state(state / "base.safetensors", kept)
    log = Log("base", done) if rank == 0 else None
    for step in range(done, steps):
        if step == int(SHORT_UNTIL * steps):
            lengthen([parameters[position], average.shadow[position]])
        for group in optimizer.param_groups:
            group["lr"] = rate(step, steps)
        length = SHORT_LENGTH if step < SHORT_UNTIL * steps else LENGTH
        batch = examples.batch(step, length, sum(step >= share * steps for share in PHASES))
        compounds.batch = batch
        words = text(batch.rows).last_hidden_state
        noisy = batch.noisy.contiguous(memory_format=torch.channels_last)
        guess = unet(noisy, batch.times, words).sample
        loss = functional.mse_loss(guess, batch.target)
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        average_gradients([*parameters, *compounds.parameters()])
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        average.update(step)
        if log:
            log.take(step, loss.detach())
            if (step + 1) % SAVE_EVERY == 0 or step + 1 == steps:
                save_state(state / "base.safetensors", step + 1, kept)
            if (step + 1) % KEEP_EVERY == 0:
                save_state(state / f"kept-{step + 1:06}.safetensors", step + 1, {"average": average})


def load_base(checkpoint: Path) -> tuple[CLIPTextModel, UNet2DConditionModel, ShortTable, int]:
    """The averaged networks of a checkpoint, the table of rows and the number of steps."""
    table = ShortTable(build_tokenizer())
    text, unet = build(table)
    average = Average([*text.parameters(), *unet.parameters()])
    done = load_state(checkpoint, {"average": average})
    average.copy_to([*text.parameters(), *unet.parameters()])
    return text.eval(), unet.eval(), table, done
