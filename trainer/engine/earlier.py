"""Checkpoints of 0.1's first format, in which sums by blocks of steps and the growth strip stood in the one file."""

from typing import Any

from torch import Tensor

FORMAT = 1


def today(header: dict[str, Any], tensors: dict[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Header and tensors as they would be now. Of the strip those steps stay at which a block of sums began."""
    steps = max(header["block_steps"], header["snapshot_steps"])
    places = {step: place for place, step in enumerate(header["snapshots"])}
    marks = []
    for encoder in range(header["encoders"]):
        total = tensors[f"{encoder}.rows"] * 0
        for place, (start, _) in enumerate(header["blocks"]):
            if start in places and start % steps == 0:
                marks.append(start)
                tensors[f"{start}/{encoder}.rows"] = tensors[f"{encoder}.snapshot.{places[start]}"]
                tensors[f"{start}/{encoder}.total"] = total
            total = total + tensors[f"{encoder}.block.{place}"]
        tensors[f"{encoder}.total"] = total
    return {**header, "marks": [[step, ""] for step in sorted(set(marks))], "mark_steps": steps}, tensors
