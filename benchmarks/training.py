"""Training beside the published algorithm in one run: time a step, memory, checkpoints, preview pictures.

    python -m benchmarks.training [--real sd15|sd2|sdxl] [--rounds 5] [--steps 4] [--precision fp32|bf16]

On the bundled base, or with `--real` on a family's real shapes with random weights (small pictures, a few steps). The
reference (benchmarks/reference.py) trains as published. Rounds alternate on one thread, so that other users of the
machine slow both sides alike; each round is a ratio of wall and of processor time, and what counts is the median with
its spread. Memory is the peak of a fresh process for each side. With a CUDA card everything runs on it, and samples
per second are told with the card's name.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from benchmarks.reference import ACCUMULATE, Reference, Stream
from benchmarks.rounds import Clock, compare, repeated
from benchmarks.shapes import build
from benchmarks.sides import Ours, Scene, Theirs, noise_pictures
from trainer.base_folder import BUNDLED
from trainer.engine import checkpoint, loop
from trainer.engine.base_model import BaseModel
from trainer.engine.checkpoint import Identity
from trainer.engine.run import Run

REAL = {"sd15": ("sd1", 256), "sd2": ("sd2", 256), "sdxl": ("sdxl", 128)}
GIB = 2**30


def scene_of(options: argparse.Namespace) -> Scene:
    """The base and the pictures that the options mean."""
    if not options.real:
        pictures = sorted(map(str, (BUNDLED.parent / "sets" / "storm-bolt").glob("*.png")))
        return Scene(BUNDLED, "tiny", pictures, 64, options.precision)
    family, side = REAL[options.real]
    side = options.resolution or side
    pictures = noise_pictures(options.folder / "pictures", 4, (2 * side + 64, 2 * side))
    return Scene(options.folder / family, family, pictures, side, options.precision)


def steps(base: BaseModel, scene: Scene, options: argparse.Namespace) -> dict[str, Any]:
    """The step: as published, one picture at a time; and, where there is time, at equal batches."""
    found: dict[str, Any] = {}
    ways = [(1, 1, 1)] if options.real and not torch.cuda.is_available() else [(1, ACCUMULATE, 4), (4, 1, 4)]
    for batch, passes, own in ways:
        theirs, ours = Theirs(base, scene, batch, passes), Ours(base, scene, own)
        name = f"step of {own} (reference {passes} x {batch})"
        count = options.steps
        done = compare(name, options.rounds, repeated(count, theirs.step), repeated(count, ours.step), count)
        found[f"{passes}x{batch}"] = done
        if torch.cuda.is_available():
            pace = own / done["seconds"]
            print(
                f"  {torch.cuda.get_device_name()}: {pace:.1f} samples/s, reference {pace / done['wall']:.1f}"
            )
    return found


def previews(base: BaseModel, scene: Scene, options: argparse.Namespace) -> dict[str, Any]:
    """Pictures of a sheet, four together, against one by one."""
    theirs, ours = Theirs(base, scene, 1, 1), Ours(base, scene, 1)
    name = f"preview pictures, {base.facts.steps} sampler steps"
    done = compare(name, min(options.rounds, 3), lambda: theirs.pictures(4), lambda: ours.pictures(4), 4)
    pace = 1 / done["seconds"]
    print(f"  {pace:.2f} pictures/s, one by one {pace / done['wall']:.2f}")
    return done


def checkpoints(base: BaseModel, scene: Scene, folder: Path) -> dict[str, Any]:
    """What each side writes to be able to go on, after a step."""
    theirs, ours = Theirs(base, scene, 1, 1), Ours(base, scene, 1)
    theirs.step()
    ours.step()
    began = time.perf_counter()
    large = theirs.reference.checkpoint(folder)
    between = time.perf_counter()
    times = []
    for _ in range(5):
        before = time.perf_counter()
        made = checkpoint.save(ours.state, Identity("{}", "", ""), folder / "ours.safetensors")
        times.append(time.perf_counter() - before)
    print(
        f"checkpoint: reference {large:,} bytes in {between - began:.2f} s, ours {made['size']:,} bytes in"
        f" {statistics.median(times) * 1000:.1f} ms: {large / made['size']:,.0f}x smaller"
    )
    return {"reference": large, "ours": made["size"], "milliseconds": statistics.median(times) * 1000}


@contextmanager
def timed(owner: Any, names: tuple[str, ...], clock: Clock) -> Iterator[None]:
    """Counts the time that passes in these functions of a module, a class or an object."""
    before = {name: vars(owner).get(name) for name in names}

    def counted(call: Any) -> Any:
        def run(*given: Any, **named: Any) -> Any:
            with clock.running():
                return call(*given, **named)

        return run

    for name in names:
        setattr(owner, name, counted(getattr(owner, name)))
    try:
        yield
    finally:
        for name, own in before.items():
            if own is None:
                delattr(owner, name)
            else:
                setattr(owner, name, own)


def overhead(base: BaseModel, scene: Scene, folder: Path, count: int) -> tuple[float, float]:
    """The share of a run that passes outside of the frozen parts; and outside of draws, loss and update too."""
    ours = Ours(base, scene, 4 if scene.family == "tiny" else 1)
    models, steps, whole = Clock(), Clock(), Clock()

    def save(state: Any) -> None:
        checkpoint.save(state, Identity("{}", "", ""), folder / "loop.safetensors")

    with (
        timed(base, ("encode", "denoise"), models),
        timed(torch.Tensor, ("backward",), models),
        timed(loop, ("draw", "gradient", "update"), steps),
        timed(ours.probe, ("loss",), steps),
        whole.running(),
    ):
        ours.whole(count, save)
    outside = 1 - models.processor / whole.processor
    own = 1 - steps.processor / whole.processor
    print(
        f"engine's own share of {count} steps with evaluations and checkpoints: {outside:.1%} of processor time outside"
        f" of model calls, {own:.1%} outside of draws, loss and update too (checks, progress, checkpoints)"
    )
    return outside, own


def photos(base: BaseModel, scene: Scene, options: argparse.Namespace, folder: Path) -> float:
    """A step on 12-Mpx photographs over a step on small pictures, both prepared once."""
    paths = noise_pictures(folder / "photos", 2, (4000, 3000), "jpg")
    large = Scene(scene.folder, scene.family, paths, scene.resolution, scene.precision)
    ours, big = Ours(base, scene, 4), Ours(base, large, 4)
    count = 2 * options.steps
    name, labels = "a step on 12-Mpx photographs, once prepared", ("photographs", "small pictures")
    both = repeated(count, big.step), repeated(count, ours.step)
    done = compare(name, options.rounds, *both, count, labels)
    slow = Theirs(base, large, 1, 1)
    clock = Clock()
    with clock.running():
        slow.step()
    print(f"  the published way takes {clock.processor:.2f} s of processor time a picture of them")
    return done["processor"]


def child(side: str, scene: Scene, count: int, folder: Path) -> dict[str, Any]:
    """One side alone in this process, and what it took."""
    facts: dict[str, Any] = {}
    base = BaseModel.load(scene.folder, precision=scene.precision) if side == "ours" else None
    if base:
        events: list[dict[str, Any]] = []
        Run(
            base=base,
            recipe=scene.recipe(1, count),
            images=[{"path": path} for path in scene.pictures],
            workdir=folder / "work",
            on_event=lambda event, **values: events.append({"event": event, **values}),
            should_stop=lambda: False,
        ).train()
        names = ("steps", "base_intact", "cosine_to_initializer")
        facts = {name: events[-1][name] for name in names}
        facts["encoders"] = [encoder["slot"] for encoder in events[-1]["encoders"]]
    elif side == "reference":
        learner = Reference(scene.folder, "star", side=scene.resolution, dtype=scene.dtype)
        side_of_latents = scene.resolution // 2 ** (len(learner.vae.config.block_out_channels) - 1)
        shape = (learner.unet.config.in_channels, side_of_latents, side_of_latents)
        stream = Stream(scene.pictures, ["a photo of a [name]"], shape, 1)
        for _ in range(count):
            learner.update([stream.inputs(1)])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    if torch.cuda.is_available():
        peak = torch.cuda.max_memory_allocated() / GIB
    return {"side": side, "peak_gib": round(peak, 3), **facts}


def memory(options: argparse.Namespace) -> dict[str, Any]:
    """The peak of each side in a process of its own; ours is a whole run with its preparing and measuring."""
    found = {}
    for side in ("nothing", "reference", "ours"):
        found[side] = json.loads(alone(options, side))
    bare, theirs, ours = (found[side]["peak_gib"] for side in ("nothing", "reference", "ours"))
    print(
        f"peak memory: reference {theirs:.2f} GiB, ours {ours:.2f} GiB: {ours / theirs:.2f} of it"
        f" ({bare:.2f} GiB are the libraries alone; without them {(ours - bare) / (theirs - bare):.2f})",
        flush=True,
    )
    return found


def alone(options: argparse.Namespace, part: str) -> str:
    """What a part says that runs in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.training", "--part", part, "--folder", str(options.folder)]
    command += ["--precision", options.precision, "--steps", "2"]
    command += ["--real", options.real] if options.real else []
    command += ["--resolution", str(options.resolution)] if options.resolution else []
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def arguments() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--real", choices=REAL)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4, help="updates a round")
    parser.add_argument("--resolution", type=int)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument(
        "--folder", type=Path, help="where the base with random weights is kept; default: nowhere"
    )
    parser.add_argument("--part", choices=("build", "nothing", "reference", "ours"), help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(options: argparse.Namespace, scene: Scene) -> None:
    """Everything, on one thread, in this process."""
    base = BaseModel.load(scene.folder, precision=scene.precision)
    print(
        f"{scene.family}, {scene.resolution} px, {scene.precision}, one thread, "
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
        flush=True,
    )
    steps(base, scene, options)
    previews(base, scene, options)
    with tempfile.TemporaryDirectory() as temporary:
        checkpoints(base, scene, Path(temporary))
        overhead(base, scene, Path(temporary), 100 if scene.family == "tiny" else 4)
        if scene.family == "tiny":
            photos(base, scene, options, Path(temporary))
    print(f"load at the end {os.getloadavg()[0]:.1f}")


def main() -> None:
    """Build where asked, then memory in children, then everything else here."""
    options = arguments()
    torch.set_num_threads(1)
    for library in (transformers, diffusers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as temporary:
        kept = options.folder
        options.folder = kept or Path(temporary)
        if options.part == "build":
            family, side = REAL[options.real]
            build(family, options.folder / family, options.resolution or side)
        elif options.part:
            print(json.dumps(child(options.part, scene_of(options), options.steps, Path(temporary))))
        else:
            if options.real and not (options.folder / REAL[options.real][0] / "model_index.json").exists():
                alone(options, "build")
            memory(options)
            measure(options, scene_of(options))


if __name__ == "__main__":
    main()
