"""Alternating rounds of two ways to do a thing, each round a ratio: other users of a machine slow both alike."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch


@dataclass
class Clock:
    """Wall and processor seconds of a block; a card is waited for."""

    wall: float = 0.0
    processor: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Time what happens inside."""
        settle()
        wall, processor = time.perf_counter(), time.process_time()
        yield
        settle()
        self.wall += time.perf_counter() - wall
        self.processor += time.process_time() - processor


def settle() -> None:
    """Wait for the card, where there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def compare(
    name: str,
    rounds: int,
    theirs: Callable[[], None],
    ours: Callable[[], None],
    per: float = 1.0,
    labels: tuple[str, str] = ("reference", "ours"),
) -> dict[str, float]:
    """Rounds of both, each as a ratio; `per` is how many steps or pictures one call is."""
    for warm in (theirs, ours):
        warm()
    wall, processor, samples = [], [], []
    for number in range(rounds):
        first, second = Clock(), Clock()
        with first.running():
            theirs()
        with second.running():
            ours()
        wall.append(first.wall / second.wall)
        processor.append(first.processor / second.processor)
        samples.append(second.wall / per)
        print(
            f"  round {number + 1}: {labels[0]} {first.wall / per * 1000:.1f} ms, {labels[1]} "
            f"{second.wall / per * 1000:.1f} ms:"
            f" {wall[-1]:.2f}x wall, {processor[-1]:.2f}x processor",
            flush=True,
        )
    print(
        f"{name}: {statistics.median(processor):.2f}x by processor time ({min(processor):.2f}-{max(processor):.2f}), "
        f"{statistics.median(wall):.2f}x by wall time ({min(wall):.2f}-{max(wall):.2f})",
        flush=True,
    )
    return {
        "processor": statistics.median(processor),
        "wall": statistics.median(wall),
        "seconds": statistics.median(samples),
    }


def repeated(count: int, once: Callable[[], None]) -> Callable[[], None]:
    """Something done so often."""
    return lambda: [once() for _ in range(count)] and None
