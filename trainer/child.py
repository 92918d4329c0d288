"""Start, feed, read and stop the engine: a child program that speaks JSON lines.

Standard library only. One child stays warm between commands; its base model stays loaded until a command
names another. The child ends by itself when this process does, because its standard input closes.
"""

import collections
import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

# Everything else of the parent's environment, secrets first of all, stays with the parent.
_KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
)
_ROOT = Path(__file__).resolve().parent.parent
LOG_LINES = 200
LAST_WORDS = 2.0  # seconds that a dead child's log may still take to arrive
# Events that end a command.
FINAL = frozenset({"result", "stopped", "failed", "sheet", "described", "converted", "probed"})


class EngineDied(RuntimeError):
    """The child ended although nobody asked it to. `code` is its exit status, `log` the end of its log."""

    def __init__(self, code: int, log: str) -> None:
        super().__init__(f"the engine ended with status {code}")
        self.code = code
        self.log = log


class EngineSilent(TimeoutError):
    """The child said nothing for the time given to `events`."""


class EngineChild:
    """The engine process. `start` it in a private folder, `send` commands, iterate over `events`."""

    def __init__(self, python: str = sys.executable, *, folder: Path | str | None = None) -> None:
        self.python = python
        self.folder = Path(folder) if folder else None
        self._process: subprocess.Popen[str] | None = None
        self._is_asked = False
        self._is_deaf = False
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._log: collections.deque[str] = collections.deque(maxlen=LOG_LINES)
        self._log_reader: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """The process id, None when no child runs."""
        return self._process.pid if self.running and self._process else None

    @property
    def running(self) -> bool:
        """Whether a child is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def working(self) -> bool:
        """Whether a live child owes the end of a command."""
        return self.running and self._is_asked

    @property
    def is_deaf(self) -> bool:
        """Whether it is compiling, as far as its events were read: then only `kill` stops it within minutes."""
        return self.running and self._is_deaf

    @property
    def log(self) -> str:
        """The last lines the child wrote to its log."""
        return "\n".join(self._log)

    def start(self) -> None:
        """Start the child unless it already runs. It answers with a `ready` event."""
        if self.running:
            return
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        environment |= {"PYTHONPATH": str(_ROOT), "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
        # Threads that wait should sleep: on a busy machine, spinning ones take the time of those they wait for.
        environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        # A queue of its own per process: a late line of a dead child must not reach the next one's reader.
        self._lines = queue.Queue()
        process = subprocess.Popen(
            [self.python, "-m", "trainer.engine"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            cwd=self.folder,
            env=environment,
            # Ctrl-C in a terminal is for the parent, which then stops the child in order.
            start_new_session=True,
        )
        self._process = process
        self._is_asked = self._is_deaf = False
        threading.Thread(target=self._read_events, args=(process.stdout, self._lines), daemon=True).start()
        self._log_reader = threading.Thread(target=self._read_log, args=(process.stderr,), daemon=True)
        self._log_reader.start()

    def send(self, command: dict[str, Any]) -> None:
        """Send one command. Raises EngineDied when there is no child to hear it."""
        process = self._process
        if process is None or process.stdin is None:
            raise EngineDied(-1, self.log)
        try:
            process.stdin.write(json.dumps(command) + "\n")
            process.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise self._death() from None
        self._is_asked = self._is_asked or command["do"] not in ("stop", "quit")

    def events(self, timeout: float = 60.0) -> Iterator[dict[str, Any]]:
        """Events in order, up to and including the one that ends the command.

        Raises EngineSilent after `timeout` seconds without a line (call again to go on waiting) and
        EngineDied when the child ends.
        """
        while True:
            try:
                event = self._lines.get(timeout=timeout)
            except queue.Empty:
                raise EngineSilent(f"no event for {timeout:g} s") from None
            if event is None:
                raise self._death()
            is_last = event.get("event") in FINAL
            self._is_asked = self._is_asked and not is_last
            self._is_deaf = event.get("event") == "compiling"
            yield event
            if is_last:
                return

    def cancel(self, run_id: str) -> None:
        """Ask the child to stop the named command; it saves a checkpoint and answers `stopped`."""
        self.send({"do": "stop", "id": run_id})

    def stop(self, timeout: float = 10.0) -> None:
        """End the child in order: it may finish its step and save, then is killed after `timeout` seconds."""
        process = self._process
        if process is None:
            return
        if self.is_deaf:
            self.kill()
            return
        with contextlib.suppress(EngineDied):
            self.send({"do": "quit"})
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
        self._close()

    def kill(self) -> None:
        """End the child and anything it started at once."""
        process = self._process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._close()

    def _death(self) -> EngineDied:
        """How the child ended, with the last of its log, which may still be on its way."""
        code = self._process.wait() if self._process else -1
        if self._log_reader is not None:
            self._log_reader.join(LAST_WORDS)
        return EngineDied(code, self.log)

    def _close(self) -> None:
        process = self._process
        self._process = None
        if process is not None and process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()

    def _read_events(self, stream: IO[str], lines: "queue.Queue[dict[str, Any] | None]") -> None:
        with contextlib.closing(stream):
            for line in stream:
                try:
                    event = json.loads(line)
                except ValueError:
                    self._log.append(line.rstrip())
                    continue
                lines.put(event)
        lines.put(None)

    def _read_log(self, stream: IO[str]) -> None:
        with contextlib.closing(stream):
            for line in stream:
                self._log.append(line.rstrip())
