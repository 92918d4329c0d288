"""Files a second through the sandbox, against torch's loader and safetensors' writer, in one run on the same cores.

    python benchmarks/ingest.py [--files 1000] [--rounds 3] [--threads N]

Both sides get the same files (every container, layout, dtype and family that both can read), both are warm, both use
as many threads as there are processors. The hub's side reads every file in a locked child of its own and checks the
answer; the other side is `torch.load(weights_only=True)` or `safetensors.torch.load`, then `safetensors.torch.save` of
the same tensors. Rounds alternate; what is printed is the middle and the spread of the ratio of each pair of rounds.

A child for each file has a price below which no reader can go: processor time of a fork and an exit with nothing
between them, of an interpreter that has loaded nothing and of one that has loaded the reader. Both are printed, and
what the reader takes without any child, which is the other bound.
"""

import argparse
import io
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save

from hub import sandbox
from hub.formats.inspection import examine_descriptor
from hub.formats.limits import DEFAULT_LIMITS
from hub.sandbox import process, template

READER = "hub.formats.inspection"
# Vectors and width of what people upload: most words have one to a dozen vectors of SD 1, SD 2 or SDXL.
SHAPES = ((1, 768), (2, 768), (4, 768), (8, 768), (16, 768), (1, 1024), (4, 1024), (2, 128))


def made(index: int) -> tuple[str, bytes]:
    """Suffix and bytes of one file as a tool writes it; no two have the same values."""
    vectors, width = SHAPES[index % len(SHAPES)]
    value = torch.randn(vectors, width, generator=torch.Generator().manual_seed(index)) * 0.02
    kind = index // len(SHAPES) % 5
    if kind == 0:
        return "safetensors", save({"emb_params": value}, {"modelspec.trigger_phrase": f"word-{index}"})
    if kind == 1:
        return "safetensors", save({"emb_params": value.to(torch.bfloat16)})
    if kind == 2:
        wide = {"clip_l": torch.randn(vectors, 768) * 0.02, "clip_g": torch.randn(vectors, 1280) * 0.02}
        return "safetensors", save({name: tensor.half() for name, tensor in wide.items()})
    out = io.BytesIO()
    if kind == 3:
        word = {
            "string_to_token": {"*": 265},
            "string_to_param": {"*": value},
            "name": f"word-{index}",
            "step": 9,
        }
        torch.save(word, out)
    else:
        torch.save({f"<word-{index}>": value}, out, _use_new_zipfile_serialization=False)
    return "pt", out.getvalue()


def by_hub(path: Path) -> int:
    """One file as an upload is read."""
    return len(sandbox.read_embedding(path, filename=path.name).canonical)


def by_reader_alone(path: Path) -> int:
    """One file as the child reads it, but in this process: what is left when the sandbox costs nothing."""
    with path.open("rb") as file:
        limits = {"max_bytes": DEFAULT_LIMITS.max_bytes, "max_vectors": DEFAULT_LIMITS.max_vectors}
        return len(examine_descriptor(file.fileno(), filename=path.name, **limits)[1])


def by_torch(path: Path) -> int:
    """One file as the libraries read and write it."""
    if path.suffix == ".safetensors":
        tensors = load(path.read_bytes())
    else:
        found = torch.load(path, weights_only=True)  # noqa: TID251 - what is compared with
        tensors = found.get("string_to_param", found)
    return len(save(tensors))


def timed(read: Callable[[Path], int], paths: list[Path], threads: int) -> tuple[float, float]:
    """Wall and processor seconds, those of ended children included, for all files."""
    began, before = time.perf_counter(), processor()
    with ThreadPoolExecutor(threads) as pool:
        for _size in pool.map(read, paths):
            pass
    return time.perf_counter() - began, processor() - before


def processor() -> float:
    """Processor seconds of this process and of the templates with their children."""
    mine = sum(os.times()[:4])
    ticks = os.sysconf("SC_CLK_TCK")
    for pid in process.POOL.pids():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        mine += sum(map(int, fields[11:15])) / ticks
    return mine


FORKS = 500
FORKING = f"""
import gc, importlib, os, resource, sys
sys.path[:0] = sys.argv[2:]
if sys.argv[1]:
    importlib.import_module(sys.argv[1]).preload()
gc.collect()
gc.freeze()
for _ in range({FORKS}):
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(sum(each.ru_utime + each.ru_stime for each in used))
"""


def fork_and_exit(module: str) -> float:
    """Milliseconds of processor for a child that does nothing, of a process that has loaded a reader, or none."""
    command = [sys.executable, "-I", "-S", "-c"]
    many, none = (
        float(subprocess.check_output([*command, code, module, *template._import_paths()]))
        for code in (FORKING, FORKING.replace(f"range({FORKS})", "range(0)"))
    )
    return 1000 * (many - none) / FORKS


def resident(pid: int | str) -> float:
    """Megabytes of memory that a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def main() -> None:
    """Print the comparison."""
    options = arguments()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for index in range(options.files):
            suffix, data = made(index)
            paths.append(Path(folder) / f"word-{index:04}.{suffix}")
            paths[-1].write_bytes(data)
        random.Random(1).shuffle(paths)
        timed(by_hub, paths[:20], options.threads)
        timed(by_torch, paths[:20], options.threads)
        memory = [resident("self"), *map(resident, process.POOL.pids())]
        ratios, processors = [], []
        for _ in range(options.rounds):
            hub, hub_processor = timed(by_hub, paths, options.threads)
            other, other_processor = timed(by_torch, paths, options.threads)
            ratios.append(other / hub)
            processors.append(other_processor / hub_processor)
            print(
                f"hub {len(paths) / hub:7.0f} files/s ({1000 * hub_processor / len(paths):.2f} ms of processor each)"
                f"   torch + safetensors {len(paths) / other:7.0f} files/s"
                f" ({1000 * other_processor / len(paths):.2f} ms)   ratio {ratios[-1]:.2f}"
            )
        after = [resident("self"), *map(resident, process.POOL.pids())]
        bare = statistics.median(timed(by_reader_alone, paths, 1)[1] for _ in range(options.rounds))
        alone = [timed(by_hub, [path], 1)[0] * 1000 for path in paths[:100]]
    print(f"files a second, hub / torch: {spread(ratios)}; processor time, torch / hub: {spread(processors)}")
    print(
        f"one file alone: {statistics.median(alone):.1f} ms (fastest {min(alone):.1f}, slowest {max(alone):.1f})"
    )
    print(f"fork and exit alone: {fork_and_exit(''):.2f} ms, with the reader {fork_and_exit(READER):.2f} ms")
    print(f"the reader without a child: {1000 * bare / len(paths):.2f} ms of processor")
    print(f"memory of the parent: {memory[0]:.0f} MB before, {after[0]:.0f} MB after")
    print(f"memory of the template: {memory[1]:.1f} MB before, {after[1]:.1f} MB after")


def spread(values: list[float]) -> str:
    """Middle and range of a few numbers."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def arguments() -> Any:
    """What is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    return parser.parse_args()


if __name__ == "__main__":
    main()
