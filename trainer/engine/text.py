"""Text encoders of a base model: which layer a family reads, the pooled vector, prompts of several chunks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from hub.formats.families import FAMILIES
from trainer.engine.events import machine_fault
from trainer.engine.tokens import PLACES, RowOverlay

# Libraries without type hints; as Any, so that the strict checks stay on for our own code.
_TEXT: Any = CLIPTextModel
_PROJECTED: Any = CLIPTextModelWithProjection
_TOKENS: Any = CLIPTokenizer


@dataclass(frozen=True)
class Reading:
    """How a family reads its encoders: layers left out at the end, and whether the final norm comes after.

    The second encoder, where there is one, also gives one pooled vector for the whole prompt.
    """

    encoders: int
    left_out: int
    normed: bool


READINGS = {
    "tiny": Reading(1, 0, True),
    "sd1": Reading(1, 0, True),
    # Its folders hold 23 of OpenCLIP's 24 layers: the last of them is the one before the last.
    "sd2": Reading(1, 0, True),
    "sdxl": Reading(2, 1, False),
}


@dataclass
class Cond:
    """What the UNet is told about prompts: states of all places, and one pooled vector where it takes one."""

    hidden: Tensor
    pooled: Tensor | None = None

    def at(self, places: Tensor) -> "Cond":
        """The conditioning of some of the prompts, in this order."""
        return Cond(self.hidden[places], None if self.pooled is None else self.pooled[places])

    def zeros(self) -> "Cond":
        """Nothing, in the same shape."""
        return Cond(
            torch.zeros_like(self.hidden), None if self.pooled is None else torch.zeros_like(self.pooled)
        )

    @classmethod
    def joined(cls, parts: list["Cond"]) -> "Cond":
        """Several prompts as one batch."""
        pooled = [part.pooled for part in parts if part.pooled is not None]
        return cls(torch.cat([part.hidden for part in parts]), torch.cat(pooled) if pooled else None)


@dataclass
class Encoder:
    """One text encoder with its tokenizer; `slot` is the tensor's name in a canonical file."""

    slot: str
    tokenizer: Any
    model: Any
    overlay: RowOverlay
    reading: Reading

    @property
    def table(self) -> Tensor:
        """The frozen token table."""
        return self.overlay.table.weight

    def encode(self, ids: Tensor, clip_skip: int = 1) -> tuple[Tensor, Tensor | None]:
        """Hidden states of prompts [n, 77 * chunks], and pooled vectors if this encoder makes them.

        `clip_skip` counts as A1111 does: 1 is the last layer.
        """
        own = ids.to(self.table.device)
        body = getattr(self.model, "text_model", self.model)
        left_out = self.reading.left_out + clip_skip - 1
        out = body(own.reshape(-1, PLACES), output_hidden_states=bool(left_out))
        hidden: Tensor = out.last_hidden_state
        if left_out:
            hidden = out.hidden_states[-1 - left_out]
            hidden = body.final_layer_norm(hidden) if self.reading.normed else hidden
        hidden = hidden.reshape(len(own), -1, hidden.shape[-1]).to(ids.device)
        pooled = self._pooled(own, out.last_hidden_state)
        return hidden, None if pooled is None else pooled.to(ids.device)

    def _pooled(self, ids: Tensor, states: Tensor) -> Tensor | None:
        """The projected state at the first chunk's end mark.

        Looked up by its id: configs with the historic end id 2 make the library take the highest id instead,
        which is a new row wherever there is one.
        """
        projection = getattr(self.model, "text_projection", None)
        if projection is None:
            return None
        first = states.reshape(len(ids), -1, PLACES, states.shape[-1])[:, 0]
        ends = (ids[:, :PLACES] == self.tokenizer.eos_token_id).int().argmax(dim=1)
        pooled: Tensor = projection(first[torch.arange(len(ids), device=ids.device), ends])
        return pooled


def load_encoders(folder: Path, family: str, device: torch.device) -> list[Encoder]:
    """The text encoders of a base, each with a row overlay. In fp32: they are 2 % of the work."""
    reading = READINGS[family]
    encoders = []
    for number, slot in enumerate(FAMILIES[family].slots[: reading.encoders]):
        end = f"_{number + 1}" if number else ""
        tokenizer = _TOKENS.from_pretrained(folder, subfolder=f"tokenizer{end}", local_files_only=True)
        model = (_PROJECTED if number else _TEXT).from_pretrained(
            folder,
            subfolder=f"text_encoder{end}",
            local_files_only=True,
            use_safetensors=True,
            torch_dtype=torch.float32,
        )
        overlay = RowOverlay(model.get_input_embeddings())
        if overlay.first != len(tokenizer):
            raise machine_fault("base_incomplete", "The token table and the tokenizer differ in size.")
        model.set_input_embeddings(overlay)
        encoders.append(Encoder(slot, tokenizer, model.to(device), overlay, reading))
    return encoders
