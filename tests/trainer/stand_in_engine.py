"""A program that speaks the engine's protocol and learns nothing: for tests of the parent, without torch.

Its rows are a function of seed and step alone, so that runs can be compared to the last bit. What goes wrong is
written in the recipe's initializer: `crash at 25` (unless resumed), `refuse`, `break`, `starve`, `deaf`,
`compile` (for ten minutes, unless resumed), `spoil`, `crash in sheet`.
"""

import hashlib
import json
import os
import struct
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from hub.formats import Tensor, tensor_digest, write_canonical
from trainer.prompts import OWN, sheet_plan

PAUSE = float(sys.argv[1])
WIDTH, VECTORS, EVERY = 128, 2, 10
FAULTS = {
    "refuse": ("recipe", "too_dark", "The pictures are black.", ""),
    "break": ("machine", "engine_error", "It broke.", "at 0x0"),
    "starve": ("machine", "out_of_memory", "No memory.", "at 0x0"),
}
stopped: set[str] = set()


def say(event: str, **values: Any) -> None:
    sys.stdout.write(json.dumps({"event": event, **values}) + "\n")
    sys.stdout.flush()


def moved(rows: list[float], seed: int, step: int) -> list[float]:
    noise = hashlib.shake_256(f"{seed}:{step}".encode()).digest(len(rows))
    return [0.9 * value + (byte - 128) / 1000 for value, byte in zip(rows, noise, strict=True)]


def canonical(rows: list[float], trigger: str) -> tuple[bytes, str]:
    tensor = Tensor("F32", (VECTORS, WIDTH), struct.pack(f"<{len(rows)}f", *rows))
    tensors = {"emb_params": tensor}
    return write_canonical(tensors, family="tiny", trigger=trigger), tensor_digest(tensors)


def picture(path: Path, shade: int) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 64), (shade % 256, 90, 120)).save(path)
    return str(path)


def train(command: dict[str, Any]) -> None:
    run, recipe, folder = command["id"], command["recipe"], Path(command["workdir"])
    say("preparing", id=run, stage="pictures", text="Reading pictures")
    trouble = recipe["initializer"]
    if trouble in FAULTS:
        fault, code, message, detail = FAULTS[trouble]
        say("failed", id=run, fault=fault, code=code, message=message, detail=detail)
        return
    step, rows = 0, [0.0] * (WIDTH * VECTORS)
    parts: dict[int, str] = {}
    if command["resume"]:
        state = json.loads(Path(command["resume"]).read_text())
        step, rows = state["step"], state["rows"]
        for kept, digest in state["parts"]:
            parts[kept] = (Path(command["resume"]).parent / f"{digest}.part").read_text()
    say("started", id=run, step=step, steps=recipe["max_steps"], prompts=["a picture of it"])
    if trouble == "compile":
        save(folder, run, step, rows, parts)
        compile_blocks(command, step)
    while step < recipe["max_steps"]:
        if run in stopped and trouble != "deaf":
            save(folder, run, step, rows, parts)
            say("stopped", id=run, step=step, checkpoint=None, embedding=None)
            return
        step += 1
        rows = moved(rows, recipe["seed"], step)
        time.sleep(PAUSE)
        numbers = {"loss": 0.2 + 1 / step, "fixed_loss": 0.2 + 0.8 / step, "lr": 0.1, "norm_max": 0.4321}
        left = (recipe["max_steps"] - step) * PAUSE
        say("progress", id=run, step=step, samples_per_second=8.0, seconds_left=left, **numbers)
        if step % EVERY == 0:
            # The whole way counts: a part that got lost makes other vectors.
            parts[step] = json.dumps(rows)
            save(folder, run, step, rows, parts)
            image = picture(folder / f"growth-{step}.png", step)
            say("preview", id=run, step=step, images=[{"path": image, "prompt": "it", "seed": 1}])
        if trouble == f"crash at {step}" and not command["resume"]:
            os._exit(3)
    ways = [json.loads(part) for _, part in sorted(parts.items())]
    finish(folder, command, [sum(values) for values in zip(rows, *ways, strict=True)])


def compile_blocks(command: dict[str, Any], step: int) -> None:
    say("compiling", id=command["id"], step=step)
    time.sleep(0.5 if command["resume"] else 600)
    say("note", id=command["id"], step=step, text="Steps are compiled.")


def save(folder: Path, run: str, step: int, rows: list[float], parts: dict[int, str]) -> None:
    kept = [(at, hashlib.sha256(part.encode()).hexdigest()) for at, part in parts.items()]
    written = [{"path": str(folder / f"{digest}.part"), "sha256": digest} for _, digest in kept]
    for part, text in zip(written, parts.values(), strict=True):
        if not Path(part["path"]).exists():
            Path(part["path"]).write_text(text)
    path = folder / f"step-{step:06d}.safetensors"
    path.write_text(json.dumps({"step": step, "rows": rows, "parts": kept}))
    say("checkpoint", id=run, step=step, path=str(path), size=path.stat().st_size, parts=written)


def finish(folder: Path, command: dict[str, Any], rows: list[float]) -> None:
    recipe = command["recipe"]
    data, digest = canonical(rows, recipe["trigger"])
    path = folder / "result.safetensors"
    path.write_bytes(b"not a file" if recipe["initializer"] == "spoil" else data)
    say(
        "result",
        id=command["id"],
        embedding=str(path),
        tensor_digest=digest,
        steps=recipe["max_steps"],
        stopped_by="max_steps",
        chosen="raw",
        seconds=1.0,
        losses={"first": 1.0, "last": 0.5},
        encoders=[],
        growth=[{"label": "step 0", "step": 0, "path": str(path), "tensor_digest": digest}],
        provenance={"seed": recipe["seed"], "pictures": len(command["images"])},
    )
    if recipe["initializer"] == "crash in sheet":
        os._exit(4)


def sheet(command: dict[str, Any]) -> None:
    folder = Path(command["workdir"]) / "sheet"
    images = []
    is_whole = command["initializer"] == "whole sheet"
    labels = [kept["label"] for kept in command.get("growth") or []]
    cells = sheet_plan(command["kind"], growth=labels, own=command.get("prompts") or [])
    if not is_whole:
        cells = [
            cell if cell.block == OWN else replace(cell, prompt="a picture of [name]", seed=cell.column)
            for cell in cells
            if cell.block == OWN or (cell.block in "AC" and cell.row == 0 and cell.column < 2)
        ]
    for number, cell in enumerate(cells):
        say("rendering", id=command["id"], done=number, total=len(cells))
        time.sleep(PAUSE)
        prompt, negative = cell.shown(command["trigger"])
        images.append(
            {
                "path": picture(folder / f"{number}.png", 40 * number),
                "block": cell.block,
                "row": cell.row,
                "column": cell.column,
                "prompt": prompt,
                "negative_prompt": negative,
                "seed": cell.seed,
                "alt": prompt,
                "is_control": cell.is_control,
                "weight": cell.weight,
                "rows": cell.rows,
            }
        )
    whole = picture(folder / "sheet.png", 7)
    measures = {
        "faithful": None,
        "obedient": None,
        "diverse": {"value": 0.5, "control": 1.0},
        "strength": {"value": 1.2, "control": 0.8},
    }
    facts = {"intact": True, "base_digest": "b", "encoders": [], "measures": measures}
    say("sheet", id=command["id"], images=images, sheet=whole, **facts)


def listen(commands: list[dict[str, Any]], arrived: threading.Semaphore) -> None:
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "stop":
            stopped.add(command["id"])
        elif command["do"] == "quit":
            break
        else:
            commands.append(command)
            arrived.release()
    os._exit(0)


def main() -> None:
    commands: list[dict[str, Any]] = []
    arrived = threading.Semaphore(0)
    threading.Thread(target=listen, args=(commands, arrived), daemon=True).start()
    say("ready", id=None, pid=os.getpid())
    while True:
        arrived.acquire()
        command = commands.pop(0)
        {"train": train, "sheet": sheet}[command["do"]](command)


if __name__ == "__main__":
    main()
