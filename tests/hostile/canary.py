"""Who would sing if a hostile file ran: a watched folder, a listening socket, and an ear on Python's own events."""

import socket
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.hostile.pickle_names import CANARY_FOLDER

# What a payload cannot do without, as Python reports it of this process.
_DEEDS = frozenset(
    {
        *("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.startfile", "pty.spawn"),
        *("os.remove", "os.rename", "os.mkdir", "os.putenv", "shutil.rmtree", "subprocess.Popen"),
        *("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request"),
        *("pickle.find_class", "marshal.loads", "webbrowser.open", "ctypes.dlopen", "code.__new__"),
    }
)
_PORT_OF_PAYLOADS = 0
_heard: list[str] | None = None
_listening = False


@contextmanager
def silence(*, allowed: Collection[str] = ()) -> Iterator[None]:
    """Whatever happens inside, none of the canaries sings; AssertionError says which one did."""
    global _heard, _listening
    folder = Path(CANARY_FOLDER)
    assert not folder.exists(), f"{folder} is there before anything was read"
    if not _listening:
        _listening = True
        sys.addaudithook(_listen)  # it cannot be taken away again, but it can stop listening
    with socket.create_server(("127.0.0.1", _PORT_OF_PAYLOADS)) as listener:
        listener.settimeout(0.01)
        _heard = []
        try:
            yield
        finally:
            heard, _heard = _heard, None
        unwanted = sorted(set(heard) - set(allowed))
        assert not unwanted, f"heard {unwanted}"
        assert not folder.exists(), "a payload ran"
        try:
            listener.accept()
        except TimeoutError:
            return
    raise AssertionError("somebody connected")


def _listen(event: str, arguments: tuple[Any, ...]) -> None:
    if _heard is not None and event in _DEEDS:
        _heard.append(event)
