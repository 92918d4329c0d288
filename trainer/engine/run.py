"""One training run from command to result: prepare, go on from a checkpoint, train, choose, measure, write.

The loop knows nothing of files or events; this module gives it hooks for both.
"""

import json
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from trainer.engine import canonical, checkpoint, loop, measure
from trainer.engine.base_model import BaseModel
from trainer.engine.checkpoint import Identity
from trainer.engine.dataset import Dataset, dataset_digest, prepare
from trainer.engine.events import OnEvent, machine_fault, recipe_fault
from trainer.engine.pictures import picture_from
from trainer.engine.probe import INPUTS, Probe
from trainer.engine.sheet import Subject, take_previews
from trainer.engine.start import start_rows
from trainer.engine.state import RunState
from trainer.prompts import FAITHFUL_SEEDS, faithful_prompt
from trainer.recipe import Recipe

KEPT_CHECKPOINTS = 3
WORTH_KEEPING = 50


@dataclass
class Run:
    """A run in a work folder of its own."""

    base: BaseModel
    recipe: Recipe
    images: list[dict[str, Any]]
    workdir: Path
    on_event: OnEvent
    should_stop: Callable[[], bool]
    resume: Path | None = None
    preview_every: int = 0
    start: Path | None = None
    started: float = field(default_factory=time.monotonic)

    def train(self) -> None:
        """Train and report `result`, or `stopped` when asked to stop. Raises Fault."""
        if self.recipe.family != self.base.facts.family:
            raise recipe_fault(
                "wrong_family", f"The base is of family {self.base.facts.family}, the recipe is not."
            )
        for folder in ("checkpoints", "growth", "result"):
            (self.workdir / folder).mkdir(parents=True, exist_ok=True)
        fingerprint = self.base.fingerprint()
        pictures = [picture_from(values) for values in self.images]
        self.identity = Identity(self.recipe.to_json(), self.base.digest, dataset_digest(pictures))
        self.on_event("preparing", stage="pictures", text=f"Reading {len(pictures)} pictures")
        data = prepare(self.base, self.recipe, pictures, self.should_stop)
        if data is None:
            self.on_event("stopped", step=0, checkpoint=None, embedding=None)
            return
        start = start_rows(self.base, self.recipe, self.start)
        state = self.first_state(start)
        probe = Probe(self.base, self.recipe, data)
        self.announce(state, probe, data)
        hooks = loop.Hooks(self.on_event, self.should_stop, self.save, self.preview, self.preview_every)
        try:
            reason = loop.train(self.base, self.recipe, data, state, probe, hooks)
        finally:
            # What was given up for memory or compiled is this run's; pictures are drawn with the base as it is.
            self.base.save_memory(())
            self.base.compiled = nullcontext()
        if self.base.fingerprint() != fingerprint:
            raise machine_fault("base_changed", "The base model changed in memory during the run.")
        if reason == "stop":
            self.stopped(state, probe, data)
        else:
            self.finish(state, probe, data, start, reason)

    def first_state(self, start: list[Tensor]) -> RunState:
        """A new state, or that of the checkpoint to go on from."""
        if self.resume is None:
            return RunState.start([rows.clone() for rows in start])
        return checkpoint.load(self.resume, self.identity, self.base.device)

    def announce(self, state: RunState, probe: Probe, data: Dataset) -> None:
        """Report what is about to happen, with a first guess of the pace from one timed evaluation."""
        before = time.monotonic()
        loss = probe.loss(state.rows)
        forward = (time.monotonic() - before) / INPUTS
        if not state.fixed:
            state.fixed.append(loss)
        samples = self.recipe.batch * self.recipe.accumulate
        self.on_event(
            "started",
            step=state.step,
            steps=self.recipe.max_steps,
            samples_per_step=samples,
            pictures=data.count,
            prompts=[prompt for prompt in data.prompts if prompt],
            # A backward pass costs about two forward ones.
            seconds_per_step=round(3 * forward * samples, 4),
            warnings=self.recipe.warnings(),
        )

    def save(self, state: RunState) -> None:
        """Write a checkpoint, report it, and drop those before the last few."""
        folder = self.workdir / "checkpoints"
        written = checkpoint.save(state, self.identity, folder / f"step-{state.step:06d}.safetensors")
        self.on_event("checkpoint", step=state.step, **written)
        for old in sorted(folder.glob("step-*.safetensors"))[:-KEPT_CHECKPOINTS]:
            checkpoint.drop(old)

    def preview(self, state: RunState) -> None:
        """Two small pictures of the rows as they are."""
        prompt = faithful_prompt(self.recipe.kind, self.base.facts.record)
        folder = self.workdir / "previews" / f"step-{state.step:06d}"
        subject = self.subject(state.rows)
        images = take_previews(self.base, subject, prompt, FAITHFUL_SEEDS[:2], folder)
        self.on_event("preview", step=state.step, images=images)

    def subject(self, rows: list[Tensor]) -> Subject:
        """These rows as something to take pictures of."""
        recipe = self.recipe
        return Subject(recipe.kind, recipe.trigger, recipe.initializer, tuple(rows), {}, "", recipe.clip_skip)

    def stopped(self, state: RunState, probe: Probe, data: Dataset) -> None:
        """Report a stop; a run that got somewhere leaves its vectors too."""
        path = self.workdir / "checkpoints" / f"step-{state.step:06d}.safetensors"
        embedding = None
        if state.step >= WORTH_KEEPING:
            rows, chosen = self.choose(state, probe)
            provenance = self.provenance(state, data, chosen, "stop")
            embedding = str(self.write(rows, provenance, "result", f"{self.recipe.trigger}.safetensors")[0])
        self.on_event("stopped", step=state.step, checkpoint=str(path), embedding=embedding)

    def finish(self, state: RunState, probe: Probe, data: Dataset, start: list[Tensor], reason: str) -> None:
        """Choose the rows, write the files, measure, report the result."""
        rows, chosen = self.choose(state, probe)
        provenance = self.provenance(state, data, chosen, reason)
        path, digest = self.write(rows, provenance, "result", f"{self.recipe.trigger}.safetensors")
        self.on_event(
            "result",
            embedding=str(path),
            tensor_digest=digest,
            chosen=chosen,
            steps=state.step,
            stopped_by=reason,
            seconds=round(time.monotonic() - self.started, 2),
            losses={
                "first": state.fixed[0],
                "last": probe.loss(rows),
                "best": min(state.fixed),
                "thirds": {"first": probe.thirds(start), "last": probe.thirds(rows)},
                "curve": state.fixed,
            },
            encoders=measure.describe(self.base, rows),
            cosine_to_initializer=measure.cosine_to(rows, start),
            capped_steps=state.capped,
            growth=self.write_growth(state, start, provenance),
            base_digest=self.base.digest,
            base_intact=True,
            dataset_digest=data.digest,
            recipe=self.recipe.to_dict(),
            provenance=provenance,
        )

    def choose(self, state: RunState, probe: Probe) -> tuple[list[Tensor], str]:
        """Raw or averaged rows, whichever has the lower fixed-input loss."""
        averaged = state.average(self.recipe.average)
        if averaged is not None and probe.loss(averaged) < probe.loss(state.rows):
            return averaged, "average"
        return state.rows, "raw"

    def provenance(self, state: RunState, data: Dataset, chosen: str, reason: str) -> dict[str, Any]:
        """How the vectors came to be. No hour and no place: the same run gives the same bytes."""
        recipe = self.recipe
        return {
            "kind": recipe.kind,
            "initializer": recipe.initializer,
            "base": self.base.facts.name,
            "base_digest": self.base.digest,
            "dataset_digest": data.digest,
            "pictures": data.count,
            "recipe": json.loads(recipe.to_json()),
            "seed": recipe.seed,
            "steps": state.step,
            "stopped_by": reason,
            "chosen": chosen,
            "versions": canonical.versions(),
            # Only where it is not what every tool does anyway.
            **({"clip_skip": recipe.clip_skip} if recipe.clip_skip > 1 else {}),
            **({"given_up": state.fit.measures} if state.fit and state.fit.measures else {}),
            **({"compiled": True} if state.fit and state.fit.compiled else {}),
        }

    def write(self, rows: list[Tensor], facts: dict[str, Any], folder: str, name: str) -> tuple[Path, str]:
        """Write rows as a canonical file; returns its path and tensor digest."""
        path = self.workdir / folder / name
        metadata = canonical.provenance_metadata(facts)
        digest = canonical.write(self.base, rows, trigger=self.recipe.trigger, metadata=metadata, path=path)
        return path, digest

    def write_growth(
        self, state: RunState, start: list[Tensor], provenance: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Snapshots from the initializer to the average: the growth strip, and other steps to pick."""
        stages = [
            (f"step {step}", step, rows)
            for step, rows in [(0, start), *state.growth(), (state.step, state.rows)]
        ]
        averaged = state.average(self.recipe.average)
        if averaged is not None:
            stages.append(("average", state.step, averaged))
        written = []
        for label, step, rows in stages:
            facts = {**provenance, "steps": step, "chosen": label}
            path, digest = self.write(rows, facts, "growth", f"{label.replace(' ', '-')}.safetensors")
            written.append({"label": label, "step": step, "path": str(path), "tensor_digest": digest})
        return written
