"""The engine as a program: commands as JSON lines on standard input, events on standard output.

Commands are `train`, `sheet`, `describe`, `convert`, `probe`, `stop` and `quit`; one runs at a time. The base model
stays loaded until a command names another. When the input closes, the engine saves a checkpoint and ends.
"""

import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from trainer.base_folder import BaseFolderError, base_digest
from trainer.engine import bars, canonical, measure, pace
from trainer.engine.base_model import BaseModel, placement
from trainer.engine.board import Board
from trainer.engine.convert import convert
from trainer.engine.events import Fault, OnEvent, Reporter, machine_fault
from trainer.engine.run import Run
from trainer.engine.sheet import Subject, make_sheet
from trainer.recipe import Recipe, RecipeError

# How long a command may take to notice that the engine should end.
GRACE_SECONDS = 20.0


class Engine:
    """Reads commands, keeps the base warm, runs one command at a time."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self.commands: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.stopped_ids: set[str] = set()
        self.ending = threading.Event()
        self._base: BaseModel | None = None

    def listen(self) -> None:
        """Read commands until the input closes; `stop` and `quit` act at once."""
        for line in sys.stdin:
            try:
                command = json.loads(line)
                action = command["do"]
            except (ValueError, KeyError, TypeError):
                self.reporter(
                    "failed", fault="machine", code="bad_command", message="Not a command.", detail=""
                )
                continue
            if action == "quit":
                break
            if action == "stop":
                self.stopped_ids.add(str(command.get("id")))
            else:
                self.commands.put(command)
        self.end()

    def end(self) -> None:
        """Finish: the running command stops at its next step, and nothing else is started."""
        self.ending.set()
        self.commands.put(None)
        timer = threading.Timer(GRACE_SECONDS, os._exit, (1,))
        timer.daemon = True
        timer.start()

    def serve(self) -> None:
        """Run commands until the end."""
        while not self.ending.is_set():
            command = self.commands.get()
            if command is not None:
                self.run(command)

    def run(self, command: dict[str, Any]) -> None:
        """Run one command; whatever goes wrong becomes a `failed` event."""
        on_event = self.reporter.of(str(command.get("id")))
        try:
            self.dispatch(command, on_event)
        except Fault as fault:
            fail(on_event, fault.fault, fault.code, fault.message, fault.detail)
        except RecipeError as error:
            fail(on_event, "recipe", f"recipe_{error.field}", error.message, error.field)
        except BaseFolderError as error:
            fail(on_event, "machine", error.code, error.message, "")
        except (MemoryError, torch.OutOfMemoryError) as error:
            fail(on_event, "machine", "out_of_memory", "There is not enough memory for this run.", str(error))
        except Exception:  # noqa: BLE001 - the engine outlives any one command; the parent decides
            fail(on_event, "machine", "engine_error", "The engine met an error.", traceback.format_exc())

    def dispatch(self, command: dict[str, Any], on_event: OnEvent) -> None:
        """Do what the command says. Raises Fault and its kin."""
        actions = {
            "train": self.train,
            "sheet": self.sheet,
            "describe": self.describe,
            "convert": self.convert,
            "probe": self.probe,
        }
        action = actions.get(command["do"])
        if action is None:
            raise machine_fault("bad_command", f"Unknown command '{command['do']}'.")
        if command.get("threads"):
            torch.set_num_threads(int(command["threads"]))
        action(command, on_event)

    def train(self, command: dict[str, Any], on_event: OnEvent) -> None:
        """The `train` command."""
        recipe = Recipe.from_dict(command["recipe"])
        base = self.base(command["base"], recipe.precision, on_event)
        resume, start, board = (command.get(name) for name in ("resume", "start", "board"))
        with Board(on_event, Path(board) if board else None) as told:
            Run(
                base=base,
                recipe=recipe,
                images=command["images"],
                workdir=Path(command["workdir"]),
                on_event=told,
                should_stop=self.stopping(command),
                resume=Path(resume) if resume else None,
                preview_every=int(command.get("preview_every") or 0),
                start=Path(start) if start else None,
            ).train()

    def sheet(self, command: dict[str, Any], on_event: OnEvent) -> None:
        """The `sheet` command."""
        base = self.base(command["base"], command.get("precision", "auto"), on_event)
        rows = canonical.read(base, Path(command["embedding"]))
        growth = {
            str(stage.get("label") or f"step {stage['step']}"): tuple(
                canonical.read(base, Path(stage["path"]))
            )
            for stage in command.get("growth") or []
        }
        subject = Subject(
            kind=command["kind"],
            trigger=command["trigger"],
            initializer=command.get("initializer") or "",
            rows=tuple(rows),
            growth=growth,
            tensor_digest=canonical.digest(base, rows),
            clip_skip=canonical.clip_skip(Path(command["embedding"])),
            prompts=tuple(command.get("prompts") or ()),
        )
        fingerprint = base.fingerprint()
        folder = Path(command["workdir"]) / "sheet"
        cache = command.get("cache")
        made = make_sheet(
            base,
            subject,
            folder,
            cache=Path(cache) if cache else None,
            should_stop=self.stopping(command),
            on_event=on_event,
        )
        if made is None:
            on_event("stopped", step=None, checkpoint=None, embedding=None)
            return
        made["measures"] = bars.measure(
            base,
            made["images"],
            trigger=subject.trigger,
            training=[Path(image["path"]) for image in command.get("images") or []],
            folder=Path(command["metrics"]) if command.get("metrics") else None,
        )
        made["intact"] = made["intact"] and base.fingerprint() == fingerprint
        on_event(
            "sheet",
            base_digest=base.digest,
            tensor_digest=subject.tensor_digest,
            encoders=measure.describe(base, rows),
            **made,
        )

    def describe(self, command: dict[str, Any], on_event: OnEvent) -> None:
        """The `describe` command."""
        base = self.base(command["base"], command.get("precision", "auto"), on_event)
        rows = canonical.read(base, Path(command["embedding"]))
        on_event("described", base_digest=base.digest, encoders=measure.describe(base, rows))

    def convert(self, command: dict[str, Any], on_event: OnEvent) -> None:
        """The `convert` command: a single-file checkpoint into a diffusers folder."""
        file, folder = Path(command["file"]), Path(command["folder"])
        done = convert(file, folder, command["plan"], on_event, self.stopping(command))
        on_event("converted" if done else "stopped", step=None, checkpoint=None, embedding=None)

    def probe(self, command: dict[str, Any], on_event: OnEvent) -> None:
        """The `probe` command: how fast steps on a base are here, and what memory they take."""
        started = time.monotonic()
        base = self.base(command["base"], command.get("precision", "auto"), on_event)
        loaded = time.monotonic() - started
        found = pace.measure(
            base,
            command["resolutions"],
            pace.Limits(**command["limits"]),
            Path(command["workdir"]),
            on_event=on_event,
            should_stop=self.stopping(command),
        )
        if found is None:
            on_event("stopped", step=None, checkpoint=None, embedding=None)
            return
        on_event(
            "probed",
            base_digest=base.digest,
            device=pace.device_name(base),
            precision=str(base.dtype).removeprefix("torch."),
            load_seconds=round(loaded, 2),
            resolutions=found,
        )

    def base(self, folder: str, precision: str, on_event: OnEvent) -> BaseModel:
        """The warm base if the command means the same one in the same precision, else a newly loaded one."""
        warm = self._base
        if warm and warm.dtype == placement(precision)[1] and warm.digest == base_digest(folder):
            return warm
        on_event("preparing", stage="base", text="Loading the base model")
        self._base = warm = None
        self._base = BaseModel.load(folder, precision=precision)
        return self._base

    def stopping(self, command: dict[str, Any]) -> Any:
        """A function that says whether this command should stop now."""
        own = str(command.get("id"))
        return lambda: self.ending.is_set() or own in self.stopped_ids


def fail(on_event: OnEvent, fault: str, code: str, message: str, detail: str) -> None:
    """Report a failure; details go to the log too."""
    if detail:
        sys.stderr.write(detail + "\n")
    on_event("failed", fault=fault, code=code, message=message, detail=detail)


def quieten() -> None:
    """Keep progress bars and hints for other programs out of the log."""
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()


def main() -> None:
    """Serve commands from standard input until it closes, `quit` arrives or SIGTERM does."""
    events = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    # Anything a library prints must not end up between the events.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    quieten()
    engine = Engine(Reporter(events))
    signal.signal(signal.SIGTERM, lambda *_: engine.end())
    threading.Thread(target=engine.listen, daemon=True).start()
    engine.reporter("ready", versions=canonical.versions(), device=str(placement("auto")[0]), pid=os.getpid())
    engine.serve()


if __name__ == "__main__":
    main()
