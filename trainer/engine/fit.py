"""How a step is computed: what is given up, in order, when memory runs out or compiling fails; and a measured batch."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from trainer.engine.base_model import BaseModel
from trainer.engine.events import machine_fault

# After the batch has been split down to single samples, in this order.
MEASURES = ("checkpointing", "slicing", "encoders")
TEXTS = {
    "checkpointing": "computing the UNet's middle results twice (gradient checkpointing)",
    "slicing": "computing attention in slices",
    "encoders": "keeping the text encoders in main memory",
}
WORTH_DOUBLING = 1.15


@dataclass
class Fit:
    """How many samples pass the UNet together, which measures are taken, whether steps are compiled.

    Part of a run's state. `compiled` is None until that is decided.
    """

    size: int
    measures: list[str] = field(default_factory=list)
    compiled: bool | None = None
    # Why steps are not compiled any more.
    hindrance: str = ""
    # What was given up since somebody asked, as sentences.
    notes: list[str] = field(default_factory=list)

    def apply(self, base: BaseModel) -> None:
        """Put the base into this state."""
        base.save_memory(tuple(self.measures))

    def tighten(self, base: BaseModel, error: Exception) -> None:
        """Give up one thing more. Raises a machine fault when nothing is left."""
        if self.compiled:
            self.uncompile("memory ran out")
        elif self.size > 1:
            # The same samples in smaller parts: the update stays what it was.
            self.size = (self.size + 1) // 2
            passing = "one picture passes" if self.size == 1 else f"{self.size} pictures pass"
            self.notes.append(f"Memory ran out: {passing} at a time; the step stays the same.")
        elif len(self.measures) < len(MEASURES):
            self.measures.append(MEASURES[len(self.measures)])
            self.notes.append(f"Memory ran out: {TEXTS[self.measures[-1]]} from here on.")
            self.apply(base)
        else:
            raise machine_fault(
                "out_of_memory", f"There is not enough memory for this run. {numbers()}"
            ) from error
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def uncompile(self, hindrance: str) -> None:
        """Compute plain steps from here on."""
        self.compiled = False
        self.hindrance = hindrance
        self.notes.append(f"Steps are not compiled any more: {hindrance}.")

    def told(self) -> list[str]:
        """The notes that wait, once."""
        waiting, self.notes = self.notes, []
        return waiting


def hindrance_of(error: Exception) -> str:
    """What an error says against compiling, for whoever reads the run; all of it goes to the log."""
    text = str(error)
    sys.stderr.write(f"Compiling failed. {type(error).__name__}: {text}\n")
    if re.search(r"\bC(\+\+)? compiler|Compiler: ", text):
        return "there is no C++ compiler (g++) where the engine runs"
    return f"the compiler failed ({type(error).__name__})"


def numbers() -> str:
    """What memory the device has, for the one who has to find more."""
    if not torch.cuda.is_available():
        return "One picture at a time was too much; train smaller pictures."
    free, whole = torch.cuda.mem_get_info()
    return (
        f"One picture at a time was too much for {whole / 2**30:.1f} GiB, of which {free / 2**30:.1f} are free; "
        "train smaller pictures or end other programs that use the card."
    )


def best_batch(seconds_of: Callable[[int], float | None], most: int) -> int:
    """The batch that pays: doubled from 1 while samples a second rise by over 15 % and memory allows.

    `seconds_of` times one step of so many samples; None says that it did not fit.
    """
    chosen, pace = 1, 0.0
    size = 1
    while size <= most:
        seconds = seconds_of(size)
        if seconds is None or size / seconds <= WORTH_DOUBLING * pace:
            break
        chosen, pace = size, size / seconds
        size *= 2
    return chosen
