"""Scalars of a run for TensorBoard, where the operator asked for them and tensorboardX is installed."""

import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from trainer.engine.events import OnEvent

try:
    from tensorboardX import SummaryWriter
except ImportError:  # it is an extra
    SummaryWriter = None

SCALARS = ("loss", "fixed_loss", "lr", "norm_max", "capped", "samples_per_second")
MISSING = "No scalars are written: tensorboardX is not installed beside the engine (pip install 'glossa[tensorboard]')."


class Board:
    """Passes events on, and writes each progress into `folder`; a board that cannot be written never ends a run."""

    def __init__(self, on_event: OnEvent, folder: Path | None) -> None:
        self.on_event = on_event
        self.folder = folder
        self.writer: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self.writer:
            self.writer.close()

    def __call__(self, event: str, **values: Any) -> None:
        """The event to whoever listens, then to the board."""
        self.on_event(event, **values)
        if self.folder and event == "started":
            self.open(values["step"])
        if self.writer and event == "progress":
            for name in SCALARS:
                if values[name] is not None:
                    self.writer.add_scalar(name, values[name], values["step"])

    def open(self, step: int) -> None:
        """Begin at a step; what an earlier attempt wrote beyond it is taken back."""
        if SummaryWriter is None:
            sys.stderr.write(MISSING + "\n")
            return
        try:
            self.writer = SummaryWriter(
                str(self.folder),
                # What is taken back begins at the step named, and the one gone on from was written before.
                purge_step=step + 1 if step else 0,
                flush_secs=5,
                # Names tell seconds, and two attempts may begin in one.
                filename_suffix=f".{step:06d}",
            )
        except OSError as error:
            sys.stderr.write(f"No scalars are written: {error.strerror}.\n")
