"""A whole hub as a person starts it: `manage.py quickstart` in a process of its own, with a folder of its own."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.parts import process

ROOT = Path(__file__).resolve().parents[2]


class Hub:
    """A running hub: its address, its one-time sign-in link and everything it printed."""

    def __init__(self, folder: Path, *, port: int | None = None, **environment: str) -> None:
        self.folder = folder
        self.port = port or process.free_port()
        # The suite has taken every other HUB_ variable out of the environment.
        self.environment = {
            "HUB_DATA_DIR": str(folder),
            "HUB_MIN_FREE_BYTES": "0",
            "PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
            **environment,
        }
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder.with_name(f"{folder.name}.log")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, within: float = 300) -> float:
        """Start it and wait until it says that it is ready; the seconds that took. It ends with this process."""
        began = time.monotonic()
        self.log.write_bytes(b"")
        self.process = process.start(
            [sys.executable, "manage.py", "quickstart"],
            log=self.log,
            folder=ROOT,
            environment=self.environment,
            # Asked to stop, it stops what it started in order.
            death_signal=signal.SIGTERM,
        )
        while self.sign_in_link is None or not any("Glossa is ready at" in line for line in self.lines):
            if self.process.poll() is not None or time.monotonic() - began > within:
                raise AssertionError("The hub did not start:\n" + "".join(self.lines[-40:]))
            time.sleep(0.1)
        return time.monotonic() - began

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    @property
    def lines(self) -> list[str]:
        """Everything it printed since it was last started."""
        return self.log.read_text(errors="replace").splitlines(keepends=True)

    @property
    def sign_in_link(self) -> str | None:
        """The one-time link, once it was printed."""
        for line in self.lines:
            match = re.search(r"http://\S+/sign-in/\S+", line)
            if match:
                return match[0]
        return None

    def stop(self, *, within: float = 30) -> int:
        """Ask it to stop as a service manager does; its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within)

    def kill_all(self) -> None:
        """kill -9 of the whole tree, at once."""
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if self.process is not None:
            self.process.wait(10)

    def processes(self, containing: str = "") -> list[int]:
        """Living processes that belong to this hub (they carry its data folder), by a part of their command."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                environment = (entry / "environ").read_bytes()
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
                folder = os.readlink(entry / "cwd")
            except OSError:
                continue
            named = f"HUB_DATA_DIR={self.folder}".encode() in environment.split(b"\0")
            ours = named or str(self.folder) in command or folder.startswith(str(self.folder))
            if ours and state != "Z" and containing in command:
                found.append(int(entry.name))
        return found

    def manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a management command against this hub's data."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        )

    def get(self, path: str) -> bytes:
        """The body of a page."""
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return bytes(answer.read())
